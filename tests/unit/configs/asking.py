"""Questions to a reading, and orders to a product, in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import strategies as st

from tests.unit.strategies import layouts
from wizard.configs.product import Order, Wanted
from wizard.configs.products import product, read
from wizard.configs.reading import Answer, Question, Reading
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol, Speaks
from wizard.model.project import Project

FILES = Path(__file__).parent / "services"
TCP, UDP = Protocol.TCP, Protocol.UDP
HOST = "192.168.77.10"
PUBLIC = "203.0.113.20"


def reading(data: str | bytes, name: str, variables: Mapping[str, str] | None = None) -> Reading:
    """What the product of that id makes of a file."""
    raw = data.encode() if isinstance(data, str) else data
    return read(raw, f"{name}.conf", product(name), variables or {})


def ask(
    found: Reading,
    protocol: Protocol,
    number: int,
    leaves: int | None = None,
    *,
    host: str | None = None,
    destination: str | None = HOST,
    family: int = 4,
) -> Answer:
    """What a reading says of one port, at a hop that may translate."""
    out = number if leaves is None else leaves
    return found.answer(Question(protocol, number, out, family, True, host, destination))


def order(
    kind: HopKind, wanted: Sequence[Wanted], existing: Reading | None = None, speaks: Mapping[str, Speaks] | None = None
) -> Order:
    """An order for a hop of that kind, on a path of itself behind a router and before a service."""
    spoken = speaks or {}
    inner = () if kind is HopKind.SERVICE else (Hop("app", HopKind.SERVICE),)
    hop = Hop("it", kind)
    hops = (Hop("router", HopKind.ROUTER, address=PUBLIC), hop, *inner)
    ports = tuple(PortPlan(w.name, w.protocol, w.arrives, {}, spoken.get(w.name)) for w in wanted)
    return Order(Project("Chat", PUBLIC, hops, ports), hop, tuple(wanted), existing)


@st.composite
def wants(draw: st.DrawFn, *, translated: bool = True, most: int = 4, longest: int = 30) -> list[Wanted]:
    """Ports for a hop to let through, none of them twice."""
    found: list[Wanted] = []
    for protocol in Protocol:
        lengths = draw(st.lists(st.integers(1, longest), max_size=most))
        arrives = draw(layouts(lengths))
        leaves = draw(layouts(lengths)) if translated else arrives
        for at, (outer, inner) in enumerate(zip(arrives, leaves, strict=True)):
            name = draw(st.sampled_from(("media", "Web 1", "信令", "a{{b}}", 'x"y')))
            found.append(Wanted(f"{name} {at}", protocol, outer, inner, None))
    return draw(st.permutations(found))


def numbers(text: str) -> PortRange:
    """A range."""
    return PortRange.parse(text)


def forwarded(found: Reading) -> set[tuple[Protocol, int, int]]:
    """What the hop that translates hands on, port by port, by what a reading tells of it."""
    forwards = [f for p in found.pieces if p.kind in (HopKind.CONTAINER, HopKind.TUNNEL_CLIENT) for f in p.forwards]
    return {(f.protocol, a, b) for f in forwards for a, b in zip(f.outer, f.inner, strict=True)}


def crossings(wanted: Sequence[Wanted]) -> set[tuple[Protocol, int, int]]:
    """What was ordered, port by port."""
    return {(w.protocol, a, b) for w in wanted for a, b in zip(w.arrives, w.leaves, strict=True)}
