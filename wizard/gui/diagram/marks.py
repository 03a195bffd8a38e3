"""The shape of each state. No two share an outline, so that colour is never needed to tell them apart."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPolygonF

from wizard.diagnosis.verdict import State
from wizard.gui.palette import Palette


def paint_mark(painter: QPainter, centre: QPointF, radius: float, state: State | None, palette: Palette) -> None:
    """Draw a state: tick in a disc, cross in an octagon, bang in a triangle, query in a ring; None is a dashed ring."""
    painter.save()
    painter.translate(centre)
    painter.scale(radius / 10, radius / 10)
    colour = QColor(palette.of(state or State.UNKNOWN))
    if state is State.OPEN:
        _fill(painter, colour)
        painter.drawEllipse(QPointF(0, 0), 10, 10)
        _stroke(painter, palette.surface)
        painter.drawPolyline(QPolygonF([QPointF(-4.5, 0.2), QPointF(-1.3, 3.6), QPointF(4.7, -3.4)]))
    elif state is State.BLOCKED:
        _fill(painter, colour)
        turn = math.pi / 8
        painter.drawPolygon(
            QPolygonF(
                [QPointF(11 * math.cos(turn + i * 2 * turn), 11 * math.sin(turn + i * 2 * turn)) for i in range(8)]
            )
        )
        _stroke(painter, palette.surface)
        painter.drawLine(QPointF(-3.6, -3.6), QPointF(3.6, 3.6))
        painter.drawLine(QPointF(-3.6, 3.6), QPointF(3.6, -3.6))
    elif state is State.SUSPECT:
        painter.setBrush(colour)
        painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolygon(QPolygonF([QPointF(0, -9.5), QPointF(10, 8), QPointF(-10, 8)]))
        _stroke(painter, palette.surface)
        painter.drawLine(QPointF(0, -3.6), QPointF(0, 1.6))
        painter.drawPoint(QPointF(0, 5.4))
    elif state is State.UNKNOWN:
        _ring(painter, colour, Qt.PenStyle.SolidLine)
        path = QPainterPath(QPointF(-2.7, -2.6))
        path.cubicTo(QPointF(-2.7, -6.2), QPointF(2.9, -6.2), QPointF(2.9, -2.6))
        path.cubicTo(QPointF(2.9, -0.2), QPointF(0, -0.6), QPointF(0, 2))
        painter.setPen(QPen(colour, 1.9, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(path)
        painter.drawPoint(QPointF(0, 5.4))
    else:
        _ring(painter, colour, Qt.PenStyle.DashLine)
    painter.restore()


def paint_eye(painter: QPainter, centre: QPointF, palette: Palette) -> None:
    """Draw the eye that marks a place that tests come from."""
    painter.save()
    painter.translate(centre)
    colour = QColor(palette.accent)
    path = QPainterPath(QPointF(-9, 0))
    path.quadTo(QPointF(0, -9), QPointF(9, 0))
    path.quadTo(QPointF(0, 9), QPointF(-9, 0))
    painter.setBrush(QColor(palette.surface))
    painter.setPen(QPen(colour, 1.7))
    painter.drawPath(path)
    _fill(painter, colour)
    painter.drawEllipse(QPointF(0, 0), 2.7, 2.7)
    painter.restore()


def paint_stretch(painter: QPainter, rect: QRectF, state: State | None, palette: Palette) -> None:
    """Fill a piece of a strip: solid where open, hatched where stopped, dotted where suspect, empty where unproven."""
    painter.save()
    colour = QColor(palette.of(state or State.UNKNOWN))
    if state is State.OPEN:
        _fill(painter, colour)
        painter.drawRoundedRect(rect, 3, 3)
    else:
        line = Qt.PenStyle.DotLine if state in (State.UNKNOWN, None) else Qt.PenStyle.SolidLine
        inner = rect.adjusted(0.7, 0.7, -0.7, -0.7)
        outline = QPainterPath()
        outline.addRoundedRect(inner, 3, 3)
        painter.fillPath(outline, QColor(palette.tint(state or State.UNKNOWN)))
        if state is State.BLOCKED:
            _hatch(painter, inner, colour)
        elif state is State.SUSPECT:
            _dots(painter, inner, colour)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(palette.line) if state is None else colour, 1.4, line))
        painter.drawPath(outline)
    painter.restore()


def _hatch(painter: QPainter, rect: QRectF, colour: QColor) -> None:
    # Lines of our own: a brush pattern is a bitmap, and a bitmap is coarse on paper.
    painter.save()
    painter.setClipRect(rect)
    painter.setPen(QPen(colour, 1.4))
    height = rect.height()
    step = 9.0
    x = rect.left() - height
    while x < rect.right():
        painter.drawLine(QPointF(x, rect.bottom()), QPointF(x + height * 0.8, rect.top()))
        x += step
    painter.restore()


def _dots(painter: QPainter, rect: QRectF, colour: QColor) -> None:
    painter.save()
    painter.setClipRect(rect)
    _fill(painter, colour)
    x = rect.left() + 5
    while x < rect.right():
        painter.drawEllipse(QPointF(x, rect.center().y()), 1.7, 1.7)
        x += 9
    painter.restore()


def _fill(painter: QPainter, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(colour))


def _stroke(painter: QPainter, colour: str) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(colour), 2.3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))


def _ring(painter: QPainter, colour: QColor, style: Qt.PenStyle) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.7, style))
    painter.drawEllipse(QPointF(0, 0), 9, 9)
