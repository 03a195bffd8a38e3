"""What the hops' configurations say, held against what the probes saw."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.diagnosis.case import Case, spoken
from wizard.diagnosis.verdict import Finding, Severity, State
from wizard.model.phrase import Phrase
from wizard.model.port import OutsidePort, PortRange, merge
from wizard.observation import Configured, Coverage, Outcome


def said(row: Configured) -> Phrase:
    """What a configuration does with ports, and where it says so."""
    at = f"{row.file}:{row.lines[0]}" if row.lines else row.file
    return Phrase(
        f"config-{row.coverage}", {"file": at, "rule": row.rule, "ports": f"{row.protocol} {spoken(row.outside)}"}
    )


def config_findings(case: Case) -> list[Finding]:
    """Where a configuration would stop ports of which no probe has shown it, and where the two disagree."""
    rows = (fact for fact in case.facts if isinstance(fact, Configured))
    return [finding for row in rows for finding in _held_against(case, row)]


def _held_against(case: Case, row: Configured) -> Iterator[Finding]:
    try:
        position = case.project.index(row.hop)
    except KeyError:
        return
    states: dict[str, list[int]] = {}
    for number in row.outside:
        port = OutsidePort(row.protocol, number)
        if port in case.verdicts and (code := _code(case, row, position, port)) is not None:
            states.setdefault(code, []).append(number)
    for code, numbers in states.items():
        for outside in merge(numbers):
            yield _finding(case, row, position, code, outside)


def _code(case: Case, row: Configured, position: int, port: OutsidePort) -> str | None:
    state = case.verdicts[port].hops[position]
    if state is State.BLOCKED:
        return "config-contradicted" if row.coverage is Coverage.COVERED else None
    if not row.coverage.blames:
        return None
    open_to_all = row.coverage is not Coverage.RESTRICTED or _answers_outside(case, position, port)
    return "config-outdated" if state is State.OPEN and open_to_all else "config-gap"


def _answers_outside(case: Case, position: int, port: OutsidePort) -> bool:
    """Whether somebody who stands outside of everything got an answer across the hop."""
    outside = {vantage.id for vantage in case.project.places() if vantage.beyond is None}
    return any(
        o.outcome is Outcome.ANSWERED and o.vantage in outside and case.project.index(o.enters) <= position
        for o in case.observations[port]
    )


def _finding(case: Case, row: Configured, position: int, code: str, outside: PortRange) -> Finding:
    hop = case.project.hops[position]
    plan = case.project.plan_of(OutsidePort(row.protocol, outside.first))
    values = {
        "hop": hop.title,
        "kind": hop.kind.value,
        "file": row.file,
        "protocol": row.protocol.value,
        "ports": f"{row.protocol} {spoken(outside)}",
        "arrives": str(case.arrives(plan, outside, position)),
        "leaves": str(case.arrives(plan, outside, min(position + 1, len(case.project.hops) - 1))),
        "target": case.target(position) or case.project.hops[min(position + 1, len(case.project.hops) - 1)].title,
    }
    severity = Severity.INFO if code == "config-outdated" else Severity.WARNING
    return Finding(code, severity, (hop.id,), row.protocol, outside, values, (said(row),))
