"""Why each blocked port is blocked: one finding for each stretch of ports with one cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wizard.diagnosis.case import Case, spoken
from wizard.diagnosis.configured import said
from wizard.diagnosis.evidence import Counted, count, told
from wizard.diagnosis.hairpin import parse_ip
from wizard.diagnosis.next_test import next_test
from wizard.diagnosis.tomography import Conviction, Failure
from wizard.diagnosis.verdict import Finding, Severity
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import OutsidePort, PortPlan, PortRange, merge
from wizard.observation import Configured, Coverage, HostInspected, Listening, Observation, Outcome

_LOUD = (Outcome.REJECTED, Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.SILENT)
"""The loudest first: ICMP errors are rate-limited, so among neighbours silence may be an error that was not sent."""

_SINGLE: dict[tuple[HopKind, Outcome], str] = {
    (HopKind.FIREWALL, Outcome.SILENT): "filtered-drop",
    (HopKind.SECURITY_GROUP, Outcome.SILENT): "filtered-drop",
    (HopKind.ROUTER, Outcome.UNREACHABLE): "wrong-inner-host",
    (HopKind.CONTAINER, Outcome.UNREACHABLE): "wrong-inner-host",
    (HopKind.ROUTER, Outcome.REJECTED): "filtered-reject",
    (HopKind.SERVICE, Outcome.CLOSED): "service-closes",
}
_SINGLE_OTHERWISE = {
    HopKind.CGNAT: "cgnat",
    HopKind.ROUTER: "not-forwarded",
    HopKind.TUNNEL_SERVER: "not-forwarded",
    HopKind.TUNNEL_CLIENT: "not-forwarded",
    HopKind.CONTAINER: "not-forwarded",
    HopKind.FIREWALL: "filtered-reject",
    HopKind.SECURITY_GROUP: "filtered-reject",
    HopKind.SERVICE: "not-listening",
}
_BY_CONFIG = {
    Coverage.WRONG_PROTOCOL: "wrong-protocol",
    Coverage.WRONG_TARGET: "wrong-translation",
    Coverage.TRANSLATED_ELSEWHERE: "wrong-translation",
}
_SEVERAL = {
    Outcome.REJECTED: "filtered-reject",
    Outcome.REFUSED: "refused",
    Outcome.UNREACHABLE: "unreachable",
    Outcome.SILENT: "stopped",
}


def error_findings(case: Case) -> list[Finding]:
    """One finding for each stretch of neighbouring ports that the same hops stop in the same way, outermost first."""
    groups: dict[tuple[tuple[int, ...], int, Outcome | None, str | None], list[int]] = {}
    convictions: dict[tuple[OutsidePort, tuple[int, ...]], Conviction] = {}
    for index, plan in enumerate(case.project.ports):
        for number in plan.outside:
            port = OutsidePort(plan.protocol, number)
            for conviction in case.verdicts[port].convictions:
                convictions[port, conviction.suspects] = conviction
                outcome = _innermost(conviction).outcome
                by_config = _code_by_config(_blaming(case, conviction.suspects, plan, PortRange(number, number)))
                key = (conviction.suspects, index, None if outcome in _LOUD else outcome, by_config)
                groups.setdefault(key, []).append(number)
    passing: dict[tuple[int, int], tuple[PortRange, ...]] = {}
    found: list[Finding] = []
    for (suspects, index, *_), numbers in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1])):
        plan = case.project.ports[index]
        rest: tuple[PortRange, ...] = ()
        if len(suspects) == 1:
            where = (index, suspects[0])
            if where not in passing:
                passing[where] = case.open_at(plan, suspects[0])
            rest = passing[where]
        for outside in (part for stretch in merge(numbers) for part in _by_counterpart(case, plan, stretch, suspects)):
            of = [convictions[OutsidePort(plan.protocol, number), suspects] for number in outside]
            found.append(_finding(case, plan, outside, suspects, of, rest))
    return sorted(found, key=lambda finding: [case.project.index(hop) for hop in finding.suspects])


def _innermost(conviction: Conviction) -> Failure:
    """The failure that says most: the one that crossed the fewest hops; of several there, the loudest."""
    ranks = {outcome: rank for rank, outcome in enumerate((Outcome.MISDIRECTED, Outcome.CLOSED, *_LOUD))}
    return min(conviction.failures, key=lambda failure: (-failure.entry, ranks[failure.outcome]))


def _finding(
    case: Case,
    plan: PortPlan,
    outside: PortRange,
    suspects: tuple[int, ...],
    convictions: Sequence[Conviction],
    rest: tuple[PortRange, ...],
) -> Finding:
    ports = [OutsidePort(plan.protocol, number) for number in outside]
    outcomes = {_innermost(conviction).outcome for conviction in convictions}
    outcome = next((o for o in _LOUD if o in outcomes), next(iter(outcomes)))
    passing = [o for port in ports for o in case.counterparts.get(port, ()) if _passes(case, o, suspects)]
    sockets = _sockets(case, plan, outside) if suspects == (len(case.project.hops) - 1,) else None
    first = suspects[0]
    blaming = _blaming(case, suspects, plan, outside)
    failed = [o.address for port in ports for o in case.observations[port] if o.outcome.blames]
    over_six = all(":" in address for address in failed)
    code = _code_by_config(blaming) or _code(
        case, suspects, outcome, wrong_protocol=bool(passing), over_six=over_six, sockets=sockets
    )
    values = {
        "hop": case.title(*suspects),
        "kind": case.project.hops[first].kind.value,
        "name": plan.name,
        "protocol": plan.protocol.value,
        "other": plan.protocol.other.value,
        "ports": f"{plan.protocol} {spoken(outside)}",
        "outside": str(outside),
        "arrives": str(case.arrives(plan, outside, first)),
        "leaves": str(case.arrives(plan, outside, min(first + 1, len(case.project.hops) - 1))),
        "target": case.target(first) or case.project.hops[min(first + 1, len(case.project.hops) - 1)].title,
    }
    values["program"] = (sockets[0].program if sockets else "") or "?"
    return Finding(
        code=code,
        severity=Severity.ERROR,
        suspects=tuple(case.project.hops[position].id for position in suspects),
        protocol=plan.protocol,
        outside=outside,
        values=values,
        evidence=(*_evidence(case, plan, ports, passing, rest), *map(said, blaming)),
        next_test=next_test(case, suspects, ports[0]),
    )


def _blaming(case: Case, suspects: tuple[int, ...], plan: PortPlan, outside: PortRange) -> list[Configured]:
    """What of the suspects' configurations stops the ports, outermost first."""
    rows = (row for position in suspects for row in case.configured(position, plan.protocol, outside))
    return [row for row in rows if row.coverage.blames]


