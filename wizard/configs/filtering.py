"""Rules that let packets in or stop them, taken in order: the first that applies decides."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from wizard.configs.reading import Allowed, Answer, Question
from wizard.configs.who import Network, Who, networks
from wizard.model.port import PortRange, Protocol
from wizard.observation import Coverage

BOTH = frozenset(Protocol)
ONE_PROTOCOL: Mapping[str, frozenset[Protocol]] = {
    name: frozenset((protocol,))
    for name, protocol in (("tcp", Protocol.TCP), ("6", Protocol.TCP), ("udp", Protocol.UDP), ("17", Protocol.UDP))
}
"""By their names and numbers."""
EVERY_FAMILY = frozenset((4, 6))
EVERY_PORT = PortRange(1, 65535)


class Action(enum.Enum):
    """What becomes of a packet that a rule takes."""

    ADMIT = enum.auto()
    STOP = enum.auto()
    EITHER = enum.auto()
    """It was not understood."""


@dataclass(frozen=True, slots=True)
class FilterRule:
    """One rule. `numbers` are the destination ports, `hosts` the destinations; None is any."""

    action: Action
    line: int
    text: str
    protocols: frozenset[Protocol] = BOTH
    numbers: tuple[PortRange, ...] | None = None
    hosts: tuple[Network, ...] | None = None
    families: frozenset[int] = EVERY_FAMILY
    who: Who = Who.EVERYBODY

    def takes(self, question: Question) -> Who:
        """Whose packets, of those that the question is about."""
        if question.protocol not in self.protocols or question.family not in self.families:
            return Who.NOBODY
        if self.numbers is not None and not any(question.number in numbers for numbers in self.numbers):
            return Who.NOBODY
        return min(self.who, aims(self.hosts, question.destination))


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in their order, and what becomes of a packet that none takes."""

    rules: tuple[FilterRule, ...]
    otherwise: Action = Action.STOP

    def answer(self, question: Question, otherwise: Action | None = None) -> Answer:
        """Whether a packet for `question.number` at `question.destination` gets through."""
        found = self._walked(question, otherwise or self.otherwise)
        if found.coverage in (Coverage.MISSING, Coverage.RESTRICTED):
            # A rule for everybody that has the wrong protocol tells more than one for a few.
            other = self._walked(replace(question, protocol=question.protocol.other), Action.STOP)
            if other.coverage is Coverage.COVERED:
                return replace(other, coverage=Coverage.WRONG_PROTOCOL)
        return found

    def _walked(self, question: Question, otherwise: Action) -> Answer:
        doubts: list[FilterRule] = []
        parts: list[FilterRule] = []
        last: FilterRule | None = None
        for rule in self.rules:
            taken = rule.takes(question)
            if taken is Who.PERHAPS or (taken is not Who.NOBODY and rule.action is Action.EITHER):
                doubts.append(rule)
            elif taken is Who.PART or (
                # That inside or some few may do anything, as most firewalls say, was not meant for this port.
                taken is Who.FEW and rule.action is Action.ADMIT and rule.numbers is not None
            ):
                parts.append(rule)
            elif taken is Who.EVERYBODY:
                last = rule
                break
        action = otherwise if last is None else last.action
        decides = [] if last is None else [last]
        if action is Action.EITHER or any(rule.action is not action for rule in doubts):
            return _told(Coverage.UNKNOWN, [*(rule for rule in doubts if rule.action is not action), *decides])
        if any(rule.action is not action for rule in parts):
            return _told(Coverage.RESTRICTED, [*(rule for rule in parts if rule.action is not action), *decides])
        return _told(Coverage.COVERED if action is Action.ADMIT else Coverage.MISSING, decides)

    @property
    def allowed(self) -> tuple[Allowed, ...]:
        """What its rules admit from anywhere."""
        return tuple(
            Allowed(next(iter(rule.protocols)) if len(rule.protocols) == 1 else None, numbers, rule.line)
            for rule in self.rules
            if rule.action is Action.ADMIT and rule.who is Who.EVERYBODY and rule.protocols
            for numbers in (rule.numbers if rule.numbers is not None else (EVERY_PORT,))
        )


def aims(hosts: Iterable[Network] | None, destination: str | None) -> Who:
    """Whether a rule for these destinations is about a packet to that one: everybody's, nobody's, or perhaps."""
    if hosts is None:
        return Who.EVERYBODY
    try:
        (wanted,) = networks(destination or "")
    except ValueError:
        return Who.PERHAPS
    inside = any(host.version == wanted.version and wanted.subnet_of(host) for host in hosts)  # type: ignore[arg-type]
    return Who.EVERYBODY if inside else Who.NOBODY


def _told(coverage: Coverage, rules: Sequence[FilterRule]) -> Answer:
    lines = tuple(dict.fromkeys(rule.line for rule in rules))
    return Answer(coverage, lines, rules[0].text if len(lines) == 1 else "")
