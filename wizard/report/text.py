"""The result as a person reads it at a glance in a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from wizard.diagnosis.history import Change
from wizard.diagnosis.verdict import Finding, HopVerdict, Severity, State
from wizard.diagnosis.words import Words, say, words
from wizard.model.project import Project
from wizard.report.changes import change_text
from wizard.report.summary import PortGroup, moment, port_groups, ranges_text, sentence
from wizard.report.wording import ENGLISH, wording
from wizard.report.wrap import columns, pad, printable, wrap

if TYPE_CHECKING:
    from wizard.progress import Result

_NARROWEST, _WIDEST = 40, 200
_MARKS = {State.OPEN: "✔", State.BLOCKED: "✖", State.SUSPECT: "▲", State.UNKNOWN: "?"}
_ASCII_MARKS = {State.OPEN: "+", State.BLOCKED: "x", State.SUSPECT: "!", State.UNKNOWN: "?"}
_LINE, _ASCII_LINE = "│", "|"
_COLOURS = {State.OPEN: "32", State.BLOCKED: "1;31", State.SUSPECT: "33", State.UNKNOWN: "2"}
_STATE_OF = {Severity.ERROR: State.BLOCKED, Severity.WARNING: State.SUSPECT, Severity.INFO: State.OPEN}
_ASCII_FOR = str.maketrans({"→": "->", "–": "-", "—": "-", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'"})


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the text is printed on."""

    columns: int = 80
    colour: bool = False
    encoding: str = "utf-8"

    @property
    def draws(self) -> bool:
        """Whether it has the marks and lines; without them ASCII takes their place."""
        try:
            (_LINE + "→".join(_MARKS.values())).encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True


def terminal(stream: TextIO, environ: Mapping[str, str]) -> Terminal:
    """What `stream` is. Colour only on a terminal that has it, and never where NO_COLOR is set."""
    is_terminal = stream.isatty()
    colour = is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Terminal(_width(stream, environ, is_terminal), colour, getattr(stream, "encoding", None) or "ascii")


def _width(stream: TextIO, environ: Mapping[str, str], is_terminal: bool) -> int:
    given = environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80 if is_terminal else 80
    except (OSError, ValueError):
        return 80


def to_text(result: Result, on: Terminal = Terminal(), language: str = ENGLISH) -> str:
    """The path with its state at each hop, the findings with what to do, and the verdict in one sentence.

    No line is wider than the terminal, but for what is there to be copied.
    """
    return _Page(on, result.project, language).whole(result)


def change_line(project: Project, change: Change, on: Terminal, language: str = ENGLISH) -> str:
    """One change on one line, with the time of day here: `14:03:22 ✖ udp 30160-30170: open → blocked, at router`."""
    marks = _MARKS if on.draws else _ASCII_MARKS
    said = printable(change_text(project, change, language))
    line = f"{change.at.astimezone():%H:%M:%S} {marks[change.now]} {said if on.draws else said.translate(_ASCII_FOR)}"
    encoded = line.encode(on.encoding, "replace").decode(on.encoding)
    return f"\x1b[{_COLOURS[change.now]}m{encoded}\x1b[0m" if on.colour else encoded


