"""Several configuration files put together into one project, new or extended."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise

from wizard.configs.placing import Given, Placed, place
from wizard.configs.products import products
from wizard.configs.reading import Forward, Reading
from wizard.model.config_file import ConfigFile
from wizard.model.hop import Hop, HopKind
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol, Speaks
from wizard.model.project import Project, arrival_numbers, with_configs
from wizard.model.vantage import IceServer

NO_ADDRESS = "public-address.invalid"
"""Stands where no file tells how clients reach the service: a name that never resolves."""

_OF_THE_SERVICE = (HopKind.SERVICE, HopKind.CONTAINER, HopKind.TUNNEL_CLIENT, HopKind.TUNNEL_SERVER)
"""Hops whose ports are there for the service; a router or firewall lets other things through, too."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A planned port with its number at each hop, outermost first."""

    name: str
    numbers: tuple[int, ...]
    speaks: Speaks | None = None


def assemble(given: Sequence[Given], old: Project | None, name: str, public_address: str | None = None) -> Project:
    """The project that the files describe; what `old` has stays, and they add to it. Raises Unplaced."""
    hops, placed = place(old.hops if old else (), given)
    hops = _with_targets(hops, placed)
    if old is None and not public_address:
        announced = [address for file in given for address in file.reading.announced]
        entrance = hops[_entrance(hops)].address
        public_address = entrance or next(iter(announced), NO_ADDRESS)
    elif old is None and hops[_entrance(hops)].address is None:
        at = _entrance(hops)
        hops = (*hops[:at], replace(hops[at], address=public_address), *hops[at + 1 :])
    hops = _with_filters_reached(hops, {found.hop for found in placed if found.new})
    base = old or Project(name=name, public_address=public_address or NO_ADDRESS, hops=(), ports=())
    if public_address:
        base = replace(base, public_address=public_address)
    return replace(
        base,
        hops=hops,
        ports=_ports(base, hops, placed),
        configs=with_configs(base, _configs(placed)).configs,
        ice_servers=_servers(base, given),
        announced=tuple(dict.fromkeys((*base.announced, *(a for file in given for a in file.reading.announced)))),
    )


def _entrance(hops: tuple[Hop, ...]) -> int:
    """The hop that clients send to: what lies behind a translating one has another address than theirs."""
    return next((i for i, hop in enumerate(hops) if hop.address is not None or hop.kind.translates), 0)


def _with_filters_reached(hops: tuple[Hop, ...], new: Set[str]) -> tuple[Hop, ...]:
    """The path with the entrance's address for the new filters before it: clients come to them by that."""
    at = _entrance(hops)
    return (
        *(replace(h, address=hops[at].address) if h.id in new and not h.address else h for h in hops[:at]),
        *hops[at:],
    )


def _with_targets(hops: tuple[Hop, ...], placed: Sequence[Placed]) -> tuple[Hop, ...]:
    """The path with an address for each hop to whose only address another hands everything on."""
    found = list(hops)
    for position, hop in enumerate(hops[:-1]):
        hosts = {forward.host for of in placed if of.hop == hop.id for forward in of.piece.forwards}
        host = hosts.pop() if len(hosts) == 1 else None
        inner = hops[position + 1]
        if host is not None and inner.address is None and hop.kind.translates and _is_a_hosts_own(host):
            found[position + 1] = replace(inner, address=host)
    return tuple(found)


