"""Gathers candidates from STUN and TURN servers, every server on every address family at once (RFC 8445 section 5.1).

Only the servers that are listed are talked to: a redirection is told, not followed. Priorities follow RFC 8445;
browsers differ for relays, which they give a type preference of 0 to 2 by the transport to the server.
"""

from __future__ import annotations

import asyncio
import enum
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wizard.observation import NameResolved
from wizard.probes.conversation import CONNECT_TIMEOUT_S, Conversation, Endpoint, Reply, converse, new_client
from wizard.probes.dns import Place, resolve, services
from wizard.probes.fault import Fault, LinkFault
from wizard.probes.server_verdict import NO_ANSWER, Sentence, Verdict, unresolved, verdict_of
from wizard.probes.source import Source, bound
from wizard.wire.attribute import Address
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.turn import mapped_address
from wizard.wire.turn_event import Refused, Succeeded
from wizard.wire.uri import IceUri, Transport

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

FAMILIES = (6, 4)
"""In the order that candidates are preferred (RFC 8421 section 4)."""


class CandidateType(enum.StrEnum):
    """RFC 8445 section 5.1.1, and the preference of section 5.1.2.2."""

    HOST = "host"
    SRFLX = "srflx"
    PRFLX = "prflx"
    RELAY = "relay"

    @property
    def preference(self) -> int:
        """126 is best."""
        return {"host": 126, "prflx": 110, "srflx": 100, "relay": 0}[self.value]


@dataclass(frozen=True, slots=True)
class Target:
    """A server to try, and as whom."""

    uri: IceUri
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate; component 1, as a call that muxes RTP and RTCP has it."""

    time_ms: float
    type: CandidateType
    foundation: str
    address: str
    port: int
    local_preference: int
    related: Address | None = None
    url: str | None = None
    relay_protocol: Transport | None = None

    @property
    def priority(self) -> int:
        """RFC 8445 section 5.1.2.1."""
        return (self.type.preference << 24) + (self.local_preference << 8) + 255


@dataclass(frozen=True, slots=True)
class CandidateError:
    """Why a server gave no candidate, or not all."""

    time_ms: float
    url: str
    address: str
    """The literal address that was tried; empty if the name had none."""
    family: int
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class ServerTried:
    """The verdict on one server over one address family."""

    url: str
    transport: Transport
    family: int
    verdict: Verdict
    rtt_ms: float | None
    """At most this, if the server had to be asked twice."""
    seconds: float
    error: str | None


Event = Candidate | CandidateError | ServerTried


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
    """Who is asked for SRV records; None: this computer's own."""

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
        under_way = (*tasks, *gathering.lookups())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.gather(done, return_exceptions=True)
        for sock in sockets:
            sock.close()


