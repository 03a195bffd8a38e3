"""How long a binding and an allocation take on a slow way: Hopwise, turnutils_uclient and Chromium beside each other.

`python -m tests.bench.turn_delay` prints the times and their ratios. Needs root: the three are behind one NAT.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import delay
from tests.lab.browser import Browser, chromium
from tests.lab.ice_street import SERVER, Street, street
from tests.lab.programs import Program
from tests.probes.coturn import CREDENTIALS, PASSWORD, USER
from wizard.probes.candidate import ServerTried
from wizard.probes.ice import Options, Target, gather
from wizard.wire import stun, uri
from wizard.wire.stun import Class, Message, Method

ROUND_TRIP_S = 0.050
ROUNDS = 7
OTHERS_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians, in milliseconds."""

    round_trip: float
    """Of one bare datagram and its answer."""
    binding: float
    allocation: float
    uclient: float
    """The same allocation, by turnutils_uclient."""
    chromium: float
    """Until its relay candidate, by the page's clock."""

    def __str__(self) -> str:
        trips = self.allocation / self.round_trip
        return (
            f"round trip {self.round_trip:.1f} ms; binding {self.binding:.1f} ms "
            f"({self.binding / self.round_trip:.2f} round trips); allocation {self.allocation:.1f} ms ({trips:.2f}); "
            f"turnutils_uclient {self.uclient:.1f} ms (Hopwise {self.allocation / self.uclient:.2f} of it); "
            f"Chromium {self.chromium:.1f} ms (Hopwise {self.allocation / self.chromium:.2f} of it)"
        )


async def measure(folder: Path) -> Measured:
    """Build the network, and let each ask the same server."""
    with contextlib.ExitStack() as stack:
        there = stack.enter_context(street())
        async with there.coturn(folder) as server:
            command = [sys.executable, str(Path(delay.__file__)), SERVER, str(server.port), str(ROUND_TRIP_S / 2)]
            slow = Program(there.server, command, folder / "delay.log")
            stack.callback(slow.stop)
            await asyncio.to_thread(slow.wait_for, "ready")
            port = int(slow.printed().split()[0])
            async with chromium(there.home, folder) as browser:
                return await _compare(there, port, browser)


async def _compare(there: Street, port: int, browser: Browser) -> Measured:
    bare: list[float] = []
    bindings: list[float] = []
    allocations: list[float] = []
    uclient: list[float] = []
    page: list[float] = []
    # In turns, so that whatever else the machine does slows all alike.
    for turn in range(ROUNDS):
        bare.append(await _at_home(there, lambda: _bare(port)))
        bindings.append(await _at_home(there, lambda: _hopwise(f"stun:{SERVER}:{port}")))
        allocations.append(await _at_home(there, lambda: _hopwise(f"turn:{SERVER}:{port}")))
        if turn < OTHERS_ROUNDS:
            uclient.append(await _at_home(there, lambda: _uclient(port)))
            page.append(await _page(browser, port))
    return Measured(*(median(times) * 1000 for times in (bare, bindings, allocations, uclient, page)))


async def _at_home(there: Street, work: Callable[[], float]) -> float:
    def inside() -> float:
        with there.home.entered():
            return work()

    return await asyncio.to_thread(inside)


def _bare(port: int) -> float:
    request = stun.write(Message(Method.BINDING, Class.REQUEST, os.urandom(12)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        began = time.perf_counter()
        sock.sendto(request, (SERVER, port))
        sock.recv(2000)
        return time.perf_counter() - began


def _hopwise(url: str) -> float:
    async def run() -> float:
        target = Target(uri.parse(url), CREDENTIALS if url.startswith("turn") else None)
        async with contextlib.aclosing(gather([target], Options())) as events:
            (tried,) = [event async for event in events if isinstance(event, ServerTried)]
        assert tried.error is None
        return tried.seconds

    return asyncio.run(run())


def _uclient(port: int) -> float:
    # Its lines come when things happen, if its output is not buffered. Never -O: with it, one allocation in ten is
    # given up on purpose.
    command = ["stdbuf", "-oL", "turnutils_uclient", "-v", "-y", "-c", "-n", "1", "-m", "1"]
    arguments = ["-u", USER, "-w", PASSWORD, "-p", str(port), SERVER]
    began = 0.0
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if b"allocate sent" in line and not began:
                    began = time.perf_counter()
                if line.rstrip().endswith(b"success"):
                    return time.perf_counter() - began
        finally:
            process.kill()
    raise AssertionError("turnutils_uclient got no allocation")


async def _page(browser: Browser, port: int) -> float:
    servers: list[dict[str, Any]] = [{"urls": [f"turn:{SERVER}:{port}"], "username": USER, "credential": PASSWORD}]
    found = await browser.gather(servers, "relay")
    return min(c["time_ms"] for c in found["candidates"] if c["type"] == "relay") / 1000


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(measure(Path(folder))))  # noqa: T201


if __name__ == "__main__":
    main()
