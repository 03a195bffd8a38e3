"""Gathers candidates from STUN and TURN servers, every server on every address family at once (RFC 8445 section 5.1).

Only the servers that are listed are talked to: a redirection is told, not followed. Priorities follow RFC 8445;
browsers differ for relays, which they give a type preference of 0 to 2 by the transport to the server.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wizard.probes.candidate import (
    BY_SERVICE_RECORD,
    Candidate,
    CandidateError,
    CandidateType,
    Event,
    ServerTried,
    foundation,
)
from wizard.probes.conversation import CONNECT_TIMEOUT_S, Conversation, Endpoint, Reply, converse, new_client
from wizard.probes.directory import FAMILIES, NO_SUCH_SERVICE, Directory, End, Found
from wizard.probes.fault import Fault, LinkFault
from wizard.probes.server_verdict import NO_ANSWER, Sentence, Verdict, unresolved, verdict_of
from wizard.probes.source import Source, bound
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.turn import mapped_address
from wizard.wire.turn_event import Refused, Succeeded
from wizard.wire.uri import IceUri, Transport

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

MOST_TRIED = 4
"""Addresses of one server, transport and family that are tried, one after the other, until one answers."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server to try, and as whom."""

    uri: IceUri
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How to gather. `own_addresses` are those of this computer that may become host candidates."""

    family: int | None = None
    """4, 6, or None for both as far as names and this computer have them."""
    relay_only: bool = False
    tls: ssl.SSLContext | None = None
    timing: Timing = field(default_factory=Timing)
    own_addresses: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    """The addresses to send from, all of one interface; none: as this computer routes."""
    resolver: Resolver | None = None
    """Who is asked for SRV and NAPTR records; None: this computer's own."""

    def source(self, family: int) -> Source | None:
        """What to send from in that family, if anything was chosen."""
        return next((source for source in self.sources if _family(source.address) == family), None)


async def gather(targets: Sequence[Target], options: Options) -> AsyncGenerator[Event, None]:
    """Yield candidates, errors and verdicts as they come, until every server has its verdicts.

    Closing the iterator releases every allocation and closes every socket.
    """
    gathering = _Gathering(tuple(dict.fromkeys(targets)), options)
    tasks = [asyncio.create_task(gathering.try_target(index)) for index in range(len(gathering.targets))]
    done = asyncio.gather(*tasks)
    done.add_done_callback(lambda _: gathering.events.put_nowait(None))
    sockets = [] if options.relay_only else gathering.host_candidates()
    try:
        while (event := await gathering.events.get()) is not None:
            yield event
        await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(done, return_exceptions=True)
        await gathering.directory.close()
        for sock in sockets:
            sock.close()


