"""Hundreds of ports as strips, one row for each hop, on any painter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from wizard.diagnosis.verdict import State
from wizard.gui.diagram.letters import mono, sans, width_of, write
from wizard.gui.diagram.marks import paint_mark, paint_stretch
from wizard.gui.diagram.model import Segment, Stretch, StripsModel
from wizard.gui.palette import Palette

_NAMES = 150.0
_ROW = 26.0
_STRIP = 17.0
_HEADER = 24.0
_GAP = 10.0
_BETWEEN_BANDS = 14.0
_LEGEND = 30.0
_NARROWEST = 3.0
"""Pixels that a hole takes at least: one bad port among ten thousand is still seen."""


@dataclass(frozen=True, slots=True)
class PlacedStretch:
    """A piece of a strip, where it is drawn, and what it is part of."""

    rect: QRectF
    hop: str
    segment: Segment
    stretch: Stretch


def strips_height(model: StripsModel, width: float) -> float:
    """Height in pixels that the strips take in `width` pixels."""
    bands = len(_bands(model, width))
    return bands * (_HEADER + len(model.hops) * _ROW) + max(0, bands - 1) * _BETWEEN_BANDS + _LEGEND


def paint_strips(painter: QPainter, rect: QRectF, model: StripsModel, palette: Palette) -> None:
    """Draw `model` into `rect` from its top left."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    top = 0.0
    for band in _bands(model, rect.width()):
        for segment, left, width in band:
            _paint_scale(painter, QRectF(left, top, width, _HEADER), segment, palette)
        for row, (_, title) in enumerate(model.hops):
            y = top + _HEADER + row * _ROW
            write(painter, QRectF(0, y, _NAMES - 12, _ROW), title, sans(12.5), palette.text)
        top += _HEADER + len(model.hops) * _ROW + _BETWEEN_BANDS
    for placed in place_stretches(model, rect.width()):
        paint_stretch(painter, placed.rect, placed.stretch.state, palette)
    _paint_legend(painter, top - _BETWEEN_BANDS + 8, model, palette)
    painter.restore()


def changed_areas(before: StripsModel, after: StripsModel, width: float) -> list[QRectF] | None:
    """Where the two pictures differ; None if things are elsewhere in the other one."""
    same = before.hops == after.hops and [replace(s, rows=()) for s in before.segments] == [
        replace(s, rows=()) for s in after.segments
    ]
    if not same:
        return None
    rows = {(segment.protocol, segment.outside): segment.rows for segment in before.segments}
    areas: list[QRectF] = []
    top = 0.0
    for band in _bands(after, width):
        for row in range(len(after.hops)):
            if any(segment.rows[row] != rows[segment.protocol, segment.outside][row] for segment, _, _ in band):
                areas.append(QRectF(0, top + _HEADER + row * _ROW, width, _ROW))
        top += _HEADER + len(after.hops) * _ROW + _BETWEEN_BANDS
    if before.legend != after.legend:
        areas.append(QRectF(0, top - _BETWEEN_BANDS, width, _LEGEND + _BETWEEN_BANDS))
    return areas


def place_stretches(model: StripsModel, width: float) -> Iterator[PlacedStretch]:
    """Every piece of every strip in `width` pixels; the open ones first, so that the others lie on top of them."""
    found = list(_place(model, width))
    yield from (placed for placed in found if placed.stretch.state is State.OPEN)
    yield from (placed for placed in found if placed.stretch.state is not State.OPEN)


def _place(model: StripsModel, width: float) -> Iterator[PlacedStretch]:
    top = 0.0
    for band in _bands(model, width):
        for segment, left, room in band:
            each = room / len(segment.outside)
            for row, stretches in enumerate(segment.rows):
                y = top + _HEADER + row * _ROW + (_ROW - _STRIP) / 2
                for stretch in stretches:
                    start = left + (stretch.ports.first - segment.outside.first) * each
                    size = len(stretch.ports) * each
                    wide = size if stretch.state is State.OPEN else max(_NARROWEST, size)
                    start = min(start, left + room - wide)
                    yield PlacedStretch(QRectF(start, y, wide, _STRIP), model.hops[row][0], segment, stretch)
        top += _HEADER + len(model.hops) * _ROW + _BETWEEN_BANDS


def _bands(model: StripsModel, width: float) -> list[list[tuple[Segment, float, float]]]:
    """Segments with left edge and width, broken into bands that fit; the room over is shared by number of ports."""
    bands: list[list[Segment]] = []
    used = 0.0
    for segment in model.segments:
        need = _least(segment)
        if not bands or used + _GAP + need > width - _NAMES:
            bands.append([])
            used = -_GAP
        bands[-1].append(segment)
        used += _GAP + need
    return [_spread(band, width) for band in bands]


def _spread(band: list[Segment], width: float) -> list[tuple[Segment, float, float]]:
    room = width - _NAMES - _GAP * (len(band) - 1) - sum(_least(segment) for segment in band)
    # A lone port beside a range of hundreds would be a sliver on a true scale; beside other lone ports, a barn door.
    weights = [len(segment.outside) - 1 for segment in band]
    total = sum(weights)
    left = _NAMES
    placed: list[tuple[Segment, float, float]] = []
    for segment, weight in zip(band, weights, strict=True):
        size = _least(segment) + max(0.0, room) * (weight / total if total else 0)
        placed.append((segment, left, size))
        left += size + _GAP
    return placed


def _least(segment: Segment) -> float:
    first, last = _ends(segment)
    return max(width_of(first, mono(10.5)) + (width_of(last, mono(10.5)) + 14 if last else 0) + 4, 44)


def _ends(segment: Segment) -> tuple[str, str]:
    """What stands at the left and at the right end of the scale."""
    if len(segment.outside) == 1:
        return f"{segment.outside} {segment.protocol}", ""
    return str(segment.outside.first), f"{segment.outside.last} {segment.protocol}"


def _paint_scale(painter: QPainter, rect: QRectF, segment: Segment, palette: Palette) -> None:
    first, last = _ends(segment)
    write(painter, rect, first, mono(10.5), palette.muted)
    write(painter, rect, last, mono(10.5), palette.muted, Qt.AlignmentFlag.AlignRight)
    middle = (segment.outside.first + segment.outside.last) // 2
    if len(segment.outside) > 2 and rect.width() > 4 * width_of(last, mono(10.5)):
        write(painter, rect, str(middle), mono(10.5), palette.muted, Qt.AlignmentFlag.AlignHCenter)


def _paint_legend(painter: QPainter, top: float, model: StripsModel, palette: Palette) -> None:
    left = _NAMES
    for state, word in model.legend:
        size = width_of(word, sans(11.5)) + 4
        paint_stretch(painter, QRectF(left, top + 4, 22, 13), state, palette)
        paint_mark(painter, QPointF(left + 36, top + 10.5), 6, state, palette)
        write(painter, QRectF(left + 48, top, size, 21), word, sans(11.5), palette.muted)
        left += 48 + size + 18
