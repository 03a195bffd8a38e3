"""Round trips over time as a picture: the median of each moment, and above it what 95 of 100 packets took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from wizard.gui.diagram.letters import sans, width_of, write
from wizard.gui.palette import Palette
from wizard.probes.relay_quality import Progress
from wizard.probes.relay_verdict import LONGEST_RTT_MS
from wizard.report.bench_content import say

PLOT_HEIGHT = 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 8.0, 26.0, 24.0
_LETTERS = 11
_LINES = 4
"""Steps of the scale, at most."""


@dataclass(frozen=True, slots=True)
class PlotWords:
    """Everything that is written in the picture."""

    scale: tuple[tuple[float, str], ...]
    """Milliseconds, and how they are written."""
    start: str
    end: str
    median: str
    p95: str
    limit: str

    def all(self) -> tuple[str, ...]:
        """Each of them."""
        return (*(text for _, text in self.scale), self.start, self.end, self.median, self.p95, self.limit)


def plot_words(moments: Sequence[Progress], language: str) -> PlotWords:
    """The words for these moments."""
    step = _step(max(moment.delay.p95_ms for moment in moments if moment.delay is not None))
    marks = [step * number for number in range(_LINES + 1)]
    return PlotWords(
        scale=tuple((ms, say("plot", "axis", language, ms=f"{ms:g}")) for ms in marks),
        start=say("plot", "seconds", language, seconds="0"),
        end=say("plot", "seconds", language, seconds=f"{moments[-1].at_s:.1f}"),
        median=say("plot", "median", language),
        p95=say("plot", "p95", language),
        limit=say("plot", "limit", language, ms=f"{LONGEST_RTT_MS:g}"),
    )


def _step(highest: float) -> float:
    """The smallest step of 1, 2 or 5 times a power of ten of which so many hold the highest value."""
    least = max(highest, 0.04) / _LINES
    power = 10.0 ** math.floor(math.log10(least))
    return next(step for factor in (1, 2, 5, 10) if (step := round(factor * power, 6)) >= least)


def paint_plot(
    painter: QPainter, rect: QRectF, moments: Sequence[Progress], words: PlotWords, palette: Palette
) -> None:
    """Draw it in `rect`; a gap is where nothing came."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    area = rect.adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
    top_ms, last_s = words.scale[-1][0], max(moments[-1].at_s, 0.001)

    def at(seconds: float, ms: float) -> QPointF:
        return QPointF(area.left() + seconds / last_s * area.width(), area.bottom() - ms / top_ms * area.height())

    font = sans(_LETTERS)
    for ms, text in words.scale:
        level = at(0, ms).y()
        painter.setPen(QPen(QColor(palette.line), 0.8))
        painter.drawLine(QPointF(area.left(), level), QPointF(area.right(), level))
        beside = QRectF(rect.left(), level - 9, _LEFT - 8, 18)
        write(painter, beside, text, font, palette.muted, Qt.AlignmentFlag.AlignRight)
    under = QRectF(area.left(), area.bottom() + 4, area.width(), 18)
    write(painter, under, words.start, font, palette.muted)
    write(painter, under, words.end, font, palette.muted, Qt.AlignmentFlag.AlignRight)
    _curve(painter, [at(m.at_s, m.delay.p95_ms) if m.delay else None for m in moments], _p95_pen(palette))
    _curve(painter, [at(m.at_s, m.delay.median_ms) if m.delay else None for m in moments], _median_pen(palette))
    legend = [(words.median, _median_pen(palette)), (words.p95, _p95_pen(palette))]
    if top_ms >= LONGEST_RTT_MS:
        level = at(0, LONGEST_RTT_MS).y()
        painter.setPen(_limit_pen(palette))
        painter.drawLine(QPointF(area.left(), level), QPointF(area.right(), level))
        legend.append((words.limit, _limit_pen(palette)))
    left = area.left()
    for text, pen in legend:
        painter.setPen(pen)
        painter.drawLine(QPointF(left, rect.top() + 9), QPointF(left + 22, rect.top() + 9))
        width = width_of(text, font) + 2
        write(painter, QRectF(left + 28, rect.top(), width, 18), text, font, palette.text)
        left += 28 + width + 20
    painter.restore()


def _median_pen(palette: Palette) -> QPen:
    return QPen(QColor(palette.accent), 1.8)


def _p95_pen(palette: Palette) -> QPen:
    return QPen(QColor(palette.muted), 1.2, Qt.PenStyle.DashLine)


def _limit_pen(palette: Palette) -> QPen:
    return QPen(QColor(palette.blocked), 1.2, Qt.PenStyle.DotLine)


def _curve(painter: QPainter, points: Sequence[QPointF | None], pen: QPen) -> None:
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    run: list[QPointF] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
            continue
        if len(run) == 1:
            painter.drawEllipse(run[0], 1.2, 1.2)
        elif run:
            painter.drawPolyline(QPolygonF(run))
        run = []
