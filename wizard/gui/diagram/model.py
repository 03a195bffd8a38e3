"""What the diagram and the strips show: plain values, made from a project and what is known of it."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wizard.diagnosis.verdict import Diagnosis, HopVerdict, PortRow, State
from wizard.gui.diagram.words import DiagramWords, diagram_words
from wizard.model.hop import HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project, arrival_numbers
from wizard.model.vantage import Vantage


class Link(enum.Enum):
    """How the line between two cards is drawn."""

    PLAIN = "plain"
    """Nothing has been tested."""
    PROVEN = "proven"
    UNPROVEN = "unproven"
    SUSPECT = "suspect"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Card:
    """One hop as it is drawn. `state` is None before a test."""

    id: str
    kind: HopKind
    title: str
    address: str
    numbers: tuple[str, ...]
    state: State | None
    word: str
    link: Link
    """The line that leads into it."""


@dataclass(frozen=True, slots=True)
class Eye:
    """A place that tests come from, or where they were seen: just outward of the card at `before`, 0 being outside."""

    id: str
    text: str
    before: int


@dataclass(frozen=True, slots=True)
class DiagramModel:
    """The whole picture. The card of the outside world comes first and is not among `cards`."""

    outside: str
    outside_note: str
    cards: tuple[Card, ...]
    eyes: tuple[Eye, ...]

    @property
    def spoken(self) -> str:
        """The picture in words, for those who do not see it."""
        return "; ".join(f"{card.title}: {card.word}" if card.word else card.title for card in self.cards)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring ports in one state."""

    ports: PortRange
    state: State | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One planned range over all hops. `rows` is parallel to `StripsModel.hops`."""

    name: str
    protocol: Protocol
    outside: PortRange
    rows: tuple[tuple[Stretch, ...], ...]


@dataclass(frozen=True, slots=True)
class StripsModel:
    """Ports at each hop: one row for each hop, one segment for each planned range."""

    hops: tuple[tuple[str, str], ...]
    """Id and title."""
    segments: tuple[Segment, ...]
    legend: tuple[tuple[State, str], ...]
    """The states that occur, with their words."""


def diagram_model(
    project: Project, diagnosis: Diagnosis | None, language: str = "en", *, states: bool = True
) -> DiagramModel:
    """The path of `project`, with what `diagnosis` says of it; None before a test.

    Without `states` the cards have no line for one: there the path is only described.
    """
    words = diagram_words(language)
    verdicts = {verdict.id: verdict for verdict in diagnosis.hops} if diagnosis else {}
    total = sum(len(plan.outside) for plan in project.ports)
    cards: list[Card] = []
    for position, hop in enumerate(project.hops):
        verdict = verdicts.get(hop.id)
        cards.append(
            Card(
                id=hop.id,
                kind=hop.kind,
                title=hop.title,
                address=hop.address or "",
                numbers=_numbers(project, position, words),
                state=verdict.state if verdict else None,
                word=_word(verdict, total, words) if states else "",
                link=_link(cards[-1].state if cards else None, verdict, position),
            )
        )
    return DiagramModel(
        outside=words.outside,
        outside_note=words.clients,
        cards=tuple(cards),
        eyes=(*(_eye(project, vantage, words) for vantage in project.places()), *_cards(project, diagnosis, words)),
    )


def strips_model(project: Project, diagnosis: Diagnosis | None, language: str = "en") -> StripsModel:
    """Every planned range at every hop of `project`, with what `diagnosis` says of it."""
    words = diagram_words(language)
    verdicts = {verdict.id: verdict for verdict in diagnosis.hops} if diagnosis else {}
    segments = tuple(
        Segment(
            plan.name, plan.protocol, plan.outside, tuple(_stretches(plan, verdicts.get(h.id)) for h in project.hops)
        )
        for plan in project.ports
    )
    seen = {stretch.state for segment in segments for row in segment.rows for stretch in row}
    return StripsModel(
        hops=tuple((hop.id, hop.title) for hop in project.hops),
        segments=segments,
        legend=tuple((state, words.states[state]) for state in State if state in seen),
    )


def count_by_state(rows: tuple[PortRow, ...]) -> Mapping[State, int]:
    """How many ports are in each state."""
    counts = dict.fromkeys(State, 0)
    for row in rows:
        counts[row.state] += len(row.outside)
    return counts


def written(ports: PortRange) -> str:
    """A range as people read it, with a proper dash."""
    return str(ports).replace("-", "–")


def _stretches(plan: PortPlan, verdict: HopVerdict | None) -> tuple[Stretch, ...]:
    if verdict is None:
        return (Stretch(plan.outside, None),)
    found: list[Stretch] = []
    for row in verdict.ports:
        first, last = max(row.outside.first, plan.outside.first), min(row.outside.last, plan.outside.last)
        if row.protocol is plan.protocol and first <= last:
            found.append(Stretch(PortRange(first, last), row.state))
    return tuple(sorted(found, key=lambda stretch: stretch.ports))


def _word(verdict: HopVerdict | None, total: int, words: DiagramWords) -> str:
    if total == 0:
        return words.nothing_planned
    if verdict is None:
        return words.not_tested
    counts = count_by_state(verdict.ports)
    if verdict.state is State.BLOCKED:
        blocked = counts[State.BLOCKED]
        return words.all_blocked if blocked == total > 1 else words.some_blocked.format(count=blocked)
    if verdict.state is State.SUSPECT:
        suspect = counts[State.SUSPECT]
        return words.all_suspect if suspect == total else words.some_suspect.format(count=suspect)
    if verdict.state is State.UNKNOWN and counts[State.OPEN]:
        return words.some_open.format(count=counts[State.OPEN], total=total)
    return words.states[verdict.state]


def _link(previous: State | None, verdict: HopVerdict | None, position: int) -> Link:
    if verdict is None:
        return Link.PLAIN
    if position == 0:
        # An answer across the first hop is the only proof that packets get as far as to it.
        return Link.PROVEN if count_by_state(verdict.ports)[State.OPEN] else Link.UNPROVEN
    if previous is State.BLOCKED:
        return Link.STOPPED
    if previous is State.SUSPECT:
        return Link.SUSPECT
    return Link.PROVEN if previous is State.OPEN else Link.UNPROVEN


def _numbers(project: Project, position: int, words: DiagramWords) -> tuple[str, ...]:
    """The port numbers valid at a hop; with an arrow where the hop is the one that changes them."""
    here: list[tuple[Protocol, int, int]] = []
    behind: list[tuple[Protocol, int, int]] = []
    inward = min(position + 1, len(project.hops) - 1)
    for plan in project.ports:
        numbers = arrival_numbers(project.hops, plan, plan.outside.first)
        size = len(plan.outside)
        here.append((plan.protocol, numbers[position], numbers[position] + size - 1))
        if numbers[inward] != numbers[position]:
            behind.append((plan.protocol, numbers[inward], numbers[inward] + size - 1))
    lines = [words.arrow.format(numbers=line) for line in _lines(behind)] or _lines(here)
    if len(lines) > 2:
        return (lines[0], words.more.format(count=len(lines) - 1))
    return tuple(lines)


def _lines(ranges: list[tuple[Protocol, int, int]]) -> list[str]:
    """Ranges as text, neighbours joined, the longest first."""
    joined: list[tuple[Protocol, int, int]] = []
    for protocol, first, last in sorted(ranges):
        if joined and joined[-1][0] is protocol and first <= joined[-1][2] + 1:
            joined[-1] = (protocol, joined[-1][1], max(last, joined[-1][2]))
        else:
            joined.append((protocol, first, last))
    joined.sort(key=lambda found: (found[1] - found[2], found[1]))
    return [f"{written(PortRange(first, min(last, 65535)))} {protocol}" for protocol, first, last in joined]


def _eye(project: Project, vantage: Vantage, words: DiagramWords) -> Eye:
    if project.vantages:
        text = words.vantages[vantage.kind].format(name=vantage.id, host=_host(vantage.server or ""))
    else:
        text = words.this_computer
    return Eye(vantage.id, text, 0 if vantage.beyond is None else project.index(vantage.beyond) + 1)


def _cards(project: Project, diagnosis: Diagnosis | None, words: DiagramWords) -> Iterator[Eye]:
    """Where the responder saw probes arrive that nobody answered."""
    for hop, count in diagnosis.stopped_behind_card if diagnosis else ():
        yield Eye(f"card-{hop}", words.at_card.format(count=count), project.index(hop))


def _host(uri: str) -> str:
    """The host of a TURN URI, with an IPv6 literal's brackets, without scheme, port and query."""
    found = re.match(r"(?:\w+:)?(\[[^]]*\]|[^:?]*)", uri)
    return found.group(1) if found else ""
