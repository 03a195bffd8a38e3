"""What a rule set does with a planned port, for senders anywhere on the internet."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from wizard.configs.packet_filter.interfaces import Interfaces, interfaces
from wizard.configs.packet_filter.internet import ANYWHERE, INTERNET
from wizard.configs.packet_filter.packet import Fate, Packet
from wizard.configs.packet_filter.rules import (
    TCP,
    UDP,
    Among,
    Base,
    Cell,
    Field,
    Hook,
    Jump,
    Rule,
    RuleSet,
    Switch,
    Target,
    Together,
    Translate,
    Verdict,
)
from wizard.configs.packet_filter.spans import NONE, Spans, common, normal, size, united, without
from wizard.configs.packet_filter.walk import walk
from wizard.configs.reading import Answer, Question
from wizard.model.port import Protocol
from wizard.observation import Coverage

NUMBERS = {Protocol.TCP: TCP, Protocol.UDP: UDP}
_MOST_OF_IT = (3, 4)
"""The part of the internet that must be let in for a port to be open with exceptions, and not for some senders only."""
_FEW_LINES = 12
_Asked = tuple[Protocol, int, int, int | None, int | None, bool, bool]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A rule set that is asked about many ports: those that no rule tells apart are walked once."""

    rules: RuleSet
    ways: Interfaces
    edges: tuple[int, ...]
    """Port numbers from which on rules may say something else."""
    shifts: bool
    """Whether a rule leads ports to a range, so that each fares in its own way."""
    translates: frozenset[int]
    """The families for which there is a rule that rewrites destinations."""
    forwarded: tuple[Spans, Spans]
    """Destinations that rules at the hooks forward and input name."""
    known: dict[tuple[object, ...], tuple[Fate, ...]] = field(default_factory=dict)

    def answer(self, question: Question) -> Answer:
        """UNKNOWN where a line that was not understood could decide."""
        if question.family not in self.rules.families:
            return Answer(Coverage.UNKNOWN)
        found, _ = self._judged(question)
        if found.coverage is Coverage.MISSING:
            other, by_rule = self._judged(replace(question, protocol=question.protocol.other))
            if other.coverage is Coverage.COVERED and by_rule:
                return replace(other, coverage=Coverage.WRONG_PROTOCOL)
        return found

    def led(self, question: Question) -> set[tuple[int | None, int | None]]:
        """The hosts and numbers that a port of the internet is led to, where it is let through."""
        fates = self._fates(question, None, _number(question.destination, question.family))
        return {
            (now.destination, now.number if now.moved else question.number)
            for now in (fate.way.now for fate in fates if fate.verdict is Verdict.ACCEPT)
            if now.translated
        }

    def _judged(self, question: Question) -> tuple[Answer, bool]:
        """The answer, and whether a rule lets it in, and not what is done where none decides."""
        host, destination = _number(question.host, question.family), _number(question.destination, question.family)
        fates = self._fates(question, host, destination)
        kinds: dict[Coverage, list[Fate]] = {}
        for fate in fates:
            kinds.setdefault(self._kind(fate, question, host, destination), []).append(fate)
        by_rule = any(not rule.policy for fate in kinds.get(Coverage.COVERED, ()) for rule in fate.deciding)
        return _weighed(question, kinds), by_rule

    def _fates(self, question: Question, host: int | None, destination: int | None) -> tuple[Fate, ...]:
        rewrites = question.family in self.translates
        if question.translates and not rewrites:
            # A filter beside what translates, or, with IPv6, a router that hands on what was sent to the inner host.
            return self._walked(question, host, question.leaves, local=False)
        if question.translates:
            return self._walked(question, destination, question.number, local=True)
        if question.published and not rewrites:
            # The engine may hand it on to a container of which this file knows nothing, or answer for it itself.
            own = self._walked(question, destination, question.number, local=True)
            return (*own, *self._walked(question, None, None, local=False))
        passing, own_addresses = self.forwarded
        point = ((destination, destination),) if destination is not None else NONE
        through = bool(common(passing, point)) and not common(own_addresses, point)
        return self._walked(question, destination, question.number, local=not through)

    def _walked(
        self, question: Question, destination: int | None, number: int | None, *, local: bool
    ) -> tuple[Fate, ...]:
        alike = number if self.shifts or number is None else _class(self.edges, number)
        key = (question.protocol, question.family, alike, destination, local)
        if key not in self.known:
            family = question.family
            leads = self.ways.inward if local else self.ways.towards(destination)
            fates: list[Fate] = []
            for came_in in self.ways.outward:
                packet = Packet(family, NUMBERS[question.protocol], ANYWHERE[family], number, destination, came_in)
                fates += self._each_way_out(replace(packet, local=local), leads)
            self.known[key] = tuple(fates)
        return self.known[key]

    def _each_way_out(self, packet: Packet, leads: Iterable[str | None]) -> Iterable[Fate]:
        """Where it is handed on depends on what it has become; so each is tried with what leads there."""
        first, *_ = leads = tuple(leads)
        fates = walk(self.rules, replace(packet, goes_out=None if len(leads) > 1 else first))
        hosts = {fate.way.now.destination for fate in fates if not fate.way.now.local}
        if not hosts:
            return fates
        found: list[Fate] = [fate for fate in fates if fate.way.now.local]
        outs = dict.fromkeys(name for host in hosts for name in self.ways.towards(host))
        for name in outs:
            again = walk(self.rules, replace(packet, goes_out=name))
            found += (
                fate for fate in again if not fate.way.now.local and name in self.ways.towards(fate.way.now.destination)
            )
        return found

    def _kind(self, fate: Fate, question: Question, host: int | None, own: int | None) -> Coverage:
        now = fate.way.now
        if fate.verdict is Verdict.UNKNOWN:
            return Coverage.UNKNOWN
        if fate.verdict is not Verdict.ACCEPT:
            return Coverage.MISSING
        number = now.number if now.moved else question.number
        if not question.translates:
            if now.translated and now.local and number != question.leaves and not question.published:
                return Coverage.UNKNOWN if number is None else Coverage.TRANSLATED_ELSEWHERE
            return Coverage.COVERED
        if not now.translated:
            if question.family in self.translates:
                return Coverage.MISSING
            routed = question.family == 6 and question.number == question.leaves
            return Coverage.COVERED if routed else Coverage.UNKNOWN
        led = own if now.local else now.destination
        if number is None or (led is None and host is not None):
            return Coverage.UNKNOWN
        if host is not None and led != host:
            return Coverage.WRONG_TARGET
        return Coverage.COVERED if number == question.leaves else Coverage.TRANSLATED_ELSEWHERE


