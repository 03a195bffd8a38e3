"""NAT behaviour as STUN servers see it (RFC 5780 section 4). Nothing is sent but to them, to the second address that
they name, and to one's own mapped address.

Each test has its own local port, for what one sends changes what the NAT lets in to another (section 4.5); the mapping
tests share one, for it is that port's mappings which are compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wizard.probes.conversation import Endpoint, Fault, LinkFault, converse, new_client
from wizard.probes.dns import resolve
from wizard.probes.first_router import FirstRouter, first_router
from wizard.probes.nat_socket import NatSocket, Sockets, family_of
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.probes.server_verdict import NO_ANSWER, Sentence, Verdict, unresolved, verdict_of
from wizard.wire.behaviour import Known, Measured, Sight, is_public, outermost, usable_other
from wizard.wire.stun import Address, Attribute, Class
from wizard.wire.turn import Timing
from wizard.wire.turn_event import Succeeded
from wizard.wire.uri import IceUri, Transport

OTHER_FAMILY = "other-family"
"""The cause that is told of a server which was left out for its address family."""
LIFETIMES_S = (10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0)
"""Pauses tried: RFC 4787 section 4.3 wants two minutes at least and recommends five."""

_SLOW_S = 1.0
_CHANGE_PORT = 0x2  # RFC 5780 section 7.2
_CHANGE_BOTH = 0x6


_NO_ROUTE = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no route from this computer", Fault.NO_ROUTE.value)
_OTHER_FAMILY = Sentence(
    Verdict.UNREACHABLE, NO_ANSWER, "not asked: the other servers have the other address family", OTHER_FAMILY
)


_SILENCE = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no answer", Fault.TIMED_OUT.value)
_NOT_OVER_UDP = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "an answer over TCP, none over UDP", Fault.TIMED_OUT.value)
_NO_MAPPED = Sentence(Verdict.PROTOCOL_ERROR, NO_ANSWER, "an answer without a mapped address", "not-stun")


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure. Without `lifetimes_s` the lifetime of a mapping is not measured."""

    lifetimes_s: tuple[float, ...] = ()
    timeout_s: float = DEFAULT_TIMEOUT_S
    """How long silence takes to be believed; twice as long where packets are lost."""


@dataclass(frozen=True, slots=True)
class ServerAsked:
    """A server as it was met. `fault` says why it gave nothing."""

    uri: IceUri
    address: Address | None = None
    mapped: Address | None = None
    other: Address | None = None
    """Its second address, if tests can use it."""
    fault: Sentence | None = None
    over_tcp: bool = False
    """Answers over TCP, and not over UDP."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was measured, and by whom."""

    servers: tuple[ServerAsked, ...]
    measured: Measured = field(default_factory=Measured)


async def measure(uris: Sequence[IceUri], options: Options | None = None) -> Survey:
    """Ask the servers, all from one local port, and have one of them do the tests for which it needs a second address.

    Takes about one time-out, more by the longest of `lifetimes_s`.
    """
    options = options or Options()
    placed = await _place(uris)
    own = next((found for one in placed if one.address and (found := _own_address(one.address))), None)
    if own is None:
        return Survey(tuple(one if one.fault else _without(one, _NO_ROUTE) for one in placed))
    async with contextlib.AsyncExitStack() as stack:
        sockets = Sockets(own, options.timeout_s)
        stack.push_async_callback(sockets.close)
        return await _Measurement(sockets, options).survey(placed)


def _without(one: ServerAsked, fault: Sentence) -> ServerAsked:
    return ServerAsked(one.uri, one.address, fault=fault)


async def _place(uris: Sequence[IceUri]) -> list[ServerAsked]:
    """The servers with their addresses, all of one family: IPv4 if any has it, for there the NATs are."""
    found = await asyncio.gather(*(_addresses(uri) for uri in dict.fromkeys(uris)))
    six = all(":" in address for _, addresses, _ in found for address in addresses)
    placed = []
    for uri, addresses, fault in found:
        fitting = [address for address in addresses if (":" in address) is six]
        if fitting:
            placed.append(ServerAsked(uri, (fitting[0], uri.port)))
        else:
            placed.append(ServerAsked(uri, fault=_OTHER_FAMILY if addresses else unresolved(fault)))
    return placed


