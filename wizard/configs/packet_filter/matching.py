"""Whether a packet matches: surely, perhaps, or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wizard.configs.packet_filter.packet import Now, Packet, Phase, Way
from wizard.configs.packet_filter.rules import (
    CONNTRACK,
    TCP,
    Among,
    Base,
    Cell,
    Field,
    Hook,
    Named,
    Rate,
    State,
    Together,
)
from wizard.configs.packet_filter.spans import NONE, Span, Spans, common, holds, united, without

_CONGESTION = 0xC0
"""Flags that a sender may or may not set."""
_OF_CONNECTION = frozenset({Field.DIRECTION, Field.CONNECTION_MARK, Field.FIRST_PORT, Field.FIRST_DESTINATION})
"""What only a packet has that connection tracking has seen."""
_FLAGS = {Phase.FIRST: 0x02, Phase.REPLY: 0x12, Phase.NEXT: 0x10}
"""SYN, SYN and ACK, ACK."""


class Matching:
    """Compares what a rule looks at with the packet. `base` is the chain at whose hook that happens."""

    def __init__(self, packet: Packet, phase: Phase) -> None:
        self._packet = packet
        self._phase = phase
        self._reply = phase is Phase.REPLY
        self._base: Base | None = None

    def at(self, base: Base) -> None:
        """What is asked from here on is asked there."""
        self._base = base

    def split(self, match: Among | Named | Together | Rate, way: Way) -> tuple[Spans, Spans]:
        """The senders that match, and those that may."""
        match match:
            case Rate():
                return (NONE, NONE) if match.over else (way.sources, NONE)
            case Named():
                yes, maybe = self._any((self._name(match.field, match.names, way),))
                return _negated(way.sources, yes, maybe) if match.negated else (yes, maybe)
            case Among() if self._absent(match.field, way.now):
                return NONE, NONE
            case Among():
                yes, maybe = self._numbers(match.field, match.spans, match.mask, way)
            case Together() if any(self._absent(field, way.now) for field in match.fields):
                return NONE, NONE
            case Together():
                yes, maybe = self._any(self.cells(match.fields, row, way) for row in match.rows)
        if match.partial:
            maybe = without(way.sources, yes)
        return _negated(way.sources, yes, maybe) if match.negated else (yes, maybe)

    def _absent(self, field: Field, now: Now) -> bool:
        """Whether there is nothing to look at: then no match holds, nor its contrary."""
        return field in _OF_CONNECTION and not self._is_tracked(now)

    def _any(self, found: Iterable[tuple[Spans, Spans]]) -> tuple[Spans, Spans]:
        yes, maybe = NONE, NONE
        for one_yes, one_maybe in found:
            yes, maybe = united(yes, one_yes), united(maybe, one_maybe)
        return yes, without(maybe, yes)

    def cells(self, fields: Sequence[Field], cells: Sequence[Cell], way: Way) -> tuple[Spans, Spans]:
        """The senders for whom each field is in its cell, and those for whom that may be."""
        yes, able = way.sources, way.sources
        for field, cell in zip(fields, cells, strict=True):
            if isinstance(cell, str):
                sure, maybe = self._name(field, (cell,), way)
            else:
                sure, maybe = self._numbers(field, (cell,), None, way)
            yes, able = common(yes, sure), common(able, united(sure, maybe))
            if not able:
                break
        return yes, without(able, yes)

    def _name(self, field: Field, names: Sequence[str], way: Way) -> tuple[Spans, Spans]:
        name = self._interface(field)
        if name is None:
            return NONE, way.sources
        found = any(name.startswith(n[:-1]) if n.endswith("*") else n == name for n in names)
        return (way.sources if found else NONE), NONE

    def _numbers(self, field: Field, spans: Spans, mask: int | None, way: Way) -> tuple[Spans, Spans]:
        if field is (Field.DESTINATION if self._reply else Field.SOURCE):
            if mask is None:
                return common(way.sources, spans), NONE
            if all(first == last for first, last in way.sources):
                yes = tuple((n, n) for n, _ in way.sources if holds(spans, n & mask))
                return yes, NONE
            return NONE, way.sources
        value = self._value(field, way.now, mask)
        if value is None:
            return NONE, way.sources
        found = common(spans, (value,))
        if not found:
            return NONE, NONE
        return (way.sources, NONE) if found == (value,) else (NONE, way.sources)

    def _interface(self, field: Field) -> str | None:
        """Its name; empty where there is none."""
        hook = self._base.hook if self._base else Hook.INPUT
        near, far = self._packet.came_in, self._packet.goes_out
        if field is Field.IN:
            if hook is Hook.OUTPUT:
                return ""
            if hook is Hook.POSTROUTING:
                return None
            return far if self._reply else near
        if hook in (Hook.FORWARD, Hook.POSTROUTING, Hook.OUTPUT):
            return near if self._reply else far
        return ""

    def _value(self, field: Field, now: Now, mask: int | None) -> Span | None:
        """What the field can be, None where nothing is known of it."""
        if field is Field.TCP_FLAGS:
            mask = 0xFF if mask is None else mask
            return None if mask & _CONGESTION else _one(_FLAGS[self._phase] & mask)
        packet = self._packet
        value: int | Span | None
        if field in _OF_CONNECTION and not now.begun:
            return None
        match field:
            case Field.FAMILY:
                value = packet.family
            case Field.PROTOCOL:
                value = packet.protocol
            case Field.SOURCE | Field.DESTINATION:
                value = now.destination
            case Field.SOURCE_PORT:
                value = now.number if self._reply else packet.source_port
            case Field.PORT:
                value = packet.source_port if self._reply else now.number
            case Field.STATE:
                value = self._state(now)
            case Field.TRANSLATED:
                value = int(now.rewritten and self._is_tracked(now))
            case Field.DIRECTION:
                value = int(self._reply)
            case Field.MARK:
                value = now.mark
            case Field.CONNECTION_MARK:
                value = now.connection_mark
            case Field.LOCAL_SOURCE:
                value = int(now.local) if self._reply else 0
            case Field.LOCAL_DESTINATION:
                value = 0 if self._reply else int(now.local)
            case Field.FIRST_PORT:
                value = packet.number
            case Field.FIRST_DESTINATION:
                value = packet.destination
        if isinstance(value, int):
            value = (value, value)
        if value is None or mask is None:
            return value
        return _one(value[0] & mask) if value[0] == value[1] else None

    def _is_tracked(self, now: Now) -> bool:
        base = self._base
        early = base is not None and (base.hook is Hook.INGRESS or base.priority < CONNTRACK)
        # Of a connection of TCP that it did not see begin, an answer tells connection tracking nothing.
        stray = self._reply and not now.begun and self._packet.protocol == TCP
        return now.tracked and not early and not stray

    def _state(self, now: Now) -> int | None:
        if not now.tracked:
            return State.UNTRACKED
        if not self._is_tracked(now):
            return State.INVALID
        if self._phase is Phase.FIRST:
            return State.NEW
        if now.begun:
            return State.ESTABLISHED
        # The answer is the first that it sees; of what comes then, nobody knows.
        return State.NEW if self._reply else None


def _negated(sources: Spans, yes: Spans, maybe: Spans) -> tuple[Spans, Spans]:
    return without(sources, united(yes, maybe)), maybe


def _one(number: int) -> Span:
    return number, number
