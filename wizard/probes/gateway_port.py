"""NAT-PMP and PCP with one gateway, over UDP port 5351."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from wizard.model.gateway import Mapping, Spoken, Took, Way
from wizard.model.port import Protocol
from wizard.observation import Outcome
from wizard.probes import icmp
from wizard.probes.source import Source, bound
from wizard.wire import natpmp, pcp
from wizard.wire.transport import Transport

_PAUSES_S = (0.25, 0.5, 1.0)
"""RFC 6886 section 3.1; a gateway next door that has not answered by then does not speak it."""

_TRANSPORTS = {Protocol.UDP: Transport.UDP, Protocol.TCP: Transport.TCP}
_NATPMP = {
    natpmp.Result.NOT_AUTHORISED: Took.NOT_AUTHORISED,
    natpmp.Result.NETWORK_FAILURE: Took.NO_ADDRESS,
    natpmp.Result.OUT_OF_RESOURCES: Took.FULL,
    natpmp.Result.UNSUPPORTED_VERSION: Took.UNSUPPORTED,
    natpmp.Result.UNSUPPORTED_OPCODE: Took.UNSUPPORTED,
}
_PCP = {
    pcp.Result.NOT_AUTHORISED: Took.NOT_AUTHORISED,
    pcp.Result.NETWORK_FAILURE: Took.NO_ADDRESS,
    pcp.Result.NO_RESOURCES: Took.FULL,
    pcp.Result.USER_EXCEEDED_QUOTA: Took.FULL,
    pcp.Result.CANNOT_PROVIDE_EXTERNAL: Took.CONFLICT,
    pcp.Result.ADDRESS_MISMATCH: Took.NAT_BETWEEN,
    pcp.Result.UNSUPPORTED_VERSION: Took.UNSUPPORTED,
    pcp.Result.UNSUPPORTED_OPCODE: Took.UNSUPPORTED,
    pcp.Result.UNSUPPORTED_PROTOCOL: Took.UNSUPPORTED,
}

_T = TypeVar("_T")
_R = TypeVar("_R", natpmp.Result, pcp.Result)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it; the outer address and the gateway's clock where the answer had them."""

    spoken: Spoken
    wan: str | None = None
    epoch_s: int | None = None


