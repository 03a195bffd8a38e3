"""A project into the probes worth sending from one place."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from functools import lru_cache

from wizard.model.hop import Hop, HopKind
from wizard.model.port import OutsidePort, Protocol, Speaks
from wizard.model.project import Project, arrival_numbers
from wizard.model.vantage import Vantage

_ROUTE_OVER_SIX = frozenset({HopKind.ROUTER, HopKind.CGNAT})


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe: sent from `vantage`, it enters the path at the hop `enters` and crosses that hop and all inward.

    `arrives` maps each hop that it crosses to the port number on which it gets there.
    """

    vantage: str
    enters: str
    address: str
    port: int
    protocol: Protocol
    outside: int
    arrives: tuple[tuple[str, int], ...]
    speaks: Speaks | None = None
    path: str | None = None
    counterpart: bool = False
    """Sent on the protocol that is not planned, to see whether that one was forwarded by mistake."""

    @property
    def planned(self) -> OutsidePort:
        """The planned port that the probe tells about."""
        return OutsidePort(self.protocol.other if self.counterpart else self.protocol, self.outside)

    @property
    def why(self) -> str:
        """What an answer would prove, in one line."""
        hops = [hop for hop, _ in self.arrives]
        return f"an answer proves {', '.join(hops)} open for {self.planned}"


def entries(project: Project, vantage: Vantage) -> tuple[int, ...]:
    """Positions of the hops that the vantage can address, outermost first.

    It addresses each hop that has an address, lies inward of its `beyond`, and has no translating hop
    between; of hops that share one address only the outermost is entered.
    """
    first = 0 if vantage.beyond is None else project.index(vantage.beyond) + 1
    found: list[int] = []
    taken: set[str] = set()
    for position in range(first, len(project.hops)):
        hop = project.hops[position]
        if hop.address is not None and (name := same_address(hop.address)) not in taken:
            taken.add(name)
            found.append(position)
        if hop.kind.translates:
            break
    return tuple(found)


@lru_cache(maxsize=4096)
def same_address(address: str) -> str:
    """A spelling that is equal for equal addresses and names."""
    try:
        ip = ipaddress.ip_address(address)
        # Packets to an IPv4 address in IPv6's spelling are IPv4 packets (RFC 4291 section 2.5.5.2).
        return str(getattr(ip, "ipv4_mapped", None) or ip)
    except ValueError:
        return address.rstrip(".").lower()


def make_plan(project: Project, vantage: Vantage) -> tuple[Probe, ...]:
    """Every probe worth sending from `vantage`, in the order of entries, then of the file."""
    return tuple(
        _probe(project, vantage, position, OutsidePort(plan.protocol, number), counterpart=False)
        for position in entries(project, vantage)
        for plan in project.ports
        for number in plan.outside
    )


def plan_over(project: Project, vantage: Vantage, address: str) -> tuple[Probe, ...]:
    """The probes of the outermost entry of `vantage`, sent to another address that clients are given for it.

    From behind a hop that translates, an IPv6 address of the host is entered where the host's own network begins, if
    only routers lie outward of it: over IPv6 those translate nothing.
    """
    found = entries(project, vantage)
    outward = [hop.kind for hop in project.hops[: found[0]]] if found else []
    is_six = ":" in address
    if not found or any(kind.translates and not (is_six and kind in _ROUTE_OVER_SIX) for kind in outward):
        return ()
    enters = project.hops[found[0]].id
    return tuple(replace(probe, address=address) for probe in make_plan(project, vantage) if probe.enters == enters)


def counterpart(project: Project, vantage: Vantage, enters: str, port: OutsidePort) -> Probe:
    """The probe that tells whether the protocol that was not planned passes on `port`'s number."""
    return _probe(project, vantage, project.index(enters), port, counterpart=True)


def _probe(project: Project, vantage: Vantage, position: int, port: OutsidePort, *, counterpart: bool) -> Probe:
    plan = project.plan_of(port)
    hop: Hop = project.hops[position]
    assert hop.address is not None
    numbers = arrival_numbers(project.hops, plan, port.number)
    return Probe(
        vantage=vantage.id,
        enters=hop.id,
        address=hop.address,
        port=numbers[position],
        protocol=port.protocol.other if counterpart else port.protocol,
        outside=port.number,
        arrives=tuple((h.id, n) for h, n in zip(project.hops[position:], numbers[position:], strict=True)),
        speaks=None if counterpart else plan.speaks,
        path=None if counterpart else plan.path,
        counterpart=counterpart,
    )
