"""The ports that rules name, rule by rule: those let in from anywhere, and those led elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from wizard.configs.packet_filter.rules import (
    TCP,
    UDP,
    Among,
    Base,
    Cell,
    Doubt,
    Field,
    Hook,
    Jump,
    Named,
    Rate,
    Rule,
    RuleSet,
    State,
    Switch,
    Target,
    Together,
    Translate,
    Verdict,
)
from wizard.configs.packet_filter.spans import PORTS, Spans, common, holds, normal, without

_MOST = 20_000
"""Rules looked at. Jumps upon jumps have no more to say."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Ports of a rule that ends a packet's way. `protocols` holds the kernel's numbers of them."""

    rule: Rule
    target: Target
    protocols: Spans
    ports: Spans


@dataclass(frozen=True, slots=True)
class _Narrowing:
    protocols: Spans = ((TCP, TCP), (UDP, UDP))
    ports: Spans = PORTS
    anywhere: bool = True


def accepted(rules: RuleSet, *hooks: Hook) -> Iterator[Opened]:
    """What is let in from anywhere by a rule of a filter at one of these hooks."""
    bases = (base for base in rules.bases if base.hook in hooks and not base.translates)
    return (found for found in _all(rules, bases) if found.target is Verdict.ACCEPT)


def translated(rules: RuleSet) -> Iterator[Opened]:
    """What is led elsewhere."""
    bases = (base for base in rules.bases if base.hook is Hook.PREROUTING and base.translates)
    return (found for found in _all(rules, bases) if isinstance(found.target, Translate))


def _all(rules: RuleSet, bases: Iterable[Base]) -> Iterator[Opened]:
    waiting = [(base.chain, _Narrowing(), 0) for base in bases]
    left = _MOST
    while waiting:
        name, start, depth = waiting.pop(0)
        for rule in rules.chains.get(name, ()):
            left -= 1
            if left < 0:
                return
            for target, found in _ends(rule, start):
                if isinstance(target, Jump):
                    if depth < 16:
                        waiting.append((target.chain, found, depth + 1))
                elif found.anywhere and found.protocols and found.ports:
                    yield Opened(rule, target, found.protocols, found.ports)


def _ends(rule: Rule, start: _Narrowing) -> Iterator[tuple[Target, _Narrowing]]:
    found = start
    for step in rule.steps:
        match step:
            case Among():
                found = _narrowed(found, step)
            case Named():
                found = replace(found, anywhere=found.anywhere and not _only_itself(step))
            case Doubt() | Together():
                found = replace(found, anywhere=False)
            case Switch():
                for cells, target in step.rows:
                    yield target, _in_row(found, step.fields, cells)
            case Verdict() | Jump() | Translate():
                yield step, found
            case Rate() if step.over:
                found = replace(found, anywhere=False)
            case _:
                pass


def _in_row(found: _Narrowing, fields: tuple[Field, ...], cells: tuple[Cell, ...]) -> _Narrowing:
    for field, cell in zip(fields, cells, strict=True):
        if not isinstance(cell, str):
            found = _narrowed(found, Among(field, normal([cell])))
    return found


def _narrowed(found: _Narrowing, step: Among) -> _Narrowing:
    def kept(known: Spans) -> Spans:
        return without(known, step.spans) if step.negated else common(known, step.spans)

    match step.field:
        case Field.PROTOCOL:
            return replace(found, protocols=kept(found.protocols))
        case Field.PORT:
            return replace(found, ports=kept(found.ports))
        case Field.STATE:
            number = State.NEW if step.mask is None else State.NEW & step.mask
            new = holds(step.spans, number) is not step.negated
            return replace(found, anywhere=found.anywhere and new)
        case Field.FAMILY | Field.DESTINATION | Field.LOCAL_DESTINATION | Field.TCP_FLAGS | Field.SOURCE_PORT:
            return found
        case _:
            return replace(found, anywhere=False)


def _only_itself(step: Named) -> bool:
    return step.field is Field.IN and not step.negated and step.names == ("lo",)
