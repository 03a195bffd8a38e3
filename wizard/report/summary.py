"""What all reports say alike: the verdict in one sentence, the numbers at a hop, observations in few rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from wizard.diagnosis.verdict import Diagnosis, PortRow, Severity, State
from wizard.model.port import PortRange, Protocol, merge
from wizard.model.project import Project, arrival_numbers
from wizard.observation import Observation, Outcome
from wizard.report.wording import wording


def sentence(project: Project, diagnosis: Diagnosis, language: str) -> str:
    """The verdict over all ports in one sentence."""
    total = sum(len(row.outside) for row in diagnosis.ports)
    blocked = _count(diagnosis, State.BLOCKED)
    proven = _count(diagnosis, State.OPEN)
    if blocked:
        places = wording("places", language).join(_places(project, diagnosis, language))
        where = wording("where", language, places=places) if places else ""
        return wording(_blocked_key(blocked, total), language, blocked=blocked, total=total, where=where)
    if total and proven == total:
        return wording("sentence-open-one" if total == 1 else "sentence-open", language, total=total)
    if proven:
        return wording("sentence-unknown", language, open=proven, total=total, rest=total - proven)
    return wording("sentence-nothing", language, total=total)


def _blocked_key(blocked: int, total: int) -> str:
    if total == 1:
        return "sentence-blocked-only"
    if blocked == total:
        return "sentence-blocked-all"
    return "sentence-blocked-one" if blocked == 1 else "sentence-blocked"


def _count(diagnosis: Diagnosis, state: State) -> int:
    return sum(len(row.outside) for row in diagnosis.ports if row.state is state)


def _places(project: Project, diagnosis: Diagnosis, language: str) -> list[str]:
    """Each set of suspects; with the number of its ports where there are several sets."""
    ports: dict[tuple[str, ...], int] = {}
    for finding in diagnosis.findings:
        if finding.severity is Severity.ERROR and finding.suspects:
            ports[finding.suspects] = ports.get(finding.suspects, 0) + len(finding.outside or ())
    if len(ports) == 1:
        return [_place(project, suspects, language) for suspects in ports]
    return [f"{_place(project, suspects, language)} ({count})" for suspects, count in ports.items()]


def _place(project: Project, suspects: tuple[str, ...], language: str) -> str:
    *others, last = (project.hop(hop).title for hop in suspects)
    if not others:
        return wording("at-one", language, hop=last)
    return wording("at-several", language, hops=wording("list", language).join(others), last=last)


def moment(when: datetime) -> str:
    """A point in time as all reports give it, in UTC: the reader may sit in another time zone."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ranges_text(ranges: Iterable[PortRange]) -> str:
    """Ranges as people write them: `10000-10049, 10060`."""
    return ", ".join(str(r) for r in ranges)


def numbers_at(
    project: Project, hop_id: str, protocol: Protocol, outside: Iterable[PortRange]
) -> tuple[PortRange, ...]:
    """The port numbers on which probes of these client ports arrive at a hop, in ascending order."""
    position = project.index(hop_id)
    numbers: list[int] = []
    for plan in project.ports:
        if plan.protocol is not protocol:
            continue
        shift = arrival_numbers(project.hops, plan, plan.outside.first)[position] - plan.outside.first
        numbers += [number + shift for wanted in outside for number in _overlap(plan.outside, wanted)]
    return merge(numbers)


def _overlap(a: PortRange, b: PortRange) -> range:
    return range(max(a.first, b.first), min(a.last, b.last) + 1)


@dataclass(frozen=True, slots=True)
class PortGroup:
    """Ports of one hop that are in one state for one reason; `outside` are clients' numbers, `here` the hop's own."""

    protocol: Protocol
    state: State
    reason: str
    outside: tuple[PortRange, ...]
    here: tuple[PortRange, ...]


def port_groups(project: Project, hop_id: str, rows: Iterable[tuple[PortRow, str]]) -> tuple[PortGroup, ...]:
    """A hop's rows, each with its reason in words, gathered so that each state and reason is said once."""
    gathered: dict[tuple[Protocol, State, str], list[PortRange]] = {}
    for row, reason in rows:
        gathered.setdefault((row.protocol, row.state, reason), []).append(row.outside)
    return tuple(
        PortGroup(protocol, state, reason, tuple(ranges), numbers_at(project, hop_id, protocol, ranges))
        for (protocol, state, reason), ranges in gathered.items()
    )


