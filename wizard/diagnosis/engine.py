"""The engine: observations in, in any order and at any time; a diagnosis out."""

from __future__ import annotations

from collections.abc import Iterable

from wizard.diagnosis.case import Case
from wizard.diagnosis.facts import fact_findings
from wizard.diagnosis.findings import error_findings
from wizard.diagnosis.hairpin import is_hairpin, parse_ip
from wizard.diagnosis.tomography import Evidence, Failure, PortVerdict, Proof, judge
from wizard.diagnosis.verdict import Diagnosis, HopVerdict, Phrase, PortRow, Severity, State
from wizard.model.hop import HopKind
from wizard.model.port import OutsidePort, PortRange, Protocol
from wizard.model.project import Project, arrival_numbers
from wizard.observation import RESPONDER, Fact, Observation, Outcome
from wizard.plan import same_address

_Key = tuple[str, str, str]


class Diagnoser:
    """Holds what was observed and says what it means. Each addition touches one port only.

    Of several observations of one probe (same vantage, entry, address, port) the latest counts that came of a packet
    sent along the path; of two made at the same instant the one that blames, so that the order never matters.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._position = {hop.id: position for position, hop in enumerate(project.hops)}
        self._kinds = tuple(hop.kind for hop in project.hops)
        self._ports = tuple(project.outside_ports())
        self._arrives: dict[tuple[int, Protocol, int], OutsidePort] = {}
        for plan in project.ports:
            for number in plan.outside:
                port = OutsidePort(plan.protocol, number)
                for position, inner in enumerate(arrival_numbers(project.hops, plan, number)):
                    self._arrives[position, plan.protocol, inner] = port
        self._seen: dict[OutsidePort, dict[_Key, Observation]] = {port: {} for port in self._ports}
        self._counterparts: dict[OutsidePort, dict[_Key, Observation]] = {}
        self._other_family: dict[OutsidePort, dict[_Key, Observation]] = {}
        self._arrivals: dict[OutsidePort, dict[tuple[str, str], int]] = {}
        self._facts: dict[Fact, None] = {}
        self._verdicts: dict[OutsidePort, PortVerdict] = {}
        self._known: dict[frozenset[Evidence], PortVerdict] = {}

    def add(self, item: Observation | Fact) -> OutsidePort | None:
        """Take in one observation or fact. Returns the planned port that it tells about, if any.

        What is not of this path (an unknown hop, an unplanned port, another address) is passed over.
        """
        if not isinstance(item, Observation):
            self._facts[item] = None
            return None
        entry = self._position.get(item.enters)
        if entry is None:
            return None
        port = self._arrives.get((entry, item.protocol, item.port))
        where = self._seen
        if port is None:
            port = self._arrives.get((entry, item.protocol.other, item.port))
            where = self._counterparts
        if port is None:
            return None
        if item.vantage == RESPONDER:
            self._add_report(item, port, entry)
            return port
        match self._same_place(entry, item.address):
            case None:
                return None
            case False:
                where = self._other_family
        key = (item.vantage, item.enters, same_address(item.address))
        held = where.setdefault(port, {})
        if key not in held or _weight(item) > _weight(held[key]):
            held[key] = item
            self._verdicts.pop(port, None)
        return port

    def extend(self, items: Iterable[Observation | Fact]) -> None:
        """Add many."""
        for item in items:
            self.add(item)

    def verdict(self, port: OutsidePort) -> PortVerdict:
        """The verdict on one planned port. Raises KeyError if it is not planned."""
        found = self._verdicts.get(port)
        if found is None:
            evidence = frozenset(self._evidence(port))
            found = self._known.get(evidence)
            if found is None:
                found = self._known[evidence] = judge(self._kinds, evidence)
            self._verdicts[port] = found
        return found

    def diagnosis(self) -> Diagnosis:
        """What is known by now."""
        case = Case(
            project=self._project,
            ports=self._ports,
            verdicts={port: self.verdict(port) for port in self._ports},
            observations={port: tuple(held.values()) for port, held in self._seen.items()},
            counterparts={port: tuple(held.values()) for port, held in self._counterparts.items()},
            other_family={port: tuple(held.values()) for port, held in self._other_family.items()},
            facts=tuple(sorted(self._facts, key=repr)),
        )
        findings = error_findings(case) + fact_findings(case)
        order = {severity: rank for rank, severity in enumerate(Severity)}
        return Diagnosis(
            hops=tuple(self._hop_verdict(position) for position in range(len(self._kinds))),
            ports=_rows(
                (port, self.verdict(port).state, Phrase(f"port-{self.verdict(port).state}")) for port in self._ports
            ),
            findings=tuple(sorted(findings, key=lambda finding: order[finding.severity])),
        )

    def _hop_verdict(self, position: int) -> HopVerdict:
        rows = _rows(
            (port, state, Phrase(f"hop-{state}"))
            for port in self._ports
            for state in (self.verdict(port).hops[position],)
        )
        states = {row.state for row in rows}
        order = (State.BLOCKED, State.SUSPECT, State.UNKNOWN, State.OPEN)
        return HopVerdict(self._project.hops[position].id, next(state for state in order if state in states), rows)

    def _same_place(self, entry: int, address: str) -> bool | None:
        """Whether an observation's address is the hop's: False for the hop's other family, None for a stranger."""
        planned = self._project.hops[entry].address
        if planned is None or same_address(planned) == same_address(address):
            return True
        planned_ip, ip = parse_ip(planned), parse_ip(address)
        if planned_ip is None:
            return True
        if ip is not None and ip.version != planned_ip.version:
            return False
        return None

    def _add_report(self, item: Observation, port: OutsidePort, stands_at: int) -> None:
        if item.outcome is not Outcome.ARRIVED or item.probe_vantage is None or item.probe_enters is None:
            return
        # The card is on the responder's own host: outward of the host's firewalls that stand right before it.
        card = stands_at
        while card > 0 and self._kinds[card - 1] is HopKind.FIREWALL:
            card -= 1
        self._arrivals.setdefault(port, {})[item.probe_vantage, item.probe_enters] = card
        self._verdicts.pop(port, None)

    def _evidence(self, port: OutsidePort) -> Iterable[Evidence]:
        arrivals = self._arrivals.get(port, {})
        last = len(self._kinds) - 1
        for item in self._seen[port].values():
            entry = self._position[item.enters]
            turned_round = is_hairpin(self._project, item, entry)
            if item.outcome is Outcome.ANSWERED:
                proven = self._proven_to(item, last)
                first = entry + 1 if turned_round else entry
                if proven is not None and first <= proven:
                    yield Proof(first, proven)
            elif item.outcome.blames and not turned_round:
                card = arrivals.get((item.vantage, item.enters))
                yield Failure(entry, item.outcome, card if card is not None and card > entry else None)

    def _proven_to(self, item: Observation, last: int) -> int | None:
        """The innermost hop that an answer proves. A responder proves what is before the hop that it stands in for."""
        if item.stands_at is None or item.stands_at == self._project.hops[last].id:
            return last
        stands_at = self._position.get(item.stands_at)
        return None if stands_at is None else stands_at - 1


def _weight(item: Observation) -> tuple[object, ...]:
    sent = item.outcome not in (Outcome.NOT_CHECKED, Outcome.FAILED, Outcome.NOT_PERMITTED)
    return (sent, item.at, item.outcome.blames, item.outcome is not Outcome.ANSWERED, repr(item))


def _rows(states: Iterable[tuple[OutsidePort, State, Phrase]]) -> tuple[PortRow, ...]:
    """Neighbouring ports in the same state as one row, protocols in the order in which they first come."""
    listed = list(states)
    protocols = {protocol: rank for rank, protocol in enumerate(dict.fromkeys(port.protocol for port, _, _ in listed))}
    listed.sort(key=lambda row: (protocols[row[0].protocol], row[0].number))
    rows: list[PortRow] = []
    for port, state, reason in listed:
        held = rows[-1] if rows else None
        if held and (held.protocol, held.state, held.outside.last) == (port.protocol, state, port.number - 1):
            rows[-1] = PortRow(port.protocol, PortRange(held.outside.first, port.number), state, held.reason)
        else:
            rows.append(PortRow(port.protocol, PortRange(port.number, port.number), state, reason))
    return tuple(rows)
