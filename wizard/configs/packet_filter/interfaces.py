"""Which interfaces the internet can come in by, and by which a packet is handed on: what the rules tell of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wizard.configs.packet_filter.packet import UNNAMED
from wizard.configs.packet_filter.rules import Among, Disguise, Field, Named, Rule, RuleSet, Switch, Together, Translate
from wizard.configs.packet_filter.spans import holds

MOST = 8
"""With more names than these it is left open which it is."""
_ENGINES = re.compile(r"docker\d+|br-[0-9a-f]{12}|veth.*|virbr\d+.*|cni\d+|flannel.*|cali.*|lxc.*|podman\d+|lxdbr\d+")
_INNER = re.compile(r"lan\d*|br-lan")
_OUTER = re.compile(r"wan\d*|wan6|ppp\d*|pppoe-.*")


@dataclass(frozen=True, slots=True)
class Interfaces:
    """Candidates. `told`: the rules say which ones face the internet."""

    outward: tuple[str | None, ...]
    told: bool
    inward: tuple[str | None, ...]
    behind: tuple[tuple[Among, str], ...] = ()
    """Networks that are known to be behind an interface."""

    def towards(self, address: int | None) -> tuple[str | None, ...]:
        """The interfaces by which a packet for that address may be handed on."""
        for network, name in self.behind:
            if address is not None and holds(network.spans, address):
                return (name,)
        return self.inward


def interfaces(rules: RuleSet) -> Interfaces:
    """What the rules tell."""
    named: dict[str, None] = {}
    facing: dict[str, None] = dict.fromkeys(rules.outward)
    taking: dict[str, None] = {}
    behind: list[tuple[Among, str]] = []
    for rule in rules.rules():
        for field, name, negated in _named(rule):
            named[name] = None
            if negated:
                continue
            if field is Field.OUT and any(isinstance(step, Disguise) for step in rule.steps):
                facing[name] = None
            if field is Field.IN and _translates(rule):
                taking[name] = None
        behind += _behind(rule)
    names = [n for n in named if n != "lo"]
    outer = dict.fromkeys([*facing, *(n for n in names if _OUTER.fullmatch(n))])
    if not rules.outward and not outer and len(taking) == 1:
        outer = taking
    others = [n for n in names if not _ENGINES.fullmatch(n)]
    outward = tuple(rules.outward or outer) or (*(n for n in others if not _INNER.fullmatch(n)), UNNAMED)
    inward = [n for n in names if n not in outer]
    if not outer or not inward:
        inward.append(UNNAMED)
    return Interfaces(_few(outward), bool(outer), _few(tuple(inward)), tuple(behind))


def _few(names: tuple[str, ...]) -> tuple[str | None, ...]:
    return (None,) if len(names) > MOST else names


def _translates(rule: Rule) -> bool:
    return any(
        isinstance(step, Translate)
        or (isinstance(step, Switch) and any(isinstance(target, Translate) for _, target in step.rows))
        for step in rule.steps
    )


def _named(rule: Rule) -> Iterator[tuple[Field, str, bool]]:
    for step in rule.steps:
        if isinstance(step, Named):
            for name in step.names:
                yield step.field, _one_of(name), step.negated
        elif isinstance(step, Together | Switch):
            for row in step.rows:
                cells = row[0] if isinstance(step, Switch) else row
                for field, cell in zip(step.fields, cells, strict=True):
                    if isinstance(cell, str):
                        yield field, _one_of(cell), True


def _one_of(name: str) -> str:
    """An interface that the pattern is about."""
    return name[:-1] + "0" if name.endswith("*") else name


def _behind(rule: Rule) -> Iterator[tuple[Among, str]]:
    """A network whose packets are disguised unless they stay on an interface is behind that interface; and so is a
    host that a rule names together with the interface that leads to it."""
    out = next((s for s in rule.steps if isinstance(s, Named) and s.field is Field.OUT and len(s.names) == 1), None)
    if out is None or out.names[0].endswith("*"):
        return
    for step in rule.steps:
        if isinstance(step, Among) and not step.negated and step.mask is None:
            disguised = step.field is Field.SOURCE and out.negated and any(isinstance(s, Disguise) for s in rule.steps)
            led = step.field is Field.DESTINATION and not out.negated
            if disguised or led:
                yield step, out.names[0]
