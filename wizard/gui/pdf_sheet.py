"""What every report on paper has: its type, its chapters, its verdict, its findings; and its bytes at the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QBuffer, QCoreApplication, QIODevice, QMarginsF, QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPageSize, QPainter, QPdfWriter

from wizard.diagnosis.verdict import Severity, State
from wizard.gui.diagram.marks import paint_mark
from wizard.gui.palette import LIGHT
from wizard.gui.pdf_flow import MARGIN, PAGE_HEIGHT, PAGE_WIDTH, WIDTH, Cell, Flow, Style, face
from wizard.gui.pdf_mend import mend
from wizard.report.wording import wording

_DOTS_PER_INCH = 1200
INDENT = 24.0
"""Pixels by which what belongs to a mark stands to the right of it."""


def typesetter() -> QCoreApplication:
    """What Qt sets no type without, to be held while there is a sheet. A window's own is there already."""
    return QGuiApplication.instance() or QGuiApplication(["hopwise", "-platform", "offscreen"])


class Sheet:
    """One report as it is written, in one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self.flow = Flow(LIGHT)
        self.body = Style(face(12), LIGHT.text)
        self.small = Style(face(11), LIGHT.muted)
        self.cell = Style(face(10), LIGHT.text)
        self.numbers = Style(face(10, mono=True), LIGHT.text)
        self._title = Style(face(24, bold=True), LIGHT.text)
        self._heading = Style(face(16, bold=True), LIGHT.text)
        self._finding_title = Style(face(13, bold=True), LIGHT.text)
        self._label = Style(face(11, bold=True), LIGHT.muted)
        self._head = Style(face(10, bold=True), LIGHT.muted)
        self._code = Style(face(11, mono=True), LIGHT.text)

    def opening(self, name: str, when: str) -> None:
        """What it is about, and when it was tested."""
        self.flow.bookmark(name, 0)
        self.flow.text(name, self._title)
        self.flow.text(when, self.small)
        self.flow.gap(12)

    def verdict(self, text: str, state: State) -> None:
        """The closing sentence in a box of its colour, with its mark."""
        style = Style(face(14, bold=True), LIGHT.of(state))
        lines = list(self.flow.lines(text, style.font, WIDTH - 60))
        height = len(lines) * style.line + 20

        def draw(painter: QPainter, rect: QRectF) -> None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QColor(LIGHT.of(state)))
            painter.setBrush(QColor(LIGHT.tint(state)))
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
            paint_mark(painter, QPointF(24, rect.center().y()), 10, state, LIGHT)

        self.flow.picture(height, draw)
        bottom = self.flow.y
        self.flow.y += 10 - height
        for line in lines:
            self.flow.text(line, style, 46)
        self.flow.y = bottom

    def chapter(self, title: str, beneath: float = 60) -> None:
        """A heading, on one page with so many pixels of what follows."""
        self.flow.gap(22)
        self.flow.need(self._heading.line + 6 + beneath)
        self.flow.bookmark(title, 0)
        self.flow.text(title, self._heading)
        self.flow.gap(6)

    def section(self, title: str, beneath: float = 90) -> None:
        """A heading within a chapter, on one page with so many pixels of what follows."""
        self.flow.gap(10)
        self.flow.need(self._finding_title.line + 2 + beneath)
        self.flow.bookmark(title, 1)
        self.flow.text(title, self._finding_title)
        self.flow.gap(2)

    def finding(self, number: int, severity: Severity, title: str, state: State | None) -> None:
        """The mark and title of a finding, and its line in the outline."""
        flow, colour = self.flow, LIGHT.of(state or State.UNKNOWN)
        flow.gap(12)
        flow.need(self._finding_title.line + 3 * self.body.line)
        flow.bookmark(f"{number}. {title}", 1)
        said = f"{number}. {wording(f'severity-{severity}', self._language)}{wording('colon', self._language)}{title}"
        at = QPointF(MARGIN + 8, flow.y + self._finding_title.line / 2)
        flow.paint(lambda painter: paint_mark(painter, at, 7, state, LIGHT))
        flow.text(said, Style(self._finding_title.font, colour), INDENT, keep=self.body.line)

    def labelled(self, label: str, copied: Sequence[str] = ()) -> None:
        """A small heading within a finding; on the same page as the lines to copy, if they come next."""
        self.flow.gap(6)
        below = 3 + self.flow.code_height(copied, self._code, INDENT) if copied else self.body.line * 1.5
        self.flow.text(label, self._label, INDENT, keep=below)

    def copied(self, lines: Sequence[str]) -> None:
        """Lines that are there to be copied."""
        self.flow.gap(3)
        self.flow.code(lines, self._code, INDENT)
        self.flow.gap(5)

    def table(self, head: Sequence[str], shares: Sequence[float], rows: Sequence[Sequence[Cell]]) -> None:
        """A table; `shares` are the columns' parts of the width."""
        self.flow.gap(6)
        self.flow.table(head, shares, rows, self._head)

    def state(self, word: str, state: State) -> Cell:
        """A word in the colour of a state, after its mark."""
        style = Style(self._head.font, LIGHT.of(state))
        return Cell(word, style, 16, lambda painter, at: paint_mark(painter, at, 5, state, LIGHT))

    def document(self, title: str, created: datetime, drawn: Sequence[QFont] = ()) -> bytes:
        """The bytes of the PDF. `drawn` are the faces of text within its pictures."""
        flow, language = self.flow, self._language
        flow.number_pages(lambda page, pages: wording("page", language, page=page, pages=pages), title, self.small)
        fonts = [*(style.font for style in (self._title, self.body, self._code)), *drawn]
        return mend(self._painted(), flow.written, fonts, flow.bookmarks, title, language, created=created)

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
        for number, page in enumerate(self.flow.pages):
            if number:
                writer.newPage()
            for paint in page:
                paint(painter)
        painter.end()
        return bytes(buffer.data().data())
