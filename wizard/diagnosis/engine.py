"""The engine: observations in, in any order and at any time; a diagnosis out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from wizard.diagnosis.acquittal import Ahead, clocks, stopped_before
from wizard.diagnosis.announced import announced_findings
from wizard.diagnosis.arrival import card
from wizard.diagnosis.case import Case
from wizard.diagnosis.configured import config_findings
from wizard.diagnosis.crossing import failed_from, proven_from
from wizard.diagnosis.facts import fact_findings
from wizard.diagnosis.families import family_findings
from wizard.diagnosis.findings import error_findings
from wizard.diagnosis.hairpin import parse_ip
from wizard.diagnosis.programs import other_programs, program_findings
from wizard.diagnosis.tomography import Blame, Evidence, Failure, PortVerdict, Proof, caught_unequal, judge
from wizard.diagnosis.verdict import Diagnosis, HopVerdict, PortRow, Severity, State
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import OutsidePort, PortRange, Protocol
from wizard.model.project import Project, arrival_numbers
from wizard.observation import RESPONDER, Configured, Coverage, Fact, Observation, Outcome, subject
from wizard.plan import same_address

_Key = tuple[str, str, str]
_DOORS = {4: "IPv4", 6: "IPv6"}


class Diagnoser:
    """Holds what was observed and says what it means. Each addition touches one port only.

    Of several observations of one probe (same vantage, entry, address, port) the latest counts that came of a packet
    sent along the path; of two made at the same instant the one that blames, so that the order never matters.
    What is renewed counts in any case.
    Where the path names a hop by its DNS name, that name is the address, whatever it resolved to at the time.
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
        self._reports: dict[OutsidePort, dict[Observation, None]] = {}
        self._watches: dict[Observation, None] = {}
        self._astray: set[tuple[str | None, str | None]] = set()
        """Places and entries of which a probe came to the responder where it should not have."""
        self._ahead: dict[str, Ahead] | None = None
        self._facts: dict[Fact, None] = {}
        self._blamed: dict[OutsidePort, set[Blame]] = {}
        self._verdicts: dict[OutsidePort, PortVerdict] = {}
        self._known: dict[tuple[frozenset[Evidence], frozenset[int]], PortVerdict] = {}
        self._unequal: frozenset[int] | None = frozenset()
        self._unequal_before: frozenset[int] = frozenset()

    def add(self, item: Observation | Fact) -> OutsidePort | None:
        """Take in one observation or fact. Returns the planned port that it tells about, if any.

        What is not of this path (an unknown hop, an unplanned port, another address) is passed over.
        """
        return self._add(item, lambda new, held: _weight(new) > _weight(held))

    def _add(
        self, item: Observation | Fact, outweighs: Callable[[Observation, Observation], bool]
    ) -> OutsidePort | None:
        if not isinstance(item, Observation):
            self._facts[item] = None
            if isinstance(item, Configured):
                self._lay(item)
            return None
        entry = self._position.get(item.enters)
        if entry is None:
            return None
        if item.vantage == RESPONDER and item.watched_since is not None:
            self._watches[item] = None
            self._look_at_clocks_anew()
            return None
        if item.vantage == RESPONDER and item.outcome is Outcome.MISDIRECTED:
            self._astray.add((item.probe_vantage, item.probe_enters))
            self._look_at_clocks_anew()
        port = self._arrives.get((entry, item.protocol, item.port))
        where = self._seen
        if port is None:
            port = self._arrives.get((entry, item.protocol.other, item.port))
            where = self._counterparts
        if port is None:
            return None
        if item.vantage == RESPONDER:
            self._reports.setdefault(port, {})[item] = None
            self._look_at_clocks_anew()
            self._forget(port)
            return port
        match self._same_place(entry, item.address):
            case None:
                return None
            case False:
                where = self._other_family
        key = (item.vantage, item.enters, self._door(entry, item.address))
        held = where.setdefault(port, {})
        if key not in held or outweighs(item, held[key]):
            held[key] = item
            if item.outcome is Outcome.ANSWERED:
                self._look_at_clocks_anew()
            self._forget(port)
        return port

    def _lay(self, row: Configured) -> None:
        """Take in what a hop's configuration does with a stretch of planned ports."""
        position = self._position.get(row.hop)
        if position is None or not row.coverage.blames:
            return
        for number in row.outside:
            port = OutsidePort(row.protocol, number)
            if port in self._seen:
                blame = Blame(position, row.coverage is Coverage.RESTRICTED)
                self._blamed.setdefault(port, set()).add(blame)
                self._forget(port)

    def extend(self, items: Iterable[Observation | Fact]) -> None:
        """Add many."""
        for item in items:
            self.add(item)

    def renew(self, items: Iterable[Observation | Fact]) -> None:
        """Take in what was seen anew: it counts in place of what the same probe, place or look-up told before.

        Also where no packet was sent: what can no longer be asked is not known any more.
        """
        items = tuple(items)
        renewed = {subject(item) for item in items if not isinstance(item, Observation)}
        self._facts = {fact: None for fact in self._facts if subject(fact) not in renewed}
        if self._watches:
            # The reports are not renewed: that nothing came is known of the probes before these alone.
            self._watches.clear()
            self._look_at_clocks_anew()
            self._verdicts.clear()
        for item in items:
            port = self._add(item, lambda *_: True)
            if port is not None and self._reports.pop(port, None) is not None:
                # What had arrived was of packets before this one.
                self._unequal = None

    def verdict(self, port: OutsidePort) -> PortVerdict:
        """The verdict on one planned port. Raises KeyError if it is not planned."""
        unequal = self._unequal_hops()
        found = self._verdicts.get(port)
        if found is None:
            evidence = frozenset(self._evidence(port))
            found = self._known.get((evidence, unequal))
            if found is None:
                found = self._known[evidence, unequal] = judge(self._kinds, evidence, unequal)
            self._verdicts[port] = found
        return found

    def diagnosis(self) -> Diagnosis:
        """What is known by now."""
        cards = self._cards()
        case = Case(
            project=self._project,
            ports=self._ports,
            verdicts={port: self.verdict(port) for port in self._ports},
            observations={port: tuple(self._of_path(port)) for port in self._ports},
            counterparts={port: tuple(held.values()) for port, held in self._counterparts.items()},
            other_family={port: tuple(self._of_other_family(port)) for port in self._ports},
            other_verdicts={
                port: verdict for port in self._ports if (verdict := self._over_other_family(port)) is not None
            },
            arrived=frozenset(cards),
            unarrived=frozenset(
                port
                for port in (self._ports if self._watches else ())
                for item in self._of_path(port)
                if item.outcome.blames and self._stopped_before(port, item) is not None
            ),
            facts=tuple(sorted(self._facts, key=repr)),
        )
        findings = (
            error_findings(case)
            + fact_findings(case)
            + family_findings(case)
            + program_findings(case)
            + config_findings(case)
        )
        findings += announced_findings(case)
        order = {severity: rank for rank, severity in enumerate(Severity)}
        return Diagnosis(
            hops=tuple(self._hop_verdict(position) for position in range(len(self._kinds))),
            ports=_rows(
                (port, self.verdict(port).state, Phrase(f"port-{self.verdict(port).state}")) for port in self._ports
            ),
            findings=tuple(sorted(findings, key=lambda finding: order[finding.severity])),
            stopped_behind_card=tuple(
                (self._project.hops[position].id, count) for position, count in sorted(Counter(cards.values()).items())
            ),
        )

    def _cards(self) -> dict[OutsidePort, int]:
        """The first hop behind the network card, for each port of which a probe arrived there and was not answered."""
        found = {
            port: [card for item in self._of_path(port) if item.outcome.blames for card in [self._card(port, item)]]
            for port in self._reports
        }
        return {port: min(known) for port, cards in found.items() if (known := [c for c in cards if c is not None])}

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

    def _door(self, entry: int, address: str) -> str:
        """What tells an observation's address from another of the same hop. A name has one door for each family."""
        ip = parse_ip(address)
        if ip is not None and parse_ip(self._project.hops[entry].address or address) is None:
            return _DOORS[ip.version]
        return same_address(address)

    def _of_path(self, port: OutsidePort) -> list[Observation]:
        held = self._seen[port]
        return [item for key, item in held.items() if not _is_second_door(key, held)]

    def _of_other_family(self, port: OutsidePort) -> list[Observation]:
        held = self._seen[port]
        second = [item for key, item in held.items() if _is_second_door(key, held)]
        return [*self._other_family.get(port, {}).values(), *second]

    def _evidence(self, port: OutsidePort) -> Iterator[Evidence]:
        yield from self._seen_evidence(port, self._of_path(port))
        yield from self._blamed.get(port, ())

    def _seen_evidence(self, port: OutsidePort, held: Sequence[Observation]) -> Iterator[Evidence]:
        last = len(self._kinds) - 1
        strange = other_programs(held, self._position)
        for item in held:
            if item in strange:
                continue
            if item.outcome is Outcome.ANSWERED:
                proven = self._proven_to(item, last)
                first = proven_from(self._project, item, self._position[item.enters])
                if proven is not None and first <= proven:
                    yield Proof(first, proven)
            elif item.outcome.blames:
                outermost = min(self._position[other.enters] for other in held if _same_packet(item, other))
                suspect = failed_from(self._project, item, outermost)
                card_at = self._card(port, item)
                if suspect is not None:
                    arrived_at = card_at if card_at is not None and card_at > suspect else None
                    yield Failure(suspect, item.outcome, arrived_at, self._stopped_before(port, item))

    def _over_other_family(self, port: OutsidePort) -> PortVerdict | None:
        """The verdict on a port over the family that the path does not plan; None if nobody probed it there."""
        held = self._of_other_family(port)
        if not held:
            return None
        evidence = set(self._seen_evidence(port, held))
        kinds = self._kinds
        # A tunnel's client dials in on its own: inward of the tunnel it is all the same how somebody came to it.
        tunnels = [position for position, kind in enumerate(kinds) if kind is HopKind.TUNNEL_SERVER]
        if tunnels:
            proofs = [item for item in self._evidence(port) if isinstance(item, Proof) and item.last > tunnels[0]]
            evidence |= {Proof(max(tunnels[0] + 1, proof.first), proof.last) for proof in proofs}
        if all(":" in item.address for item in held):
            # Over IPv6 nobody has to share an address.
            evidence |= {Proof(position, position) for position, kind in enumerate(kinds) if kind is HopKind.CGNAT}
        return judge(kinds, evidence)

    def _unequal_hops(self) -> frozenset[int]:
        """The hops that an arrival caught treating senders differently, on any port."""
        if self._unequal is None:
            found = frozenset().union(*(caught_unequal(self._kinds, self._evidence(port)) for port in self._reports))
            if found != self._unequal_before:
                self._verdicts.clear()
            self._unequal = self._unequal_before = found
        return self._unequal

    def _forget(self, port: OutsidePort) -> None:
        self._verdicts.pop(port, None)
        if port in self._reports:
            self._unequal = None

    def _card(self, port: OutsidePort, failed: Observation) -> int | None:
        """The first hop behind the network card at which the probe that failed arrived, if it did and got no answer."""
        reports = self._reports.get(port)
        if not reports:
            return None
        sent = [*self._seen[port].values(), *self._other_family.get(port, {}).values()]
        return card(failed, reports, sent, self._position, self._kinds)

    def _stopped_before(self, port: OutsidePort, failed: Observation) -> int | None:
        """The first hop behind a watched network card, if nothing of the probe that failed came to it."""
        place = (failed.vantage, failed.enters)
        if not self._watches or place in self._astray:
            return None
        if any((report.probe_vantage, report.probe_enters) == place for report in self._reports.get(port, ())):
            return None
        if self._ahead is None:
            answered = [o for held in self._seen.values() for o in held.values() if o.outcome is Outcome.ANSWERED]
            self._ahead = clocks(answered, (report for held in self._reports.values() for report in held))
        return stopped_before(self._project, failed, self._watches, self._ahead)

    def _look_at_clocks_anew(self) -> None:
        if self._watches:
            self._verdicts.clear()
        self._ahead = None

    def _proven_to(self, item: Observation, last: int) -> int | None:
        """The innermost hop that an answer proves. A responder proves what is before the hop that it stands in for."""
        if item.stands_at is None or item.stands_at == self._project.hops[last].id:
            return last
        stands_at = self._position.get(item.stands_at)
        return None if stands_at is None else stands_at - 1


def _is_second_door(key: _Key, held: Container[_Key]) -> bool:
    """Whether a named hop was entered by IPv6 from a place that entered it by IPv4, which is the path, too."""
    vantage, enters, door = key
    return door == _DOORS[6] and (vantage, enters, _DOORS[4]) in held


def _same_packet(one: Observation, other: Observation) -> bool:
    """Whether two probes of one port went out as the same packet: a name and a number can be one address."""
    return one.vantage == other.vantage and same_address(one.address) == same_address(other.address)


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
