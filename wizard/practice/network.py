"""The practice network: router, tunnel, firewall, container and service, each on a loopback address of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.vantage import Vantage
from wizard.practice.fault import Fault, Manner, catalogue, faults, hop_names
from wizard.practice.forward import Forwarder, TcpForwarder, UdpForwarder
from wizard.report.responder import responder_plan
from wizard.responder import Responder

KINDS = (HopKind.ROUTER, HopKind.TUNNEL_SERVER, HopKind.FIREWALL, HopKind.CONTAINER, HopKind.SERVICE)
SERVICE = len(KINDS) - 1
MEDIA_PORTS = 24
ATTEMPTS = 40
"""Sets of port numbers that are tried until one is free; each is 1000 away from the one before."""
FOR_A_DAY = 24 * 60

_OWN_ADDRESSES = tuple(f"127.77.0.{position}" for position in range(1, len(KINDS) + 1))
# Where loopback is one address: numbers tell the hops apart, and IPv6 the two between which no number changes.
_SHARED_ADDRESSES = ("127.0.0.1", "127.0.0.1", "127.0.0.1", "::1", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Link:
    """One port of one hop: where it listens, and where it passes on to, if it does."""

    protocol: Protocol
    here: tuple[str, int]
    onward: tuple[str, int] | None


class Practice:
    """A network to practise on. `start` it, then `project` is the path to test and `faults` what can be broken."""

    def __init__(self, language: str = "en", addresses: Sequence[str] | None = None) -> None:
        """`addresses` are one for each hop, outermost first; by default what this computer's loopback has."""
        self._language = language
        self._addresses = tuple(addresses or (_OWN_ADDRESSES if _has_whole_loopback() else _SHARED_ADDRESSES))
        self._project: Project | None = None
        self._faults: tuple[Fault, ...] = ()
        self._broken: set[str] = set()
        self._forwarders: dict[tuple[int, Protocol, int], tuple[Link, Forwarder]] = {}
        self._responder: Responder | None = None
        # Two switches may be thrown at once; sockets are changed for one after the other.
        self._changing = asyncio.Lock()

    @property
    def project(self) -> Project:
        """The path to test. Raises RuntimeError before `start`."""
        if self._project is None:
            raise RuntimeError("the practice network has not been started")
        return self._project

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What can be broken, in the order of the path."""
        return self._faults

    @property
    def broken(self) -> tuple[Fault, ...]:
        """What is broken now."""
        return tuple(fault for fault in self._faults if fault.id in self._broken)

    async def start(self) -> None:
        """Bind every hop's ports. Raises OSError if no set of port numbers is free."""
        for attempt in range(ATTEMPTS):
            project = _project(self._addresses, attempt, self._language)
            web, media = project.ports
            self._project, self._faults = project, faults(web, media)
            try:
                await self._apply()
            except OSError as fault:
                await self._close_all()
                if fault.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
            else:
                return
        raise OSError(errno.EADDRINUSE, "no ports are free for the practice network")

    async def stop(self) -> None:
        """Close every socket."""
        async with self._changing:
            await self._close_all()

    async def break_(self, fault: Fault) -> None:
        """Switch a fault on."""
        async with self._changing:
            self._broken.add(fault.id)
            await self._apply()

    async def mend(self, fault: Fault) -> None:
        """Switch a fault off. Raises OSError if another program took a port meanwhile."""
        async with self._changing:
            self._broken.discard(fault.id)
            await self._apply()

    async def _close_all(self) -> None:
        for _, forwarder in self._forwarders.values():
            await forwarder.close()
        self._forwarders.clear()
        if self._responder is not None:
            await self._responder.stop()
            self._responder = None

    async def _apply(self) -> None:
        """Open and close sockets until they are as the faults have them."""
        await self._apply_service()
        wanted = {(p, link.protocol, link.here[1]): link for p in range(SERVICE) for link in self._links(p)}
        for place, (link, forwarder) in list(self._forwarders.items()):
            if wanted.get(place) != link:
                await forwarder.close()
                del self._forwarders[place]
        for place, link in wanted.items():
            if place not in self._forwarders:
                opened: Forwarder
                if link.protocol is Protocol.UDP:
                    opened = await UdpForwarder.open(link.here, link.onward)
                else:
                    opened = await TcpForwarder.open(link.here, link.onward)
                self._forwarders[place] = (link, opened)

    async def _apply_service(self) -> None:
        runs = all(fault.hop != self.project.hops[SERVICE].id for fault in self.broken)
        if runs and self._responder is None:
            self._responder = Responder(responder_plan(self.project), FOR_A_DAY, addresses=(self._addresses[SERVICE],))
            bound = await self._responder.start()
            if bound.held:
                await self._responder.stop()
                self._responder = None
                raise OSError(
                    errno.EADDRINUSE, f"another program holds {bound.held[0].protocol} {bound.held[0].number}"
                )
        elif not runs and self._responder is not None:
            await self._responder.stop()
            self._responder = None

    def _links(self, position: int) -> Iterator[Link]:
        """Every port that the hop at `position` has bound."""
        for plan in self.project.ports:
            for outside in plan.outside:
                for protocol in Protocol:
                    manner = self._manner(position, plan, protocol, outside)
                    if manner is Manner.ABSENT:
                        continue
                    onward = None
                    if manner in (Manner.PASS, Manner.SHIFT):
                        target = outside + (manner is Manner.SHIFT)
                        onward = (self._addresses[position + 1], self._number(position + 1, plan, target))
                    here = (self._addresses[position], self._number(position, plan, outside))
                    yield Link(protocol, here, onward)

    def _manner(self, position: int, plan: PortPlan, protocol: Protocol, outside: int) -> Manner:
        """What a hop does with a client port, its own faults and those behind it considered."""
        hop = self.project.hops[position]
        if outside not in plan.outside:
            return Manner.ABSENT
        # The router forwards what is planned. The others pass both protocols, so that one forwarded in place of the
        # other comes all the way through, as it does on a real path.
        manner = Manner.ABSENT if position == 0 and protocol is not plan.protocol else Manner.PASS
        ruled = [
            rule.manner
            for fault in self.broken
            if fault.hop == hop.id
            for rule in fault.rules
            if rule.protocol is protocol and outside in rule.outside
        ]
        if ruled:
            manner = min(ruled, key=lambda found: found.value)
        if manner in (Manner.PASS, Manner.SHIFT) and position < SERVICE and not hop.kind.proxies_tcp:
            # What only passes packets on refuses where the next hop does; a proxy accepts by itself.
            behind = self._manner(position + 1, plan, protocol, outside + (manner is Manner.SHIFT))
            return Manner.ABSENT if behind is Manner.ABSENT else manner
        return manner

    def _number(self, position: int, plan: PortPlan, outside: int) -> int:
        firsts = [plan.outside.first]
        for hop in self.project.hops[1:]:
            firsts.append(plan.inside[hop.id].first if hop.id in plan.inside else firsts[-1])
        return firsts[position] + outside - plan.outside.first


