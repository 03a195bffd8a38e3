"""A name that is published over both families: how the ports stand over the one that the path does not plan."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.diagnosis.case import Case, spoken
from wizard.diagnosis.evidence import count, told
from wizard.diagnosis.verdict import Finding, Severity, State
from wizard.model.port import OutsidePort, PortPlan, PortRange, merge
from wizard.observation import Outcome

_Stopped = tuple[str, tuple[int, ...]]
"""The address that was probed, and the suspects."""


def family_findings(case: Case) -> list[Finding]:
    """Ports that are closed over the other family, and by which hop; that all are open; that none could be tested."""
    return [*_closed(case), *_both(case), *_untested(case)]


def _closed(case: Case) -> Iterator[Finding]:
    for plan in case.project.ports:
        groups: dict[_Stopped, list[int]] = {}
        for number in plan.outside:
            for stopped in _stopped(case, OutsidePort(plan.protocol, number)):
                groups.setdefault(stopped, []).append(number)
        for (address, suspects), numbers in sorted(groups.items()):
            for outside in merge(numbers):
                yield _finding(case, plan, outside, address, suspects)


def _stopped(case: Case, port: OutsidePort) -> Iterator[_Stopped]:
    failed = {o.address for o in case.other_family.get(port, ()) if o.outcome.blames}
    verdict = case.other_verdicts.get(port)
    if not failed or verdict is None:
        return
    for conviction in verdict.convictions:
        yield min(failed), conviction.suspects
    if not verdict.convictions and verdict.contradicted:
        yield min(failed), ()


def _finding(case: Case, plan: PortPlan, outside: PortRange, address: str, suspects: tuple[int, ...]) -> Finding:
    seen = [o for n in outside for o in case.other_family[OutsidePort(plan.protocol, n)]]
    hops = case.project.hops
    values = {
        "ports": f"{plan.protocol} {spoken(outside)}",
        "protocol": plan.protocol.value,
        "outside": str(outside),
        "address": address,
        "name": case.project.public_address,
        "hop": case.title(*suspects),
        "kind": hops[suspects[0]].kind.value if suspects else "nobody",
    }
    return Finding(
        "aaaa-closed" if ":" in address else "a-closed",
        Severity.WARNING,
        tuple(hops[position].id for position in suspects),
        plan.protocol,
        outside,
        values,
        evidence=tuple(told(case.project, plan.protocol, count(seen), len(outside))),
    )


def _both(case: Case) -> Iterator[Finding]:
    states = {verdict.state for verdict in case.other_verdicts.values()}
    if case.ports and set(case.other_verdicts) == set(case.ports) and states == {State.OPEN}:
        addresses = sorted({o.address for held in case.other_family.values() for o in held})
        values = {"count": str(len(case.ports)), "address": ", ".join(addresses), "name": case.project.public_address}
        yield Finding("both-families", Severity.INFO, (), None, None, values)


def _untested(case: Case) -> Iterator[Finding]:
    held = [o for of_port in case.other_family.values() for o in of_port]
    if held and all(o.outcome is Outcome.FAILED for o in held):
        values = {"address": held[0].address, "name": case.project.public_address, "error": held[0].error or ""}
        yield Finding("family-untested", Severity.INFO, (), None, None, values)