def _is_a_hosts_own(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (ip.is_loopback or ip.is_unspecified or ip.is_link_local or ip.is_multicast)


def _configs(placed: Sequence[Placed]) -> Iterator[ConfigFile]:
    """The files by the hop that each configures. Beside its own hop a file may tell of neighbours."""
    for found in placed:
        if found.piece.kind is _own_kind(found.reading, placed):
            yield ConfigFile(found.hop, found.reading.file, found.reading.product)


def _own_kind(reading: Reading, placed: Sequence[Placed]) -> HopKind:
    """Of the kinds of hop that a file tells of, the one that its product most likely is."""
    kinds = [found.piece.kind for found in placed if found.reading is reading]
    likely = next((known.kinds for known in products() if known.id == reading.product), ())
    return next((kind for kind in likely if kind in kinds), kinds[-1])


def _servers(base: Project, given: Sequence[Given]) -> tuple[IceServer, ...]:
    found = (
        IceServer(server.entry.urls, server.entry.username or None)
        for file in given
        for server in file.reading.servers
        if server.entry.urls
    )
    return tuple(dict.fromkeys((*base.ice_servers, *found)))


def _ports(base: Project, hops: tuple[Hop, ...], placed: Sequence[Placed]) -> tuple[PortPlan, ...]:
    """The planned ports: those that were there, with their numbers behind new hops, and those that the files add."""
    way = _Way(hops, placed)
    plans: list[PortPlan] = []
    planned: set[OutsidePort] = set()
    arrivals: set[tuple[Protocol, str, int]] = set()
    for plan in base.ports:
        lines = [(n, _Line(plan.name, way.kept(base, plan, n))) for n in plan.outside]
        moved = any(line.numbers != arrival_numbers(hops, plan, n) for n, line in lines)
        kept = {OutsidePort(plan.protocol, line.numbers[0]): line for _, line in lines}
        planned |= kept.keys()
        plans += [replace(p, speaks=plan.speaks, path=plan.path) for p in _plans(hops, kept)] if moved else [plan]
        arrivals.update(crossing for port, line in kept.items() for crossing in _crossings(hops, port, line))
    added: dict[OutsidePort, _Line] = {}
    for port, line in way.offered(planned):
        crossings = set(_crossings(hops, port, line))
        # Two ports that arrive on one number could not be told apart there.
        if not crossings & arrivals:
            added[port] = line
            arrivals |= crossings
    return (*plans, *_plans(hops, added))


def _crossings(hops: tuple[Hop, ...], port: OutsidePort, line: _Line) -> Iterator[tuple[Protocol, str, int]]:
    return ((port.protocol, hop.id, number) for hop, number in zip(hops, line.numbers, strict=True))


class _Way:
    """The path with what each hop hands on by its files."""

    def __init__(self, hops: tuple[Hop, ...], placed: Sequence[Placed]) -> None:
        self._hops = hops
        self._new = {found.hop for found in placed if found.new}
        self._forwards: list[tuple[Forward, ...]] = [
            tuple(forward for found in placed if found.hop == hop.id for forward in found.piece.forwards)
            for hop in hops
        ]

    def kept(self, base: Project, plan: PortPlan, outside: int) -> tuple[int, ...]:
        """The numbers of an old port on the new path: as planned, but for new hops that change them."""
        before = dict(zip((hop.id for hop in base.hops), arrival_numbers(base.hops, plan, outside), strict=True))
        arrives = [
            next((before[inner.id] for inner in self._hops[position:] if inner.id in before), None)
            for position in range(len(self._hops))
        ]
        anchor = self._anchor(plan.protocol, arrives)
        numbers = self._as_planned_outward(anchor, plan.protocol, arrives)
        leaves: int | None = None
        for position in range(anchor, len(self._hops)):
            planned = arrives[position]
            number = leaves if leaves is not None else numbers[-1] if planned is None else planned
            numbers[position:] = [number]
            if leaves is not None or self._hops[position].id in self._new:
                inner = self._inward(position, plan.protocol, number)
                leaves = inner if leaves is not None or inner != number else None
        return tuple(numbers)

    def _anchor(self, protocol: Protocol, arrives: Sequence[int | None]) -> int:
        """The hop from which inward an old port keeps its numbers: that behind new hops which hand on to its number and
        do not take it."""
        old = [i for i, hop in enumerate(self._hops) if hop.id not in self._new]
        anchor = old[0]
        for position, number in enumerate(arrives[: old[-1]]):
            if position in old or number is None:
                continue
            passes = list(self._of(position, protocol))
            if any(number in f.inner for f in passes) and not any(number in f.outer for f in passes):
                anchor = next(i for i in old if i > position)
        return anchor

    def _as_planned_outward(self, anchor: int, protocol: Protocol, arrives: Sequence[int | None]) -> list[int]:
        """The numbers up to and with `anchor`: as planned, but before new hops that hand on from another number."""
        outward = [arrives[anchor] or 0]
        for position in range(anchor - 1, -1, -1):
            planned = arrives[position]
            as_was = self._hops[position].id not in self._new and outward[-1] == arrives[position + 1]
            outward.append(planned if as_was and planned else self._outward(position, protocol, outward[-1]))
        return outward[::-1]

    def _followed_outward(self, position: int, protocol: Protocol, arriving: int) -> list[int]:
        """The numbers at each hop up to and with `position`, where it arrives on `arriving`."""
        outward = [arriving]
        for outer in range(position - 1, -1, -1):
            outward.append(self._outward(outer, protocol, outward[-1]))
        return outward[::-1]

    def offered(self, planned: Set[OutsidePort]) -> Iterator[tuple[OutsidePort, _Line]]:
        """The ports that the files speak of beside those `planned`, those of the innermost hops first.

        A hop that hands on by TCP alone what is planned, or offered further in, for UDP has the wrong protocol there,
        or the other way round: that makes no new port.
        """
        inward = range(len(self._hops) - 1, -1, -1)
        own = [i for i in inward if self._hops[i].kind in _OF_THE_SERVICE and self._forwards[i]]
        routers = [i for i in inward if i not in own and self._hops[i].kind.translates]
        filters = [i for i in inward if i not in own and i not in routers]
        mine = set(planned)
        for position in own:
            lines = [line for forward in self._forwards[position] for line in self._followed(position, forward)]
            mistaken = mine - {port for port, _ in lines}
            lines = [
                (port, line) for port, line in lines if replace(port, protocol=port.protocol.other) not in mistaken
            ]
            mine |= {port for port, _ in lines}
            yield from lines
        for position in routers:
            for forward in self._forwards[position]:
                lines = list(self._followed(position, forward))
                # What it hands on beside is for others, but a range of which a part is ours is ours.
                if not mine or any(port in mine for port, _ in lines):
                    yield from lines
        if not planned and not own and not any(self._forwards[i] for i in routers):
            for position in filters:
                for forward in self._forwards[position]:
                    yield from self._followed(position, forward)

    def _followed(self, position: int, forward: Forward) -> Iterator[tuple[OutsidePort, _Line]]:
        """Each port of a forward, followed outward to the clients and inward to the service."""
        for arriving in forward.outer:
            numbers = self._followed_outward(position, forward.protocol, arriving)
            for inner in range(position, len(self._hops) - 1):
                numbers.append(self._inward(inner, forward.protocol, numbers[-1]))
            yield OutsidePort(forward.protocol, numbers[0]), _Line(_stem(forward.name), tuple(numbers), forward.speaks)

    def _inward(self, position: int, protocol: Protocol, number: int) -> int:
        """On which number a hop hands on what arrives on `number`; the same where its files do not say."""
        return next(
            (f.inner.first + number - f.outer.first for f in self._of(position, protocol) if number in f.outer), number
        )

    def _outward(self, position: int, protocol: Protocol, number: int) -> int:
        """On which number arrives at a hop what it hands on to `number`."""
        return next(
            (f.outer.first + number - f.inner.first for f in self._of(position, protocol) if number in f.inner), number
        )

    def _of(self, position: int, protocol: Protocol) -> Iterator[Forward]:
        if self._hops[position].kind.translates:
            yield from (forward for forward in self._forwards[position] if forward.protocol is protocol)


def _stem(name: str) -> str:
    """What a series of names such as media-10111, media-10112 has in common."""
    return re.sub(r"[-_. ]*[0-9]+$", "", name) or name


def _plans(hops: tuple[Hop, ...], lines: Mapping[OutsidePort, _Line]) -> list[PortPlan]:
    """The fewest plans that hold the ports: neighbours of one name whose numbers run side by side are one."""
    groups: list[list[tuple[OutsidePort, _Line]]] = []
    for port, line in sorted(lines.items(), key=lambda item: item[0]):
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and last[0].protocol is port.protocol
            and (last[1].name, last[1].speaks) == (line.name, line.speaks)
            and tuple(n + 1 for n in (last[0].number, *last[1].numbers)) == (port.number, *line.numbers)
        ):
            groups[-1].append((port, line))
        else:
            groups.append([(port, line)])
    return [_plan(hops, group) for group in groups]


def _plan(hops: tuple[Hop, ...], group: Sequence[tuple[OutsidePort, _Line]]) -> PortPlan:
    port, line = group[0]
    inside = {
        hop.id: PortRange(number, number + len(group) - 1)
        for hop, (outer, number) in zip(hops[1:], pairwise(line.numbers), strict=True)
        if outer != number
    }
    outside = PortRange(port.number, port.number + len(group) - 1)
    return PortPlan(line.name or f"{port.protocol} {outside}", port.protocol, outside, inside, line.speaks)
