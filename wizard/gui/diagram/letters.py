"""The type that diagrams are set in. Sizes are in pixels, so that one picture fits a screen and a scaled page."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPainter


def sans(size: float, *, bold: bool = False) -> QFont:
    """The interface's face."""
    font = QFont()
    font.setPixelSize(round(size))
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def mono(size: float) -> QFont:
    """The fixed-width face, for numbers and addresses."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(round(size))
    return font


def write(
    painter: QPainter,
    rect: QRectF,
    text: str,
    font: QFont,
    colour: str,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Draw one line, vertically centred in `rect` and shortened in the middle where it does not fit."""
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width())
    painter.drawText(rect, int(align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), shown)


def width_of(text: str, font: QFont) -> float:
    """Width of one line in pixels."""
    return QFontMetricsF(font).horizontalAdvance(text)
