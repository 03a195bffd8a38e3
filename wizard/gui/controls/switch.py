"""A switch: a check box that looks as the setting that it is."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from wizard.gui.theme import Theme

_TRACK = QSize(36, 18)


class Switch(QAbstractButton):
    """On or off, with its words beside it. Reached by Tab, turned by Space."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, words_first: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._words_first = words_first
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().horizontalAdvance(self.text().replace("&", ""))
        return QSize(_TRACK.width() + 12 + words + 8, max(28, self.fontMetrics().height() + 8))

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def paintEvent(self, _: QPaintEvent) -> None:
        palette = self._theme.palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = self.width() - _TRACK.width() - 4 if self._words_first else 4
        track = QRectF(left, (self.height() - _TRACK.height()) / 2, _TRACK.width(), _TRACK.height())
        colour = palette.accent if self.isChecked() else palette.unknown
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour if self.isEnabled() else palette.line))
        painter.drawRoundedRect(track, 9, 9)
        painter.setBrush(QColor(palette.surface))
        x = track.right() - 9 if self.isChecked() else track.left() + 9
        painter.drawEllipse(QPointF(x, track.center().y()), 6.5, 6.5)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(palette.accent), 1.8))
            painter.drawRoundedRect(track.adjusted(-3, -3, 3, 3), 12, 12)
        painter.setPen(QColor(palette.text if self.isEnabled() else palette.muted))
        words = QRectF(4 if self._words_first else track.right() + 9, 0, self.width(), self.height())
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic), self.text())
