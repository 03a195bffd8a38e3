"""A state's shape, as a widget."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from wizard.diagnosis.verdict import State
from wizard.gui.diagram.marks import paint_mark
from wizard.gui.theme import Theme


class Mark(QWidget):
    """The shape of a state. The word for it stands beside."""

    def __init__(self, theme: Theme, state: State | None = None, size: int = 22, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = state
        self.setFixedSize(QSize(size, size))
        theme.changed.connect(self.update)

    def show_state(self, state: State | None) -> None:
        """Draw another state."""
        self._state = state
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre = QPointF(self.width() / 2, self.height() / 2)
        paint_mark(painter, centre, self.width() / 2 - 2, self._state, self._theme.palette)