def _project(addresses: Sequence[str], attempt: int, language: str) -> Project:
    shared = len(set(addresses)) < len(addresses)
    hops = tuple(
        Hop(hop, kind, name.say(language), address)
        for (hop, name), kind, address in zip(hop_names(), KINDS, addresses, strict=True)
    )
    web = _plan("web", Protocol.TCP, 8172 + 1000 * attempt, 1, 8080 + 1000 * attempt, shared)
    media = _plan("media", Protocol.UDP, 10_000 + 1000 * attempt, MEDIA_PORTS, 20_500 + 1000 * attempt, shared)
    # From the end of the path's own side of each translating hop the next hop can be entered.
    vantages = (
        Vantage("outside"),
        Vantage("behind-router", beyond="router"),
        Vantage("behind-tunnel", beyond="tunnel"),
        Vantage("behind-container", beyond="container"),
    )
    name = catalogue()["name"]["zh" if language.startswith("zh") else "en"]
    return Project(name, addresses[0], hops, (web, media), vantages)


def _plan(name: str, protocol: Protocol, first: int, count: int, service: int, shared: bool) -> PortPlan:
    inside = {"tunnel": first + 100, "firewall": first + 200} if shared else {}
    inside["service"] = service
    ranges = {hop: PortRange(number, number + count - 1) for hop, number in inside.items()}
    return PortPlan(name, protocol, PortRange(first, first + count - 1), ranges)


def _has_whole_loopback() -> bool:
    """Whether every 127.x.y.z is this computer: so on Linux and Windows, not on macOS."""
    try:
        for address in _OWN_ADDRESSES:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.bind((address, 0))
    except OSError:
        return False
    return True
