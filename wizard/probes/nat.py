"""NAT behaviour as STUN servers see it (RFC 5780 section 4). Nothing is sent but to them, to the second address that
they name, and to one's own mapped address.

Each test has its own local port, for what one sends changes what the NAT lets in to another (section 4.5); the mapping
tests share one, for it is that port's mappings which are compared.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from wizard.probes.first_router import FirstRouter, first_router
from wizard.probes.nat_server import NO_ROUTE, ServerAsked, meet, outermost_server, own_address, place, sights, without
from wizard.probes.nat_socket import NatSocket, Sockets, cancelled
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.wire.attribute import Address, Attribute
from wizard.wire.behaviour import Known, Measured, Sight, is_public, outermost
from wizard.wire.stun import Class
from wizard.wire.uri import IceUri

LIFETIMES_S = (10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0)
"""Pauses tried: RFC 4787 section 4.3 wants two minutes at least and recommends five."""

_CHANGE_PORT = 0x2  # RFC 5780 section 7.2
_CHANGE_BOTH = 0x6


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure. Without `lifetimes_s` the lifetime of a mapping is not measured."""

    lifetimes_s: tuple[float, ...] = ()
    timeout_s: float = DEFAULT_TIMEOUT_S
    """How long silence takes to be believed; twice as long where packets are lost."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was measured, and by whom."""

    servers: tuple[ServerAsked, ...]
    measured: Measured = field(default_factory=Measured)


async def measure(uris: Sequence[IceUri], options: Options | None = None) -> Survey:
    """Ask the servers, all from one local port, and have one of them do the tests for which it needs a second address.

    Takes about one time-out where a filter keeps something out, a few where servers do not answer, and the longest of
    `lifetimes_s`.
    """
    options = options or Options()
    placed = await place(uris)
    own = next((found for one in placed if one.address and (found := own_address(one.address))), None)
    if own is None:
        return Survey(tuple(one if one.fault else without(one, NO_ROUTE) for one in placed))
    async with contextlib.AsyncExitStack() as stack:
        sockets = Sockets(own, options.timeout_s)
        stack.push_async_callback(sockets.close)
        return await _Measurement(sockets, options).survey(placed)


class _Measurement:
    def __init__(self, sockets: Sockets, options: Options) -> None:
        self._sockets = sockets
        self._options = options

    async def survey(self, placed: Sequence[ServerAsked]) -> Survey:
        sock = await self._sockets.open()
        # Alone, for it may do the tests, which nothing that was sent to others must spoil: see `_through`.
        met = [await self._meet(sock, placed[0])]
        if not _serves(met[0]):
            met += await asyncio.gather(*(self._meet(sock, one) for one in placed[1:]))
        main = outermost_server(met, sock.local)
        if main is None or main.address is None:
            alone = {one.address[0] for one in met if one.over_tcp and one.address is not None}
            return Survey(tuple(met), Measured(local=sock.local, over_tcp_alone=len(alone)))
        (from_address, from_port, further, mappings), (router, hairpin), lifetime_s = await asyncio.gather(
            self._through(sock, main, met, placed[len(met) :]),
            self._nearby(Measured(local=sock.local, sights=sights(met)), main.address),
            self._lifetime(main.address),
        )
        servers = (*met, *further)
        measured = Measured(
            local=sock.local,
            sights=sights(servers) + mappings,
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
        self, sock: NatSocket, main: ServerAsked, met: Sequence[ServerAsked], further: Sequence[ServerAsked]
    ) -> tuple[Known, Known, list[ServerAsked], tuple[Sight, ...]]:
        """The filter first, before anything is sent elsewhere: some let in what any port of this computer has sent to.

        Where that has been done, by asking another server there, what comes in proves nothing.
        """
        assert main.address is not None
        from_address, from_port = await self._filtering(main.address, main.other)
        sent_to = [one.address for one in met if one.address is not None]
        if main.other is not None:
            if from_address is Known.YES and any(address == main.other[0] for address, _ in sent_to):
                from_address = Known.UNKNOWN
            if from_port is Known.YES and (main.address[0], main.other[1]) in sent_to:
                from_port = Known.UNKNOWN
        others = await asyncio.gather(*(self._meet(sock, one) for one in further))
        return from_address, from_port, others, await self._mappings(sock, main.address, main.other)

    async def _meet(self, sock: NatSocket, one: ServerAsked) -> ServerAsked:
        return await meet(self._sockets, sock, one, self._options.timeout_s)

    async def _nearby(self, met: Measured, server: Address) -> tuple[FirstRouter, Known]:
        """The first router is asked before what it refuses to turn round uses up the ICMP errors that it may send."""
        outer = [sight for sight in outermost(met) if is_public(sight.mapped[0])]
        router = FirstRouter()
        if outer:
            router = await first_router(self._sockets.address, outer[0].server, outer[0].mapped[0])
        return router, await self._hairpin(server)

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
            await cancelled(both, port)
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
            await cancelled(*asking)
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


def _serves(one: ServerAsked) -> bool:
    """Whether the server can do the tests, and is out where the internet is."""
    return one.other is not None and one.mapped is not None and is_public(one.mapped[0])
