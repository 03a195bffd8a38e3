"""Whose packets a rule takes, of all the senders on the internet."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Who(enum.IntEnum):
    """Two limits on one rule take the packets of the lower."""

    NOBODY = 0
    PERHAPS = 1
    """It was not understood, or rests on what is not in the file."""
    FEW = 2
    """Some addresses, or only inside ones. A rule that stops a few stops nobody's service."""
    PART = 3
    """A good part of the internet, and not nearly all."""
    EVERYBODY = 4
    """All, or all but a few."""


_MOST, _FEW = 0.9, 0.05


def who(networks: Iterable[Network], family: int, *, negated: bool = False) -> Who:
    """Whose packets come from these networks, or with `negated` from elsewhere, over one address family."""
    own = [network for network in networks if network.version == family]
    whole = ipaddress.collapse_addresses(own)  # type: ignore[type-var]
    share = sum((1 / 2**network.prefixlen for network in whole), 0.0)
    if negated:
        share = 1 - share
    if share <= 0:
        return Who.NOBODY
    return Who.EVERYBODY if share >= _MOST else Who.FEW if share <= _FEW else Who.PART


def networks(text: str) -> tuple[Network, ...]:
    """An address, a network with either kind of mask, or a range `192.0.2.1-192.0.2.9`. Raises ValueError."""
    first, dash, last = text.strip().partition("-")
    if not dash:
        return (ipaddress.ip_network(first.strip("[]"), strict=False),)
    ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
    try:
        return tuple(ipaddress.summarize_address_range(*ends))
    except TypeError as fault:
        raise ValueError(str(fault)) from None
