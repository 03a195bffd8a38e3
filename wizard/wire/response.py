"""What a responder answers, decided without sockets.

Standard library only and Python 3.8, because the printed responder carries this file along.
"""

from __future__ import annotations

import collections
import ipaddress
from typing import Any, Iterable, List, NamedTuple, Optional, Tuple, Union

from wizard.wire.probe import Request, answer, read_request

SOURCE_RATE, SOURCE_BURST = 5_000.0, 15_000.0
"""Answers per second to one source: a run over 10,000 ports at a few thousand per second passes untouched."""
RATE, BURST = 10_000.0, 30_000.0
SOURCES = 4096
"""Source addresses whose rate is remembered."""

Address = Tuple[str, int]
Ip = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)


class Route(NamedTuple):
    """Port numbers `first` to `last` at the hop `enters` arrive at the responder as `arrives` and on."""

    enters: str
    protocol: str
    first: int
    last: int
    arrives: int


class ResponderPlan(NamedTuple):
    """What one responder must know of a project."""

    key: bytes
    hop: str
    address: Optional[str]
    """The hop's own address in the project, if it has one."""
    ports: Tuple[Tuple[str, int, int], ...]
    """Protocol, first and last number of each planned range, as probes arrive at this hop."""
    addresses: Tuple[str, ...] = ()
    """The planned addresses of the host on which this hop is: literal, or names."""
    routes: Tuple[Route, ...] = ()
    vantages: Tuple[str, ...] = ()
    """The places that the project tests from."""

    def numbers(self) -> List[Tuple[str, int]]:
        """Every planned protocol and number, once."""
        listed = ((protocol, n) for protocol, first, last in self.ports for n in range(first, last + 1))
        return list(dict.fromkeys(listed))

    def arrives_as_planned(self, request: Request, protocol: str, number: int) -> bool:
        """Whether a probe that says where it was sent belongs on this number here."""
        for wanted in (protocol, other_protocol(protocol)):
            for route in self.routes:
                mine = route.enters == request.enters and route.protocol == wanted
                if mine and route.first <= request.port <= route.last:
                    return request.port - route.first + route.arrives == number
        return False


class Seen(NamedTuple):
    """One probe that reached this host, told once and not for each retransmission."""

    outcome: str
    """answered | misdirected | arrived"""
    protocol: str
    source: Address
    came_in_on: Address
    request: Request
    error: Optional[str] = None
    proxied: bool = False
    """A PROXY protocol header came before it; the real service has to expect one."""


def reply(
    plan: ResponderPlan, data: bytes, source: Address, came_in_on: Address, wrong_host: bool
) -> Optional[Tuple[Request, bytes]]:
    """The request in `data` and the answer to it; None if it is to be met with silence."""
    request = read_request(plan.key, data)
    if request is None:
        return None
    message = answer(plan.key, request.transaction, source, came_in_on, plan.hop, wrong_host)
    return (request, message) if len(message) <= len(data) else None


def is_wrong_host(planned: Iterable[str], own: Iterable[str], came_in_on: str) -> bool:
    """Whether a probe that came in on this address has come to another host than planned.

    `planned` are the literal addresses of the host that the responder should be on, `own` those of them that this
    host has. Only an address that could have been seen here speaks against it: of the same family, and private as the
    one seen or public as it. A cloud host behind 1:1 NAT is planned by its public address and sees its private
    one: that is the right host. Loopback is on every host and proves nothing, whether planned or seen.
    """
    here = bare_ip(came_in_on)
    if here.is_loopback or here.is_unspecified:
        return False
    wanted = [ip for ip in map(bare_ip, planned) if not ip.is_loopback]
    if here in wanted or any(bare_ip(address) in wanted for address in own):
        return False
    return any(ip.version == here.version and _is_private(ip) == _is_private(here) for ip in wanted)


def bare_ip(address: str) -> Ip:
    """The address without its zone; IPv4 as such where a dual-stack socket shows it as IPv6. Raises ValueError."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return getattr(ip, "ipv4_mapped", None) or ip


def _is_private(ip: Ip) -> bool:
    # Not `ip.is_private`: it counts the documentation ranges, and which others depends on Python's version.
    return any(ip in network for network in _PRIVATE)


def proxy_header_size(start: bytes) -> Optional[int]:
    """Size of the PROXY protocol header that `start` begins with; 0 without one, None while too little is there.

    haproxy's proxy-protocol.txt, sections 2.1 and 2.2. Tunnels such as frp put it before what they carry, if told to.
    """
    if start.startswith(_PROXY_V2):
        return 16 + int.from_bytes(start[14:16], "big") if len(start) >= 16 else None
    if start.startswith(_PROXY_V1):
        end = start.find(b"\r\n", 0, _PROXY_V1_LONGEST)
        if end >= 0:
            return end + 2
        return None if len(start) < _PROXY_V1_LONGEST else 0
    return None if _PROXY_V2.startswith(start) or _PROXY_V1.startswith(start) else 0


_PROXY_V1, _PROXY_V1_LONGEST = b"PROXY ", 107
_PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n"


class Allowance:
    """Token buckets: how many answers may go out, to one source and to all together."""

    def __init__(self) -> None:
        self._all = (BURST, 0.0)
        self._sources: collections.OrderedDict[str, Tuple[float, float]] = collections.OrderedDict()

    def admits(self, source: str, now: float) -> bool:
        """Whether one more answer may go to `source` at `now` (seconds of any monotonic clock); counts it if so."""
        level, then = self._sources.pop(source, (SOURCE_BURST, now))
        level = min(SOURCE_BURST, level + (now - then) * SOURCE_RATE)
        total = min(BURST, self._all[0] + (now - self._all[1]) * RATE)
        admitted = level >= 1 and total >= 1
        self._sources[source] = (level - admitted, now)
        self._all = (total - admitted, now)
        if len(self._sources) > SOURCES:
            self._sources.popitem(last=False)
        return admitted


class Recent:
    """Remembers what was told lately, so that retransmissions are not told again."""

    KEPT, AGAIN_AFTER_S = 65_536, 10.0

    def __init__(self) -> None:
        self._told: collections.OrderedDict[Any, float] = collections.OrderedDict()

    def is_new(self, item: Any, now: float) -> bool:
        """Whether `item` is to be told at `now` (seconds of any monotonic clock); remembers it."""
        then = self._told.pop(item, None)
        new = then is None or now - then >= self.AGAIN_AFTER_S
        self._told[item] = now if then is None or new else then
        if len(self._told) > self.KEPT:
            self._told.popitem(last=False)
        return new


def other_protocol(protocol: str) -> str:
    """The other of udp and tcp."""
    return "tcp" if protocol == "udp" else "udp"
