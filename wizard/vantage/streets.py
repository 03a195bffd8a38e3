"""The networks that this computer stands in, and the routers on its default routes."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from wizard.probes.gateway import Street
from wizard.system.interfaces import Network, networks
from wizard.system.routes import DefaultRoute, default_routes


def streets() -> tuple[Street, ...]:
    """Those over which a gateway may be asked: every IPv4 network but loopback, virtual ones too."""
    return lay(networks(), default_routes())


def lay(known: Sequence[Network], routes: Sequence[DefaultRoute]) -> tuple[Street, ...]:
    """The same from what the system told. A route belongs to one network of its interface only."""
    found: list[Street] = []
    placed: set[DefaultRoute] = set()
    for network in known:
        own = ipaddress.ip_interface(str(network))
        if own.version != 4 or own.ip.is_loopback or own.ip.is_link_local:
            continue
        fitting = [
            (rank, route)
            for rank, route in enumerate(routes)
            if route.interface == network.interface and ":" not in route.gateway and route not in placed
        ]
        inside = [(rank, route) for rank, route in fitting if ipaddress.ip_address(route.gateway) in own.network]
        # A rented host's router is often outside of its network of one.
        alone = sum(other.interface == network.interface and ":" not in other.address for other in known) == 1
        used = inside or (fitting if alone else [])
        placed.update(route for _, route in used)
        found.append(
            Street(
                interface=network.interface,
                own=network.address,
                prefix=network.prefix,
                routers=tuple(dict.fromkeys(route.gateway for _, route in used)),
                own6=_six(known, network.interface),
                router6=next(
                    (
                        f"{route.gateway}%{route.interface}"
                        if ipaddress.ip_address(route.gateway).is_link_local
                        else route.gateway
                        for route in routes
                        if route.interface == network.interface and ":" in route.gateway
                    ),
                    None,
                ),
                rank=min((rank for rank, _ in used), default=len(routes) + len(found) + 1),
            )
        )
    return tuple(sorted(found, key=lambda street: street.rank))


def _six(known: Sequence[Network], interface: str) -> tuple[str, ...]:
    addresses = [n.address for n in known if n.interface == interface and ":" in n.address]
    return tuple(address for address in addresses if not ipaddress.ip_address(address).is_link_local)