class _Gathering:
    def __init__(self, targets: tuple[Target, ...], options: Options) -> None:
        self.targets = targets
        self.options = options
        self.events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self.directory = Directory(options.resolver)
        # Candidates of one type have different local preferences, best first (RFC 8445 section 5.1.2.1).
        order = sorted(
            (list(Transport).index(transport), index, place)
            for index, target in enumerate(targets)
            for transport in target.uri.transports
            for place, _ in enumerate(FAMILIES)
        )
        self._preference = {
            (index, list(Transport)[transport], FAMILIES[place]): 65535 - rank
            for rank, (transport, index, place) in enumerate(order)
        }

    def host_candidates(self) -> list[socket.socket]:
        """One candidate for each own address, with a socket that holds its port."""
        wanted = FAMILIES if self.options.family is None else (self.options.family,)
        own = [a for family in wanted for a in self.options.own_addresses if _family(a) == family]
        sockets: list[socket.socket] = []
        for place, address in enumerate(own):
            sock = socket.socket(_socket_family(address), socket.SOCK_DGRAM)
            try:
                sock.bind((address, 0))
            except OSError:
                # The interface went away, or its address is still being checked for duplicates.
                sock.close()
                continue
            sockets.append(sock)
            self.events.put_nowait(
                Candidate(
                    time_ms=self._now_ms(),
                    type=CandidateType.HOST,
                    foundation=foundation(CandidateType.HOST, address),
                    address=address,
                    port=int(sock.getsockname()[1]),
                    local_preference=65535 - place,
                )
            )
        return sockets

    async def try_target(self, index: int) -> None:
        """Try one server over each transport and address family that it and this computer have."""
        target = self.targets[index]
        literal = target.uri.family
        wanted = FAMILIES if self.options.family is None else (self.options.family,)
        families = tuple(family for family in wanted if literal in (None, family))
        if literal is not None and not families:
            tries = _Tries(target, target.uri.transport, literal, self._clock())
            self._tell_verdict(tries, _WRONG_FAMILY)
            return
        began = self._clock()
        found = await self.directory.find(target.uri)
        await asyncio.gather(*(self._try_transport(index, one, families, began) for one in found))

    async def _try_transport(self, index: int, found: Found, families: Sequence[int], began: float) -> None:
        target = self.targets[index]
        ends: dict[int, tuple[End, ...]] = {}
        missing: dict[int, str] = {}
        for family in families:
            if target.uri.family is not None:
                ends[family] = (End(target.uri.host, target.uri.port, target.uri.host),)
                continue
            got = await self.directory.ends(found.places, family) if found.places else NO_SUCH_SERVICE
            if isinstance(got, str):
                missing[family] = got
            else:
                ends[family] = got
        if not ends:
            for family, text in missing.items():
                self._tell_verdict(_Tries(target, found.transport, family, began), unresolved(text))
            return
        routed = {family: _with_route(there, self.options) for family, there in ends.items()}
        if self.options.family is None and target.uri.family is None and any(routed.values()):
            for family in [family for family in ends if not routed[family]]:
                # Harmless: the server answers, or not, over the family that this computer has.
                tries = _Tries(target, found.transport, family, began)
                self._tell_error(tries, ends.pop(family)[0].address, _NO_ROUTE)
        if found.recorded:
            self._tell_record(target, found)
        await asyncio.gather(
            *(self._try(index, found, family, routed[family] or there) for family, there in ends.items())
        )

    def _tell_record(self, target: Target, found: Found) -> None:
        itself = (target.uri.ascii_host.lower().rstrip("."), target.uri.port, target.uri.transport)
        place = found.places[0]
        if (place.host.lower(), place.port, found.transport) != itself:
            by = "" if found.transport is target.uri.transport else f" by {found.transport.value.upper()}"
            text = f"tested {place.host}:{place.port}{by}, where the DNS record leads"
            tries = _Tries(target, found.transport, 0, self._clock())
            self._tell_error(tries, "", Sentence(Verdict.OK, NO_ANSWER, text, BY_SERVICE_RECORD))

    async def _try(self, index: int, found: Found, family: int, ends: Sequence[End]) -> None:
        """Ask one address after the other until one answers. The verdict is its own, or that of the first."""
        tries = _Tries(self.targets[index], found.transport, family, self._clock())
        first: Sentence | None = None
        for place, end in enumerate(ends[:MOST_TRIED]):
            sentence = await self._ask(index, tries, end, f"{end.host}:{end.port}: " if found.recorded else "")
            if sentence is None:
                return
            more = len(ends) - MOST_TRIED
            if place + 1 == MOST_TRIED and more > 0:
                sentence = replace(sentence, text=f"{sentence.text}; not tried: {more} more addresses of the name")
            self._tell_error(tries, end.address, sentence)
            first = first or sentence
        assert first is not None
        self._tell_tried(tries, first)

    async def _ask(self, index: int, tries: _Tries, end: End, said_of: str) -> Sentence | None:
        """Ask one address, and tell the verdict if it answers; else return what is to be said of it."""
        uri = tries.target.uri
        source = self.options.source(tries.family)
        if self.options.sources and source is None:
            return _NO_ROUTE
        # RFC 5928 section 5: a certificate is for the name in the URI, wherever the records lead.
        endpoint = Endpoint(end.address, end.port, tries.transport, uri.ascii_host, source)
        client = new_client(tries.transport, tries.target.credentials, self.options.timing)
        async with converse(
            endpoint, client, self.options.tls, connect_timeout_s=_connect_timeout(self.options)
        ) as talk:
            if isinstance(talk, LinkFault):
                reply: Reply = talk
            else:
                reply = await talk.ask(client.allocate if uri.relays else client.binding)
                if isinstance(reply, Succeeded):
                    self._tell_candidates(tries, self._preference[index, tries.transport, tries.family], talk, reply)
            sentence = self._sentence(tries, reply)
            if sentence.code is not None:
                sentence = replace(sentence, text=f"{said_of}{sentence.text}")
            if sentence.verdict in _NOT_THERE:
                return sentence
            rtt_s = (reply.rtt_s or reply.elapsed_s) if isinstance(reply, Succeeded | Refused) else None
            # Nobody waits for the release.
            self._tell_verdict(tries, sentence, end.address, rtt_s)
            return None

    def _sentence(self, tries: _Tries, reply: Reply) -> Sentence:
        stream = tries.transport is not Transport.UDP
        return verdict_of(reply, has_credentials=tries.target.credentials is not None, stream=stream)

    def _tell_candidates(self, tries: _Tries, preference: int, talk: Conversation, reply: Succeeded) -> None:
        uri = tries.target.uri
        mapped = mapped_address(reply.response)
        local = talk.local
        server = talk.endpoint.address
        reflexive = tries.transport is Transport.UDP and not self.options.relay_only
        # RFC 8445 section 5.1.3: one that equals its base is redundant.
        if reflexive and mapped is not None and mapped != local:
            self.events.put_nowait(
                Candidate(
                    time_ms=self._now_ms(),
                    type=CandidateType.SRFLX,
                    foundation=foundation(CandidateType.SRFLX, local[0], server),
                    address=mapped[0],
                    port=mapped[1],
                    local_preference=preference,
                    related=local,
                    url=uri.text,
                )
            )
        allocation = talk.client.allocation
        if allocation is None:
            return
        for relayed in allocation.relayed:
            self.events.put_nowait(
                Candidate(
                    time_ms=self._now_ms(),
                    type=CandidateType.RELAY,
                    foundation=foundation(CandidateType.RELAY, relayed[0], server, tries.transport),
                    address=relayed[0],
                    port=relayed[1],
                    local_preference=preference,
                    # RFC 8839 section 5.1: of a relayed candidate, the mapped address.
                    related=mapped,
                    url=uri.text,
                    relay_protocol=tries.transport,
                )
            )

    def _tell_verdict(self, tries: _Tries, sentence: Sentence, address: str = "", rtt_s: float | None = None) -> None:
        if sentence.code is not None:
            self._tell_error(tries, address, sentence)
        self._tell_tried(tries, sentence, rtt_s)

    def _tell_tried(self, tries: _Tries, sentence: Sentence, rtt_s: float | None = None) -> None:
        self.events.put_nowait(
            ServerTried(
                url=tries.target.uri.text,
                transport=tries.transport,
                family=tries.family,
                verdict=sentence.verdict,
                rtt_ms=None if rtt_s is None else rtt_s * 1000,
                seconds=self._clock() - tries.began,
                error=None if sentence.code is None else sentence.text,
            )
        )

    def _tell_error(self, tries: _Tries, address: str, sentence: Sentence) -> None:
        url = tries.target.uri.text
        self.events.put_nowait(CandidateError(self._now_ms(), url, address, tries.family, sentence, tries.transport))

    def _now_ms(self) -> float:
        return (self._clock() - self._began) * 1000


