"""How many sockets a run may hold at once."""

from __future__ import annotations

import asyncio
import sys
from collections import deque

import psutil

_HEADROOM = 64
"""Files left to the rest of the program: the window, the log, other vantages' control connections."""
_LEAST = 8
_MOST = 2000


def spare_files() -> int:
    """How many more sockets this process may open, between 8 and 2000."""
    if sys.platform == "win32":
        return _MOST
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST
    return max(_LEAST, min(_MOST, soft - psutil.Process().num_fds() - _HEADROOM))


class Slots:
    """A number of sockets that many probes share. First come, first served."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._free = capacity
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, count: int) -> None:
        """Take `count` of them, once they are free. Who wants more than there are gets all of them."""
        count = min(count, self.capacity)
        if not self._waiting and self._free >= count:
            self._free -= count
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            self.give(count if turn.done() and not turn.cancelled() else 0)
            raise

    def give(self, count: int) -> None:
        """Give back what was taken, by the number that was asked for."""
        self._free += min(count, self.capacity)
        while self._waiting and (self._waiting[0][1].cancelled() or self._free >= self._waiting[0][0]):
            wanted, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._free -= wanted
                turn.set_result(None)
