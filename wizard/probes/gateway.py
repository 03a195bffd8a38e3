"""The gateways of this computer's own networks: who they are and what they say. Changes nothing there.

One that answers never hides another: each is told by its interface and address, those on a default route first.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from wizard.model.gateway import Gateway, Spoken, Took, Way
from wizard.probes.gateway_port import Asked, gateway_port
from wizard.probes.gateway_search import search
from wizard.probes.source import Source

_MOST = 16
"""Networks asked at most. A computer full of containers has many, and one or two gateways."""
_TALK_S = 30.0
"""Longest talk with one gateway: reading two thousand mappings one by one takes most of it."""


@dataclass(frozen=True, slots=True)
class Street:
    """A network of this computer, and the routers there that its default routes lead to, the preferred one first."""

    interface: str
    own: str
    prefix: int
    routers: tuple[str, ...] = ()
    own6: tuple[str, ...] = ()
    """This computer's IPv6 addresses there, without those that do not leave the link."""
    router6: str | None = None
    """The router of the IPv6 default route there, with its zone."""
    rank: int = 0
    """0 for the network of the preferred default route, then as they come."""

    @property
    def source(self) -> Source:
        """Where questions leave from."""
        return Source(self.interface, self.own)


async def ask(streets: Sequence[Street]) -> tuple[Gateway, ...]:
    """Every gateway of those networks, IPv4 as they are; the ones on default routes even if they do not answer.

    Takes 2 to 3 s. Sends to the SSDP group of each network, to the routers and to whoever answers there.
    """
    asked = await asyncio.gather(*(_street(street) for street in sorted(streets, key=lambda s: s.rank)[:_MOST]))
    return tuple(gateway for found in asked for gateway in found)


async def _street(street: Street) -> list[Gateway]:
    async with asyncio.TaskGroup() as group:
        ports = {router: group.create_task(_port(street, router)) for router in street.routers}
        try:
            found = await search(street.source, street.prefix, street.routers)
            silent = Spoken(Way.UPNP, Took.SILENT)
        except OSError as error:
            found, silent = {}, Spoken(Way.UPNP, Took.FAILED, error.strerror or str(error))
        others = sorted((a for a in found if a not in street.routers), key=ipaddress.ip_address)
        ports |= {other: group.create_task(_port(street, other)) for other in others}
        upnp = {
            address: group.create_task(
                _upnp(street, address, found[address].location if address in found else "", silent)
            )
            for address in ports
        }
    return [_told(street, upnp[address].result(), *ports[address].result()) for address in ports]


def _told(street: Street, upnp: Gateway, natpmp: Asked, pcp: Asked) -> Gateway:
    """What all three protocols tell. Two may tell two addresses only where the gateway is broken: UPnP's is what its
    mappings are on."""
    wan = upnp.wan or natpmp.wan
    told = (*upnp.spoken, pcp.spoken, natpmp.spoken)
    return replace(
        upnp,
        default=street.rank == 0 and upnp.address in street.routers[:1],
        spoken=told,
        wan=wan,
        own6=street.own6,
        address6=street.router6 if upnp.address in street.routers[:1] else None,
        withheld=wan is None and any(one.took is Took.NO_ADDRESS for one in told),
        epoch_s=natpmp.epoch_s if pcp.epoch_s is None else pcp.epoch_s,
    )


async def _upnp(street: Street, address: str, location: str, unfound: Spoken) -> Gateway:
    """What UPnP alone tells."""
    blank = Gateway(street.interface, address, street.own, street.prefix, False, (unfound,), datetime.now(UTC))
    if not location:
        return blank
    # The UPnP client brings aiohttp along, which costs a start-up that nothing else here need pay.
    from wizard.probes.gateway_upnp import igd

    try:
        async with asyncio.timeout(_TALK_S), igd(street.own, address, location) as device:
            if isinstance(device, Spoken):
                return replace(blank, spoken=(device,))
            spoken, wan = await device.wan()
            mappings, listed = await device.mappings()
            return replace(
                blank,
                spoken=(spoken,),
                wan=wan,
                manufacturer=device.manufacturer,
                model=device.model,
                name=device.name,
                location=location,
                mappings=mappings,
                listed=listed,
                pinholes=await device.pinholes(),
            )
    except TimeoutError:
        return replace(blank, spoken=(Spoken(Way.UPNP, Took.SILENT, f"no end within {_TALK_S:.0f} s"),))


async def _port(street: Street, address: str) -> tuple[Asked, Asked]:
    """NAT-PMP and PCP, which share a port but not a socket: an error of one is not the other's."""
    try:
        async with AsyncExitStack() as stack:
            one = await stack.enter_async_context(gateway_port(street.source, address))
            other = await stack.enter_async_context(gateway_port(street.source, address))
            natpmp, pcp = await asyncio.gather(one.natpmp(), other.pcp())
            return natpmp, pcp
    except OSError as error:
        words = error.strerror or str(error)
        return Asked(Spoken(Way.NATPMP, Took.FAILED, words)), Asked(Spoken(Way.PCP, Took.FAILED, words))