@dataclass(frozen=True, slots=True)
class _Tries:
    """A server over one transport and address family, and when its first address was asked."""

    target: Target
    transport: Transport
    family: int
    began: float


_NOT_THERE = frozenset({Verdict.UNREACHABLE, Verdict.REFUSED})
"""Verdicts that another address of the same name may not deserve."""
_NO_ROUTE = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no route from this computer", Fault.NO_ROUTE.value)
_WRONG_FAMILY = Sentence(
    Verdict.UNREACHABLE, NO_ANSWER, "the address is of the other address family than the one asked for", "wrong-family"
)


def _connect_timeout(options: Options) -> float:
    return min(CONNECT_TIMEOUT_S, options.timing.timeout_s)


def _family(address: str) -> int:
    return 6 if ":" in address else 4


def _socket_family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _with_route(ends: Sequence[End], options: Options) -> tuple[End, ...]:
    """Those that this computer knows a way to. Connecting a UDP socket sends nothing."""
    source = options.source(ends[0].family)
    if options.sources and source is None:
        return ()
    found = []
    for end in ends:
        try:
            with bound(source, socket.SOCK_DGRAM) if source else _datagrams(end.address) as sock:
                sock.connect((end.address, 9))
        except OSError:
            continue
        found.append(end)
    return tuple(found)


def _datagrams(address: str) -> socket.socket:
    return socket.socket(_socket_family(address), socket.SOCK_DGRAM)
