"""Probes that seem to come from outside and do not: they turn round at one's own router."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from wizard.model.hop import HopKind
from wizard.model.project import Project
from wizard.model.vantage import VantageKind
from wizard.observation import Observation

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Not `is_private`: that holds for the documentation ranges too.
_INSIDE = tuple(
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
CGNAT_RANGE = ipaddress.ip_network("100.64.0.0/10")  # RFC 6598


@lru_cache(maxsize=4096)
def parse_ip(text: str) -> _Address | None:
    """The address in `192.0.2.4`, `192.0.2.4:5`, `[::1]:5` or `::1`; None for a name."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _interface(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    return ipaddress.ip_interface(text)


def is_inside(address: _Address) -> bool:
    """Whether the address can only be met inside a network: RFC 1918, ULA, link-local, loopback."""
    return any(address.version == net.version and address in net for net in _INSIDE)


def _is_one_site(one: _Address, other: _Address) -> bool:
    """Whether two IPv6 addresses may be of one home: a provider gives it 48 bits of its own, or more (RFC 6177).

    The home's router hands such packets on within, and never asks its firewall for the outside.
    """
    return one.version == 6 == other.version and int(one) >> 80 == int(other) >> 80


def is_hairpin(project: Project, observation: Observation, entry: int) -> bool:
    """Whether this probe came from behind the hop that it enters, and so says nothing about it from outside.

    It did if its vantage is declared behind that hop, if it left from the very address that it entered (a relay
    on one's own public address) or from an inside address that the service did not see replaced, or if this computer
    stands in a network that holds a hop further in, behind a router. An answer tells the last case from a stranger's
    network with the same numbers: there the service does not see a sender in it. Silence can't tell, and then blames
    nobody.
    """
    vantage = next((v for v in project.vantages if v.id == observation.vantage), None)
    if vantage is not None and vantage.beyond is not None and project.index(vantage.beyond) >= entry:
        return True
    if observation.source is None:
        return False
    try:
        source = _interface(observation.source)
    except ValueError:
        return False
    entered = parse_ip(observation.address)
    # On loopback every address is one's own: the practice network stands there.
    if entered is None or entered.is_loopback:
        return False
    own = {hop.address for hop in project.hops[entry + 1 :]}
    if source.ip == entered and observation.address not in own:
        # A rented host may have its address as a network of one; what it sends to itself is no relay's.
        is_local = vantage is not None and vantage.kind is VantageKind.LOCAL
        return source.network.prefixlen == source.max_prefixlen and not is_local
    if entered in source.network:
        return False
    if project.hops[entry].kind is HopKind.ROUTER and _is_one_site(source.ip, entered):
        return True
    seen = parse_ip(observation.seen_as or "")
    if vantage is not None and vantage.kind is VantageKind.TURN and is_inside(source.ip) and not is_inside(entered):
        # A relay that knows only its inside address may be on one's own network, or anywhere behind another's router.
        return seen is None or is_inside(seen) or seen == entered
    if seen is not None and seen not in source.network:
        return False
    return any(
        (address := parse_ip(hop.address or "")) is not None
        and address in source.network
        and any(h.kind in (HopKind.ROUTER, HopKind.CGNAT) for h in project.hops[entry:position])
        for position, hop in enumerate(project.hops)
        if position > entry
    )