def _code_by_config(blaming: Sequence[Configured]) -> str | None:
    return _BY_CONFIG.get(blaming[0].coverage) if blaming else None


def _by_counterpart(case: Case, plan: PortPlan, stretch: PortRange, suspects: tuple[int, ...]) -> tuple[PortRange, ...]:
    """The stretch, in parts where the other protocol was seen to get through on some of its numbers and not on others:
    what holds for a few is not said of all."""
    passes = {
        number: any(_passes(case, o, suspects) for o in tried)
        for number in stretch
        if (tried := case.counterparts.get(OutsidePort(plan.protocol, number)))
    }
    if len(set(passes.values())) < 2:
        return (stretch,)
    return (*merge(n for n in stretch if passes.get(n)), *merge(n for n in stretch if not passes.get(n)))


def _code(
    case: Case,
    suspects: tuple[int, ...],
    outcome: Outcome,
    *,
    wrong_protocol: bool,
    over_six: bool,
    sockets: Sequence[Listening] | None,
) -> str:
    if outcome is Outcome.MISDIRECTED:
        return "wrong-translation"
    kind = case.project.hops[suspects[0]].kind
    if sockets is not None:
        if not sockets:
            return "service-not-running"
        if all(_is_loopback(socket.address) for socket in sockets):
            return "loopback-only"
        if outcome is not Outcome.CLOSED:
            return "port-held"
    if wrong_protocol:
        return "wrong-protocol"
    if len(suspects) == 1:
        if outcome is Outcome.CLOSED:
            return _SINGLE.get((kind, outcome), "no-back-end")
        if kind is HopKind.ROUTER and over_six:
            return "no-way-in" if outcome is Outcome.UNREACHABLE else "pinhole-missing"
        return _SINGLE.get((kind, outcome), _SINGLE_OTHERWISE[kind])
    return "no-back-end" if outcome is Outcome.CLOSED else _SEVERAL[outcome]