def asked(rules: RuleSet) -> Asked:
    """Prepare a rule set for questions."""
    edges: set[int] = set()
    shifts = False
    translates: set[int] = set()
    for rule in rules.rules():
        for spans in _spans(rule, Field.PORT, Field.FIRST_PORT):
            edges.update(edge for first, last in spans for edge in (first, last + 1))
        for target in _targets(rule):
            if isinstance(target, Translate):
                translates |= _families(rule)
                shifts = shifts or (target.ports is not None and target.ports[0] != target.ports[1])
    named = tuple(_destinations(rules, hook) for hook in (Hook.FORWARD, Hook.INPUT))
    return Asked(rules, interfaces(rules), tuple(sorted(edges)), shifts, frozenset(translates), (named[0], named[1]))


def _number(address: str | None, family: int) -> int | None:
    try:
        found = ip_address(address or "")
    except ValueError:
        return None
    return int(found) if found.version == family else None


def _class(edges: tuple[int, ...], number: int) -> int:
    return -bisect_right(edges, number)


def _targets(rule: Rule) -> Iterable[Target]:
    for step in rule.steps:
        if isinstance(step, Switch):
            yield from (target for _, target in step.rows)
        elif isinstance(step, Verdict | Jump | Translate):
            yield step


def _families(rule: Rule) -> set[int]:
    for step in rule.steps:
        if isinstance(step, Among) and step.field is Field.FAMILY and not step.negated:
            return {family for family in (4, 6) if common(step.spans, ((family, family),))}
    return {4, 6}


def _spans(rule: Rule, *fields: Field) -> Iterable[Spans]:
    """The numbers that a rule's matches name for these fields."""
    for step in rule.steps:
        if isinstance(step, Among) and step.field in fields:
            yield step.spans
        elif isinstance(step, Together | Switch):
            for row in step.rows:
                cells: tuple[Cell, ...] = row[0] if isinstance(step, Switch) else row  # type: ignore[assignment]
                yield tuple(
                    c for f, c in zip(step.fields, cells, strict=True) if f in fields and not isinstance(c, str)
                )


