"""A real name server, for a zone that a test writes down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.zone

ORIGIN = "example."


@dataclass
class NameServer:
    """Answers over UDP for the names under `example.`; of others it says that there are none."""

    zone: dns.zone.Zone
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Names and types, in the order in which they were asked for."""

    @property
    def resolver(self) -> dns.asyncresolver.Resolver:
        """A resolver that asks this server and nobody else."""
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        return resolver

    def answer(self, data: bytes) -> bytes:
        """The response to a query."""
        query = dns.message.from_wire(data)
        (question,) = query.question
        self.asked.append((question.name.to_text(), dns.rdatatype.to_text(question.rdtype)))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        node = self.zone.get_node(question.name) if question.name.is_subdomain(self.zone.origin) else None
        if node is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            response.answer = [
                found for found in [self.zone.get_rrset(question.name, question.rdtype)] if found is not None
            ]
        return response.to_wire()


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._transport.sendto(self._server.answer(data), addr)


@contextlib.asynccontextmanager
async def name_server(*lines: str, port: int = 0) -> AsyncIterator[NameServer]:
    """Serve those lines of a zone file, such as `_turn._udp.a SRV 0 0 3478 b`, on 127.0.0.1."""
    text = "\n".join(["$TTL 60", "@ SOA ns root 1 60 60 60 60", "@ NS ns", *lines, ""])
    server = NameServer(dns.zone.from_text(text, ORIGIN, relativize=False))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Protocol(server), ("127.0.0.1", port))
    server.port = int(transport.get_extra_info("sockname")[1])
    try:
        yield server
    finally:
        transport.close()
        await asyncio.sleep(0)