def _passes(case: Case, observation: Observation, suspects: tuple[int, ...]) -> bool:
    return observation.outcome is Outcome.ANSWERED and case.project.index(observation.enters) <= suspects[0]


def _sockets(case: Case, plan: PortPlan, outside: PortRange) -> list[Listening] | None:
    """The programs that hold a stretch of ports on the service's host; None where nobody looked."""
    hosts = [fact for fact in case.facts if isinstance(fact, HostInspected)]
    if not hosts:
        return None
    inner = case.arrives(plan, outside, len(case.project.hops) - 1)
    return [s for s in hosts[-1].sockets if s.protocol is plan.protocol and s.port in inner]


def _is_loopback(address: str) -> bool:
    ip = parse_ip(address)
    return ip is not None and ip.is_loopback


def _evidence(
    case: Case,
    plan: PortPlan,
    ports: Sequence[OutsidePort],
    passing: Sequence[Observation],
    rest: tuple[PortRange, ...],
) -> Iterator[Phrase]:
    observations = [(port, o) for port in ports for o in case.observations[port]]
    example: dict[tuple[str, str], tuple[OutsidePort, Observation]] = {}
    for port, o in observations:
        if o.outcome is Outcome.MISDIRECTED and o.came_in_on is not None:
            example.setdefault((o.vantage, o.enters), (port, o))
    counted = count(o for _, o in observations)
    yield from told(case.project, plan.protocol, counted, len(ports))
    last = len(case.project.hops) - 1
    landed = {
        (str(port), o.came_in_on or "?", str(case.arrives(plan, PortRange(port.number, port.number), last))): None
        for port, o in example.values()
    }
    for ported, got, expected in landed:
        yield Phrase("came-in-on", {"ports": ported, "got": got, "expected": expected})
    if passing:
        yield Phrase("counterpart-passes", {"other": plan.protocol.other.value, "protocol": plan.protocol.value})
    if rest:
        spoken_rest = ", ".join(spoken(stretch) for stretch in rest[:4]) + (" …" if len(rest) > 4 else "")
        yield Phrase("rest-passes", {"protocol": plan.protocol.value, "rest": spoken_rest, "name": plan.name})
    arrived = sum(port in case.arrived for port in ports)
    if arrived:
        yield Phrase("arrived", {"count": str(arrived), "total": str(len(ports))})
    elif _rests_on_equal_treatment(counted):
        yield Phrase("alike")
    unarrived = sum(port in case.unarrived for port in ports)
    if unarrived:
        yield Phrase("not-arrived", {"count": str(unarrived), "total": str(len(ports))})


def _rests_on_equal_treatment(counted: Counted) -> bool:
    """Whether one vantage's answers acquitted hops that stand between another vantage and the service."""
    answered = {vantage for vantage, _, _, outcome in counted if outcome is Outcome.ANSWERED}
    failed = {vantage for vantage, _, _, outcome in counted if outcome.blames}
    return any(one != other for one in answered for other in failed)