class _Page:
    """Lines for one terminal and language."""

    def __init__(self, on: Terminal, project: Project, language: str) -> None:
        self._on = on
        self._project = project
        self._language = language
        self._columns = min(max(on.columns, _NARROWEST), _WIDEST)
        self._marks = _MARKS if on.draws else _ASCII_MARKS
        self._line = _LINE if on.draws else _ASCII_LINE
        self._word_width = max(columns(self._word(state)) for state in State)

    def whole(self, result: Result) -> str:
        lines = [*self._head(result), "", *self._chain(result), ""]
        for number, finding in enumerate(result.diagnosis.findings, start=1):
            lines += [*self._finding(number, finding), ""]
        state = result.diagnosis.state
        lines += self._flow(
            sentence(self._project, result.diagnosis, self._language), f"{self._marks[state]} ", "  ", state
        )
        return "\n".join(self._encoded(line) for line in lines)

    def _head(self, result: Result) -> Iterator[str]:
        yield from self._flow(self._project.name)
        when = wording("tested", self._language, when=moment(result.started), seconds=f"{result.seconds:.1f}")
        yield from self._flow(when)

    def _chain(self, result: Result) -> Iterator[str]:
        yield from self._flow(wording("clients", self._language, address=self._project.public_address), "  ")
        for position, verdict in enumerate(result.diagnosis.hops):
            yield from self._places(result, position)
            yield from self._hop(verdict)
        yield from self._places(result, len(result.diagnosis.hops))

    def _places(self, result: Result, position: int) -> Iterator[str]:
        """The line into a hop, with the places just outward of it that probes were sent from."""
        used = {observation.vantage for observation in result.observations}
        here = [
            vantage.id
            for vantage in self._project.places()
            if vantage.id in used
            and position == (0 if vantage.beyond is None else self._project.index(vantage.beyond) + 1)
        ]
        if position < len(self._project.hops):
            yield self._line
        if here:
            places = wording("list", self._language).join(here)
            yield from self._flow(wording("tested-from", self._language, places=places), f"{self._line} <- ")

    def _hop(self, verdict: HopVerdict) -> Iterator[str]:
        hop = self._project.hop(verdict.id)
        kind = wording(f"kind-{hop.kind.value}", self._language)
        name = hop.title if kind in hop.title.lower() else f"{hop.title} ({kind})"
        title = f"{name}  {hop.address}" if hop.address else name
        head = f"{self._marks[verdict.state]} {pad(self._word(verdict.state), self._word_width)}  "
        below = self._line + " " * (columns(head) - 1)
        yield from self._flow(title, head, below, verdict.state, paint_first=columns(head) - 2)
        rows = ((row, say(row.reason, self._language) if row.reason else "") for row in verdict.ports)
        for group in port_groups(self._project, verdict.id, rows):
            yield from self._flow(self._group(group), below, below + "  ")

    def _group(self, group: PortGroup) -> str:
        numbers = f"{group.protocol} {ranges_text(group.outside)}"
        if group.here != group.outside:
            numbers += f" ({wording('here', self._language, numbers=ranges_text(group.here))})"
        said = numbers + wording("colon", self._language) + self._word(group.state)
        # That an answer proves a port open goes without saying, and most rows are open.
        if group.state is State.OPEN or not group.reason:
            return said
        return said + wording("comma", self._language) + group.reason

    def _finding(self, number: int, finding: Finding) -> Iterator[str]:
        said = words(finding, self._language)
        state = _STATE_OF[finding.severity]
        severity = wording(f"severity-{finding.severity}", self._language)
        colon = wording("colon", self._language)
        head = f"{number}. {severity}{colon}"
        yield from self._flow(said.title, head, "   ", state, paint_first=columns(head))
        yield from self._flow(said.detail, "   ")
        yield from self._said(said)

    def _said(self, said: Words) -> Iterator[str]:
        if said.evidence:
            yield from self._flow(wording("evidence", self._language) + wording("colon", self._language), "   ")
            for line in said.evidence:
                yield from self._flow(line, "   - ", "     ")
        if said.remedy:
            yield from self._flow(wording("remedy", self._language) + wording("colon", self._language), "   ")
            for line in said.remedy:
                # Four spaces mark what is to be copied: a line break in it would be copied as well.
                if line.startswith("    "):
                    yield "     " + printable(line)
                else:
                    yield from self._flow(line, "     ")
        if said.next_test:
            head = wording("next-test", self._language) + wording("colon", self._language)
            yield from self._flow(head + said.next_test, "   ")

    def _word(self, state: State) -> str:
        return wording(f"state-{state}", self._language)

    def _flow(
        self, text: str, first: str = "", rest: str | None = None, state: State | None = None, paint_first: int = 0
    ) -> Iterator[str]:
        """Lines of `text` after `first`, the following ones after `rest`; painted whole, or as far as `paint_first`."""
        rest = first if rest is None else rest
        clean = printable(text) if self._on.draws else printable(text).translate(_ASCII_FOR)
        for number, line in enumerate(wrap(clean, self._columns - max(columns(first), columns(rest))) or [""]):
            full = (rest if number else first) + line
            if state is None or not self._on.colour:
                yield full.rstrip()
            elif paint_first:
                yield full if number else self._painted(first.rstrip(), state) + full[len(first.rstrip()) :]
            else:
                yield self._painted(full, state)

    def _painted(self, text: str, state: State) -> str:
        return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m"

    def _encoded(self, line: str) -> str:
        try:
            return line.encode(self._on.encoding, "replace").decode(self._on.encoding)
        except LookupError:
            return line.encode("ascii", "replace").decode("ascii")