async def _addresses(uri: IceUri) -> tuple[IceUri, tuple[str, ...], str]:
    if uri.family is not None:
        return uri, (uri.host,), ""
    facts = await resolve(uri.ascii_host)
    return uri, tuple(a for fact in facts for a in fact.addresses), next((f.error for f in facts if f.error), "")


def _own_address(server: Address) -> str | None:
    """What this computer sends from to the server; None without a route. Connecting a UDP socket sends nothing."""
    with socket.socket(family_of(server[0]), socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(server)
        except OSError:
            return None
        return str(sock.getsockname()[0]).partition("%")[0]


class _Measurement:
    def __init__(self, sockets: Sockets, options: Options) -> None:
        self._sockets = sockets
        self._options = options

    async def survey(self, placed: Sequence[ServerAsked]) -> Survey:
        sock = await self._sockets.open()
        met: list[ServerAsked] = []
        # One after the other, until one can do the tests: see `_through`.
        for one in placed:
            met.append(await self._meet(sock, one))
            if met[-1].other and met[-1].mapped and is_public(met[-1].mapped[0]):
                break
        main = _outermost_server(met, sock.local)
        if main is None or main.address is None:
            alone = {one.address[0] for one in met if one.over_tcp and one.address is not None}
            return Survey(tuple(met), Measured(local=sock.local, over_tcp_alone=len(alone)))
        (from_address, from_port, further, mappings), (router, hairpin), lifetime_s = await asyncio.gather(
            self._through(sock, main.address, main.other, placed[len(met) :]),
            self._nearby(Measured(local=sock.local, sights=_sights(met)), main.address),
            self._lifetime(main.address),
        )
        servers = (*met, *further)
        if main.other is not None and any(one.address and one.address[0] == main.other[0] for one in met):
            # It was sent to before, if from another port: that it comes in proves no open filter.
            from_address = Known.NO if from_address is Known.NO else Known.UNKNOWN
        measured = Measured(
            local=sock.local,
            sights=_sights(servers) + mappings,
            from_other_address=from_address,
            from_other_port=from_port,
            hairpin=hairpin,
            lifetime_s=lifetime_s,
            # What turns round at a router is passed on as well.
            first_router_holds=Known.UNKNOWN if router.holds is Known.NO and hairpin is not Known.NO else router.holds,
            second_router=router.second,
        )
        return Survey(servers, measured)

    async def _through(
        self, sock: NatSocket, server: Address, other: Address | None, further: Sequence[ServerAsked]
    ) -> tuple[Known, Known, list[ServerAsked], tuple[Sight, ...]]:
        """The filter first, before anything was sent to another address: some let in an address that any port of this
        computer has sent to."""
        from_address, from_port = await self._filtering(server, other)
        met = await asyncio.gather(*(self._meet(sock, one) for one in further))
        return from_address, from_port, met, await self._mappings(sock, server, other)

    async def _nearby(self, met: Measured, server: Address) -> tuple[FirstRouter, Known]:
        """The first router is asked before what it refuses to turn round uses up the ICMP errors that it may send."""
        outer = [sight for sight in outermost(met) if is_public(sight.mapped[0])]
        router = FirstRouter()
        if outer:
            router = await first_router(self._sockets.address, outer[0].server, outer[0].mapped[0])
        return router, await self._hairpin(server)

    async def _meet(self, sock: NatSocket, one: ServerAsked) -> ServerAsked:
        if one.address is None:
            return one
        timeout_s = self._options.timeout_s
        asking = asyncio.create_task(self._sockets.ask(sock, one.address))
        # A socket of its own, connected, is told of ICMP errors wherever the program runs.
        checking = asyncio.create_task(_fault_of(one, timeout_s))
        streaming = asyncio.create_task(_answers_over_tcp(one, timeout_s))
        try:
            await asyncio.wait({asking, checking}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done() and (fault := await checking) is not None and fault.cause != Fault.TIMED_OUT.value:
                return _without(one, fault)
            heard = await asking
            if heard is None:
                fault = await checking
                if fault is not None and await streaming:
                    return ServerAsked(one.uri, one.address, fault=_NOT_OVER_UDP, over_tcp=True)
                return _without(one, fault or _SILENCE)
        finally:
            await _cancelled(asking, checking, streaming)
        if heard.mapped is None:
            return _without(one, await _fault_of(one, timeout_s) or _NO_MAPPED)
        other = heard.message.address(Attribute.OTHER_ADDRESS)
        return ServerAsked(one.uri, one.address, heard.mapped, other if usable_other(one.address, other) else None)

    async def _mappings(self, sock: NatSocket, server: Address, other: Address | None) -> tuple[Sight, ...]:
        """RFC 5780 section 4.3, with the second port of the first address as well."""
        if other is None:
            return ()
        further = ((other[0], server[1]), other, (server[0], other[1]))
        heard = await asyncio.gather(*(self._sockets.ask(sock, to) for to in further))
        return tuple(Sight(to, one.mapped) for to, one in zip(further, heard, strict=True) if one and one.mapped)

    async def _filtering(self, server: Address, other: Address | None) -> tuple[Known, Known]:
        """RFC 5780 section 4.4: whether another address, and whether another port of the same, comes in."""
        if other is None:
            return Known.UNKNOWN, Known.UNKNOWN
        sock = await self._sockets.open()
        first = await self._sockets.ask(sock, server)
        if first is None or first.mapped is None:
            return Known.UNKNOWN, Known.UNKNOWN
        both = asyncio.create_task(self._change(sock, server, _CHANGE_BOTH))
        port = asyncio.create_task(self._change(sock, server, _CHANGE_PORT))
        try:
            from_address = await both
            if from_address is Known.YES:
                return Known.YES, Known.UNKNOWN
            from_port = await port
        finally:
            await _cancelled(both, port)
        mapped = first.mapped
        if from_port is Known.NO:
            from_port = await self._because_filtered(sock, server, (server[0], other[1]), _CHANGE_PORT, mapped)
        if from_address is Known.NO:
            from_address = await self._because_filtered(sock, server, other, _CHANGE_BOTH, mapped)
        return from_address, from_port

    async def _change(self, sock: NatSocket, server: Address, change: int) -> Known:
        """Whether an answer comes in from elsewhere; unknown if the server answers from where it was asked."""
        heard = await self._sockets.ask(sock, server, (Attribute.CHANGE_REQUEST, change))
        if heard is None:
            return Known.NO
        address, port = heard.sender
        elsewhere = port != server[1] and (address != server[0]) is (change == _CHANGE_BOTH)
        return Known.YES if elsewhere and heard.message.cls is Class.SUCCESS else Known.UNKNOWN

    async def _because_filtered(
        self, sock: NatSocket, server: Address, source: Address, change: int, mapped: Address
    ) -> Known:
        """No, if the silence was the filter's doing: what comes from `source` is let in once we have sent there.

        Behind a NAT with a mapping of its own for `source` that cannot be shown; it is enough that `source` answers.
        """
        direct, still = await asyncio.gather(self._sockets.ask(sock, source), self._sockets.ask(sock, server))
        if direct is None or direct.mapped is None or still is None or still.mapped != mapped:
            return Known.UNKNOWN
        if direct.mapped != mapped or await self._change(sock, server, change) is Known.YES:
            return Known.NO
        return Known.UNKNOWN

    async def _hairpin(self, server: Address) -> Known:
        """RFC 5780 section 3.4, from both sides, so that no filter on the way waits for the other to speak first."""
        one, two = await self._sockets.open(), await self._sockets.open()
        seen = await self._mapped(one, two, server)
        if seen is None:
            return Known.UNKNOWN
        to_one, to_two = seen
        asking = [
            asyncio.create_task(self._turned_round(one, to_two, two)),
            asyncio.create_task(self._turned_round(two, to_one, one)),
        ]
        try:
            for done in asyncio.as_completed(asking):
                if await done:
                    return Known.YES
        finally:
            await _cancelled(*asking)
        # The mappings must have stood all the while, and what should have turned round must have left.
        stood = await self._mapped(one, two, server) == seen
        return Known.NO if stood and not one.hindered and not two.hindered else Known.UNKNOWN

    async def _mapped(self, one: NatSocket, two: NatSocket, server: Address) -> tuple[Address, Address] | None:
        heard = await asyncio.gather(self._sockets.ask(one, server), self._sockets.ask(two, server))
        seen = [answer.mapped for answer in heard if answer is not None and answer.mapped is not None]
        return (seen[0], seen[1]) if len(seen) == 2 else None

    async def _turned_round(self, sender: NatSocket, to: Address, at: NatSocket) -> bool:
        heard = await self._sockets.ask(sender, to)
        return heard is not None and heard.message.cls is Class.REQUEST and heard.at is at

    async def _lifetime(self, server: Address) -> float | None:
        """RFC 5780 section 4.6, each pause on a mapping of its own, which what comes in cannot have prolonged."""
        pauses = sorted(self._options.lifetimes_s)
        if not pauses or await self._outlives(server, 0.0) is not True:
            return None
        alive = await asyncio.gather(*(self._outlives(server, pause) for pause in pauses))
        return max((pause for pause, lived in zip(pauses, alive, strict=True) if lived), default=None)

    async def _outlives(self, server: Address, pause_s: float) -> bool:
        """Whether a mapping lets an answer in after it was not used for that long (RESPONSE-PORT, section 7.3)."""
        idle, asker = await self._sockets.open(), await self._sockets.open()
        heard = await self._sockets.ask(idle, server)
        if heard is None or heard.mapped is None:
            return False
        await asyncio.sleep(pause_s)
        answer = await self._sockets.ask(asker, server, (Attribute.RESPONSE_PORT, heard.mapped[1]))
        return answer is not None and answer.at is idle and answer.mapped is not None


def _sights(servers: Sequence[ServerAsked]) -> tuple[Sight, ...]:
    return tuple(Sight(one.address, one.mapped) for one in servers if one.address and one.mapped)


def _outermost_server(servers: Sequence[ServerAsked], local: Address) -> ServerAsked | None:
    """Of those behind the most NATs, for the others' tests say nothing of these, one that names a second address (RFC
    5780 section 4.2), else the first; None if none answered."""
    outer = {sight.server for sight in outermost(Measured(local=local, sights=_sights(servers)))}
    answered = [one for one in servers if one.mapped is not None]
    fitting = [one for one in answered if one.address in outer] or answered
    return next((one for one in fitting if one.other is not None), fitting[0] if fitting else None)


async def _fault_of(one: ServerAsked, timeout_s: float) -> Sentence | None:
    """What a Binding over UDP meets; None if it is answered."""
    assert one.address is not None
    timing = Timing(timeout_s=timeout_s)
    client = new_client(Transport.UDP, timing=timing)
    async with converse(Endpoint(*one.address, Transport.UDP, one.uri.ascii_host), client) as talk:
        reply = talk if isinstance(talk, LinkFault) else await talk.ask(client.binding)
        return None if isinstance(reply, Succeeded) else verdict_of(reply, has_credentials=False, stream=False)


async def _answers_over_tcp(one: ServerAsked, timeout_s: float) -> bool:
    """Asked only if UDP is slow to answer."""
    assert one.address is not None
    await asyncio.sleep(_SLOW_S)
    client = new_client(Transport.TCP, timing=Timing(timeout_s=timeout_s))
    endpoint = Endpoint(*one.address, Transport.TCP, one.uri.ascii_host)
    async with converse(endpoint, client, connect_timeout_s=timeout_s) as talk:
        return not isinstance(talk, LinkFault) and isinstance(await talk.ask(client.binding), Succeeded)


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
