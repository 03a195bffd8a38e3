"""The result as a PDF: the verdict, the path as a picture, ports, findings with what to do, all observations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QPointF, QRectF
from PySide6.QtGui import QColor, QGuiApplication, QPageSize, QPainter, QPdfWriter

from wizard.diagnosis.verdict import Finding, Severity, State
from wizard.diagnosis.words import say, words
from wizard.gui.diagram.letters import mono, sans
from wizard.gui.diagram.marks import paint_mark
from wizard.gui.diagram.model import StripsModel, diagram_model, strips_model
from wizard.gui.diagram.paint import diagram_height, paint_diagram
from wizard.gui.diagram.strips import paint_strips, strips_height
from wizard.gui.palette import LIGHT
from wizard.gui.pdf_flow import MARGIN, PAGE_HEIGHT, PAGE_WIDTH, TALLEST_PICTURE, WIDTH, Cell, Flow, Style, face
from wizard.gui.pdf_mend import mend
from wizard.model.atomic import write_whole
from wizard.report.redact import redact as redacted
from wizard.report.summary import details, moment, observed, port_groups, ranges_text, sentence
from wizard.report.wording import ENGLISH, wording
from wizard.report.wrap import printable

if TYPE_CHECKING:
    from wizard.session import Result

_DOTS_PER_INCH = 1200
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
    # Qt sets no type without an application; a window's own is there already.
    application = QGuiApplication.instance() or QGuiApplication(["hopwise", "-platform", "offscreen"])
    assert application is not None
    return _Report(redacted(result) if redact else result, language).document()


class _Report:
    """One report in one language."""

    def __init__(self, result: Result, language: str) -> None:
        self._result = result
        self._language = language
        self._flow = Flow(LIGHT)
        self._title = Style(face(24, bold=True), LIGHT.text)
        self._heading = Style(face(16, bold=True), LIGHT.text)
        self._finding_title = Style(face(13, bold=True), LIGHT.text)
        self._label = Style(face(11, bold=True), LIGHT.muted)
        self._body = Style(face(12), LIGHT.text)
        self._small = Style(face(11), LIGHT.muted)
        self._cell = Style(face(10), LIGHT.text)
        self._head = Style(face(10, bold=True), LIGHT.muted)
        self._numbers = Style(face(10, mono=True), LIGHT.text)
        self._code = Style(face(11, mono=True), LIGHT.text)

    def document(self) -> bytes:
        name = printable(self._result.project.name)
        title = f"{name} – {self._say('title')}"
        self._opening(name)
        self._path()
        self._ports()
        self._findings()
        self._observations()
        self._flow.number_pages(lambda page, pages: self._say("page", page=page, pages=pages), title, self._small)
        set_by_hand = (self._title, self._body, self._code)
        fonts = [*(style.font for style in set_by_hand), sans(12), sans(12, bold=True), mono(11)]
        started = self._result.started
        return mend(
            self._painted(), self._flow.written, fonts, self._flow.bookmarks, title, self._language, created=started
        )

    def _painted(self) -> bytes:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QPdfWriter(buffer)
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        writer.setPageMargins(QMarginsF())
        writer.setResolution(_DOTS_PER_INCH)
        painter = QPainter(writer)
        painter.scale(_DOTS_PER_INCH / 96, _DOTS_PER_INCH / 96)
        painter.setClipRect(QRectF(0, 0, PAGE_WIDTH, PAGE_HEIGHT))
        for number, page in enumerate(self._flow.pages):
            if number:
                writer.newPage()
            for paint in page:
                paint(painter)
        painter.end()
        return bytes(buffer.data().data())

    def _say(self, key: str, **values: object) -> str:
        return wording(key, self._language, **values)

    def _chapter(self, key: str, beneath: float = 60) -> None:
        """A heading, on one page with so many pixels of what follows."""
        self._flow.gap(22)
        self._flow.need(self._heading.line + 6 + beneath)
        self._flow.bookmark(self._say(key), 0)
        self._flow.text(self._say(key), self._heading)
        self._flow.gap(6)

    def _opening(self, name: str) -> None:
        result = self._result
        self._flow.bookmark(name, 0)
        self._flow.text(name, self._title)
        when = self._say("tested", when=moment(result.started), seconds=f"{result.seconds:.1f}")
        self._flow.text(when, self._small)
        self._flow.gap(12)
        self._verdict(sentence(result.project, result.diagnosis, self._language), result.diagnosis.state)

    def _verdict(self, text: str, state: State) -> None:
        """The closing sentence in a box of its colour, with its mark."""
        style = Style(face(14, bold=True), LIGHT.of(state))
        lines = list(self._flow.lines(text, style.font, WIDTH - 60))
        height = len(lines) * style.line + 20

        def draw(painter: QPainter, rect: QRectF) -> None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QColor(LIGHT.of(state)))
            painter.setBrush(QColor(LIGHT.tint(state)))
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
            paint_mark(painter, QPointF(24, rect.center().y()), 10, state, LIGHT)

        self._flow.picture(height, draw)
        bottom = self._flow.y
        self._flow.y += 10 - height
        for line in lines:
            self._flow.text(line, style, 46)
        self._flow.y = bottom

    def _path(self) -> None:
        model = diagram_model(self._result.project, self._result.diagnosis, self._language)
        self._flow.written.update(repr(model), "…")
        height = diagram_height(model, WIDTH / _PICTURE)
        self._chapter("path", min(height * _PICTURE, TALLEST_PICTURE))
        self._flow.picture(height, lambda painter, rect: paint_diagram(painter, rect, model, LIGHT), _PICTURE)

    def _ports(self) -> None:
        project, diagnosis = self._result.project, self._result.diagnosis
        self._chapter("ports")
        model = strips_model(project, diagnosis, self._language)
        self._flow.written.update(repr(model), "…")
        for part in self._strips(model):
            height = strips_height(part, WIDTH / _PICTURE)
            self._flow.picture(height, lambda p, rect, part=part: paint_strips(p, rect, part, LIGHT), _PICTURE)  # type: ignore[misc]
            self._flow.gap(10)
        rows = [
            [
                Cell(project.hop(verdict.id).title, self._cell),
                Cell(f"{group.protocol} {ranges_text(group.outside)}", self._numbers),
                Cell(ranges_text(group.here), self._numbers),
                self._state(group.state),
                Cell(group.reason, self._cell),
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

    def _state(self, state: State) -> Cell:
        style = Style(self._head.font, LIGHT.of(state))
        word = self._say(f"state-{state}")
        return Cell(word, style, 16, lambda painter, at: paint_mark(painter, at, 5, state, LIGHT))

    def _findings(self) -> None:
        self._chapter("findings")
        if not self._result.diagnosis.findings:
            self._flow.text(self._say("no-findings"), self._body)
        for number, finding in enumerate(self._result.diagnosis.findings, start=1):
            self._finding(number, finding)

    def _finding(self, number: int, finding: Finding) -> None:
        said = words(finding, self._language)
        flow, state = self._flow, _STATE_OF[finding.severity]
        flow.gap(12)
        flow.need(self._finding_title.line + 3 * self._body.line)
        severity = self._say(f"severity-{finding.severity}")
        title = f"{number}. {severity}{self._say('colon')}{said.title}"
        flow.bookmark(f"{number}. {said.title}", 1)
        at = QPointF(MARGIN + 8, flow.y + self._finding_title.line / 2)
        flow.paint(lambda painter: paint_mark(painter, at, 7, state, LIGHT))
        flow.text(title, Style(self._finding_title.font, LIGHT.of(state)), 24, keep=self._body.line)
        flow.text(said.detail, self._body, 24)
        if said.evidence:
            self._labelled("evidence")
            for line in said.evidence:
                flow.listed(line, self._body, 24)
        if said.remedy:
            self._labelled("remedy")
            self._remedy(said.remedy)
        if said.next_test:
            self._labelled("next-test")
            flow.text(said.next_test, self._body, 24)

    def _labelled(self, key: str) -> None:
        self._flow.gap(6)
        self._flow.text(self._say(key), self._label, 24, keep=self._body.line * 1.5)

    def _remedy(self, lines: Sequence[str]) -> None:
        """Sentences as paragraphs; what is to be copied, which four spaces mark, in blocks."""
        block: list[str] = []
        for line in (*lines, ""):
            if line.startswith("    "):
                block.append(line.removeprefix("    "))
                continue
            if block:
                self._flow.gap(3)
                self._flow.code(block, self._code, 24)
                self._flow.gap(5)
                block = []
            if line:
                self._flow.text(line, self._body, 24)

    def _observations(self) -> None:
        self._chapter("observations")
        project = self._result.project
        titles = {hop.id: hop.title for hop in project.hops}
        rows = [
            [
                Cell(row.vantage, self._cell),
                Cell(titles.get(row.enters, row.enters), self._cell),
                Cell(row.address, self._numbers),
                Cell(f"{row.protocol} {row.ports}", self._numbers),
                Cell(self._say(f"outcome-{row.outcome}"), self._cell),
                Cell(details(row, project, self._language), self._cell),
            ]
            for row in observed(project, self._result.observations)
        ]
        if not rows:
            self._flow.text(self._say("no-observations"), self._body)
            return
        self._table(("from", "enters", "address", "port", "outcome", "details"), (13, 15, 17, 17, 15, 33), rows)

    def _table(self, keys: Sequence[str], shares: Sequence[float], rows: Sequence[Sequence[Cell]]) -> None:
        self._flow.gap(6)
        self._flow.table([self._say(key) for key in keys], shares, rows, self._head)