@dataclass(frozen=True, slots=True)
class Observed:
    """Observations that differ in the port number and the time only.

    `rtt_ms` is the least and the greatest; `seen_as` and `came_in_on` are addresses without ports unless there is
    one observation; `shift` is how far the port that the probe came in on lies from the one it was sent to.
    """

    vantage: str
    enters: str
    address: str
    protocol: Protocol
    ports: PortRange
    outcome: Outcome
    count: int
    rtt_ms: tuple[float, float] | None
    seen_as: str | None
    error: str | None
    stands_at: str | None
    came_in_on: str | None
    source: str | None


def observed(project: Project, observations: Iterable[Observation]) -> tuple[Observed, ...]:
    """Observations in few rows: by place, entry, protocol, then port."""
    alike: dict[tuple[object, ...], list[Observation]] = {}
    places: dict[str, int] = {}
    for observation in observations:
        places.setdefault(observation.vantage, len(places))
        alike.setdefault(_alike(observation), []).append(observation)
    rows = [_row(run) for group in alike.values() for run in _runs(group)]
    order = {hop.id: position for position, hop in enumerate(project.hops)}
    return tuple(
        sorted(rows, key=lambda r: (places[r.vantage], order.get(r.enters, -1), r.protocol, r.ports, r.outcome))
    )


def _alike(o: Observation) -> tuple[object, ...]:
    came_host, came_port = split_port(o.came_in_on)
    shift = None if came_port is None else came_port - o.port
    seen_host, _ = split_port(o.seen_as)
    place = (o.vantage, o.enters, o.address, o.protocol, o.source)
    return (*place, o.outcome, seen_host, o.error, o.stands_at, came_host, shift)


def split_port(address: str | None) -> tuple[str | None, int | None]:
    """`192.0.2.1:5000` and `[2001:db8::1]:5000` in their two parts; no port where there is none."""
    if address is None:
        return None, None
    host, colon, port = address.rpartition(":")
    bare = ":" in host and not host.startswith("[")
    if not colon or bare or not (port.isascii() and port.isdigit()):
        return address, None
    return host.strip("[]"), int(port)


def _runs(alike: list[Observation]) -> list[list[Observation]]:
    runs: list[list[Observation]] = []
    for observation in sorted(alike, key=lambda o: o.port):
        if runs and observation.port <= runs[-1][-1].port + 1:
            runs[-1].append(observation)
        else:
            runs.append([observation])
    return runs


def _row(run: list[Observation]) -> Observed:
    first, last = run[0], run[-1]
    times = [o.rtt_ms for o in run if o.rtt_ms is not None]
    return Observed(
        vantage=first.vantage,
        enters=first.enters,
        address=first.address,
        protocol=first.protocol,
        ports=PortRange(first.port, last.port),
        outcome=first.outcome,
        count=len(run),
        rtt_ms=(min(times), max(times)) if times else None,
        seen_as=first.seen_as if len(run) == 1 else split_port(first.seen_as)[0],
        error=first.error,
        stands_at=first.stands_at,
        came_in_on=_came_in_on(first, last),
        source=first.source,
    )


def _came_in_on(first: Observation, last: Observation) -> str | None:
    _, port = split_port(last.came_in_on)
    if first.came_in_on == last.came_in_on or port is None:
        return first.came_in_on
    return f"{first.came_in_on}-{port}"


def details(row: Observed, project: Project, language: str) -> str:
    """What is told of the observations beside their outcome, in words."""
    said: list[str] = []
    if row.error:
        said.append(row.error)
    if row.stands_at and row.came_in_on:
        titles = {hop.id: hop.title for hop in project.hops}
        hop = titles.get(row.stands_at, row.stands_at)
        said.append(wording("answered-by", language, hop=hop, address=row.came_in_on))
    if row.seen_as:
        said.append(wording("seen-as", language, address=row.seen_as))
    if row.source:
        said.append(wording("sent-from", language, network=row.source))
    if row.rtt_ms:
        low, high = (f"{time:.1f}" for time in row.rtt_ms)
        said.append(wording("rtt" if low == high else "rtt-range", language, low=low, high=high))
    if row.count > len(row.ports):
        said.append(wording("times", language, count=row.count))
    return wording("places", language).join(said)
