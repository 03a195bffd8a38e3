"""The result as a PDF: the verdict, the path as a picture, ports, findings with what to do, all observations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.diagnosis.history import Past
from wizard.diagnosis.verdict import Finding, Severity, State
from wizard.diagnosis.words import say, words
from wizard.gui.diagram.letters import mono, sans
from wizard.gui.diagram.model import StripsModel, diagram_model, strips_model
from wizard.gui.diagram.paint import diagram_height, paint_diagram
from wizard.gui.diagram.strips import paint_strips, strips_height
from wizard.gui.palette import LIGHT
from wizard.gui.pdf_flow import PAGE_HEIGHT, TALLEST_PICTURE, WIDTH, Cell
from wizard.gui.pdf_sheet import INDENT, Sheet, typesetter
from wizard.model.atomic import write_whole
from wizard.report.changes import change_text, duration, uptime_rows
from wizard.report.redact import redact as redacted
from wizard.report.summary import details, moment, observed, port_groups, ranges_text, sentence
from wizard.report.wording import ENGLISH, wording
from wizard.report.wrap import printable

if TYPE_CHECKING:
    from wizard.progress import Result

_PICTURE = 0.86
"""Scale of the pictures: small enough for five hops in one row, large enough to be read on paper."""

_STATE_OF = {Severity.ERROR: State.BLOCKED, Severity.WARNING: State.SUSPECT, Severity.INFO: State.OPEN}


def write_pdf(result: Result, path: Path, language: str = ENGLISH, *, redact: bool = False) -> None:
    """Write the report to `path`, whole or not at all; `redact` leaves out addresses and names.

    Raises OSError if the file cannot be written.
    """
    write_whole(path, pdf_bytes(result, language, redact=redact))


def pdf_bytes(result: Result, language: str = ENGLISH, *, redact: bool = False) -> bytes:
    """The report as the bytes of a PDF."""
    application = typesetter()
    assert application is not None
    return _Report(redacted(result) if redact else result, language).document()


class _Report:
    """One report in one language."""

    def __init__(self, result: Result, language: str) -> None:
        self._result = result
        self._language = language
        self._sheet = Sheet(language)
        self._flow = self._sheet.flow

    def document(self) -> bytes:
        name = printable(self._result.project.name)
        self._opening(name)
        self._path()
        self._ports()
        self._findings()
        if self._result.past is not None:
            self._past(self._result.past)
        self._observations()
        drawn = [sans(12), sans(12, bold=True), mono(11)]
        return self._sheet.document(f"{name} – {self._say('title')}", self._result.started, drawn)

    def _say(self, key: str, **values: object) -> str:
        return wording(key, self._language, **values)

    def _opening(self, name: str) -> None:
        result = self._result
        when = self._say("tested", when=moment(result.started), seconds=f"{result.seconds:.1f}")
        self._sheet.opening(name, when)
        self._sheet.verdict(sentence(result.project, result.diagnosis, self._language), result.diagnosis.state)

    def _path(self) -> None:
        model = diagram_model(self._result.project, self._result.diagnosis, self._language)
        self._flow.written.update(repr(model), "…")
        height = diagram_height(model, WIDTH / _PICTURE)
        self._sheet.chapter(self._say("path"), min(height * _PICTURE, TALLEST_PICTURE))
        self._flow.picture(height, lambda painter, rect: paint_diagram(painter, rect, model, LIGHT), _PICTURE)

    def _ports(self) -> None:
        project, diagnosis = self._result.project, self._result.diagnosis
        self._sheet.chapter(self._say("ports"))
        model = strips_model(project, diagnosis, self._language)
        self._flow.written.update(repr(model), "…")
        for part in self._strips(model):
            height = strips_height(part, WIDTH / _PICTURE)
            self._flow.picture(height, lambda p, rect, part=part: paint_strips(p, rect, part, LIGHT), _PICTURE)  # type: ignore[misc]
            self._flow.gap(10)
        rows = [
            [
                Cell(project.hop(verdict.id).title, self._sheet.cell),
                Cell(f"{group.protocol} {ranges_text(group.outside)}", self._sheet.numbers),
                Cell(ranges_text(group.here), self._sheet.numbers),
                self._sheet.state(self._say(f"state-{group.state}"), group.state),
                Cell(group.reason, self._sheet.cell),
            ]
            for verdict in diagnosis.hops
            for group in port_groups(
                project,
                verdict.id,
                ((row, say(row.reason, self._language) if row.reason else "") for row in verdict.ports),
            )
        ]
        self._table(("hop", "outside", "numbers", "state", "reason"), (20, 22, 18, 13, 27), rows)

    def _strips(self, model: StripsModel) -> Iterable[StripsModel]:
        """The strips in parts that fit on a page."""
        part: tuple[int, int] = (0, 0)
        for end in range(1, len(model.segments) + 1):
            if end - part[0] > 1 and self._strips_height(model, part[0], end) > PAGE_HEIGHT * 0.6:
                yield StripsModel(model.hops, model.segments[part[0] : end - 1], model.legend)
                part = (end - 1, end)
        yield StripsModel(model.hops, model.segments[part[0] :], model.legend)

    def _strips_height(self, model: StripsModel, start: int, end: int) -> float:
        return strips_height(StripsModel(model.hops, model.segments[start:end], model.legend), WIDTH / _PICTURE)

    def _findings(self) -> None:
        self._sheet.chapter(self._say("findings"))
        if not self._result.diagnosis.findings:
            self._flow.text(self._say("no-findings"), self._sheet.body)
        for number, finding in enumerate(self._result.diagnosis.findings, start=1):
            self._finding(number, finding)

    def _past(self, past: Past) -> None:
        cell, numbers = self._sheet.cell, self._sheet.numbers
        self._sheet.chapter(self._say("changes"))
        said = self._say("watched", began=moment(past.began), until=moment(past.until))
        self._flow.text(said, self._sheet.body)
        if not past.changes:
            self._flow.text(self._say("no-changes"), self._sheet.body)
            return
        changes = [
            [Cell(moment(each.at), numbers), Cell(change_text(self._result.project, each, self._language), cell)]
            for each in past.changes
        ]
        self._table(("time", "change-heading"), (28, 72), changes)
        self._flow.gap(10)
        rows = [
            [
                Cell(f"{protocol} {outside}", numbers),
                *(Cell(text, numbers) for text in (str(each.ups), str(each.downs))),
                *(Cell(duration(time), numbers) for time in (each.up, each.down)),
            ]
            for protocol, outside, each in uptime_rows(past)
        ]
        self._table(("outside", "ups", "downs", "up", "down"), (28, 18, 18, 18, 18), rows)

    def _finding(self, number: int, finding: Finding) -> None:
        said = words(finding, self._language)
        flow, body = self._flow, self._sheet.body
        self._sheet.finding(number, finding.severity, said.title, _STATE_OF[finding.severity])
        flow.text(said.detail, body, INDENT)
        if said.evidence:
            self._sheet.labelled(self._say("evidence"))
            for line in said.evidence:
                flow.listed(line, body, INDENT)
        if said.remedy:
            self._sheet.labelled(self._say("remedy"))
            self._remedy(said.remedy)
        if said.next_test:
            self._sheet.labelled(self._say("next-test"))
            flow.text(said.next_test, body, INDENT)

    def _remedy(self, lines: Sequence[str]) -> None:
        """Sentences as paragraphs; what is to be copied, which four spaces mark, in blocks."""
        block: list[str] = []
        for line in (*lines, ""):
            if line.startswith("    "):
                block.append(line.removeprefix("    "))
                continue
            if block:
                self._sheet.copied(block)
                block = []
            if line:
                self._flow.text(line, self._sheet.body, INDENT)

    def _observations(self) -> None:
        self._sheet.chapter(self._say("observations"))
        project = self._result.project
        titles = {hop.id: hop.title for hop in project.hops}
        rows = [
            [
                Cell(row.vantage, self._sheet.cell),
                Cell(titles.get(row.enters, row.enters), self._sheet.cell),
                Cell(row.address, self._sheet.numbers),
                Cell(f"{row.protocol} {row.ports}", self._sheet.numbers),
                Cell(self._say(f"outcome-{row.outcome}"), self._sheet.cell),
                Cell(details(row, project, self._language), self._sheet.cell),
            ]
            for row in observed(project, self._result.observations)
        ]
        if not rows:
            self._flow.text(self._say("no-observations"), self._sheet.body)
            return
        self._table(("from", "enters", "address", "port", "outcome", "details"), (13, 15, 17, 17, 15, 33), rows)

    def _table(self, keys: Sequence[str], shares: Sequence[float], rows: Sequence[Sequence[Cell]]) -> None:
        self._sheet.table([self._say(key) for key in keys], shares, rows)