def _destinations(rules: RuleSet, hook: Hook) -> Spans:
    """The destinations that rules at a hook name, each less than half of all there are."""
    found: Spans = NONE
    for name in _reached(rules, [base for base in rules.bases if base.hook is hook]):
        for rule in rules.chains[name]:
            for spans in _spans(rule, Field.DESTINATION):
                if size(spans) < 1 << 31:
                    found = united(found, spans)
    return found


def _reached(rules: RuleSet, bases: Iterable[Base]) -> Iterable[str]:
    """The chains that a packet may come to from these."""
    waiting = [base.chain for base in bases]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in rules.chains:
            continue
        seen.add(name)
        yield name
        waiting += (t.chain for rule in rules.chains[name] for t in _targets(rule) if isinstance(t, Jump))


def _weighed(question: Question, kinds: dict[Coverage, list[Fate]]) -> Answer:
    """The answer for the internet at large, from what is done with each part of it."""
    parts: dict[Coverage, Spans] = {}
    for kind, fates in kinds.items():
        parts[kind] = normal(span for fate in fates for span in fate.way.sources)
    sure = dict(parts)
    for kind in parts:
        for other, spans in parts.items():
            if other is not kind:
                sure[kind] = without(sure[kind], spans)
    internet = INTERNET[question.family]
    weight = {kind: size(common(spans, internet)) for kind, spans in sure.items() if kind is not Coverage.UNKNOWN}
    whole = size(internet)
    open_ = weight.get(Coverage.COVERED, 0)
    unsure = whole - sum(weight.values())
    part, of = _MOST_OF_IT
    if open_ * of >= whole * part:
        exceptions = [] if open_ == whole else [f for k, fates in kinds.items() if k.blames for f in fates]
        return _told(Coverage.COVERED, kinds[Coverage.COVERED], exceptions)
    if open_ and (open_ + unsure) * of < whole * part:
        return _told(Coverage.RESTRICTED, kinds[Coverage.COVERED])
    if unsure:
        unclear = kinds.get(Coverage.UNKNOWN, [])
        return _told(Coverage.UNKNOWN, unclear or [f for fates in kinds.values() for f in fates], doubts=True)
    if size(sure.get(Coverage.COVERED, NONE)):
        return _told(Coverage.RESTRICTED, kinds[Coverage.COVERED])
    if weight.get(Coverage.WRONG_TARGET):
        fates = kinds[Coverage.WRONG_TARGET]
        return replace(_told(Coverage.WRONG_TARGET, fates), rule=_led_to(fates[0], question))
    if weight.get(Coverage.TRANSLATED_ELSEWHERE):
        fates = kinds[Coverage.TRANSLATED_ELSEWHERE]
        return replace(_told(Coverage.TRANSLATED_ELSEWHERE, fates), rule=_led_to(fates[0], question))
    # Where it is let in, and nothing hands it on, there is no line to show.
    return _told(Coverage.MISSING, [f for f in kinds.get(Coverage.MISSING, []) if f.verdict is not Verdict.ACCEPT])


def _told(coverage: Coverage, fates: list[Fate], exceptions: Iterable[Fate] = (), *, doubts: bool = False) -> Answer:
    rules = {rule for fate in fates for rule in fate.deciding}
    doubted = {rule for fate in fates for rule in fate.way.doubts}
    if doubts:
        unclear = {rule for fate in fates if fate.verdict is Verdict.UNKNOWN for rule in fate.deciding}
        vague = {rule for rule in rules if any(isinstance(target, Translate) for target in _targets(rule))}
        rules = doubted | unclear | vague or rules
    else:
        # Where it is sure, it is so without those that may not even apply.
        rules = rules - doubted or rules
    chosen = sorted(rules, key=lambda rule: rule.line)
    others = {rule.line for fate in exceptions for rule in fate.deciding if not rule.policy}
    lines = dict.fromkeys(rule.line for rule in chosen if rule.line)
    more = dict.fromkeys(sorted(line for line in others if line))
    text = next((rule.text for rule in reversed(chosen) if rule.text), "")
    return Answer(coverage, tuple(sorted([*lines, *more][:_FEW_LINES])), text)


def _led_to(fate: Fate, question: Question) -> str:
    now = fate.way.now
    number = now.number if now.moved else question.number
    if now.destination is None:
        return str(number)
    host = IPv6Address(now.destination) if question.family == 6 else IPv4Address(now.destination)
    return f"[{host}]:{number}" if question.family == 6 else f"{host}:{number}"
