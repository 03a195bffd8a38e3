"""What a report says, as widgets: the same words on the page as in the files."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontDatabase, QIcon, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from wizard.diagnosis.verdict import Severity, State
from wizard.gui.bench_plot import PLOT_HEIGHT, paint_plot, plot_words
from wizard.gui.controls.copied import Copied
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.mark import Mark
from wizard.gui.diagram.letters import sans
from wizard.gui.diagram.marks import paint_mark
from wizard.gui.theme import Theme
from wizard.probes.relay_quality import Progress
from wizard.report.bench_content import Block, Chapter, Field, Grid, Item, Listed, Marked, Plot, Prose, Section

_KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "card"}
_STATES = {Severity.ERROR: State.BLOCKED, Severity.WARNING: State.SUSPECT, Severity.INFO: State.UNKNOWN}
_MOST_HEIGHT = 430
_PADDING = 8
"""To the left and right of a cell's words, as the style sheet has it for `#grid`."""
_PROSE_WIDTH = 150
"""Words are wrapped rather than made narrower than this."""


class Shown(QWidget):
    """Blocks of a report, one under the other. What has not changed is left as it is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._blocks: list[Block] = []
        self._widgets: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)

    def show_blocks(self, blocks: Sequence[Block]) -> None:
        """Show these."""
        for place, block in enumerate(blocks):
            if place < len(self._blocks):
                before = self._blocks[place]
                if before == block:
                    continue
                widget = self._widgets[place]
                if isinstance(block, Grid) and isinstance(before, Grid) and isinstance(widget, GridTable):
                    widget.show_grid(block)
                    self._blocks[place] = block
                    continue
                self._drop(place)
            made = self._made(block)
            self._blocks.insert(place, block)
            self._widgets.insert(place, made)
            self._column.insertWidget(place, made)
        while len(self._blocks) > len(blocks):
            self._drop(len(self._blocks) - 1)

    def _drop(self, place: int) -> None:
        widget = self._widgets.pop(place)
        del self._blocks[place]
        self._column.removeWidget(widget)
        widget.hide()
        widget.deleteLater()

    def _made(self, block: Block) -> QWidget:
        match block:
            case Chapter(title):
                return _text(title, "finding")
            case Section(title):
                return _text(title, "heading")
            case Prose(text):
                return _text(text)
            case Listed(lines):
                return _text("\n".join(f"• {line}" for line in lines), "muted")
            case Marked(text, state):
                return _Verdict(self._theme, text, state)
            case Grid():
                return GridTable(self._theme, block)
            case Item():
                return ItemCard(self._theme, block)
            case Plot():
                raise ValueError("a plot is drawn as it grows, by PlotView")


class _Verdict(QWidget):
    def __init__(self, theme: Theme, text: str, state: State) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(Mark(theme, state, 24), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(_text(text, "finding"), 1)


class ItemCard(Card):
    """One thing that was found, what to do, and what is to be copied."""

    def __init__(self, theme: Theme, item: Item) -> None:
        super().__init__(_KINDS[item.severity])
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(Mark(theme, _STATES[item.severity], 22), 0, Qt.AlignmentFlag.AlignTop)
        self.title = _text(item.title, "heading")
        row.addWidget(self.title, 1)
        self.body.addLayout(row)
        inner = QVBoxLayout()
        inner.setContentsMargins(34, 0, 0, 0)
        inner.setSpacing(8)
        self.body.addLayout(inner)
        for text in (*item.texts, *([item.remedy] if item.remedy else [])):
            inner.addWidget(_text(text))
        if item.copied:
            inner.addWidget(Copied("\n".join(item.copied)))


class GridTable(QTableWidget):
    """A table whose states are shape, word and colour."""

    def __init__(self, theme: Theme, grid: Grid) -> None:
        super().__init__(0, len(grid.head))
        self._theme = theme
        self._grid = grid
        self.setObjectName("grid")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setWordWrap(True)
        self.setIconSize(QSize(16, 16))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.verticalHeader().setVisible(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self._repaint)
        self.show_grid(grid)

    def show_grid(self, grid: Grid) -> None:
        """Show another table."""
        self._grid = grid
        self.setColumnCount(len(grid.head))
        self.setHorizontalHeaderLabels(list(grid.head))
        self.setAccessibleName(", ".join(grid.head))
        self.setRowCount(len(grid.rows))
        for row, fields in enumerate(grid.rows):
            for column, field in enumerate(fields):
                self.setItem(row, column, self._item(field))
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._lay_out()

    def _repaint(self) -> None:
        self.show_grid(self._grid)

    def _item(self, field: Field) -> QTableWidgetItem:
        item = QTableWidgetItem(field.text)
        item.setToolTip(field.text)
        if field.literal:
            font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
            font.setPixelSize(12)
            item.setFont(font)
        if field.state is not None:
            item.setIcon(_icon(field.state, self._theme))
            item.setForeground(QColor(self._theme.palette.of(field.state)))
        return item

    def _lay_out(self) -> None:
        self.resizeColumnsToContents()
        widths = [self.columnWidth(column) for column in range(self.columnCount())]
        room = self.viewport().width()
        over = sum(widths) - room
        while over > 0:
            widest = max(range(len(widths)), key=lambda column: 0 if self._whole(column) else widths[column])
            if self._whole(widest) or widths[widest] <= _PROSE_WIDTH:
                break
            less = min(over, max(20, widths[widest] // 8), widths[widest] - _PROSE_WIDTH)
            widths[widest] -= less
            over -= less
        if over < 0:
            total = sum(self._grid.shares)
            widths = [
                width + int(-over * share / total) for width, share in zip(widths, self._grid.shares, strict=True)
            ]
        for column, width in enumerate(widths):
            self.setColumnWidth(column, width)
        prose = [column for column in range(self.columnCount()) if not self._whole(column)]
        self.resizeRowsToContents()
        for row in range(self.rowCount()):
            self.setRowHeight(row, max([self.rowHeight(row), *(self._needed(row, column) for column in prose)]))
        bar = self.horizontalScrollBar().sizeHint().height() if over > 0 else 0
        high = sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(min(_MOST_HEIGHT, self.horizontalHeader().sizeHint().height() + high + bar + 6))

    def _needed(self, row: int, column: int) -> int:
        """How high words are once they are wrapped; Qt's own hint leaves the padding out of the width."""
        room = QRect(0, 0, self.columnWidth(column) - 2 * (_PADDING + 4), 1 << 16)
        text = self._grid.rows[row][column].text
        return self.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, text).height() + _PADDING + 4

    def _whole(self, column: int) -> bool:
        """Whether the column holds addresses, which are not broken over lines."""
        return any(row[column].literal or row[column].state is not None for row in self._grid.rows)


