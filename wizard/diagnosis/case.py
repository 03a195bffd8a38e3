"""Everything that the rules look at when they say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wizard.diagnosis.tomography import PortVerdict
from wizard.diagnosis.verdict import State
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol, merge
from wizard.model.project import Project, arrival_numbers
from wizard.observation import Configured, Fact, Observation


@dataclass(frozen=True, slots=True)
class Case:
    """One path with all that was observed on it, and the verdict on each port."""

    project: Project
    ports: tuple[OutsidePort, ...]
    verdicts: Mapping[OutsidePort, PortVerdict]
    observations: Mapping[OutsidePort, tuple[Observation, ...]]
    counterparts: Mapping[OutsidePort, tuple[Observation, ...]]
    """Probes on the protocol that was not planned."""
    other_family: Mapping[OutsidePort, tuple[Observation, ...]]
    """Probes to the IPv6 address of a name whose path is planned over IPv4, or the other way round."""
    other_verdicts: Mapping[OutsidePort, PortVerdict]
    """What those probes say by themselves."""
    arrived: frozenset[OutsidePort]
    """The ports of which a probe was seen at the service's network card."""
    unarrived: frozenset[OutsidePort]
    """The ports of which a probe failed and nothing came to the watched network card."""
    facts: tuple[Fact, ...]

    def configured(self, position: int, protocol: Protocol, outside: PortRange) -> tuple[Configured, ...]:
        """What the hop's configuration says of these ports, row by row."""
        hop = self.project.hops[position].id
        return tuple(
            fact
            for fact in self.facts
            if isinstance(fact, Configured)
            and (fact.hop, fact.protocol) == (hop, protocol)
            and fact.outside.first <= outside.last
            and outside.first <= fact.outside.last
        )

    def title(self, *positions: int) -> str:
        """The hops' names, to be read in a sentence."""
        return ", ".join(self.project.hops[position].title for position in positions)

    def arrives(self, plan: PortPlan, outside: PortRange, position: int) -> PortRange:
        """The numbers on which a stretch of one plan arrives at a hop."""
        first = arrival_numbers(self.project.hops, plan, outside.first)[position]
        return PortRange(first, first + len(outside) - 1)

    def open_at(self, plan: PortPlan, position: int) -> tuple[PortRange, ...]:
        """The outside numbers of a plan that are proven to pass a hop."""
        return merge(
            number
            for number in plan.outside
            if self.verdicts[OutsidePort(plan.protocol, number)].hops[position] is State.OPEN
        )

    def target(self, position: int) -> str | None:
        """The address that a hop hands packets on to: that of the next hop inward which has one."""
        return next((hop.address for hop in self.project.hops[position + 1 :] if hop.address is not None), None)


def spoken(outside: PortRange) -> str:
    """A range as it is read, with an en dash."""
    return str(outside).replace("-", "–")
