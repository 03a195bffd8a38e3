"""A line between a TURN client and its server that delays, loses, doubles and disorders, and knows what it did."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from wizard.wire.frame import is_channel_data

Fate = Callable[[random.Random], tuple[float, ...]]
"""How long each copy of one datagram takes, in seconds; no copy at all for one that is lost."""


def steady(delay_s: float, loss: float = 0.0) -> Fate:
    """The same delay for each, and that share lost."""
    return lambda dice: () if dice.random() < loss else (delay_s,)


@dataclass(slots=True)
class Line:
    """What has crossed so far. Only data counts; requests and their answers are never lost."""

    fate: Fate
    port: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    crossed: int = 0
    lost: int = 0
    doubled: int = 0
    mangled: Callable[[bytes, random.Random], bytes] | None = None
    """What becomes of the bytes of data, behind the header of ChannelData."""
    cut: bool = False
    """Set to lose everything from now on, requests too."""

    def carry(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        """Take one datagram to the other end, or not."""
        if self.cut:
            return
        fates: tuple[float, ...] = (0.0,)
        if is_channel_data(data):
            fates = self.fate(self.dice)
            if self.mangled is not None:
                data = data[:4] + self.mangled(data[4:], self.dice)
            self.crossed += 1
            self.lost += not fates
            self.doubled += len(fates) > 1
        loop = asyncio.get_running_loop()
        for delay_s in fates:
            if delay_s:
                loop.call_later(delay_s, deliver, data)
            else:
                deliver(data)


class _Entrance(asyncio.DatagramProtocol):
    """Where clients send to; each gets a socket of its own towards the server, so that the server tells them apart."""

    def __init__(self, line: Line, server_port: int) -> None:
        self.line = line
        self.server_port = server_port
        self.exits: dict[Any, asyncio.Task[_Exit]] = {}
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if addr not in self.exits:
            self.exits[addr] = asyncio.create_task(self._exit(addr))
        self.line.carry(
            data, lambda carried: self.exits[addr].add_done_callback(lambda made: made.result().send(carried))
        )

    async def _exit(self, client: Any) -> _Exit:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_datagram_endpoint(
            lambda: _Exit(self, client), remote_addr=("127.0.0.1", self.server_port)
        )
        return made

    def back(self, data: bytes, client: Any) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, client)


class _Exit(asyncio.DatagramProtocol):
    def __init__(self, entrance: _Entrance, client: Any) -> None:
        self.entrance = entrance
        self.client = client
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        self.entrance.line.carry(data, lambda carried: self.entrance.back(carried, self.client))

    def send(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data)


@contextlib.asynccontextmanager
async def rough_line(server_port: int, fate: Fate) -> AsyncIterator[Line]:
    """A line to the server on that port of 127.0.0.1; clients use the line's own port instead."""
    line = Line(fate=fate)
    loop = asyncio.get_running_loop()
    transport, entrance = await loop.create_datagram_endpoint(
        lambda: _Entrance(line, server_port), local_addr=("127.0.0.1", 0)
    )
    line.port = transport.get_extra_info("sockname")[1]
    try:
        yield line
    finally:
        transport.close()
        for made in await asyncio.gather(*entrance.exits.values()):
            made.transport.close()
