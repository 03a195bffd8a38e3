"""Where everything in the diagram goes: cards in rows that read left to right, places to test from beneath."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPolygonF

from wizard.gui.diagram.letters import sans, width_of
from wizard.gui.diagram.model import DiagramModel, Eye

_CARD_HEIGHT = 88.0
_STATE_HEIGHT = 26.0
TITLE_LINE = 17.0
TITLE_SIZE = 13.5
PADDING = 10.0
"""Between the edge of a card and its text."""
EYE_SIZE = 11.5
_MIN_CARD = 136.0
_MAX_CARD = 232.0
_MIN_GAP = 22.0
_MAX_GAP = 64.0
_MARGIN = 12.0
"""Left and right of the rows, for the line that leads from one row to the next."""
_LANE = 21.0
_ABOVE_LANES = 10.0
_BETWEEN_ROWS = 26.0
_INK = 6.0
"""How far lines and rings reach beyond what they are drawn around."""


@dataclass(frozen=True, slots=True)
class PlacedEye:
    """Where an eye stands, where its thread is tied, and where its words go."""

    eye: Eye
    at: QPointF
    tied: QPointF | None
    text: QRectF
    to_left: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions relative to the top left of the diagram. `cards[0]` is the outside world."""

    cards: tuple[QRectF, ...]
    links: tuple[tuple[QPointF, ...], ...]
    """Corners of the line into each hop."""
    eyes: tuple[PlacedEye, ...]
    title_lines: int
    """Lines that the longest title takes."""
    height: float


def arrange(model: DiagramModel, width: float) -> Layout:
    """Lay the diagram out in `width` pixels."""
    count = len(model.cards) + 1
    fitting = max(1, math.floor((width - 2 * _MARGIN + _MIN_GAP) / (_MIN_CARD + _MIN_GAP)))
    rows = math.ceil(count / fitting)
    per_row = math.ceil(count / rows)
    margin = _MARGIN if rows > 1 else 0.0
    room = width - 2 * margin
    card = min(_MAX_CARD, (room - (per_row - 1) * _MIN_GAP) / per_row)
    gap = min(_MAX_GAP, (room - per_row * card) / (per_row - 1)) if per_row > 1 else 0.0

    title_lines = max(len(wrapped(title, card)) for title in (model.outside, *(c.title for c in model.cards)))
    card_height = _CARD_HEIGHT + (title_lines - 1) * TITLE_LINE
    if any(card.word for card in model.cards):
        card_height += _STATE_HEIGHT

    cards: list[QRectF] = []
    eyes: list[PlacedEye] = []
    top = 0.0
    for start in range(0, count, per_row):
        row = [
            QRectF(margin + column * (card + gap), top, card, card_height)
            for column in range(min(per_row, count - start))
        ]
        cards += row
        here = [eye for eye in model.eyes if start <= eye.before < start + len(row)]
        placed, lanes = _place_eyes(here, row, start, gap or _MIN_GAP, width)
        eyes += placed
        top += card_height + (_ABOVE_LANES + lanes * _LANE if lanes else 0) + _BETWEEN_ROWS
    return Layout(tuple(cards), _links(cards), tuple(eyes), title_lines, top - _BETWEEN_ROWS)


def changed_areas(before: DiagramModel, after: DiagramModel, width: float) -> list[QRectF] | None:
    """Where the two pictures differ; None if things are elsewhere in the other one."""
    layout = arrange(after, width)
    if arrange(before, width) != layout or (before.outside, before.eyes) != (after.outside, after.eyes):
        return None
    areas: list[QRectF] = []
    for old, new, rect, corners in zip(before.cards, after.cards, layout.cards[1:], layout.links, strict=True):
        if old != new:
            areas.append(rect)
        if old.link is not new.link:
            areas.append(QPolygonF(corners).boundingRect())
    return [area.adjusted(-_INK, -_INK, _INK, _INK) for area in areas]


def wrapped(title: str, card: float) -> list[str]:
    """The title in one line, or in two where one is too narrow in a card of that width."""
    font = sans(TITLE_SIZE, bold=True)
    room = card - 2 * PADDING
    words = title.split()
    if width_of(title, font) <= room or len(words) < 2:
        return [title]
    fitting = [cut for cut in range(1, len(words)) if width_of(" ".join(words[:cut]), font) <= room]
    cut = fitting[-1] if fitting else 1
    return [" ".join(words[:cut]), " ".join(words[cut:])]


def _place_eyes(
    eyes: list[Eye], row: list[QRectF], start: int, gap: float, width: float
) -> tuple[list[PlacedEye], int]:
    """Eyes beneath their place, each in the first lane that has room; the number of lanes."""
    taken: list[float] = []
    placed: list[PlacedEye] = []
    font = sans(EYE_SIZE)
    for eye in sorted(eyes, key=lambda eye: eye.before):
        card = row[eye.before - start]
        # Behind the last card of a row there is the line to the next row; the eye stands under the card's edge.
        in_gap = eye.before - start + 1 < len(row)
        x = card.right() + min(gap, _MIN_GAP) / 2 if in_gap else card.right() - 16
        if eye.before == 0:
            x = card.left() + 10
        room = width_of(eye.text, font) + 4
        to_left = x + 15 + room > width and x > width / 2
        left = max(0.0, x - 15 - room) if to_left else x - 10
        text = QRectF(left, 0, x - 15 - left, _LANE) if to_left else QRectF(x + 15, 0, min(room, width - x - 15), _LANE)
        lane = next((number for number, end in enumerate(taken) if end + 8 <= left), len(taken))
        if lane == len(taken):
            taken.append(0.0)
        taken[lane] = x + 10 if to_left else text.right()
        y = card.bottom() + _ABOVE_LANES + lane * _LANE
        text.moveTop(y)
        tied = None if eye.before == 0 else QPointF(x, card.center().y() if in_gap else card.bottom())
        placed.append(PlacedEye(eye, QPointF(x, y + _LANE / 2), tied, text, to_left))
    return placed, len(taken)


def _links(cards: list[QRectF]) -> tuple[tuple[QPointF, ...], ...]:
    links: list[tuple[QPointF, ...]] = []
    for before, after in pairwise(cards):
        start = QPointF(before.right() + 4, before.center().y())
        end = QPointF(after.left() - 4, after.center().y())
        if before.top() == after.top():
            links.append((start, end))
        else:
            turn = after.top() - _BETWEEN_ROWS / 2
            out, back = before.right() + _MARGIN - 1, after.left() - _MARGIN + 1
            links.append(
                (start, QPointF(out, start.y()), QPointF(out, turn), QPointF(back, turn), QPointF(back, end.y()), end)
            )
    return tuple(links)
