"""A STUN server with two addresses and two ports on loopback, as good or as bad as a test wants it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, cast

from tests.probes.asking import free_port
from wizard.wire import stun
from wizard.wire.attribute import Address, Attribute, ErrorCode
from wizard.wire.stun import Class, Message, Method

FIRST, SECOND = "127.0.0.1", "127.0.0.2"
_CHANGE_ADDRESS, _CHANGE_PORT = 4, 2


class Change(Enum):
    """What it does when it is asked to answer from elsewhere."""

    HONOURED = auto()
    IGNORED = auto()
    """It answers from where it was asked."""
    SWALLOWED = auto()
    """It does not answer."""
    REFUSED = auto()
    PORT_ONLY = auto()
    """It changes the port when it is asked to change both."""


@dataclass
class StunServer:
    """Endpoints that are `deaf`, by address and which of the ports, answer nothing;
    the first `lost` of each request are lost.
    """

    change: Change = Change.HONOURED
    tells_other: bool = True
    other: Address | None = None
    """What it tells in the place of its true second address."""
    answers_other_ports: bool = True
    deaf: frozenset[tuple[str, int]] = frozenset()
    lost: int = 0
    seen_as: Address | None = None
    """Where it says that it saw everybody."""
    garbage: bytes = b""
    ports: tuple[int, int] = (0, 0)
    asked: Counter[Address] = field(default_factory=Counter)
    first_asked: asyncio.Event = field(default_factory=asyncio.Event)
    _times: Counter[bytes] = field(default_factory=Counter)
    _ends: dict[Address, asyncio.DatagramTransport] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[StunServer]:
        """Bound, until the end."""
        loop = asyncio.get_running_loop()
        self.ports = (free_port(), free_port())
        try:
            for address in (FIRST, SECOND):
                for port in self.ports:
                    transport, _ = await loop.create_datagram_endpoint(lambda: _End(self), (address, port))
                    self._ends[address, port] = transport
            yield self
        finally:
            for transport in self._ends.values():
                transport.close()

    def take(self, data: bytes, at: Address, sender: Address) -> None:
        """Answer a request that came in at one of the four endpoints, or do what this server does instead."""
        request = stun.parse(data)
        self.asked[at] += 1
        self.first_asked.set()
        self._times[request.transaction] += 1
        if (at[0], self.ports.index(at[1])) in self.deaf or self._times[request.transaction] <= self.lost:
            return
        if self.garbage:
            self._ends[at].sendto(self.garbage, sender)
        answer, source = self._answer(request, at, sender)
        if answer is None:
            return
        port = request.number(Attribute.RESPONSE_PORT)
        if port is not None and self.answers_other_ports:
            sender = (sender[0], port)
        self._ends[source].sendto(answer, sender)

    def _answer(self, request: Message, at: Address, sender: Address) -> tuple[bytes | None, Address]:
        change = request.number(Attribute.CHANGE_REQUEST) or 0
        if change and self.change is Change.SWALLOWED:
            return None, at
        if change and self.change is Change.REFUSED:
            error = ((Attribute.ERROR_CODE, ErrorCode(420, "Unknown Attribute")),)
            return stun.write(Message(Method.BINDING, Class.ERROR, request.transaction, error)), at
        address, port = at
        if self.change in (Change.HONOURED, Change.PORT_ONLY) and change & _CHANGE_PORT:
            port = self._another(port)
        if self.change is Change.HONOURED and change & _CHANGE_ADDRESS:
            address = SECOND if address == FIRST else FIRST
        attributes: list[tuple[Attribute, Any]] = [
            (Attribute.XOR_MAPPED_ADDRESS, self.seen_as or sender),
            (Attribute.RESPONSE_ORIGIN, (address, port)),
        ]
        if self.tells_other:
            true = (SECOND if at[0] == FIRST else FIRST, self._another(at[1]))
            attributes.append((Attribute.OTHER_ADDRESS, self.other or true))
        message = Message(Method.BINDING, Class.SUCCESS, request.transaction, tuple(attributes))
        return stun.write(message), (address, port)

    def _another(self, port: int) -> int:
        return self.ports[1 - self.ports.index(port)]


class _End(asyncio.DatagramProtocol):
    def __init__(self, server: StunServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._at: Address = cast("asyncio.DatagramTransport", transport).get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._server.take(data, self._at, addr)
