"""Rules that hand ports on to a host inside: the first that takes a packet decides where it goes."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wizard.configs.filtering import BOTH, EVERY_PORT
from wizard.configs.reading import Allowed, Answer, Forward, Question
from wizard.configs.who import Who, networks
from wizard.model.port import PortRange, Protocol
from wizard.observation import Coverage
from wizard.plan import same_address


class Passage(enum.Enum):
    """Whether filter rules still stand in the way of what was handed on."""

    AT_ONCE = enum.auto()
    """None do."""
    UNLESS_STOPPED = enum.auto()
    """It passes unless one of them stops it."""
    FILTERED = enum.auto()
    """It must be let in like anything else."""


class Numbering(enum.Enum):
    """What becomes of the numbers of a range."""

    IN_STEP = enum.auto()
    """The first to the first, and so on."""
    LINUX = enum.auto()
    """Kept where the inner range holds the number; else any of that range, which one cannot be told."""
    UNSAID = enum.auto()
    """In step, or all to one where only one is named: the file does not tell."""


@dataclass(frozen=True, slots=True)
class PortForward:
    """One rule. `inner` None: the number stays. `host` None: wherever the next hop is."""

    line: int
    text: str
    protocols: frozenset[Protocol]
    outer: tuple[PortRange, ...]
    inner: PortRange | None = None
    host: str | None = None
    name: str = ""
    families: frozenset[int] = frozenset((4,))
    destinations: tuple[str, ...] = ()
    """The addresses for which it is, or any."""
    who: Who = Who.EVERYBODY
    numbering: Numbering = Numbering.IN_STEP
    passage: Passage = Passage.AT_ONCE
    exempts: bool = False
    """It hands nothing on, and keeps what it takes from later rules."""
    itself: bool = False
    """It hands on to the device that has the rule."""
    unread: bool = False
    """Where it leads was not understood."""

    def takes(self, question: Question) -> Who:
        """Whose packets, of those that the question is about."""
        if question.protocol not in self.protocols or question.family not in self.families:
            return Who.NOBODY
        if not any(question.number in numbers for numbers in self.outer):
            return Who.NOBODY
        return min(self.who, self._aimed(question))

    def _aimed(self, question: Question) -> Who:
        if not self.destinations:
            return Who.EVERYBODY
        if question.destination is None or question.destination == question.host:
            # A router without an address of its own: which one its packets are sent to is not in the plan.
            return Who.PERHAPS
        try:
            (sent_to,) = networks(question.destination)
            held = [network for text in self.destinations for network in networks(text)]
        except ValueError:
            same = same_address(question.destination) in map(same_address, self.destinations)
            return Who.EVERYBODY if same else Who.PERHAPS
        inside = any(net.version == sent_to.version and sent_to.subnet_of(net) for net in held)  # type: ignore[arg-type]
        return Who.EVERYBODY if inside else Who.NOBODY

    def numbers(self, number: int) -> tuple[PortRange, ...]:
        """On which port a packet to `number` may leave: one range of one port where that is certain."""
        outer = next(numbers for numbers in self.outer if number in numbers)
        inner = outer if self.inner is None else self.inner
        shifted = inner.first + number - outer.first
        step = PortRange(shifted, shifted)
        if self.numbering is Numbering.LINUX:
            return (PortRange(number, number),) if number in inner else (inner,)
        if len(inner) == len(outer):
            return (step,)
        if len(inner) == 1:
            return (inner,) if shifted == inner.first or self.numbering is Numbering.IN_STEP else (inner, step)
        return (inner,)

    def judged(self, question: Question) -> Answer:
        """Where it leads the packet, held against the plan."""
        lines = (self.line,)
        if self.unread:
            return Answer(Coverage.UNKNOWN, lines, self.text)
        if self.exempts:
            return Answer(Coverage.MISSING, lines, self.text)
        possible = self.numbers(question.number)
        led = ", ".join(f"{self.host or ''}:{numbers}" for numbers in possible)
        if self.itself and question.host is not None:
            return Answer(Coverage.WRONG_TARGET, lines, self.text)
        host = _same_host(self.host, question.host)
        if host is Who.NOBODY:
            return Answer(Coverage.WRONG_TARGET, lines, led)
        if not any(question.leaves in numbers for numbers in possible):
            return Answer(Coverage.TRANSLATED_ELSEWHERE, lines, led)
        certain = host is Who.EVERYBODY and possible == (PortRange(question.leaves, question.leaves),)
        return Answer(Coverage.COVERED if certain else Coverage.UNKNOWN, lines, self.text)


def _same_host(host: str | None, planned: str | None) -> Who:
    if host is None or planned is None or same_address(host) == same_address(planned):
        return Who.EVERYBODY
    try:
        networks(host)
        networks(planned)
    except ValueError:
        # A name: what it stands for is not in the file.
        return Who.PERHAPS
    return Who.NOBODY


@dataclass(frozen=True, slots=True)
class Handed:
    """What the rules do with a packet, and the rule that decides, if one does."""

    answer: Answer
    rule: PortForward | None = None


def handed(rules: Sequence[PortForward], question: Question) -> Handed:
    """Where the first rule that applies leads a packet. MISSING where none does."""
    found = _walked(rules, question)
    if found.answer.coverage in (Coverage.MISSING, Coverage.RESTRICTED) and found.rule is None:
        other = _walked(rules, replace(question, protocol=question.protocol.other))
        if other.rule is not None and other.answer.coverage is Coverage.COVERED:
            return Handed(replace(other.answer, coverage=Coverage.WRONG_PROTOCOL))
    return found


def _walked(rules: Sequence[PortForward], question: Question) -> Handed:
    doubts: list[PortForward] = []
    parts: list[PortForward] = []
    decides: PortForward | None = None
    for rule in rules:
        match rule.takes(question):
            case Who.PERHAPS:
                doubts.append(rule)
            case Who.FEW | Who.PART as taken:
                # What becomes of a few tells nothing of the rest.
                if taken is Who.PART or not rule.exempts:
                    parts.append(rule)
            case Who.EVERYBODY:
                decides = rule
                break
    answer = Answer(Coverage.MISSING) if decides is None else decides.judged(question)
    if any(rule.judged(question).coverage is not answer.coverage for rule in doubts):
        lines = [rule.line for rule in doubts] + list(answer.lines)
        return Handed(Answer(Coverage.UNKNOWN, tuple(dict.fromkeys(lines)), doubts[0].text), decides)
    some = [rule for rule in parts if rule.judged(question).coverage is Coverage.COVERED]
    if decides is None and some:
        return Handed(Answer(Coverage.RESTRICTED, tuple(rule.line for rule in some), some[0].text))
    split = [rule for rule in parts if rule.who is Who.PART and rule not in some]
    if answer.coverage is Coverage.COVERED and split:
        return Handed(Answer(Coverage.RESTRICTED, tuple(rule.line for rule in split), split[0].text), decides)
    return Handed(answer, decides)


def allowed(rules: Sequence[PortForward]) -> tuple[Allowed, ...]:
    """What the rules hand on for anybody."""
    return tuple(
        Allowed(None if rule.protocols == BOTH else next(iter(rule.protocols)), numbers, rule.line)
        for rule in rules
        if rule.who is Who.EVERYBODY and rule.protocols and not rule.exempts
        for numbers in rule.outer
    )


def forwards(rules: Sequence[PortForward]) -> Iterator[Forward]:
    """The rules of which it is certain what they hand on, as parts of a path."""
    for rule in rules:
        if rule.who is not Who.EVERYBODY or rule.exempts or rule.itself or rule.unread or EVERY_PORT in rule.outer:
            continue
        for outer in rule.outer:
            ends = rule.numbers(outer.first), rule.numbers(outer.last)
            if any(len(end) != 1 or len(end[0]) != 1 for end in ends):
                continue
            inner = PortRange(ends[0][0].first, max(ends[0][0].first, ends[1][0].last))
            if len(inner) == len(outer):
                for protocol in sorted(rule.protocols):
                    yield Forward(protocol, outer, inner, rule.host, rule.name, rule.line)
