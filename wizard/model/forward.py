"""The rules that a router must have for a project: which outer ports go to which address and ports inside."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from wizard.model.hop import HopKind
from wizard.model.key import probe_key
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol, merge
from wizard.model.project import Project, arrival_numbers


@dataclass(frozen=True, slots=True)
class Forward:
    """One rule. `outside` are the numbers that clients use, `external` and `internal` those before and behind it."""

    name: str
    protocol: Protocol
    outside: PortRange
    external: PortRange
    internal: PortRange
    host: str | None
    """Where to; None where the project does not say."""


def router_of(project: Project) -> int | None:
    """Position of the router nearest to the service: the one that the service's own network has."""
    return next(
        (i for i in range(len(project.hops) - 1, -1, -1) if project.hops[i].kind is HopKind.ROUTER),
        None,
    )


def forwards(
    project: Project, router: int, ports: Collection[OutsidePort] | None = None, host: str | None = None
) -> tuple[Forward, ...]:
    """The rules that the router at that position needs, in the order of the file; for some of the ports, or for all.

    `host` is where they lead to if the path does not say.
    """
    inner = next((hop.address for hop in project.hops[router + 1 :] if hop.address is not None), host)
    found: list[Forward] = []
    for plan, outside in _stretches(project, ports):
        numbers = arrival_numbers(project.hops, plan, outside.first)
        behind = numbers[min(router + 1, len(project.hops) - 1)]
        found.append(
            Forward(
                name=plan.name,
                protocol=plan.protocol,
                outside=outside,
                external=PortRange(numbers[router], numbers[router] + len(outside) - 1),
                internal=PortRange(behind, behind + len(outside) - 1),
                host=inner,
            )
        )
    return tuple(found)


def only(project: Project, ports: Collection[OutsidePort]) -> Project:
    """The project with no other ports than these; the responder of the whole project answers its probes too."""
    plans = tuple(
        replace(
            plan,
            outside=outside,
            inside={
                hop: PortRange(first := numbers.first + outside.first - plan.outside.first, first + len(outside) - 1)
                for hop, numbers in plan.inside.items()
            },
        )
        for plan, outside in _stretches(project, ports)
    )
    # A derived key depends on the ports.
    return replace(project, ports=plans, probe_key=probe_key(project).decode())


def _stretches(project: Project, ports: Collection[OutsidePort] | None) -> list[tuple[PortPlan, PortRange]]:
    chosen = None if ports is None else set(ports)
    return [
        (plan, outside)
        for plan in project.ports
        for outside in merge(
            number for number in plan.outside if chosen is None or OutsidePort(plan.protocol, number) in chosen
        )
    ]
