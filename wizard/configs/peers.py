"""Which addresses a TURN server would relay to that it never should."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Group(enum.StrEnum):
    """Why an address is no business of the server's clients."""

    PRIVATE = "private"
    LOOPBACK = "loopback"
    SPECIAL = "special"
    MULTICAST = "multicast"
    MAPPED = "mapped"
    """IPv4 in the guise of IPv6, which passes rules that are written for IPv4."""


@dataclass(frozen=True, slots=True)
class Range:
    """From one address to another, both included."""

    first: Address
    last: Address

    def __str__(self) -> str:
        """As `denied-peer-ip` takes it."""
        return str(self.first) if self.first == self.last else f"{_text(self.first)}-{_text(self.last)}"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A network to keep clients from, and one address of it to ask about."""

    group: Group
    range: Range
    sample: str


def _text(address: Address) -> str:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(address) if mapped is None else f"::ffff:{mapped}"


def _forbidden(group: Group, network: str, sample: str) -> Forbidden:
    parsed = ipaddress.ip_network(network)
    return Forbidden(group, Range(parsed.network_address, parsed.broadcast_address), sample)


FORBIDDEN = (
    _forbidden(Group.PRIVATE, "10.0.0.0/8", "10.0.0.1"),
    _forbidden(Group.PRIVATE, "172.16.0.0/12", "172.16.0.1"),
    _forbidden(Group.PRIVATE, "192.168.0.0/16", "192.168.0.1"),
    _forbidden(Group.PRIVATE, "100.64.0.0/10", "100.64.0.1"),
    # The addresses of cloud providers' metadata services are here.
    _forbidden(Group.PRIVATE, "169.254.0.0/16", "169.254.169.254"),
    _forbidden(Group.PRIVATE, "fc00::/7", "fd00::1"),
    _forbidden(Group.PRIVATE, "fe80::/10", "fe80::1"),
    _forbidden(Group.LOOPBACK, "127.0.0.0/8", "127.0.0.1"),
    _forbidden(Group.LOOPBACK, "::1/128", "::1"),
    _forbidden(Group.SPECIAL, "0.0.0.0/8", "0.0.0.1"),
    _forbidden(Group.SPECIAL, "192.0.0.0/24", "192.0.0.1"),
    _forbidden(Group.SPECIAL, "198.18.0.0/15", "198.18.0.1"),
    _forbidden(Group.MULTICAST, "224.0.0.0/4", "224.0.0.1"),
    _forbidden(Group.MULTICAST, "240.0.0.0/4", "255.255.255.255"),
    _forbidden(Group.MULTICAST, "ff00::/8", "ff02::1"),
    _forbidden(Group.MAPPED, "::ffff:0:0/96", "::ffff:10.0.0.1"),
    _forbidden(Group.MAPPED, "64:ff9b::/96", "64:ff9b::a00:1"),
)


def parse_range(text: str) -> Range | None:
    """An address, or two with a hyphen between, as coturn reads them; None for what it does not take, such as CIDR."""
    first, hyphen, last = text.partition("-")
    try:
        low = ipaddress.ip_address(first)
        high = ipaddress.ip_address(last) if hyphen else low
    except ValueError:
        return None
    return Range(low, high) if low.version == high.version and int(low) <= int(high) else None


def is_any(text: str) -> bool:
    """Whether coturn takes the address for all addresses of both families."""
    found = parse_range(text)
    return found is not None and int(found.last) == 0


def reachable(within: Range, denied: Iterable[Range], allowed: Iterable[Range]) -> list[Range]:
    """What of a network clients reach. An address that is both denied and allowed is allowed."""
    left = [(int(within.first), int(within.last))]
    for other in _same_family(denied, within):
        left = [part for piece in left for part in _without(piece, (int(other.first), int(other.last)))]
    for other in _same_family(allowed, within):
        low, high = max(int(other.first), int(within.first)), min(int(other.last), int(within.last))
        if low <= high:
            left.append((low, high))
    make = type(within.first)
    return [Range(make(low), make(high)) for low, high in _joined(left)]


def _same_family(ranges: Iterable[Range], within: Range) -> list[Range]:
    return [other for other in ranges if other.first.version == within.first.version]


def _without(piece: tuple[int, int], cut: tuple[int, int]) -> list[tuple[int, int]]:
    (low, high), (first, last) = piece, cut
    parts = [(low, min(high, first - 1)), (max(low, last + 1), high)]
    return [part for part in parts if part[0] <= part[1]] if first <= high and last >= low else [piece]


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(pieces):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined
