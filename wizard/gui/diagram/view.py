"""The diagram and the strips as widgets."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from wizard.gui.diagram import layout
from wizard.gui.diagram.model import DiagramModel, StripsModel, written
from wizard.gui.diagram.paint import card_at, diagram_height, paint_diagram
from wizard.gui.diagram.strips import changed_areas, paint_strips, place_stretches, strips_height
from wizard.gui.theme import Theme

_EDGE = 6.0
"""Room around the picture for the ring of a highlighted card."""


class DiagramView(QWidget):
    """The path. Hops are chosen by a click or by the arrow keys. Signals: `chosen` (hop id), `opened` (hop id)."""

    chosen = Signal(str)
    opened = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = DiagramModel("", "", (), ())
        self._highlight: str | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def model(self) -> DiagramModel:
        """What is drawn."""
        return self._model

    @property
    def highlight(self) -> str | None:
        """The hop with a ring around it."""
        return self._highlight

    def show_model(self, model: DiagramModel) -> None:
        """Draw another picture; what is the same in it is not painted again."""
        if model == self._model:
            return
        inside = self._inside()
        areas = layout.changed_areas(self._model, model, inside.width())
        self._model = model
        self.setAccessibleDescription(model.spoken)
        self._fit()
        _repaint(self, areas, inside.topLeft())

    def show_highlight(self, hop: str | None) -> None:
        """Put the ring around a hop, or around none."""
        if hop != self._highlight:
            self._highlight = hop
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(640, self._height())

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_diagram(painter, self._inside(), self._model, self._theme.palette, self._highlight)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def hop_at(self, point: QPointF) -> str | None:
        """The hop whose card is at `point`."""
        inside = self._inside()
        card = card_at(self._model, inside.width(), point - inside.topLeft())
        return card.id if card is not None else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hop = self.hop_at(event.position())
        if hop is not None:
            self._choose(hop)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ids = [card.id for card in self._model.cards]
        here = ids.index(self._highlight) if self._highlight in ids else None
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if key in steps and ids:
            self._choose(ids[0] if here is None else ids[max(0, min(len(ids) - 1, here + steps[key]))])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and here is not None:
            self.opened.emit(ids[here])
        else:
            super().keyPressEvent(event)

    def _choose(self, hop: str) -> None:
        self.show_highlight(hop)
        self.chosen.emit(hop)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        reasons = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
        if event.reason() in reasons and self._highlight is None and self._model.cards:
            self._choose(self._model.cards[0].id)

    def _inside(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)

    def _height(self) -> int:
        return int(diagram_height(self._model, max(200.0, self.width() - 2 * _EDGE)) + 2 * _EDGE) + 1

    def _fit(self) -> None:
        if self.height() != self._height():
            self.setFixedHeight(self._height())


class StripsView(QWidget):
    """Ports at each hop. The numbers under the pointer are in the tooltip."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = StripsModel((), (), ())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def model(self) -> StripsModel:
        """What is drawn."""
        return self._model

    def show_model(self, model: StripsModel) -> None:
        """Draw others; what is the same in them is not painted again."""
        if model == self._model:
            return
        areas = changed_areas(self._model, model, float(self.width()))
        self._model = model
        self._fit()
        _repaint(self, areas, QPointF())

    def sizeHint(self) -> QSize:
        return QSize(640, self._height())

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_strips(painter, QRectF(self.rect()), self._model, self._theme.palette)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            text = self.text_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def text_at(self, point: QPointF) -> str:
        """What is under `point`: hop, ports and state; empty beside the strips."""
        titles = dict(self._model.hops)
        words = dict(self._model.legend)
        found = [placed for placed in place_stretches(self._model, self.width()) if placed.rect.contains(point)]
        if not found:
            return ""
        placed = found[-1]
        numbers = f"{placed.segment.protocol} {written(placed.stretch.ports)}"
        word = words.get(placed.stretch.state, "") if placed.stretch.state else ""
        return "\n".join(part for part in (titles[placed.hop], f"{placed.segment.name}: {numbers}", word) if part)

    def _height(self) -> int:
        return int(strips_height(self._model, max(320.0, float(self.width())))) + 1

    def _fit(self) -> None:
        if self.height() != self._height():
            self.setFixedHeight(self._height())


def _repaint(widget: QWidget, areas: Iterable[QRectF] | None, offset: QPointF) -> None:
    if areas is None:
        widget.update()
        return
    for area in areas:
        widget.update(area.translated(offset).toAlignedRect())
