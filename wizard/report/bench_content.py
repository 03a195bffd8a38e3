"""What a report on STUN and TURN servers says, in the order it is read; the presenters choose how to show it."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from wizard.audit.finding import Audit
from wizard.audit.words import finding_words, not_checked_words, phrase
from wizard.diagnosis.verdict import Severity, State
from wizard.model.resource import resource
from wizard.probes.candidate import CandidateError, ServerTried
from wizard.probes.relay_quality import VIDEO_BYTES, VOICE_BYTES, Progress, Quality
from wizard.probes.relay_verdict import Grade
from wizard.probes.server_verdict import Verdict
from wizard.report import nat, turn
from wizard.report.audit import count_words
from wizard.report.bench import BenchResult
from wizard.report.ice import Beside, IceResult, cells, different_errors, headline, preferred_first, sentence_words
from wizard.report.nat import NatResult, Sign
from wizard.report.summary import moment
from wizard.report.turn import TurnResult, told, verdict_words
from wizard.report.wording import wording
from wizard.wire.media import Delay, Figures


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading."""

    title: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading within a chapter."""

    title: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A verdict with its mark."""

    text: str
    state: State


@dataclass(frozen=True, slots=True)
class Listed:
    """Lines that belong together."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A cell of a table: literal text such as an address is shown as such, a state by its mark."""

    text: str
    literal: bool = False
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; `shares` are the columns' parts of the width."""

    head: tuple[str, ...]
    shares: tuple[float, ...]
    rows: tuple[tuple[Field, ...], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was found: why, what to do, and what is to be copied."""

    number: int
    severity: Severity
    title: str
    texts: tuple[str, ...]
    remedy: str | None = None
    copied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """How the round trip went over time."""

    moments: tuple[Progress, ...]
    title: str


Block = Chapter | Section | Prose | Marked | Listed | Grid | Item | Plot

_STATE = {Grade.OK: State.OPEN, Grade.POOR: State.SUSPECT, Grade.FAILED: State.BLOCKED}
_SEVERITY = {Grade.OK: Severity.INFO, Grade.POOR: Severity.WARNING, Grade.FAILED: Severity.ERROR}
_SIGN = {Sign.FINE: State.OPEN, Sign.LIMITS: State.SUSPECT, Sign.GREY: State.UNKNOWN}


def say(kind: str, key: str, language: str, **values: object) -> str:
    """Words of the catalogue with their gaps filled. Raises KeyError for what it lacks."""
    return str(_catalogue(language)[kind][key]).format(**values)


@cache
def _catalogue(language: str) -> dict[str, Any]:
    return tomllib.loads(resource("bench", f"{language}.toml").read_text(encoding="utf-8"))


def title_of(language: str) -> str:
    """What the report is called."""
    return say("phrase", "title", language)


def tested(bench: BenchResult, language: str) -> str:
    """When it was tested, and for how long."""
    return wording("tested", language, when=moment(bench.started), seconds=f"{bench.seconds:.1f}")


def blocks(bench: BenchResult, language: str) -> Iterator[Block]:
    """Everything, part by part."""
    if bench.ice is not None:
        yield from _Ice(bench.ice, language).blocks()
    if bench.turn is not None:
        yield from _relay(bench.turn, language)
    if bench.nat is not None:
        yield from _nat(bench.nat, language)
    if bench.audit is not None:
        yield from _audit(bench.audit, language)


def _head(language: str, *keys: str) -> tuple[str, ...]:
    return tuple(say("column", key, language) for key in keys)


class _Ice:
    def __init__(self, result: IceResult, language: str) -> None:
        self._result = result
        self._language = language

    def blocks(self) -> Iterator[Block]:
        yield Chapter(self._say("servers"))
        yield self._verdict()
        yield Grid(
            _head(self._language, "verdict", "server", "transport", "family", "rtt", "seconds"),
            (18, 40, 11, 9, 12, 10),
            tuple(self._row(server) for server in self._result.servers),
        )
        errors = list(different_errors(self._result, self._language))
        if errors:
            yield Section(self._say("errors"))
        for number, (error, words) in enumerate(errors, start=1):
            yield Item(number, self._severity(error), headline(error, self._language), (words.cause,), words.remedy)
        yield from self._candidates()

    def _say(self, key: str, **values: object) -> str:
        return say("phrase", key, self._language, **values)

    def _verdict(self) -> Marked:
        total = len(self._result.servers)
        good = sum(server.verdict is Verdict.OK for server in self._result.servers)
        if not good:
            return Marked(self._say("servers-none"), State.BLOCKED)
        if good == total:
            return Marked(self._say("servers-ok"), State.OPEN)
        return Marked(self._say("servers-some", good=good, total=total), State.SUSPECT)

    def _severity(self, error: CandidateError) -> Severity:
        if self._result.harmless(error) or error.sentence.verdict is Verdict.OK:
            return Severity.INFO
        return Severity.WARNING if self._result.beside(error) is Beside.ADDRESS else Severity.ERROR

    def _harmless(self, server: ServerTried) -> bool:
        tried = (server.url, server.transport, server.family)
        errors = (e for e in self._result.errors if (e.url, e.transport, e.family) == tried)
        return any(self._result.harmless(error) for error in errors)

    def _row(self, server: ServerTried) -> tuple[Field, ...]:
        word, state = say("verdict", server.verdict, self._language), State.BLOCKED
        if server.verdict is Verdict.OK:
            state = State.OPEN
        elif self._harmless(server):
            word, state = f"{word}{wording('comma', self._language)}{self._say('harmless')}", State.UNKNOWN
        rtt = "" if server.rtt_ms is None else wording("rtt", self._language, low=f"{server.rtt_ms:.1f}")
        return (
            Field(word, state=state),
            Field(server.url, literal=True),
            Field(server.transport),
            Field(f"IPv{server.family}"),
            Field(rtt),
            Field(say("plot", "seconds", self._language, seconds=f"{server.seconds:.2f}")),
        )

    def _candidates(self) -> Iterator[Block]:
        yield Chapter(self._say("candidates"))
        if self._result.candidates:
            yield Grid(
                _head(
                    self._language,
                    *("time", "type", "foundation", "protocol", "address"),
                    *("port", "priority", "url", "relay-protocol"),
                ),
                (6.5, 6.5, 11.5, 8.5, 14, 6.5, 17, 20.5, 9),
                tuple(
                    tuple(Field(cell, literal=place in (2, 4, 5, 6, 7)) for place, cell in enumerate(cells(one)))
                    for one in preferred_first(self._result.candidates)
                ),
            )
        else:
            yield Prose(self._say("no-candidates"))
        yield Section(self._say("kinds"))
        kinds = ("host", "prflx", "srflx", "relay")
        yield Listed(tuple(say("kind", kind, self._language) for kind in kinds))
        yield Prose(self._say("order"))


def _relay(result: TurnResult, language: str) -> Iterator[Block]:
    yield Chapter(say("phrase", "relay", language))
    yield Marked(f"{result.url}{wording('colon', language)}{verdict_words(result, language)}", _STATE[result.grade])
    if result.measured is not None:
        rows = tuple((Field(label), Field(text)) for label, text in turn.figures(result.measured, language))
        if rows:
            yield Grid(_head(language, "figure", "value"), (18, 82), rows)
        if result.measured.quality.ways:
            yield Section(say("phrase", "streams", language))
            yield _streams(result.measured.quality, language)
    if sum(one.delay is not None for one in result.moments) > 1:
        yield Plot(result.moments, say("phrase", "plot", language))
    if result.reasons:
        yield Section(say("phrase", "reasons", language))
    for number, reason in enumerate(result.reasons, start=1):
        words = told(reason, language)
        yield Item(number, _SEVERITY[words.grade], words.text, (), words.remedy)


def _streams(quality: Quality, language: str) -> Grid:
    rows = [
        (
            Field(say("direction", way.name, language)),
            Field(say("media", name, language, bytes=size)),
            Field(str(figures.sent)),
            Field(f"{figures.lost} ({figures.loss_percent:.2f} %)"),
            Field(f"{figures.reordered}, {figures.duplicates}"),
            Field(_delay(figures.delay)),
            Field(_jitter(figures)),
        )
        for way in quality.ways
        for name, figures, size in (("voice", way.voice, VOICE_BYTES), ("video", way.video, VIDEO_BYTES))
    ]
    head = _head(language, "direction", "media", "sent", "lost", "disorder", "delay", "jitter")
    return Grid(head, (20, 17, 8, 13, 13, 17, 12), tuple(rows))


def _delay(delay: Delay | None) -> str:
    return "" if delay is None else f"{delay.min_ms:.1f} / {delay.median_ms:.1f} / {delay.p95_ms:.1f}"


def _jitter(figures: Figures) -> str:
    if figures.jitter_ms is None or figures.jitter_peak_ms is None:
        return ""
    return f"{figures.jitter_ms:.1f} / {figures.jitter_peak_ms:.1f}"


def _nat(result: NatResult, language: str) -> Iterator[Block]:
    need, reason, sign = nat.need_words(result.verdict, language)
    yield Chapter(say("phrase", "nat", language))
    yield Marked(need, _SIGN[sign])
    yield Prose(reason)
    if result.survey.measured.sights:
        yield Section(say("phrase", "traits", language))
        yield Grid(
            _head(language, "trait", "value", "meaning"),
            (18, 22, 60),
            tuple(
                (Field(trait.label), Field(trait.value, state=_SIGN[trait.sign]), Field(trait.meaning))
                for trait in nat.traits(result.verdict, language)
            ),
        )
    yield Section(say("phrase", "asked", language))
    origin = nat.origin_words(result.verdict, result.interface, language)
    if origin is not None:
        yield Prose(origin)
    servers = result.survey.servers
    rows = tuple((Field(one.uri.text, literal=True), Field(nat.seen_words(one, language))) for one in servers)
    yield Grid(_head(language, "server", "seen"), (40, 60), rows)
    faults = [(one, one.fault) for one in servers if one.fault is not None]
    if faults:
        yield Section(say("phrase", "unanswered", language))
    for number, (one, fault) in enumerate(faults, start=1):
        words = nat.fault_words(fault, language)
        # What the others saw stands: it only tells less.
        title = f"{one.uri.text}{wording('colon', language)}{sentence_words(fault, language)}"
        yield Item(number, Severity.WARNING, title, (words.cause,), words.remedy)


def _audit(audit: Audit, language: str) -> Iterator[Block]:
    severities = {finding.severity for finding in audit.findings}
    state = State.BLOCKED if Severity.ERROR in severities else State.SUSPECT
    yield Chapter(say("phrase", "audit", language))
    said = f"{audit.target}{wording('colon', language)}{count_words(audit, language)}"
    yield Marked(said, State.OPEN if audit.passed else state)
    for number, finding in enumerate(audit.findings, start=1):
        words = finding_words(finding, language)
        minutes = phrase("minutes", language, count=finding.minutes)
        where = f"{finding.where}{wording('places', language)}{minutes}"
        yield Item(number, finding.severity, words.title, (where, words.detail), None, finding.change)
    if audit.unknown_options:
        yield Section(_heading(phrase("unknown", language)))
        unnamed = phrase("unnamed", language)
        names = [phrase("line", language, line=one.line, name=one.name or unnamed) for one in audit.unknown_options]
        yield Listed(tuple(names))
    if audit.not_checked:
        yield Section(_heading(phrase("not-checked", language)))
        yield _missing(audit, language)


def _heading(text: str) -> str:
    return text.rstrip(string.punctuation + "：")


def _missing(audit: Audit, language: str) -> Grid:
    told_of = [not_checked_words(missing, language) for missing in audit.not_checked]
    rows: Sequence[tuple[Field, ...]] = [(Field(words.title), Field(words.detail)) for words in told_of]
    return Grid(_head(language, "missing", "how"), (45, 55), tuple(rows))
