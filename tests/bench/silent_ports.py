"""302 ports that all drop: how long their verdicts take, and how long the event loop is ever blocked meanwhile.

`python -m tests.bench.silent_ports` prints both.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.probes.far_ends import silent_tcp, silent_udp
from tests.probes.probing import a_place, a_probe
from wizard.observation import Outcome
from wizard.plan import Probe
from wizard.probes.persistence import DEFAULT_TIMEOUT_S

UDP_PORTS, TCP_PORTS = 201, 101
_BEAT_S = 0.002


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    outcomes: Counter[Outcome]
    timeouts: float
    """Duration of the run, in time-outs."""
    blocked_ms: float
    """The longest time in which the event loop ran nothing else, without that given to other programs."""


@contextlib.contextmanager
def silent_ports() -> Iterator[list[Probe]]:
    """Probes of ports on loopback that never answer."""
    with contextlib.ExitStack() as sockets:
        udp = [a_probe(sockets.enter_context(silent_udp())) for _ in range(UDP_PORTS)]
        tcp = [a_probe(sockets.enter_context(silent_tcp()), "tcp") for _ in range(TCP_PORTS)]
        yield udp + tcp


async def measure(timeout_s: float = DEFAULT_TIMEOUT_S) -> Measured:
    """Probe the silent ports once."""
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        before = time.perf_counter() - waited_for_a_processor_s()
        while True:
            await asyncio.sleep(_BEAT_S)
            now = time.perf_counter() - waited_for_a_processor_s()
            longest = max(longest, now - before - _BEAT_S)
            before = now

    with silent_ports() as probes:
        pulse = asyncio.create_task(beat())
        began = time.perf_counter()
        outcomes = Counter([one.outcome async for one in a_place(timeout_s).observe(probes)])
        took = time.perf_counter() - began
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)
    return Measured(outcomes, took / timeout_s, longest * 1000)


def waited_for_a_processor_s() -> float:
    """How long this thread was ready to run and other programs ran instead, where the system tells (Linux)."""
    told = Path("/proc/thread-self/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0


def main() -> None:
    """Measure and print: how many ports were silent, within how many time-outs, and the longest block in ms."""
    measured = asyncio.run(measure())
    silent = measured.outcomes[Outcome.SILENT]
    figures = {"silent": silent, "timeouts": round(measured.timeouts, 3), "blocked_ms": round(measured.blocked_ms, 1)}
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
