"""The type that diagrams are set in. Sizes are in pixels, so that one picture fits a screen and a scaled page."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QFontMetricsF, QPainter

_LATIN = ("DejaVu Sans", "Liberation Sans", "Noto Sans", "Segoe UI", "Helvetica Neue", "Arial")
_LATIN_MONO = ("DejaVu Sans Mono", "Liberation Mono", "Noto Sans Mono", "Consolas", "Menlo", "Courier New")


def families(font: QFont, *, fixed: bool = False) -> list[str]:
    """The faces of `font` by their real names, with a Latin one first where its own is a Chinese one.

    QPdfWriter does not know what the figures of the large Chinese faces stand for, so that they could not be copied.
    """
    first = QFontInfo(font).family()
    latin = _LATIN_MONO if fixed else _LATIN
    return [*(latin if "CJK" in first or "Source Han" in first else ()), first, *font.families()[1:]]


def sans(size: float, *, bold: bool = False) -> QFont:
    """The interface's face."""
    font = QFont()
    font.setFamilies(families(font))
    font.setPixelSize(round(size))
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def mono(size: float) -> QFont:
    """The fixed-width face, for numbers and addresses."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setFamilies(families(font, fixed=True))
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
