"""A UDP forwarder on loopback: the far end sees its address in the client's place, as behind NAT."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def forwarder(port: int, *, lossy: bool = False) -> AsyncIterator[int]:
    """Forward one client's datagrams to that port of 127.0.0.1, or two of three whichever way they go. Yields the port
    to send to."""
    loop = asyncio.get_running_loop()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as front,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back,
    ):
        front.setblocking(False)
        back.setblocking(False)
        front.bind(("127.0.0.1", 0))
        back.connect(("127.0.0.1", port))
        clients: list[tuple[str, int]] = []
        passing = itertools.cycle((True, True, not lossy))

        def inward() -> None:
            data, client = front.recvfrom(2000)
            clients[:] = [client]
            if next(passing):
                back.send(data)

        def outward() -> None:
            data = back.recv(2000)
            if next(passing):
                front.sendto(data, clients[0])

        loop.add_reader(front, inward)
        loop.add_reader(back, outward)
        try:
            yield front.getsockname()[1]
        finally:
            loop.remove_reader(front)
            loop.remove_reader(back)
