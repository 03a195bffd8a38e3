"""What the writers of packet filters have in common: which packets are to pass, and what is said beside the lines."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from wizard.configs.coverage import family
from wizard.configs.product import Order, Wanted
from wizard.configs.words import say
from wizard.configs.writing import comment, is_ip, named, spoken_ports
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase


def version(order: Order, wanted: Wanted) -> int:
    """The address family that rules for these ports are for."""
    if is_ip(wanted.host):
        return ipaddress.ip_address(wanted.host or "").version
    return family(order.project, order.position)


def published(order: Order) -> bool:
    """Whether a container engine behind the filter, on the same machine, hands the ports on."""
    hops = order.project.hops
    inward = hops[order.position + 1] if order.position + 1 < len(hops) else None
    return not order.hop.kind.translates and inward is not None and inward.kind is HopKind.CONTAINER


def handed_on(order: Order) -> bool:
    """Whether the hop is to lead the ports to another host, and not only to let them in."""
    return order.hop.kind.translates


def head(order: Order, *keys: str, **values: str) -> Iterator[str]:
    """The comment at the top: what it is for, and sentences of the catalogue."""
    yield f"# {comment(order.project.name)}, {comment(order.hop.title)}: {spoken_ports(order.wanted)}"
    for key in keys:
        yield f"# {say(Phrase(key, values), order.language)}"


def label(wanted: Wanted) -> str:
    """What a rule is called in its comment."""
    return named(wanted)


def bracketed(host: str) -> str:
    """An address as it stands before a port."""
    return f"[{host}]" if ":" in host else host
