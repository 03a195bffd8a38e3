"""Two programs on one port: what answers outside may be a router's own page, and not the service behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wizard.diagnosis.case import Case, spoken
from wizard.diagnosis.verdict import Finding, Severity
from wizard.model.port import OutsidePort, merge
from wizard.observation import Observation, Outcome


def other_programs(held: Iterable[Observation], positions: Mapping[str, int]) -> frozenset[Observation]:
    """Answers that came from another program than the one that answers furthest in: no proof of the hops between.

    What answers describes itself; two descriptions that differ are two programs.
    """
    answers = [o for o in held if o.outcome is Outcome.ANSWERED and o.stands_at is None and o.service is not None]
    if not answers:
        return frozenset()
    innermost = max(positions[o.enters] for o in answers)
    true = {o.service for o in answers if positions[o.enters] == innermost}
    return frozenset(o for o in answers if positions[o.enters] < innermost and o.service not in true)


def is_met_by_another(case: Case, port: OutsidePort) -> bool:
    """Whether somebody met another program on the port."""
    return bool(other_programs(case.observations[port], {hop.id: i for i, hop in enumerate(case.project.hops)}))


def program_findings(case: Case) -> list[Finding]:
    """A warning for each place from which another program was met."""
    return list(_findings(case))


def _findings(case: Case) -> Iterator[Finding]:
    positions = {hop.id: position for position, hop in enumerate(case.project.hops)}
    for plan in case.project.ports:
        met: dict[tuple[str, str, str, str], list[int]] = {}
        for number in plan.outside:
            held = case.observations[OutsidePort(plan.protocol, number)]
            for o in sorted(other_programs(held, positions), key=repr):
                inner = max((i for i in held if i.service and i.stands_at is None), key=lambda i: positions[i.enters])
                met.setdefault((o.vantage, o.enters, o.service or "", inner.service or ""), []).append(number)
        for (vantage, enters, says, inside), numbers in met.items():
            for outside in merge(numbers):
                values = {
                    "ports": f"{plan.protocol} {spoken(outside)}",
                    "vantage": vantage,
                    "hop": case.project.hop(enters).title,
                    "says": says,
                    "inside": inside,
                }
                yield Finding("other-program", Severity.WARNING, (), plan.protocol, outside, values)