class PlotView(QWidget):
    """Round trips and loss over time, live."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._moments: tuple[Progress, ...] = ()
        self._language = "en"
        self._loss = ""
        self.setFixedHeight(int(PLOT_HEIGHT) + _LOSS_HEIGHT)
        theme.changed.connect(self.update)

    def show_moments(self, moments: Sequence[Progress], language: str) -> None:
        """Draw these."""
        self._moments, self._language = tuple(moments), language
        if moments:
            self._loss = self.tr("loss so far: {loss} %").format(loss=f"{moments[-1].loss_percent:.2f}")
            self.setAccessibleDescription(self._loss)
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        if not any(moment.delay is not None for moment in self._moments):
            return
        painter = QPainter(self)
        palette = self._theme.palette
        rect = QRectF(0, 0, self.width(), PLOT_HEIGHT)
        paint_plot(painter, rect, self._moments, plot_words(self._moments, self._language), palette)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(sans(11))
        painter.setPen(QColor(palette.muted))
        painter.drawText(QRectF(62, PLOT_HEIGHT, self.width() - 70, 18), int(Qt.AlignmentFlag.AlignLeft), self._loss)
        if not any(moment.loss_percent for moment in self._moments):
            return
        floor, room, wide = self.height() - 2.0, _LOSS_HEIGHT - 22.0, self.width() - 70.0
        highest = max(5.0, *(moment.loss_percent for moment in self._moments))
        last = max(self._moments[-1].at_s, 0.001)
        painter.fillRect(QRectF(62, floor, wide, 1), QColor(palette.line))
        each = max(1.0, wide / max(1, len(self._moments)) - 1)
        for moment in self._moments:
            high = room * moment.loss_percent / highest
            at = 62 + wide * moment.at_s / last - each
            painter.fillRect(QRectF(max(62.0, at), floor - high, each, high), QColor(palette.blocked))


_LOSS_HEIGHT = 44


def _text(text: str, kind: str = "") -> Text:
    label = Text(kind)
    label.setText(text)
    return label


def _icon(state: State, theme: Theme) -> QIcon:
    picture = QPixmap(32, 32)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_mark(painter, QPointF(16, 16), 13, state, theme.palette)
    painter.end()
    return QIcon(picture)
