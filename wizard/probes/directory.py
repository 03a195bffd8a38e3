"""Where STUN and TURN servers are, as their addresses and the DNS say (RFC 5928 section 3, RFC 8489 section 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from wizard.observation import NameResolved
from wizard.probes.dns import resolve
from wizard.probes.service_records import Leads, Place, Rule, relay_rules, services
from wizard.wire.uri import IceUri, Transport

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

FAMILIES = (6, 4)
"""In the order that candidates are preferred (RFC 8421 section 4)."""
MOST_PLACES = 4
"""Hosts that are looked up for one server and transport."""
NO_SUCH_SERVICE = "its SRV record says: no such service here"
_RECORD = {4: "A", 6: "AAAA"}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a server is by one transport, best place first; no place: its records say that there is no such service."""

    transport: Transport
    places: tuple[Place, ...]
    recorded: bool = False
    """Whether SRV or NAPTR records led there."""


@dataclass(frozen=True, slots=True)
class End:
    """A literal address and a port, and the name that led there."""

    address: str
    port: int
    host: str

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.address else 4


class Directory:
    """Answers of the resolvers, each asked once. `resolver` is asked for service records; None: this computer's own."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}

    async def find(self, uri: IceUri) -> tuple[Found, ...]:
        """Where it is, by each transport that it leaves open; the preferred one first."""
        itself = (Place(uri.ascii_host, uri.port),)
        if uri.service(uri.transport) is None:
            return (Found(uri.transport, itself),)
        # Most names have no such records: their addresses are not waited for afterwards.
        self._look_up(uri.ascii_host)
        rules, listed = await asyncio.gather(self._rules(uri), self._listed(uri))
        usable = tuple(found for found in listed if found.places)
        return await self._ruled(uri, rules) or usable or listed or (Found(uri.transport, itself),)

    async def ends(self, places: tuple[Place, ...], family: int) -> tuple[End, ...] | str:
        """The addresses of that family, best place first, or in words why there is none."""
        found = await asyncio.gather(*(self._addresses(place.host, family) for place in places[:MOST_PLACES]))
        ends = tuple(
            End(address, place.port, place.host)
            for place, addresses in zip(places, found, strict=False)
            if not isinstance(addresses, str)
            for address in addresses
        )
        fault = next((addresses for addresses in found if isinstance(addresses, str)), None)
        return tuple(dict.fromkeys(ends)) or fault or f"the name has no {_RECORD[family]} record"

    async def close(self) -> None:
        """Ask no further."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _ruled(self, uri: IceUri, rules: tuple[Rule, ...]) -> tuple[Found, ...]:
        led: dict[Transport, list[Place]] = {}
        for rule in rules:
            itself = (Place(rule.name, uri.port),)
            places = itself if rule.leads is Leads.ADDRESSES else await self._services(rule.name)
            for transport in rule.transports:
                # RFC 5928 section 3: turns: is for TLS alone, turn: for the others.
                if transport in uri.transports:
                    led.setdefault(transport, []).extend(places or ())
        return tuple(Found(transport, tuple(places), recorded=True) for transport, places in led.items() if places)

    async def _rules(self, uri: IceUri) -> tuple[Rule, ...]:
        if not uri.leaves_transport_open:
            return ()
        name = uri.ascii_host
        return await self._once(("rules", name), lambda: relay_rules(name, self._resolver))

    async def _listed(self, uri: IceUri) -> tuple[Found, ...]:
        names = [(one, uri.service(one)) for one in uri.transports]
        places = await asyncio.gather(*(self._services(name) for _, name in names if name is not None))
        found = zip(uri.transports, places, strict=True)
        return tuple(Found(one, there, recorded=True) for one, there in found if there is not None)

    async def _services(self, name: str) -> tuple[Place, ...] | None:
        return await self._once(("services", name), lambda: services(name, self._resolver))

    async def _addresses(self, host: str, family: int) -> tuple[str, ...] | str:
        fact = next(fact for fact in await asyncio.shield(self._look_up(host)) if fact.family == family)
        if fact.error is not None:
            return fact.error
        return tuple(address.partition("%")[0] for address in fact.addresses)

    def _look_up(self, host: str) -> asyncio.Task[tuple[NameResolved, NameResolved]]:
        return self._task(("addresses", host), lambda: resolve(host))

    async def _once(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        # Several servers may wait for one answer; who gives up waiting does not take it from the others.
        return await asyncio.shield(self._task(key, ask))

    def _task(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, _T]]) -> asyncio.Task[_T]:
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(ask())
        return self._asked[key]


async def preferred(uri: IceUri, wanted: Transport | None = None) -> tuple[Transport, tuple[End, ...]]:
    """The transport that a server is best reached by, or the wanted one if it can be; and the addresses for that, IPv4
    first, for ports are forwarded in IPv4. Raises OSError that says why there is none."""
    if uri.family is not None:
        return uri.transport, (End(uri.host, uri.port, uri.host),)
    directory = Directory()
    try:
        ways = await directory.find(uri)
        found = next((way for way in ways if way.transport is wanted), ways[0])
        if not found.places:
            raise OSError(NO_SUCH_SERVICE)
        by_family = [await directory.ends(found.places, family) for family in (4, 6)]
        ends = tuple(end for ends in by_family if not isinstance(ends, str) for end in ends)
        if not ends:
            raise OSError(next(words for words in by_family if isinstance(words, str)))
        return found.transport, ends
    finally:
        await directory.close()
