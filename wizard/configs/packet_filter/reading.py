"""The reading of a packet filter's configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise

from wizard.configs.packet_filter.answer import NUMBERS, Asked, asked
from wizard.configs.packet_filter.opened import Opened, accepted, translated
from wizard.configs.packet_filter.rules import Hook, RuleSet
from wizard.configs.packet_filter.spans import PORTS, Span, holds, size
from wizard.configs.reading import Allowed, Answer, Forward, Note, Piece, Question, Server
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol
from wizard.observation import Coverage


@dataclass(frozen=True, slots=True)
class FilterReading:
    """A rule set with what its file said beside it."""

    product: str
    title: str
    file: str
    rules: RuleSet
    notes: tuple[Note, ...]
    allowed: tuple[Allowed, ...]
    asked: Asked
    every: bool = True
    servers: tuple[Server, ...] = ()
    announced: tuple[str, ...] = ()
    bypassed: bool = False
    """Whether a container engine lets in what it publishes before these rules are asked."""

    def answer(self, question: Question) -> Answer:
        """UNKNOWN where a line that was not understood could decide."""
        if not (self.bypassed and question.published):
            return self.asked.answer(question)
        # Where the engine answers for the container itself, the rules do count; so only what they allow is sure.
        found = self.asked.answer(replace(question, published=False))
        return replace(found, coverage=Coverage.UNKNOWN) if found.coverage.blames else found

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """A firewall with the ports that it lets in, and what hands ports on behind it, or a router that does so."""
        led = tuple(_led(self.asked))
        let = tuple(_let(self.asked))
        engine = any(" DOCKER" in name for name in self.rules.chains)
        if led and not engine:
            return (Piece(HopKind.ROUTER, self.title, forwards=led),)
        container = (Piece(HopKind.CONTAINER, "Docker", forwards=led),) if led else ()
        firewall = (Piece(HopKind.FIREWALL, self.title, forwards=let),) if let or not led else ()
        return (*firewall, *container)


def reading(product: str, title: str, file: str, rules: RuleSet, notes: list[Note]) -> FilterReading:
    """Make a reading of what was parsed."""
    prepared = asked(rules)
    named = [name for name in prepared.ways.outward if name]
    if not prepared.ways.told and len(named) > 1:
        shown = ", ".join(name for name in named if name.isprintable())
        notes = [*notes, Note(Phrase("interfaces-untold", {"names": shown}))]
    allowed = dict.fromkeys(
        Allowed(protocol, PortRange(*span), found.rule.line)
        for found in accepted(rules, Hook.INPUT)
        for protocol in _protocols(found)
        for span in found.ports
    )
    return FilterReading(product, title, file, rules, tuple(sorted(notes, key=_line)), tuple(allowed), prepared)


def _line(note: Note) -> int:
    return note.line or 0


def _protocols(found: Opened) -> tuple[Protocol | None, ...]:
    named = tuple(protocol for protocol, number in NUMBERS.items() if holds(found.protocols, number))
    return (None,) if len(named) == len(NUMBERS) else named


def _parts(asked: Asked, found: Opened) -> Iterator[tuple[Protocol, Span, int]]:
    """The stretches of a rule's ports within which no rule tells them apart."""
    if size(found.ports) == size(PORTS):
        return
    for protocol, number in NUMBERS.items():
        if not holds(found.protocols, number):
            continue
        for first, last in found.ports:
            edges = [first, *(edge for edge in asked.edges if first < edge <= last), last + 1]
            for start, end in pairwise(edges):
                yield protocol, (start, end - 1), found.rule.line


def _let(asked: Asked) -> Iterator[Forward]:
    """What is let in, of the ports that rules name."""
    parts: dict[tuple[Protocol, Span], int] = {}
    for found in accepted(asked.rules, Hook.INPUT, Hook.FORWARD):
        for protocol, span, line in _parts(asked, found):
            parts.setdefault((protocol, span), line)
    open_ = [
        Forward(protocol, PortRange(*span), PortRange(*span), line=line)
        for (protocol, span), line in parts.items()
        if any(
            asked.answer(Question(protocol, span[0], span[0], family)).coverage is Coverage.COVERED
            for family in sorted(asked.rules.families)
        )
    ]
    return _joined(open_)


def _led(asked: Asked) -> Iterator[Forward]:
    """Where ports are led that rules name."""
    found: list[Forward] = []
    for rule in translated(asked.rules):
        for protocol, (first, last), line in _parts(asked, rule):
            for family in sorted(asked.rules.families & asked.translates):
                ends = [_target(asked, protocol, family, number) for number in dict.fromkeys((first, last))]
                (host, start), (other, end) = ends[0], ends[-1]
                if start is not None and end is not None and host == other and end - start == last - first:
                    found.append(
                        Forward(protocol, PortRange(first, last), PortRange(start, end), _text(host, family), line=line)
                    )
                    break
    return _joined(list(dict.fromkeys(found)))


def _target(asked: Asked, protocol: Protocol, family: int, number: int) -> tuple[int | None, int | None]:
    led = asked.led(Question(protocol, number, number, family, translates=True))
    return next(iter(led)) if len(led) == 1 else (None, None)


def _text(host: int | None, family: int) -> str | None:
    if host is None:
        return None
    return str(IPv6Address(host) if family == 6 else IPv4Address(host))


def _joined(forwards: list[Forward]) -> Iterator[Forward]:
    """Neighbours taken together."""
    last: Forward | None = None
    for each in sorted(forwards, key=lambda f: (f.protocol, f.host or "", f.outer)):
        if last is not None and each.outer == last.outer:
            continue
        if (
            last is not None
            and (each.protocol, each.host) == (last.protocol, last.host)
            and (each.outer.first, each.inner.first) == (last.outer.last + 1, last.inner.last + 1)
        ):
            last = Forward(
                last.protocol,
                PortRange(last.outer.first, each.outer.last),
                PortRange(last.inner.first, each.inner.last),
                last.host,
                line=last.line,
            )
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last
