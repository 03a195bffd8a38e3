"""Faults: what can be broken at a hop, for which ports."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .path import FILTERS, Path, span


class Kind(enum.StrEnum):
    """Everything that a scenario can switch on."""

    DROP = "drop"
    REJECT = "reject"
    """ICMP administratively prohibited."""
    PORT_UNREACHABLE = "port-unreachable"
    NO_ROUTE = "no-route"
    """ICMPv6 no route to destination; IPv6 only."""
    RESET = "reset"
    """TCP reset; TCP only."""
    WORLD_DROPPED = "world-dropped"
    """Sources outside the machine's own network are dropped."""
    NOT_FORWARDED = "not-forwarded"
    """No mapping: a router then drops, a container's host has nothing listening, a tunnel has no proxy."""
    OTHER_PROTOCOL = "other-protocol"
    """tcp mapped in place of udp, or udp in place of tcp."""
    UNUSED_HOST = "unused-host"
    IDLE_HOST = "idle-host"
    """Mapped to a host on which nothing listens."""
    OFF_BY_ONE = "off-by-one"
    ONE_PORT = "one-port"
    """All mapped to the first port of the range."""
    OWN_PAGE = "own-page"
    """No mapping, and the hop itself shows a web page there; TCP only."""
    CLIENT_DOWN = "client-down"
    """The tunnel's client is gone; its server still accepts, then closes."""
    CLIENT_GONE = "client-gone"
    """The tunnel's client is gone, and its server has withdrawn the ports."""
    NOT_RUNNING = "not-running"
    """Nothing listens: neither the service nor a responder."""
    LOOPBACK_ONLY = "loopback-only"
    """The service listens on 127.0.0.1 alone."""
    HELD = "held"
    """Another program holds the ports and says nothing."""
    ECHO = "echo"
    """Another program sends back what it gets."""
    BANNER = "banner"
    """Another program answers with words of its own."""
    LOSS = "loss"
    """Every third packet is lost, either way. Not a fault of the ports."""
    SOURCE_REWRITTEN = "source-rewritten"
    """Inbound packets get the hop's own address as source. Not a fault of the ports."""
    NO_HAIRPIN = "no-hairpin"
    """The router maps for the outside only. Not a fault of the ports."""


HARMLESS = frozenset({Kind.LOSS, Kind.SOURCE_REWRITTEN, Kind.NO_HAIRPIN})
WHOLE = frozenset({Kind.CLIENT_DOWN, Kind.CLIENT_GONE, Kind.NOT_RUNNING})
"""A program is there for all its ports, or for none."""
AT_FILTER = frozenset({Kind.DROP, Kind.REJECT, Kind.PORT_UNREACHABLE, Kind.RESET})
AT_NAT = frozenset({Kind.NOT_FORWARDED, Kind.OTHER_PROTOCOL, Kind.UNUSED_HOST, Kind.IDLE_HOST, Kind.OFF_BY_ONE})
AT_SERVICE = frozenset({Kind.NOT_RUNNING, Kind.LOOPBACK_ONLY, Kind.HELD, Kind.ECHO, Kind.BANNER})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one hop, for the outside ports `first` to `last` of `protocol`, or of both.

    `six`: it is in the rules for IPv6 of a path that is planned over IPv4.
    """

    hop: str
    kind: Kind
    protocol: str | None = None
    first: int = 1
    last: int = 65535
    six: bool = False

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read "router not-forwarded udp 30152-30201", or "router@6 …"; protocol and ports may be left out."""
        where, kind, *rest = text.split()
        hop, _, family = where.partition("@")
        protocol = rest[0] if rest else None
        first, last = span(rest[1]) if len(rest) > 1 else (1, 65535)
        return cls(hop, Kind(kind), protocol, first, last, six=family == "6")

    def __str__(self) -> str:
        ports = "" if (self.first, self.last) == (1, 65535) else f" {self.first}-{self.last}"
        return f"{self.hop}{'@6' if self.six else ''} {self.kind} {self.protocol or ''}{ports}".rstrip()

    def hits(self, protocol: str, outside: int) -> bool:
        """Whether it touches a planned port, named by its outside number."""
        if self.kind in WHOLE:
            return True
        if self.kind in (Kind.RESET, Kind.OWN_PAGE) and protocol != "tcp":
            return False
        return self.protocol in (None, protocol) and self.first <= outside <= self.last


def stopped(path: Path, faults: tuple[Fault, ...]) -> dict[tuple[str, int], frozenset[str]]:
    """The hops that truly stop each planned port; ports that nothing stops are left out.

    What another program does with a port that it holds proves nothing either way, but stops no packet on the path.
    """
    found: dict[tuple[str, int], frozenset[str]] = {}
    for ports in path.ports:
        for number in range(ports.first, ports.last + 1):
            hops = {f.hop for f in faults if f.kind not in HARMLESS and not f.six and f.hits(ports.protocol, number)}
            # The first of the range is where "all to the first port" is right.
            hops -= {f.hop for f in faults if f.kind is Kind.ONE_PORT and number == ports.first}
            if hops:
                found[ports.protocol, number] = frozenset(hops)
    return found


def possible(kind: str) -> frozenset[Kind]:
    """The faults that a hop of a kind can have."""
    if kind == "service":
        return AT_SERVICE
    if kind in FILTERS:
        return AT_FILTER
    if kind == "tunnel-client":
        return AT_NAT - {Kind.OTHER_PROTOCOL} | {Kind.CLIENT_DOWN, Kind.CLIENT_GONE}
    if kind == "tunnel-server":
        return frozenset({Kind.NOT_FORWARDED})
    if kind == "container":
        # A rule that drops would not touch the host's own connections: it would tell senders apart.
        return AT_NAT
    return AT_NAT | {Kind.DROP, Kind.REJECT}
