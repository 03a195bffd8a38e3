"""Text, tables and pictures that flow down A4 pages. Lengths are pixels of 96 to the inch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QPainter,
    QTextLayout,
    QTextOption,
)

from wizard.gui.diagram.letters import families
from wizard.gui.palette import Palette
from wizard.report.wrap import printable

PAGE_WIDTH, PAGE_HEIGHT = 210 / 25.4 * 96, 297 / 25.4 * 96
MARGIN = 52.0
_FOOT = 34.0
"""What the page number takes at the bottom, above the margin."""
WIDTH = PAGE_WIDTH - 2 * MARGIN
_BOTTOM = PAGE_HEIGHT - MARGIN - _FOOT
TALLEST_PICTURE = _BOTTOM - MARGIN - 40
"""Pixels; a heading above it fits on the same page."""
_LEADING = 1.45
_CELL = 5.0
_TALLEST_WHOLE = 240.0
"""A row of a table up to this height is not parted by the end of a page."""

Paint = Callable[[QPainter], None]


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is set."""

    font: QFont
    colour: str

    @property
    def line(self) -> float:
        """Height of a line."""
        return self.font.pixelSize() * _LEADING


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `paint` draws at the left of its first line, in the `indent` that is left free for it."""

    text: str
    style: Style
    indent: float = 0
    paint: Callable[[QPainter, QPointF], None] | None = None


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A line of the outline: where it leads, measured from the top of the page in pixels."""

    title: str
    level: int
    page: int
    top: float


