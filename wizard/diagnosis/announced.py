"""The addresses that the service announces to its clients: whether each is one that they can use, and does answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from wizard.diagnosis.case import Case, spoken
from wizard.diagnosis.hairpin import CGNAT_RANGE, is_hairpin, is_inside, parse_ip
from wizard.diagnosis.verdict import Finding, Severity
from wizard.model.port import OutsidePort, PortRange, merge
from wizard.model.project import Project
from wizard.model.vantage import Vantage
from wizard.observation import AnnouncedSeen, NameResolved, Outcome
from wizard.plan import Probe, entries, make_plan, same_address


def announced_probes(project: Project, vantage: Vantage) -> tuple[Probe, ...]:
    """Probes to the announced addresses that no hop has, from a place that would use them: the ends and the middle of
    each planned range, on the numbers on which clients come in there.

    What a hop has is probed as an entry of the path. From outside, an inside address is nobody's.
    """
    found = entries(project, vantage)
    if not found:
        return ()
    from_outside = vantage.beyond is None and not _is_private(project.public_address)
    known = _known(project)
    strangers = [
        address
        for address in dict.fromkeys(map(same_address, project.announced))
        if address not in known and _is_usable(project, address) and not (from_outside and _is_private(address))
    ]
    enters = project.hops[found[0]].id
    samples = {
        OutsidePort(plan.protocol, number) for plan in project.ports for number in _ends_and_middle(plan.outside)
    }
    first = [probe for probe in make_plan(project, vantage) if probe.enters == enters and probe.planned in samples]
    return tuple(replace(probe, address=address) for address in strangers for probe in first)


def announced_findings(case: Case) -> list[Finding]:
    """What is wrong with the announced addresses, and what the probes to each of them say."""
    given = [same_address(address) for address in case.project.announced]
    distinct = list(dict.fromkeys(given))
    found = [
        _note("announced-twice", Severity.WARNING, address, count=str(given.count(address)))
        for address in distinct
        if given.count(address) > 1
    ]
    if distinct and all(_is_private(address) for address in distinct) and not _is_private(case.project.public_address):
        listed = ", ".join(distinct)
        found.append(_note("announced-private-only", Severity.WARNING, listed, public=case.project.public_address))
    known = _known(case.project) | _resolved(case)
    for address in distinct:
        found += _of_one(case, address, known)
    return found


def _of_one(case: Case, address: str, known: frozenset[str]) -> Iterator[Finding]:
    public = case.project.public_address
    if parse_ip(address) is None:
        same = address == same_address(public)
        yield _note("announced-name", Severity.INFO if same else Severity.WARNING, address, public=public)
        return
    if address not in known and not _is_usable(case.project, address):
        yield _note("announced-unusable", Severity.WARNING, address, public=public)
        return
    seen = list(_seen(case, address))
    answered = {vantage for vantage, _, outcome in seen if outcome is Outcome.ANSWERED}
    if address not in known and not answered:
        code = "announced-unknown" if _is_private(address) else "announced-stale"
        yield _note(code, Severity.WARNING, address, public=public)
    for vantage in dict.fromkeys(vantage for vantage, _, outcome in seen if outcome.blames):
        failed = {port for place, port, outcome in seen if place == vantage and outcome.blames}
        asked = {port for place, port, _ in seen if place == vantage}
        values = {"vantage": vantage, "count": str(len(failed)), "total": str(len(asked)), "ports": _listed(failed)}
        yield _note("announced-unreachable", Severity.WARNING, address, **values)
    unhurt = answered - {vantage for vantage, _, outcome in seen if outcome.blames}
    if unhurt:
        ports = {port for _, port, outcome in seen if outcome is Outcome.ANSWERED}
        values = {"vantage": ", ".join(sorted(unhurt)), "count": str(len(ports))}
        yield _note("announced-reached", Severity.INFO, address, **values)
    elif not any(outcome.blames for _, _, outcome in seen):
        where = "inside" if _is_private(address) else "outside"
        yield _note("announced-untested", Severity.INFO, address, kind=where)


def _seen(case: Case, address: str) -> Iterator[tuple[str, OutsidePort, Outcome]]:
    """What came of the probes to an address, from the places that would use it."""
    for port in case.ports:
        for o in (*case.observations[port], *case.other_family.get(port, ())):
            entry = case.project.index(o.enters)
            if same_address(o.address) == address and not is_hairpin(case.project, o, entry):
                yield o.vantage, port, o.outcome
    for fact in case.facts:
        if isinstance(fact, AnnouncedSeen) and same_address(fact.address) == address:
            yield fact.vantage, OutsidePort(fact.protocol, fact.outside), fact.outcome


def _known(project: Project) -> frozenset[str]:
    """The addresses of the path."""
    addresses = (project.public_address, *(hop.address for hop in project.hops))
    return frozenset(same_address(address) for address in addresses if address)


def _resolved(case: Case) -> frozenset[str]:
    """What DNS says of the path's names."""
    known = _known(case.project)
    facts = [fact for fact in case.facts if isinstance(fact, NameResolved) and same_address(fact.name) in known]
    return frozenset(same_address(address) for fact in facts for address in fact.addresses)


def _is_private(address: str) -> bool:
    ip = parse_ip(address)
    return ip is not None and (is_inside(ip) or (ip.version == 4 and ip in CGNAT_RANGE))


def _is_usable(project: Project, address: str) -> bool:
    """Whether clients can send to it. Loopback is for those of a service that is itself there."""
    ip, public = parse_ip(address), parse_ip(project.public_address)
    on_loopback = public is not None and public.is_loopback
    return ip is not None and not (ip.is_unspecified or ip.is_multicast or (ip.is_loopback and not on_loopback))


def _ends_and_middle(numbers: PortRange) -> set[int]:
    return {numbers.first, (numbers.first + numbers.last) // 2, numbers.last}


def _listed(ports: set[OutsidePort]) -> str:
    protocols = sorted({port.protocol for port in ports})
    stretches: Sequence[str] = [
        f"{protocol} {spoken(stretch)}"
        for protocol in protocols
        for stretch in merge(port.number for port in ports if port.protocol is protocol)
    ]
    return ", ".join(stretches[:4]) + (" …" if len(stretches) > 4 else "")


def _note(code: str, severity: Severity, address: str, **values: str) -> Finding:
    return Finding(code, severity, (), None, None, {"address": address, **values})
