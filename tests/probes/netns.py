"""Two network namespaces with a cable between them, for what loopback cannot show: loss, filters, silence."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")
_CLONE_NEWNET = 0x40000000

NEAR, FAR = "10.77.0.1", "10.77.0.2"
NEAR6, FAR6 = "fd77::1", "fd77::2"
UNUSED = "10.77.0.99"
"""On the far side's network, but nobody has it."""


@dataclass(frozen=True, slots=True)
class Cable:
    """The near end, where probes are sent from, and the far end."""

    near: str
    far: str

    def filter(self, side: str, *rules: str) -> None:
        """Load nft rules into an inet table with chains `in`, `out` and `raw` (before everything else) of that side."""
        chains = {
            "in": "type filter hook input priority 0;",
            "out": "type filter hook output priority 0;",
            "raw": "type filter hook prerouting priority -300;",
        }
        script = "add table inet t\n" + "".join(f"add chain inet t {n} {{ {h} }}\n" for n, h in chains.items())
        script += "".join(f"add rule inet t {rule}\n" for rule in rules)
        subprocess.run(["ip", "netns", "exec", side, "nft", "-f", "-"], input=script.encode(), check=True)

    def unlimited_icmp(self, side: str) -> None:
        """Have that side send every ICMP error, which it otherwise does for a few a second only."""
        for key in ("net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"):
            subprocess.run(["ip", "netns", "exec", side, "sysctl", "-qw", key], check=True)

    async def in_near(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """The result of `work`, run by an event loop whose sockets are at the near end."""
        return await asyncio.wrap_future(_run_inside(self.near, work))

    @contextlib.asynccontextmanager
    async def at_far(self, service: Callable[[], contextlib.AbstractAsyncContextManager[_T]]) -> AsyncIterator[_T]:
        """Enter `service` in an event loop whose sockets are at the far end. Yields what it yields."""
        ready: Future[_T] = Future()
        over = threading.Event()

        async def serve() -> None:
            async with service() as entered:
                ready.set_result(entered)
                await asyncio.get_running_loop().run_in_executor(None, over.wait)

        served = _run_inside(self.far, serve)
        served.add_done_callback(lambda done: ready.done() or ready.set_exception(done.exception() or EOFError()))
        try:
            yield await asyncio.wrap_future(ready)
        finally:
            over.set()
            await asyncio.wrap_future(served)


def _run_inside(namespace: str, work: Callable[[], Coroutine[Any, Any, _T]]) -> Future[_T]:
    result: Future[_T] = Future()

    def run() -> None:
        try:
            # The namespace is the thread's; every socket that it makes lives there.
            with Path(f"/run/netns/{namespace}").open() as handle:
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.set_result(asyncio.run(work()))
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            result.set_exception(error)

    threading.Thread(target=run).start()
    return result


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """Two namespaces of their own, with IPv4 and IPv6 between them. Needs root."""
    made = Cable(f"hwnear{os.getpid()}", f"hwfar{os.getpid()}")
    try:
        _ip("netns", "add", made.near)
        _ip("netns", "add", made.far)
        _ip("-n", made.near, "link", "add", "c0", "type", "veth", "peer", "name", "c0", "netns", made.far)
        for side, four, six in ((made.near, NEAR, NEAR6), (made.far, FAR, FAR6)):
            _ip("-n", side, "addr", "add", f"{four}/24", "dev", "c0")
            _ip("-n", side, "addr", "add", f"{six}/64", "dev", "c0", "nodad")
            _ip("-n", side, "link", "set", "lo", "up")
            _ip("-n", side, "link", "set", "c0", "up")
        yield made
    finally:
        for side in (made.near, made.far):
            subprocess.run(["ip", "netns", "del", side], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