class _Gathering:
    def __init__(self, targets: tuple[Target, ...], options: Options) -> None:
        self.targets = targets
        self.options = options
        self.events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._names: dict[str, asyncio.Task[tuple[NameResolved, NameResolved]]] = {}
        self._services: dict[str, asyncio.Task[tuple[Place, ...] | None]] = {}
        # Candidates of one type have different local preferences, best first (RFC 8445 section 5.1.2.1).
        order = sorted(
            ((index, family) for index in range(len(targets)) for family in FAMILIES),
            key=lambda pair: (list(Transport).index(targets[pair[0]].uri.transport), pair[0], FAMILIES.index(pair[1])),
        )
        self._preference = {pair: 65535 - place for place, pair in enumerate(order)}

    def lookups(self) -> tuple[asyncio.Task[Any], ...]:
        """What the resolvers were asked."""
        return (*self._names.values(), *self._services.values())

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
                    foundation=_foundation(CandidateType.HOST, address),
                    address=address,
                    port=int(sock.getsockname()[1]),
                    local_preference=65535 - place,
                )
            )
        return sockets

    async def try_target(self, index: int) -> None:
        """Try one server over each address family that it and this computer have."""
        target = self.targets[index]
        began = self._clock()
        wanted = FAMILIES if self.options.family is None else (self.options.family,)
        literal = target.uri.family
        families = tuple(family for family in wanted if literal in (None, family))
        if literal is not None and not families:
            self._tell_verdict(target, literal, began, _WRONG_FAMILY, "")
            return
        place = await self._place(target.uri)
        if place is None:
            for family in families:
                self._tell_verdict(target, family, began, unresolved("its SRV record says: no such service here"), "")
            return
        found = await asyncio.gather(*(self._addresses(target.uri, place.host, family) for family in families))
        addresses = {family: got for family, got in zip(families, found, strict=True) if not isinstance(got, str)}
        if not any(addresses.values()):
            for family, got in zip(families, found, strict=True):
                text = got if isinstance(got, str) else f"the name has no {_RECORD[family]} record"
                self._tell_verdict(target, family, began, unresolved(text), "")
            return
        chosen = {family: got[0] for family, got in addresses.items() if got}
        routed = {family: address for family, address in chosen.items() if _has_route(address, self.options)}
        if self.options.family is None and routed and literal is None:
            for family in chosen.keys() - routed.keys():
                # Harmless: the server answers, or not, over the family that this computer has.
                self._tell_error(target, family, chosen[family], _NO_ROUTE)
            chosen = routed
        if (place.host.lower(), place.port) != (target.uri.ascii_host.lower().rstrip("."), target.uri.port):
            text = f"tested {place.host}:{place.port}, where the SRV record leads"
            self._tell_error(target, 0, "", Sentence(Verdict.OK, NO_ANSWER, text, BY_SERVICE_RECORD))
        await asyncio.gather(*(self._try(index, family, address, place.port) for family, address in chosen.items()))

    async def _try(self, index: int, family: int, address: str, port: int) -> None:
        target = self.targets[index]
        uri = target.uri
        began = self._clock()
        source = self.options.source(family)
        if self.options.sources and source is None:
            self._tell_verdict(target, family, began, _NO_ROUTE, address)
            return
        # RFC 5928 section 5: a certificate is for the name in the URI, wherever the records lead.
        endpoint = Endpoint(address, port, uri.transport, uri.ascii_host, source)
        client = new_client(uri.transport, target.credentials, self.options.timing)
        async with converse(
            endpoint, client, self.options.tls, connect_timeout_s=_connect_timeout(self.options)
        ) as talk:
            if isinstance(talk, LinkFault):
                self._tell_verdict(target, family, began, self._sentence(target, talk), address)
                return
            reply = await talk.ask(client.allocate if uri.relays else client.binding)
            if isinstance(reply, Succeeded):
                self._tell_candidates(index, family, talk, reply)
            rtt_s = (reply.rtt_s or reply.elapsed_s) if isinstance(reply, Succeeded | Refused) else None
            self._tell_verdict(target, family, began, self._sentence(target, reply), address, rtt_s)

    def _sentence(self, target: Target, reply: Reply) -> Sentence:
        stream = target.uri.transport is not Transport.UDP
        return verdict_of(reply, has_credentials=target.credentials is not None, stream=stream)

    def _tell_candidates(self, index: int, family: int, talk: Conversation, reply: Succeeded) -> None:
        uri = self.targets[index].uri
        mapped = mapped_address(reply.response)
        local = talk.local
        server = talk.endpoint.address
        preference = self._preference[index, family]
        reflexive = uri.transport is Transport.UDP and not self.options.relay_only
        # RFC 8445 section 5.1.3: one that equals its base is redundant.
        if reflexive and mapped is not None and mapped != local:
            self.events.put_nowait(
                Candidate(
                    time_ms=self._now_ms(),
                    type=CandidateType.SRFLX,
                    foundation=_foundation(CandidateType.SRFLX, local[0], server),
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
                    foundation=_foundation(CandidateType.RELAY, relayed[0], server, uri.transport),
                    address=relayed[0],
                    port=relayed[1],
                    local_preference=preference,
                    # RFC 8839 section 5.1: of a relayed candidate, the mapped address.
                    related=mapped,
                    url=uri.text,
                    relay_protocol=uri.transport,
                )
            )

    def _tell_verdict(
        self, target: Target, family: int, began: float, sentence: Sentence, address: str, rtt_s: float | None = None
    ) -> None:
        if sentence.code is not None:
            self._tell_error(target, family, address, sentence)
        self.events.put_nowait(
            ServerTried(
                url=target.uri.text,
                transport=target.uri.transport,
                family=family,
                verdict=sentence.verdict,
                rtt_ms=None if rtt_s is None else rtt_s * 1000,
                seconds=self._clock() - began,
                error=None if sentence.code is None else sentence.text,
            )
        )

    def _tell_error(self, target: Target, family: int, address: str, sentence: Sentence) -> None:
        self.events.put_nowait(CandidateError(self._now_ms(), target.uri.text, address, family, sentence))

    def _now_ms(self) -> float:
        return (self._clock() - self._began) * 1000

    async def _place(self, uri: IceUri) -> Place | None:
        """Where RFC 5928 section 3 looks for the server; None if its name says that there is none."""
        itself = Place(uri.ascii_host, uri.port)
        name = uri.service
        if name is None:
            return itself
        self._look_up(uri.ascii_host)
        if name not in self._services:
            self._services[name] = asyncio.create_task(services(name, self.options.resolver))
        found = await asyncio.shield(self._services[name])
        return itself if found is None else next(iter(found), None)

    def _look_up(self, host: str) -> asyncio.Task[tuple[NameResolved, NameResolved]]:
        if host not in self._names:
            self._names[host] = asyncio.create_task(resolve(host))
        return self._names[host]

    async def _addresses(self, uri: IceUri, host: str, family: int) -> tuple[str, ...] | str:
        """The server's addresses of that family, none if it has none, or the resolver's fault in words."""
        if uri.family is not None:
            return (uri.host,)
        fact = next(fact for fact in await asyncio.shield(self._look_up(host)) if fact.family == family)
        if fact.error is not None:
            return fact.error
        return tuple(address.partition("%")[0] for address in fact.addresses)


BY_SERVICE_RECORD = "by-service-record"
"""The cause of a note, for browsers do not read SRV records."""
_RECORD = {4: "A", 6: "AAAA"}
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


def _has_route(address: str, options: Options) -> bool:
    """Whether this computer knows a way there. Connecting a UDP socket sends nothing."""
    source = options.source(_family(address))
    if options.sources and source is None:
        return False
    try:
        with bound(source, socket.SOCK_DGRAM) if source else _datagrams(address) as sock:
            sock.connect((address, 9))
    except OSError:
        return False
    return True


def _datagrams(address: str) -> socket.socket:
    return socket.socket(_socket_family(address), socket.SOCK_DGRAM)


def _foundation(kind: CandidateType, base: str, server: str = "", transport: Transport | None = None) -> str:
    # RFC 8445 section 5.1.1.3: the same for the same type, base, server and transports.
    return str(zlib.crc32("|".join((kind, "udp", base, server, transport or "")).encode()))