class GatewayPort:
    """One UDP socket to a gateway. Only what it answers itself is heard."""

    def __init__(self, sock: socket.socket, own: str) -> None:
        self._socket = sock
        self._own = own
        self._lock = asyncio.Lock()

    async def natpmp(self) -> Asked:
        """Whether it speaks NAT-PMP, and its public address."""
        reply: natpmp.AddressReply | natpmp.Refusal | Spoken = await self._ask(
            Way.NATPMP, natpmp.address_request(), _natpmp_address
        )
        if isinstance(reply, Spoken):
            return Asked(reply)
        spoken = _said(Way.NATPMP, reply.result, reply.code, _NATPMP)
        if isinstance(reply, natpmp.Refusal):
            return Asked(spoken)
        return Asked(spoken, reply.address, reply.epoch_s)

    async def pcp(self) -> Asked:
        """Whether it speaks PCP. Its public address comes with a mapping only."""
        reply = await self._ask(Way.PCP, pcp.announce_request(self._own), _pcp)
        if isinstance(reply, Spoken):
            return Asked(reply)
        # RFC 6887 section 14.1 has ANNOUNCE sent by servers; one that knows no such request speaks PCP all the same.
        if reply.result is pcp.Result.UNSUPPORTED_OPCODE:
            return Asked(Spoken(Way.PCP, Took.GRANTED), epoch_s=reply.epoch_s)
        return Asked(_said(Way.PCP, reply.result, reply.code, _PCP), epoch_s=reply.epoch_s)

    async def map_by_natpmp(self, mapping: Mapping, lifetime_s: int) -> Asked:
        """Make a mapping of a port of this computer; with a lifetime of 0 take it away."""
        transport = _TRANSPORTS[mapping.protocol]
        request = natpmp.map_request(transport, mapping.internal, mapping.external, lifetime_s)

        def accept(data: bytes) -> natpmp.MapReply | natpmp.Refusal | None:
            reply = natpmp.read(data)
            if isinstance(reply, natpmp.MapReply):
                return reply if (reply.transport, reply.internal) == (transport, mapping.internal) else None
            return reply if isinstance(reply, natpmp.Refusal) else None

        reply: natpmp.MapReply | natpmp.Refusal | Spoken = await self._ask(Way.NATPMP, request, accept)
        if isinstance(reply, Spoken):
            return Asked(reply)
        spoken = _said(Way.NATPMP, reply.result, reply.code, _NATPMP)
        if lifetime_s and isinstance(reply, natpmp.MapReply) and spoken.took is Took.GRANTED:
            if reply.external != mapping.external:
                await self.map_by_natpmp(mapping, 0)
                spoken = Spoken(Way.NATPMP, Took.CONFLICT, f"it offers {reply.external} instead")
            elif reply.lifetime_s != lifetime_s:
                spoken = Spoken(Way.NATPMP, Took.GRANTED, f"{reply.lifetime_s} s")
        return Asked(spoken)

    async def map_by_pcp(self, mapping: Mapping, lifetime_s: int, nonce: bytes) -> Asked:
        """Make a mapping of a port of this computer; with a lifetime of 0 take it away, which takes the same nonce."""
        transport = _TRANSPORTS[mapping.protocol]
        anywhere = "::" if ":" in self._own else "0.0.0.0"
        wish = pcp.Mapping(nonce, transport, mapping.internal, mapping.external, anywhere)

        def accept(data: bytes) -> pcp.Reply | None:
            reply = pcp.read(data)
            if reply.mapping is None:
                return reply if reply.result is not pcp.Result.SUCCESS else None
            got = reply.mapping
            return reply if (got.nonce, got.transport, got.internal) == (nonce, transport, mapping.internal) else None

        reply = await self._ask(Way.PCP, pcp.map_request(self._own, wish, lifetime_s), accept)
        if isinstance(reply, Spoken):
            return Asked(reply)
        spoken = _said(Way.PCP, reply.result, reply.code, _PCP)
        if spoken.took is not Took.GRANTED or reply.mapping is None or not lifetime_s:
            return Asked(spoken)
        if reply.mapping.external != mapping.external:
            await self.map_by_pcp(mapping, 0, nonce)
            return Asked(Spoken(Way.PCP, Took.CONFLICT, f"it offers {reply.mapping.external} instead"))
        if reply.lifetime_s != lifetime_s:
            spoken = Spoken(Way.PCP, Took.GRANTED, f"{reply.lifetime_s} s")
        return Asked(spoken, reply.mapping.address)

    async def _ask(self, way: Way, request: bytes, accept: Callable[[bytes], _T | None]) -> _T | Spoken:
        """The first answer that `accept` takes; otherwise why there is none."""
        loop = asyncio.get_running_loop()
        garbage = ""
        async with self._lock:
            for pause_s in _PAUSES_S:
                try:
                    await loop.sock_sendall(self._socket, request)
                    async with asyncio.timeout(pause_s):
                        while True:
                            data = await loop.sock_recv(self._socket, pcp.LONGEST + 1)
                            try:
                                answer = accept(data)
                            except ValueError as error:
                                # PCP servers tell NAT-PMP clients so that they speak another version, and vice versa.
                                if _other_version(way, data):
                                    return Spoken(way, Took.UNSUPPORTED, "version")
                                garbage = str(error)
                                continue
                            if answer is not None:
                                return answer
                except TimeoutError as error:
                    if error.errno == errno.ETIMEDOUT:
                        return Spoken(way, Took.UNREACHABLE, str(error))
                except OSError as error:
                    outcome = icmp.outcome_of(error)
                    if outcome is None:
                        return Spoken(way, Took.FAILED, error.strerror or str(error))
                    took = Took.REFUSED if outcome is Outcome.REFUSED else Took.UNREACHABLE
                    return Spoken(way, took)
        return Spoken(way, Took.GARBAGE, garbage) if garbage else Spoken(way, Took.SILENT)


@asynccontextmanager
async def gateway_port(source: Source, gateway: str) -> AsyncIterator[GatewayPort]:
    """A conversation with the gateway at that address. Raises OSError if nothing can be sent there."""
    with bound(source, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        scope = socket.if_nametoindex(source.interface) if ":" in gateway else 0
        sock.connect((gateway, natpmp.PORT, 0, scope) if ":" in gateway else (gateway, natpmp.PORT))
        yield GatewayPort(sock, source.address)


def _natpmp_address(data: bytes) -> natpmp.AddressReply | natpmp.Refusal | None:
    reply = natpmp.read(data)
    return None if isinstance(reply, natpmp.MapReply) else reply


def _pcp(data: bytes) -> pcp.Reply | None:
    return pcp.read(data)


def _other_version(way: Way, data: bytes) -> bool:
    """RFC 6887 section 9 and appendix A; RFC 6886 section 3.5."""
    return len(data) >= 4 and data[0] == (natpmp.VERSION if way is Way.PCP else pcp.VERSION)


def _said(way: Way, result: _R, code: int, meaning: dict[_R, Took]) -> Spoken:
    if result == 0:
        return Spoken(way, Took.GRANTED)
    return Spoken(way, meaning.get(result, Took.ERROR), f"{code} {result.name.lower().replace('_', ' ')}")
