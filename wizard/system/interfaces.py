"""The networks that this computer is on."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

import psutil

_ELSEWHERE = ("192.0.2.1", "2001:db8::1")
"""Addresses that nobody has (RFC 5737, RFC 3849): the routes there are those to the internet."""


@dataclass(frozen=True, slots=True)
class Network:
    """An address of this computer and the network behind it."""

    interface: str
    address: str
    prefix: int

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class Ways:
    """The networks by which packets to the internet leave; None where there is no way out."""

    four: str | None = None
    six: str | None = None

    @property
    def connected(self) -> bool:
        """Whether there is any way out."""
        return self.four is not None or self.six is not None


def ways_out() -> Ways:
    """The networks by which packets would leave this computer now. Sends nothing."""
    known = networks()
    return Ways(*(source_network(own_address(to), known) if has_route(to) else None for to in _ELSEWHERE))


def networks() -> tuple[Network, ...]:
    """Every IPv4 and IPv6 address of this computer, loopback included, without scope ids."""
    found: list[Network] = []
    for name, addresses in psutil.net_if_addrs().items():
        for entry in addresses:
            if entry.family in (socket.AF_INET, socket.AF_INET6) and entry.netmask:
                address = ipaddress.ip_address(entry.address.partition("%")[0])
                mask = int(ipaddress.ip_address(entry.netmask))
                found.append(Network(name, str(address), mask.bit_count()))
    return tuple(found)


def own_address(target: str) -> str:
    """The address that this computer sends from to the IP address `target`.

    Sends nothing. Raises OSError if this computer has no route there.
    """
    host, _, scope = target.partition("%")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if family == socket.AF_INET6:
            sock.connect((host, 9, 0, _scope_id(scope)))
        else:
            sock.connect((host, 9))
        return str(sock.getsockname()[0]).partition("%")[0]


def has_route(target: str) -> bool:
    """Whether this computer knows a way to the IP address `target`. Sends nothing."""
    try:
        own_address(target)
    except OSError:
        return False
    return True


def source_network(own: str, known: tuple[Network, ...]) -> str:
    """`own` with the prefix of its network, `192.168.77.20/24`; of an address that no interface has, itself alone."""
    for network in known:
        if network.address == own:
            return str(network)
    return f"{own}/{ipaddress.ip_address(own).max_prefixlen}"


def _scope_id(scope: str) -> int:
    if not scope:
        return 0
    return int(scope) if scope.isdigit() else socket.if_nametoindex(scope)
