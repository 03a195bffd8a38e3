"""What is worth saying beside the blocked ports: proofs, doubts, names, relays, address rewriting."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from wizard.diagnosis.case import Case, spoken
from wizard.diagnosis.gateways import gateway_findings
from wizard.diagnosis.hairpin import CGNAT_RANGE, is_hairpin, is_inside, parse_ip
from wizard.diagnosis.programs import is_met_by_another
from wizard.diagnosis.verdict import Finding, Severity, State
from wizard.model.hop import HopKind
from wizard.model.port import OutsidePort, merge
from wizard.observation import NameResolved, Observation, Outcome, RelayChecked
from wizard.plan import same_address


def fact_findings(case: Case) -> list[Finding]:
    """Every warning and note that the observations and facts support."""
    return [
        *_turned_round(case),
        *_senders_differ(case),
        *_carrier_nat(case),
        *_names(case),
        *_relays(case),
        *gateway_findings(case),
        *_unproven(case),
        *_rewritten(case),
        *_proven(case),
    ]


def _proven(case: Case) -> Iterator[Finding]:
    if case.ports and all(case.verdicts[port].state is State.OPEN for port in case.ports):
        yield _note("path-proven", Severity.INFO, (), {"count": str(len(case.ports))})


def _unproven(case: Case) -> Iterator[Finding]:
    """Ports that nothing failed on and nothing proved: each with what kept them from being proven."""
    for plan in case.project.ports:
        reasons: dict[tuple[str, str], list[int]] = {}
        for number in plan.outside:
            port = OutsidePort(plan.protocol, number)
            if case.verdicts[port].state is State.UNKNOWN and not is_met_by_another(case, port):
                reasons.setdefault(_why_unknown(case, port), []).append(number)
        for (code, error), numbers in reasons.items():
            for outside in merge(numbers):
                uncovered = [
                    hop.title
                    for hop, state in zip(
                        case.project.hops,
                        case.verdicts[OutsidePort(plan.protocol, outside.first)].hops,
                        strict=True,
                    )
                    if state is State.UNKNOWN
                ]
                values = {
                    "ports": f"{plan.protocol} {spoken(outside)}",
                    "name": plan.name,
                    "error": error,
                    "hops": ", ".join(uncovered),
                    "address": _entrance(case) or "",
                }
                yield Finding(code, Severity.WARNING, (), plan.protocol, outside, values)


def _why_unknown(case: Case, port: OutsidePort) -> tuple[str, str]:
    held = case.observations[port]
    for outcome in (Outcome.ACCEPTED, Outcome.ALIEN, Outcome.NOT_PERMITTED, Outcome.FAILED, Outcome.NOT_CHECKED):
        for o in sorted(held, key=repr):
            if o.outcome is outcome:
                return f"unproven-{outcome}", o.error or ""
    answered = {o.vantage for o in held if o.outcome is Outcome.ANSWERED}
    if any(vantage.id in answered and vantage.beyond is None for vantage in case.project.vantages):
        return "unproven-no-entrance", ""
    if answered:
        return "unproven-inside-only", ""
    return "unobserved", ""


def _senders_differ(case: Case) -> Iterator[Finding]:
    for plan in case.project.ports:
        numbers = [n for n in plan.outside if case.verdicts[OutsidePort(plan.protocol, n)].contradicted]
        for outside in merge(numbers):
            failed = sorted(
                {
                    (o.vantage, o.enters)
                    for n in outside
                    for o in case.observations[OutsidePort(plan.protocol, n)]
                    if o.outcome.blames
                }
            )
            values = {
                "ports": f"{plan.protocol} {spoken(outside)}",
                "vantage": ", ".join(dict.fromkeys(vantage for vantage, _ in failed)),
                "hop": ", ".join(dict.fromkeys(case.project.hop(hop).title for _, hop in failed)),
            }
            yield Finding("sources-differ", Severity.WARNING, (), plan.protocol, outside, values)


def _turned_round(case: Case) -> Iterator[Finding]:
    entered: dict[tuple[str, str], list[OutsidePort]] = {}
    unplaced = {fact.vantage for fact in case.facts if isinstance(fact, RelayChecked) and _hides_its_place(fact)}
    for port in case.ports:
        for o in case.observations[port]:
            says = (o.outcome is Outcome.ANSWERED or o.outcome.blames) and o.vantage not in unplaced
            if says and is_hairpin(case.project, o, case.project.index(o.enters)):
                entered.setdefault((o.vantage, o.enters), []).append(port)
    for (vantage, enters), ports in entered.items():
        values = {"vantage": vantage, "hop": case.project.hop(enters).title, "count": str(len(ports))}
        yield _note("hairpin-only", Severity.WARNING, (), values)


def _carrier_nat(case: Case) -> Iterator[Finding]:
    public = parse_ip(case.project.public_address)
    for position, hop in enumerate(case.project.hops):
        if hop.kind is HopKind.CGNAT and any(
            case.verdicts[port].hops[position] is State.SUSPECT for port in case.ports
        ):
            yield _note("cgnat-in-path", Severity.WARNING, (), {"hop": hop.title})
        address = parse_ip(hop.address or "")
        if hop.kind is not HopKind.ROUTER or address is None:
            continue
        values = {"hop": hop.title, "address": str(address)}
        if isinstance(address, ipaddress.IPv4Address) and address in CGNAT_RANGE:
            yield _note("cgnat-address", Severity.WARNING, (hop.id,), values)
        elif (
            hop is case.project.hops[0]
            and is_inside(address)
            and not address.is_loopback
            and public is not None
            and not is_inside(public)
        ):
            yield _note("double-nat", Severity.WARNING, (hop.id,), values)


def _names(case: Case) -> Iterator[Finding]:
    """DNS against the address at which clients enter the path, where that is a number."""
    planned = parse_ip(_entrance(case) or "")
    answers = [fact for fact in case.facts if isinstance(fact, NameResolved)]
    for fact in answers:
        if fact.error is not None and not any(other.addresses for other in answers if other.name == fact.name):
            yield _note("dns-failed", Severity.WARNING, (), {"name": fact.name, "error": fact.error})
            break
    for fact in answers:
        if planned is None or planned.version != fact.family or not fact.addresses:
            continue
        if str(planned) not in {same_address(address) for address in fact.addresses}:
            values = {"name": fact.name, "addresses": ", ".join(fact.addresses), "address": str(planned)}
            yield _note("dns-elsewhere", Severity.WARNING, (), values)


def _entrance(case: Case) -> str | None:
    """The outermost address of the path; what lies behind a translating hop is not where clients come in."""
    for hop in case.project.hops:
        if hop.address is not None or hop.kind.translates:
            return hop.address
    return None


_WITHOUT = {440: "without-family", 442: "without-tcp", 486: "without-room", 508: "without-room"}
"""What a server that does something else cannot do, by its error code (RFC 8656 section 19, RFC 6062 section 6.3)."""


def _relays(case: Case) -> Iterator[Finding]:
    works = {fact.vantage for fact in case.facts if isinstance(fact, RelayChecked) and fact.relayed is not None}
    for fact in case.facts:
        if not isinstance(fact, RelayChecked):
            continue
        values = {"server": fact.server, "vantage": fact.vantage, "code": str(fact.code or ""), "text": fact.text}
        if fact.code == 401:
            yield _note("turn-auth-failed", Severity.WARNING, (), values)
        elif fact.code == 403:
            yield _note("turn-peer-forbidden", Severity.WARNING, (), values)
        elif fact.relayed is None and fact.vantage in works:
            yield _note("turn-partly", Severity.WARNING, (), {**values, "kind": _WITHOUT.get(fact.code or 0, "")})
        elif fact.relayed is None:
            yield _note("turn-failed", Severity.WARNING, (), values)
        if _hides_its_place(fact):
            relayed = str(parse_ip(fact.relayed or ""))
            yield _note("turn-relay-private", Severity.WARNING, (), {**values, "relayed": relayed})


def _hides_its_place(fact: RelayChecked) -> bool:
    """Whether a server elsewhere gives an inside address as relayed: it may be on any network behind a router."""
    relayed = parse_ip(fact.relayed or "")
    server = parse_ip(fact.server.partition(":")[2].partition("?")[0])
    return relayed is not None and is_inside(relayed) and not (server is not None and is_inside(server))


def _rewritten(case: Case) -> Iterator[Finding]:
    """The service sees an inside address where the prober's own was sent: some hop rewrites the source."""
    seen: dict[str, list[OutsidePort]] = {}
    for port in case.ports:
        for o in case.observations[port]:
            if (address := _rewritten_source(case, o)) is not None:
                seen.setdefault(address, []).append(port)
    for address, ports in sorted(seen.items()):
        by = next((hop.title for hop in case.project.hops if hop.address and same_address(hop.address) == address), "")
        yield _note(
            "source-rewritten",
            Severity.INFO,
            (),
            {"address": address, "count": str(len(set(ports))), "by": by or address},
        )


def _rewritten_source(case: Case, o: Observation) -> str | None:
    if o.outcome is not Outcome.ANSWERED or o.seen_as is None or o.source is None:
        return None
    seen, source = parse_ip(o.seen_as), parse_ip(o.source.partition("/")[0])
    entered = parse_ip(o.address)
    if seen is None or source is None or seen == source or not is_inside(seen):
        return None
    # On loopback the system picks the source by destination; that is no rewriting.
    if entered is not None and entered.is_loopback:
        return None
    return None if is_hairpin(case.project, o, case.project.index(o.enters)) else str(seen)


def _note(code: str, severity: Severity, suspects: Iterable[str], values: dict[str, str]) -> Finding:
    return Finding(code, severity, tuple(suspects), None, None, values)
