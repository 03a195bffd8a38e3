"""The picture says what the diagnosis says."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QRegion

from wizard.diagnosis.verdict import Diagnosis, HopVerdict, PortRow, State
from wizard.gui.diagram.layout import arrange, changed_areas
from wizard.gui.diagram.model import Link, diagram_model, strips_model
from wizard.gui.diagram.paint import card_at, diagram_height, paint_diagram
from wizard.gui.diagram.strips import changed_areas as changed_strips
from wizard.gui.diagram.strips import paint_strips, place_stretches, strips_height
from wizard.gui.palette import DARK, LIGHT
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.vantage import Vantage, VantageKind

HOPS = (
    Hop("router", HopKind.ROUTER, "Home router", "203.0.113.20"),
    Hop("firewall", HopKind.FIREWALL, None, "192.168.77.10"),
    Hop("docker", HopKind.CONTAINER, "Docker"),
    Hop("chat", HopKind.SERVICE, "Video chat"),
)
MEDIA = PortPlan("media", Protocol.UDP, PortRange(10000, 10100), {"chat": PortRange(20000, 20100)})
WEB = PortPlan("web", Protocol.TCP, PortRange(8172, 8172))
PLACES = (
    Vantage("relay", VantageKind.TURN, None, "turn:[2001:db8::7]:3478?transport=udp"),
    Vantage("laptop", beyond="router"),
)
PROJECT = Project("chat", "203.0.113.20", HOPS, (WEB, MEDIA), PLACES)


def verdict(hop, state, *rows):
    return HopVerdict(hop, state, tuple(PortRow(p, PortRange(a, b), s) for p, a, b, s in rows))


def diagnosis(**states):
    tcp, udp = Protocol.TCP, Protocol.UDP
    hops = []
    for hop in HOPS:
        state = states[hop.id]
        rest = State.OPEN if state in (State.BLOCKED, State.SUSPECT) else state
        hops.append(
            verdict(hop.id, state, (tcp, 8172, 8172, rest), (udp, 10000, 10049, rest), (udp, 10050, 10100, state))
        )
    return Diagnosis(tuple(hops), (), ())


def test_before_a_test_nothing_is_claimed():
    model = diagram_model(PROJECT, None)
    assert {card.state for card in model.cards} == {None}
    assert {card.link for card in model.cards} == {Link.PLAIN}
    assert {stretch.state for s in strips_model(PROJECT, None).segments for row in s.rows for stretch in row} == {None}


def test_a_blocked_hop_counts_its_ports_and_stops_the_line_behind_it():
    model = diagram_model(
        PROJECT, diagnosis(router=State.BLOCKED, firewall=State.OPEN, docker=State.OPEN, chat=State.OPEN)
    )
    assert [card.word for card in model.cards] == ["51 blocked", "open", "open", "open"]
    assert [card.link for card in model.cards] == [Link.PROVEN, Link.STOPPED, Link.PROVEN, Link.PROVEN]


def test_no_line_is_proven_where_nothing_came_back():
    unknown = State.UNKNOWN
    model = diagram_model(PROJECT, diagnosis(router=unknown, firewall=unknown, docker=unknown, chat=unknown))
    assert {card.link for card in model.cards} == {Link.UNPROVEN}
    assert {card.word for card in model.cards} == {"not proven"}


def test_the_number_changes_at_the_hop_that_translates():
    router, firewall, docker, chat = diagram_model(PROJECT, None).cards
    assert router.numbers == ("10000–10100 udp", "8172 tcp")
    assert firewall.numbers == router.numbers
    assert docker.numbers == ("→ 20000–20100 udp",)
    assert chat.numbers == ("20000–20100 udp", "8172 tcp")


def test_the_places_stand_where_the_project_says():
    relay, laptop = diagram_model(PROJECT, None).eyes
    assert (relay.before, relay.text) == (0, "relay, relay at [2001:db8::7]")
    assert (laptop.before, laptop.text) == (1, "laptop, this computer")


def test_both_languages_have_every_word():
    english = diagram_model(PROJECT, None, "en")
    chinese = diagram_model(PROJECT, None, "zh_CN")
    assert english.cards[0].word == "not tested yet"
    assert chinese.cards[0].word == "尚未测试"


@pytest.mark.parametrize("width", [200, 320, 520, 648, 900, 1400])
def test_no_card_leaves_the_picture_or_lies_on_another(qapp, width):
    layout = arrange(diagram_model(PROJECT, None), width)
    whole = QRectF(0, 0, width, layout.height)
    for number, card in enumerate(layout.cards):
        assert whole.contains(card)
        assert not any(card.intersects(other) for other in layout.cards[number + 1 :])
    for placed in layout.eyes:
        assert whole.contains(placed.text)
        assert not any(placed.text.intersects(card) for card in layout.cards)


def test_a_click_on_a_card_finds_its_hop(qapp):
    model = diagram_model(PROJECT, None)
    layout = arrange(model, 900)
    assert [card_at(model, 900, rect.center()).id for rect in layout.cards[1:]] == [hop.id for hop in HOPS]
    assert card_at(model, 900, layout.cards[0].center()) is None
    assert card_at(model, 900, QPointF(-5, -5)) is None


def test_one_bad_port_among_ten_thousand_is_wide_enough_to_see(qapp):
    plan = PortPlan("many", Protocol.UDP, PortRange(10000, 20000))
    project = Project("x", "203.0.113.20", (HOPS[3],), (plan,))
    udp = Protocol.UDP
    rows = (
        (udp, 10000, 14999, State.OPEN),
        (udp, 15000, 15000, State.BLOCKED),
        (udp, 15001, 20000, State.OPEN),
    )
    found = Diagnosis((verdict("chat", State.BLOCKED, *rows),), (), ())
    hole = [p for p in place_stretches(strips_model(project, found), 640) if p.stretch.state is State.BLOCKED]
    assert [str(p.stretch.ports) for p in hole] == ["15000"]
    assert hole[0].rect.width() >= 3
    order = [p.stretch.state for p in place_stretches(strips_model(project, found), 640)]
    assert order[-1] is State.BLOCKED, "what is open must not be painted over the hole"


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_states_differ_in_shape_too(qapp, palette):
    def picture(state):
        rest = State.OPEN
        model = diagram_model(PROJECT, diagnosis(router=state, firewall=rest, docker=rest, chat=rest))
        strips = strips_model(PROJECT, diagnosis(router=state, firewall=rest, docker=rest, chat=rest))
        height = diagram_height(model, 700)
        image = QImage(700, int(height + strips_height(strips, 700)) + 2, QImage.Format.Format_Grayscale8)
        image.fill(255)
        painter = QPainter(image)
        paint_diagram(painter, QRectF(0, 0, 700, height), model, palette)
        paint_strips(painter, QRectF(0, height, 700, 10), strips, palette)
        painter.end()
        return image

    pictures = [picture(state) for state in State]
    assert all(a != b for number, a in enumerate(pictures) for b in pictures[number + 1 :])


def test_many_ranges_wrap_into_bands(qapp):
    plans = tuple(PortPlan(f"p{n}", Protocol.TCP, PortRange(2000 + n, 2000 + n)) for n in range(40))
    model = strips_model(Project("x", "203.0.113.20", HOPS, plans), None)
    placed = list(place_stretches(model, 640))
    assert len(placed) == 40 * len(HOPS)
    assert all(p.rect.right() <= 640 for p in placed)
    assert all(p.rect.bottom() <= strips_height(model, 640) for p in placed)


def drawn(paint, model, areas=None, over=None, width=900.0):
    """The picture; with `areas` only there, over another one."""
    image = QImage(over) if over is not None else QImage(900, 200, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    if areas is not None:
        region = QRegion()
        for area in areas:
            region += area.toAlignedRect()
        painter.setClipRegion(region)
    painter.fillRect(image.rect(), QColor(LIGHT.surface))
    paint(painter, QRectF(0, 0, width, 200), model, LIGHT)
    painter.end()
    return image


def differ(one, other):
    """The greatest difference of a colour, of 255; with a clip Qt rounds the edges of letters otherwise."""
    return max(abs(a - b) for a, b in zip(bytes(one.constBits()), bytes(other.constBits()), strict=True))


@pytest.mark.parametrize("changed", ["router", "firewall", "docker", "chat"])
@pytest.mark.parametrize("state", [State.BLOCKED, State.UNKNOWN])
def test_what_is_painted_again_makes_the_same_picture_as_all_of_it(qapp, changed, state):
    everything = dict.fromkeys((hop.id for hop in HOPS), State.OPEN)
    for one, other in ((everything, everything | {changed: state}), (everything | {changed: state}, everything)):
        before, after = (diagram_model(PROJECT, diagnosis(**states)) for states in (one, other))
        areas = changed_areas(before, after, 900.0)
        assert differ(drawn(paint_diagram, after, areas, drawn(paint_diagram, before)), drawn(paint_diagram, after)) < 4
        assert differ(drawn(paint_diagram, before), drawn(paint_diagram, after)) > 100
        whole = sum(rect.width() * rect.height() for rect in arrange(after, 900.0).cards)
        assert sum(area.width() * area.height() for area in areas) < whole / 2
        before, after = (strips_model(PROJECT, diagnosis(**states)) for states in (one, other))
        areas = changed_strips(before, after, 900.0)
        assert differ(drawn(paint_strips, after, areas, drawn(paint_strips, before)), drawn(paint_strips, after)) < 4
        assert differ(drawn(paint_strips, before), drawn(paint_strips, after)) > 100


def test_another_path_is_painted_as_a_whole(qapp):
    everything = dict.fromkeys((hop.id for hop in HOPS), State.OPEN)
    longer = replace(PROJECT, hops=(*HOPS[:1], replace(HOPS[0], id="second"), *HOPS[1:]))
    known = diagnosis(**everything)
    assert changed_areas(diagram_model(PROJECT, known), diagram_model(longer, None), 900.0) is None
    assert changed_strips(strips_model(PROJECT, known), strips_model(longer, None), 900.0) is None
