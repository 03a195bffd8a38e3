"""The diagram on any painter: a widget's or a PDF writer's. Lengths are pixels of the painter's own space."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from wizard.diagnosis.verdict import State
from wizard.gui.diagram.layout import EYE_SIZE, PADDING, TITLE_LINE, TITLE_SIZE, Layout, arrange, wrapped
from wizard.gui.diagram.letters import mono, sans, write
from wizard.gui.diagram.marks import paint_eye, paint_mark
from wizard.gui.diagram.model import Card, DiagramModel, Link
from wizard.gui.palette import Palette


def diagram_height(model: DiagramModel, width: float) -> float:
    """Height in pixels that the diagram takes in `width` pixels."""
    return arrange(model, width).height


def card_at(model: DiagramModel, width: float, point: QPointF) -> Card | None:
    """The hop drawn at `point`, which is relative to the diagram's top left."""
    rects = arrange(model, width).cards[1:]
    return next((card for card, rect in zip(model.cards, rects, strict=True) if rect.contains(point)), None)


def paint_diagram(
    painter: QPainter, rect: QRectF, model: DiagramModel, palette: Palette, highlight: str | None = None
) -> None:
    """Draw `model` into `rect` from its top left. `highlight` is the id of a hop to put a ring around."""
    layout = arrange(model, rect.width())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    for card, corners in zip(model.cards, layout.links, strict=True):
        _paint_link(painter, corners, card.link, palette)
    _paint_threads(painter, layout, palette)
    _paint_outside(painter, layout.cards[0], model, palette)
    for card, where in zip(model.cards, layout.cards[1:], strict=True):
        _paint_card(painter, where, card, palette, layout.title_lines, highlighted=card.id == highlight)
    for placed in layout.eyes:
        paint_eye(painter, placed.at, palette)
        # The thread of another eye may pass behind the words.
        painter.fillRect(placed.text.adjusted(0, 3, 0, -3), QColor(palette.surface))
        align = Qt.AlignmentFlag.AlignRight if placed.to_left else Qt.AlignmentFlag.AlignLeft
        write(painter, placed.text, placed.eye.text, sans(EYE_SIZE), palette.accent, align)
    painter.restore()


def _paint_card(
    painter: QPainter, rect: QRectF, card: Card, palette: Palette, title_lines: int, *, highlighted: bool
) -> None:
    colour = palette.line if card.state is None else palette.of(card.state)
    wide = card.state in (State.BLOCKED, State.SUSPECT)
    fill = palette.tint(card.state) if card.state in (State.BLOCKED, State.SUSPECT) else palette.surface
    painter.setBrush(QColor(fill))
    painter.setPen(QPen(QColor(colour), 2 if wide else 1.3))
    painter.drawRoundedRect(rect, 10, 10)
    if highlighted:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(palette.accent), 2.4))
        painter.drawRoundedRect(rect.adjusted(-4, -4, 4, 4), 13, 13)
    inner = rect.adjusted(PADDING, 0, -PADDING, 0)
    _write_title(painter, rect, card.title, palette)
    below = 17 + TITLE_LINE * title_lines
    lines = [line for line in (card.address, *card.numbers) if line]
    for number, text in enumerate(lines[:3]):
        write(painter, _line(inner, below + 16 * number, 16), text, mono(11), palette.muted)
    if not card.word:
        return
    mark = QPointF(inner.left() + 9, rect.bottom() - 16)
    paint_mark(painter, mark, 8.5, card.state, palette)
    word_colour = palette.muted if card.state is None else palette.of(card.state)
    write(
        painter, _line(inner.adjusted(24, 0, 0, 0), rect.height() - 26, 20), card.word, sans(12, bold=True), word_colour
    )


def _paint_outside(painter: QPainter, rect: QRectF, model: DiagramModel, palette: Palette) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(palette.unknown), 1.2, Qt.PenStyle.DashLine))
    painter.drawRoundedRect(rect, 10, 10)
    inner = rect.adjusted(PADDING, 0, -PADDING, 0)
    _write_title(painter, rect, model.outside, palette)
    write(painter, _line(inner, 34, 16), model.outside_note, sans(11.5), palette.muted)


def _write_title(painter: QPainter, rect: QRectF, title: str, palette: Palette) -> None:
    inner = rect.adjusted(PADDING, 0, -PADDING, 0)
    for number, line in enumerate(wrapped(title, rect.width())):
        write(painter, _line(inner, 12 + TITLE_LINE * number, 20), line, sans(TITLE_SIZE, bold=True), palette.text)


def _line(rect: QRectF, top: float, height: float) -> QRectF:
    return QRectF(rect.left(), rect.top() + top, rect.width(), height)


def _paint_link(painter: QPainter, corners: tuple[QPointF, ...], link: Link, palette: Palette) -> None:
    colour = {
        Link.PLAIN: palette.line,
        Link.PROVEN: palette.open,
        Link.UNPROVEN: palette.unknown,
        Link.SUSPECT: palette.suspect,
        Link.STOPPED: palette.blocked,
    }[link]
    pen = QPen(QColor(colour), 2.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    if link not in (Link.PLAIN, Link.PROVEN):
        pen.setDashPattern([0.1, 2.2])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    path = QPainterPath(corners[0])
    for corner in corners[1:]:
        path.lineTo(corner)
    painter.drawPath(path)


def _paint_threads(painter: QPainter, layout: Layout, palette: Palette) -> None:
    painter.setPen(QPen(QColor(palette.accent), 1.2, Qt.PenStyle.DashLine))
    for placed in layout.eyes:
        if placed.tied is not None:
            painter.drawLine(placed.tied, placed.at)
