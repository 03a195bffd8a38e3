"""A project: one path, its ports, and the places it is tested from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from wizard.model.config_file import ConfigFile
from wizard.model.hop import Hop
from wizard.model.port import OutsidePort, PortPlan
from wizard.model.vantage import IceServer, Vantage, VantageKind

FORMAT = 1
THIS_COMPUTER = "this-computer"
"""Id of the vantage that is meant when a project names none: this computer, on the service's host."""


@dataclass(frozen=True, slots=True)
class Project:
    """What one project file says. `hops` run outermost first; the last is the service itself."""

    name: str
    public_address: str
    hops: tuple[Hop, ...]
    ports: tuple[PortPlan, ...]
    vantages: tuple[Vantage, ...] = ()
    ice_servers: tuple[IceServer, ...] = ()
    configs: tuple[ConfigFile, ...] = ()
    announced: tuple[str, ...] = ()
    probe_key: str | None = None

    def index(self, hop_id: str) -> int:
        """Position of a hop on the path, 0 outermost. Raises KeyError for an unknown id."""
        for position, hop in enumerate(self.hops):
            if hop.id == hop_id:
                return position
        raise KeyError(hop_id)

    def hop(self, hop_id: str) -> Hop:
        """The hop of that id. Raises KeyError for an unknown id."""
        return self.hops[self.index(hop_id)]

    def places(self) -> tuple[Vantage, ...]:
        """The vantages; with none in the file, this computer on the service's host."""
        if self.vantages:
            return self.vantages
        beyond = self.hops[-2].id if len(self.hops) > 1 else None
        return (Vantage(THIS_COMPUTER, VantageKind.LOCAL, beyond),)

    def outside_ports(self) -> Iterator[OutsidePort]:
        """Every planned port, in the order of the file."""
        for plan in self.ports:
            for number in plan.outside:
                yield OutsidePort(plan.protocol, number)

    def plan_of(self, port: OutsidePort) -> PortPlan:
        """The plan that a port belongs to. Raises KeyError if it is not planned."""
        for plan in self.ports:
            if plan.protocol is port.protocol and port.number in plan.outside:
                return plan
        raise KeyError(port)


def with_configs(project: Project, files: Iterable[ConfigFile]) -> Project:
    """The project with more configuration files; one that a hop has already takes the place of itself."""
    held = {(config.hop, config.file): config for config in (*project.configs, *files)}
    return replace(project, configs=tuple(held.values()))


def translator_of(hops: tuple[Hop, ...], position: int) -> int | None:
    """Position of the nearest translating hop outward of `position`: it changes the numbers there."""
    return next((i for i in range(position - 1, -1, -1) if hops[i].kind.translates), None)


def arrival_numbers(hops: tuple[Hop, ...], plan: PortPlan, outside: int) -> tuple[int, ...]:
    """The port number on which a probe of client port `outside` arrives at each hop, outermost first.

    The numbers in `plan.inside` hold from just behind the hop that translates to them.
    """
    offset = outside - plan.outside.first
    changes: dict[int, int] = {}
    for position, hop in enumerate(hops):
        if hop.id in plan.inside:
            translator = translator_of(hops, position)
            if translator is not None:
                changes[translator + 1] = plan.inside[hop.id].first + offset
    numbers: list[int] = []
    current = outside
    for position in range(len(hops)):
        current = changes.get(position, current)
        numbers.append(current)
    return tuple(numbers)
