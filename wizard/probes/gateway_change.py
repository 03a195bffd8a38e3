"""Mappings made and taken away on one gateway, as the person asked. What is another computer's is left alone."""

from __future__ import annotations

import enum
import hashlib
import ipaddress
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wizard.model.gateway import Gateway, Mapping, Spoken, Took, Way
from wizard.model.mapped import same_host
from wizard.probes.gateway_port import GatewayPort, gateway_port
from wizard.probes.source import Source
from wizard.wire.pcp import NONCE_SIZE

if TYPE_CHECKING:
    from wizard.probes.gateway_upnp import Igd

DEFAULT_LIFETIME_S = 3600
_PINHOLE_S = 60
_NOBODY = frozenset({Took.SILENT, Took.REFUSED, Took.UNREACHABLE, Took.FAILED})


class Wish(enum.StrEnum):
    """What is asked of the gateway."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """What came of one wish."""

    wish: Wish
    mapping: Mapping
    spoken: Spoken

    @property
    def done(self) -> bool:
        """Whether it is now as wished."""
        gone = self.wish is Wish.REMOVE and self.spoken.took is Took.ABSENT
        return self.spoken.took is Took.GRANTED or gone


def ways(gateway: Gateway) -> tuple[Way, ...]:
    """The protocols to try on it, the one that can do most first."""
    spoken = {one.way for one in gateway.spoken if one.found}
    return tuple(way for way in Way if way in spoken)


async def change(
    gateway: Gateway, wish: Wish, mappings: Iterable[Mapping], lifetime_s: int, key: bytes, way: Way | None = None
) -> AsyncGenerator[Change, None]:
    """Each mapping as it is decided. `key` is the project's: what was made with it can be taken away with it.

    `lifetime_s` 0 means for good, which only UPnP has. With `way` nothing else is tried.
    """
    tried = (way,) if way is not None else ways(gateway)
    async with AsyncExitStack() as stack:
        maker = _Maker(gateway, wish, lifetime_s, key, stack)
        for mapping in mappings:
            yield Change(wish, mapping, await maker.decide(mapping, tried))


class _Maker:
    def __init__(self, gateway: Gateway, wish: Wish, lifetime_s: int, key: bytes, stack: AsyncExitStack) -> None:
        self._gateway = gateway
        self._wish = wish
        self._lifetime_s = lifetime_s
        self._key = key
        self._stack = stack
        self._listed = {(mapping.protocol, mapping.external): mapping for mapping in gateway.mappings}
        self._gone: dict[Way, Spoken] = {}
        """The ways on which nobody answers any more: hundreds of ports are not asked for into the void."""
        self._port: GatewayPort | None = None
        self._igd: Igd | Spoken | None = None

    async def decide(self, mapping: Mapping, tried: Iterable[Way]) -> Spoken:
        taken = self._listed.get((mapping.protocol, mapping.external))
        # Some gateways give a port away again without a word: who has it is looked up first.
        if taken is not None and not same_host(taken.host, mapping.host):
            return Spoken(Way.UPNP, Took.CONFLICT, f"{taken.host}:{taken.internal}")
        first: Spoken | None = None
        for way in tried:
            spoken = self._gone.get(way) or await (
                self._by_upnp(mapping) if way is Way.UPNP else self._by_port(way, mapping)
            )
            if spoken.took in _NOBODY:
                self._gone[way] = spoken
            if spoken.took is Took.GRANTED:
                return spoken
            first = first or spoken
        if first is not None and self._wish is Wish.ADD and self._gateway.withheld:
            # Each protocol has its own number for that, and some only "it failed".
            return Spoken(first.way, Took.NO_ADDRESS, first.detail)
        return first or Spoken(Way.UPNP, Took.SILENT)

    async def _by_port(self, way: Way, mapping: Mapping) -> Spoken:
        if not same_host(mapping.host, self._gateway.own):
            return Spoken(way, Took.OWN_PORTS_ONLY)
        if self._wish is Wish.ADD and not self._lifetime_s:
            return Spoken(way, Took.UNSUPPORTED, "lifetime 0")
        try:
            if self._port is None:
                source = Source(self._gateway.interface, self._gateway.own)
                self._port = await self._stack.enter_async_context(gateway_port(source, self._gateway.address))
            lifetime_s = self._lifetime_s if self._wish is Wish.ADD else 0
            if way is Way.NATPMP:
                return (await self._port.map_by_natpmp(mapping, lifetime_s)).spoken
            return (await self._port.map_by_pcp(mapping, lifetime_s, self._nonce(mapping))).spoken
        except OSError as error:
            return Spoken(way, Took.FAILED, error.strerror or str(error))

    def _nonce(self, mapping: Mapping) -> bytes:
        """Nobody else's to guess, and the same the next time: RFC 6887 section 11.3 lets only its holder delete."""
        told = f"{mapping.protocol} {mapping.external} {mapping.internal} {mapping.host}".encode()
        return hashlib.blake2b(told, key=self._key[:64], digest_size=NONCE_SIZE).digest()

    async def _by_upnp(self, mapping: Mapping) -> Spoken:
        from wizard.probes.gateway_upnp import igd

        if not self._gateway.location:
            return Spoken(Way.UPNP, Took.SILENT)
        own, address, location = self._gateway.own, self._gateway.address, self._gateway.location
        six = ipaddress.ip_address(mapping.host).version == 6
        if six:
            # WANIPv6FirewallControl:1 section 2.2.3: to be asked from the very address that the pinhole is for.
            if not any(same_host(mapping.host, one) for one in self._gateway.own6):
                return Spoken(Way.UPNP, Took.OWN_PORTS_ONLY)
            if self._gateway.address6 is None:
                return Spoken(Way.UPNP, Took.UNSUPPORTED, "no IPv6 default route leads to it")
            own, address = mapping.host, self._gateway.address6
            location = location.replace(f"//{self._gateway.address}", f"//[{address}]", 1)
        if self._igd is None:
            self._igd = await self._stack.enter_async_context(igd(own, address, location))
        if isinstance(self._igd, Spoken):
            return self._igd
        if six:
            return await self._pinhole(self._igd, mapping)
        if self._wish is Wish.ADD and self._gateway.listed:
            return await self._igd.add(mapping, self._lifetime_s)
        # The list may be old, or there is none.
        present = await self._igd.mapping(mapping.protocol, mapping.external)
        if isinstance(present, Mapping):
            ours = same_host(present.host, mapping.host)
            if not ours or (self._wish is Wish.REMOVE and present.internal != mapping.internal):
                return Spoken(Way.UPNP, Took.CONFLICT, f"{present.host}:{present.internal}")
        if self._wish is Wish.ADD:
            return await self._igd.add(mapping, self._lifetime_s)
        return await self._igd.remove(mapping)

    async def _pinhole(self, igd: Igd, mapping: Mapping) -> Spoken:
        lifetime_s = self._lifetime_s or 24 * 3600
        if self._wish is Wish.ADD:
            return (await igd.open_pinhole(mapping, lifetime_s))[0]
        # The same pinhole asked for again is told by its number, without which it can't be closed.
        spoken, number = await igd.open_pinhole(mapping, _PINHOLE_S)
        return spoken if number is None else await igd.close_pinhole(number)