@dataclass(slots=True)
class Flow:
    """Pages as they fill. Nothing is painted before `pages` is complete, so that each knows how many there are."""

    palette: Palette
    pages: list[list[Paint]] = field(default_factory=lambda: [[]])
    bookmarks: list[Bookmark] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    """Every character that was set."""
    y: float = MARGIN

    def room(self) -> float:
        """Pixels left on this page."""
        return _BOTTOM - self.y

    def need(self, height: float) -> None:
        """Begin a page if `height` does not fit on this one."""
        if height > self.room() and self.y > MARGIN:
            self.pages.append([])
            self.y = MARGIN

    def gap(self, height: float) -> None:
        """Leave space, but not at the top of a page."""
        if self.y > MARGIN:
            self.y += height

    def bookmark(self, title: str, level: int) -> None:
        """Let the outline lead to here."""
        self.bookmarks.append(Bookmark(printable(title), level, len(self.pages) - 1, self.y))

    def paint(self, draw: Paint) -> None:
        """Draw something on this page."""
        self.pages[-1].append(draw)

    def text(self, text: str, style: Style, indent: float = 0, keep: float = 0) -> None:
        """A paragraph. `keep` is the height that its first line wants beneath itself on the same page."""
        for number, line in enumerate(self.lines(text, style.font, WIDTH - indent)):
            self.need(style.line + (0 if number else keep))
            self.line(line, style, MARGIN + indent, self.y)
            self.y += style.line

    def listed(self, text: str, style: Style, indent: float) -> None:
        """A paragraph after a bullet."""
        self.need(style.line)
        at = QPointF(MARGIN + indent + 4, self.y + style.line / 2)
        self.paint(lambda painter: _dot(painter, at, style.colour))
        self.text(text, style, indent + 14)

    def code(self, lines: Sequence[str], style: Style, indent: float) -> None:
        """Lines to copy, on a ground of their own: parted only where the page is narrow, or over two pages if many."""
        left, width = MARGIN + indent, WIDTH - indent
        self.need(self.code_height(lines, style, indent))
        shown = self._code_lines(lines, style, indent)
        for number, line in enumerate(shown):
            above = 6 if number == 0 else 0
            below = 6 if number == len(shown) - 1 else 0
            self.need(style.line + above + below + (style.line if number == 0 and len(shown) > 1 else 0))
            ground = QRectF(left, self.y, width, style.line + above + below)
            self.paint(lambda painter, ground=ground: painter.fillRect(ground, QColor(self.palette.ground)))  # type: ignore[misc]
            self.line(line, style, left + 10, self.y + above)
            self.y += ground.height()

    def code_height(self, lines: Sequence[str], style: Style, indent: float) -> float:
        """What lines to copy want beneath each other on one page; of many, the first two."""
        shown = len(self._code_lines(lines, style, indent))
        whole = shown * style.line + 12
        return whole if whole <= _TALLEST_WHOLE else min(shown, 2) * style.line + 12

    def _code_lines(self, lines: Sequence[str], style: Style, indent: float) -> list[str]:
        return [part for line in lines for part in self.lines(line, style.font, WIDTH - indent - 20, anywhere=True)]

    def picture(self, height: float, draw: Callable[[QPainter, QRectF], None], scale: float = 1) -> None:
        """A picture, which sees itself as `WIDTH / scale` pixels wide and `height` high; made smaller to fit a page."""
        rect = QRectF(0, 0, WIDTH / scale, height)
        scale = min(scale, TALLEST_PICTURE / height)
        self.need(height * scale)
        left, top = MARGIN, self.y

        def placed(painter: QPainter) -> None:
            painter.save()
            painter.translate(left, top)
            painter.scale(scale, scale)
            draw(painter, rect)
            painter.restore()

        self.paint(placed)
        self.y += height * scale

    def table(self, head: Sequence[str], shares: Sequence[float], rows: Sequence[Sequence[Cell]], style: Style) -> None:
        """A table with its head on each page. `shares` are the columns' parts of the width."""
        widths = [WIDTH * share / sum(shares) for share in shares]
        heads = [Cell(title, style) for title in head]
        self.need(self._row_height(heads, widths) + (self._row_height(rows[0], widths) if rows else 0))
        self._row(heads, widths)
        for row in rows:
            height = self._row_height(row, widths)
            if height > self.room() and height <= _TALLEST_WHOLE:
                self.need(height)
                self._row(heads, widths)
            self._row(row, widths, heads)

    def _row(self, cells: Sequence[Cell], widths: Sequence[float], heads: Sequence[Cell] = ()) -> None:
        columns = [list(self.lines(c.text, c.style.font, w - 2 * _CELL - c.indent)) for c, w in _zip(cells, widths)]
        step = max(cell.style.line for cell in cells)
        self.y += _CELL / 2
        for number in range(max(map(len, columns))):
            if step > self.room():
                self.need(step)
                if heads:
                    self._row(heads, widths)
            left = MARGIN
            for cell, width, lines in zip(cells, widths, columns, strict=True):
                if number == 0 and cell.paint is not None:
                    at, draw = QPointF(left + _CELL + cell.indent / 2 - 3, self.y + step / 2), cell.paint
                    self.paint(lambda painter, at=at, draw=draw: draw(painter, at))  # type: ignore[misc]
                if number < len(lines):
                    self.line(lines[number], cell.style, left + _CELL + cell.indent, self.y, step)
                left += width
            self.y += step
        self.y += _CELL / 2
        rule = QRectF(MARGIN, self.y - 0.4, WIDTH, 0.8)
        self.paint(lambda painter: painter.fillRect(rule, QColor(self.palette.line)))

    def _row_height(self, cells: Sequence[Cell], widths: Sequence[float]) -> float:
        most = max(
            len(list(self.lines(c.text, c.style.font, w - 2 * _CELL - c.indent))) for c, w in _zip(cells, widths)
        )
        return most * max(cell.style.line for cell in cells) + _CELL

    def line(self, text: str, style: Style, left: float, top: float, height: float | None = None) -> None:
        """One line of text at a place on this page, vertically centred in `height`."""
        self.written.update(text)
        size = style.font.pixelSize()
        # The baseline by the size alone: a line with a fall-back font must not sit lower than its neighbours.
        at = QPointF(left, top + (height or style.line) / 2 + size * 0.36)

        def draw(painter: QPainter) -> None:
            painter.setFont(style.font)
            painter.setPen(QColor(style.colour))
            painter.drawText(at, text)

        self.paint(draw)

    def lines(self, text: str, font: QFont, width: float, *, anywhere: bool = False) -> Iterator[str]:
        """The lines that `text` takes, at least one."""
        shown = printable(text)
        layout = QTextLayout(shown, font)
        option = QTextOption()
        wrap = QTextOption.WrapMode
        option.setWrapMode(wrap.WrapAnywhere if anywhere else wrap.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.beginLayout()
        found = False
        # Qt counts in UTF-16 units; Python's text does not.
        units = shown.encode("utf-16-le")
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            start, end = 2 * line.textStart(), 2 * (line.textStart() + line.textLength())
            part = units[start:end].decode("utf-16-le")
            found = True
            yield part if anywhere else part.rstrip()
        layout.endLayout()
        if not found:
            yield ""

    def number_pages(self, said: Callable[[int, int], str], title: str, style: Style) -> None:
        """Write a foot on every page: the title on the left, what `said` makes of number and total on the right."""
        for number, page in enumerate(self.pages, start=1):
            self.written.update(said(number, len(self.pages)) + title)
            foot = QRectF(MARGIN, PAGE_HEIGHT - MARGIN - style.line, WIDTH, style.line)
            page.append(_foot(foot, said(number, len(self.pages)), title, style))


def _zip(cells: Sequence[Cell], widths: Sequence[float]) -> Iterator[tuple[Cell, float]]:
    return zip(cells, widths, strict=True)


def _dot(painter: QPainter, at: QPointF, colour: str) -> None:
    painter.setPen(QColor(0, 0, 0, 0))
    painter.setBrush(QColor(colour))
    painter.drawEllipse(at, 1.6, 1.6)


def _foot(rect: QRectF, number: str, title: str, style: Style) -> Paint:
    def draw(painter: QPainter) -> None:
        painter.setFont(style.font)
        painter.setPen(QColor(style.colour))
        metrics = QFontMetricsF(style.font)
        room = rect.width() - metrics.horizontalAdvance(number) - 30
        shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(rect.bottomLeft(), shown)
        painter.drawText(rect.bottomLeft() + QPointF(rect.width() - metrics.horizontalAdvance(number), 0), number)

    return draw


_CHINESE_FACES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
)


def face(size: int, *, bold: bool = False, mono: bool = False) -> QFont:
    """The interface's or the fixed-width face, with Chinese glyphs in their mainland form where there are any."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont) if mono else QFont()
    font.setFamilies([*families(font, fixed=mono), *_CHINESE_FACES])
    font.setPixelSize(size)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    # Hinted widths belong to a screen's pixels; on paper they set letters too far apart.
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    # A ligature for `->` or `fi` is copied as something else, or as nothing.
    for feature in ("liga", "clig", "calt"):
        font.setFeature(QFont.Tag(feature), 0)
    return font
