"""Two programs on one port: what answers outside may be a router's own page, and not the service behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from wizard.diagnosis.case import Case, spoken
from wizard.diagnosis.verdict import Finding, Severity
from wizard.model.port import OutsidePort, merge
from wizard.observation import Observation, Outcome

ONE_TEST = timedelta(minutes=30)
"""What was seen so far apart was seen of a host that may have been changed in between."""


def other_programs(held: Iterable[Observation], positions: Mapping[str, int]) -> frozenset[Observation]:
    """Answers that came from another program than the one that answers furthest in: no proof of the hops between.

    What answers describes itself; two descriptions that differ are two programs. And the responder takes no port that
    the service has: while it answers further in, nothing else that answers can be the service.
    """
    answers = [o for o in held if o.outcome is Outcome.ANSWERED and (o.stands_at is not None or o.service is not None)]
    if not answers:
        return frozenset()
    innermost = max(positions[o.enters] for o in answers)
    true = [o for o in answers if positions[o.enters] == innermost]
    return frozenset(
        o
        for o in answers
        if o.stands_at is None
        and positions[o.enters] < innermost
        and not any(o.service == t.service for t in true)
        and any(t.stands_at is None or abs(t.at - o.at) <= ONE_TEST for t in true)
    )


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
                known = [i for i in held if i.outcome is Outcome.ANSWERED and (i.stands_at or i.service)]
                inner = max(known, key=lambda i: positions[i.enters])
                met.setdefault((o.vantage, o.enters, o.service or "", inner.service or ""), []).append(number)
        for (vantage, enters, says, inside), numbers in met.items():
            for outside in merge(numbers):
                values = {
                    "ports": f"{plan.protocol} {spoken(outside)}",
                    "vantage": vantage,
                    "hop": case.project.hop(enters).title,
                    "says": says,
                    "inside": inside,
                    "kind": "" if inside else "responder",
                }
                yield Finding("other-program", Severity.WARNING, (), plan.protocol, outside, values)
