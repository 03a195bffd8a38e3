"""The reading of a file that says which ports a program takes in, and where it hands them on to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from wizard.configs.filtering import BOTH, EVERY_FAMILY, EVERY_PORT
from wizard.configs.forwarding import PortForward, allowed, handed
from wizard.configs.reading import Allowed, Answer, Note, Piece, Question, Server, UnreadableError
from wizard.configs.who import Who
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol
from wizard.observation import Coverage

MOST_RULES = 2048
"""Lines that take ports in, at most."""
BY_DEFAULT = 0
"""The line of what is in force without being in the file."""
IN_FRONT = (PortRange(80, 80), PortRange(443, 443), PortRange(8443, 8443), PortRange(8448, 8448))
"""Ports that a web server in front of a service often takes for it, so that its own file does not name them."""


@dataclass(frozen=True, slots=True)
class ServiceReading:
    """One file. `asides` take no number that the file names: they count for ports that leave on their inner ones."""

    product: str
    file: str
    rules: tuple[PortForward, ...] = ()
    asides: tuple[PortForward, ...] = ()
    notes: tuple[Note, ...] = ()
    pieces: tuple[Piece, ...] = ()
    servers: tuple[Server, ...] = ()
    announced: tuple[str, ...] = ()
    dialect: str = ""
    """Of the syntaxes that a product has, the one of this file."""

    @property
    def every(self) -> bool:
        """One file that takes a port in is enough."""
        return False

    @property
    def allowed(self) -> tuple[Allowed, ...]:
        """What it hands on from anywhere. Where the program itself listens opens nothing that was not open."""
        return allowed([rule for rule in self.rules if rule.inner is not None])

    def answer(self, question: Question) -> Answer:
        """What becomes of one port."""
        asides = [rule for rule in self.asides if rule.inner is None or question.leaves in rule.inner]
        asides = [rule for rule in asides if question.protocol in rule.protocols]
        found = handed((*self.rules, *(rule for rule in asides if not rule.exempts)), question).answer
        found = replace(found, lines=tuple(line for line in found.lines if line != BY_DEFAULT))
        if found.coverage is Coverage.MISSING and not found.lines:
            hint = next((rule for rule in asides if rule.exempts), None)
            if hint is not None:
                return Answer(Coverage.MISSING, (hint.line,), hint.text)
        return found


def settled(rules: Iterable[PortForward]) -> tuple[PortForward, ...]:
    """The rules in the order in which they count: no program gives a port to two, so what is certain goes first.

    Of two that take the same port and lead elsewhere, neither is certain. Raises UnreadableError for too many.
    """
    found = list(rules)
    if len(found) > MOST_RULES:
        raise UnreadableError(Phrase("too-many", {"most": str(MOST_RULES)}), found[MOST_RULES].line)
    ranges = sorted(
        ((numbers, at) for at, rule in enumerate(found) for numbers in rule.outer), key=lambda pair: pair[0]
    )
    doubtful: set[int] = set()
    for here, (numbers, at) in enumerate(ranges):
        for other, there in ranges[here + 1 :]:
            if other.first > numbers.last:
                break
            if _contradict(found[at], numbers, found[there], other):
                doubtful |= {at, there}
    judged = [replace(rule, who=Who.PERHAPS) if at in doubtful else rule for at, rule in enumerate(found)]
    return tuple(sorted(judged, key=lambda rule: -rule.who))


def _contradict(one: PortForward, outer: PortRange, other: PortForward, its: PortRange) -> bool:
    if one.who is not Who.EVERYBODY or other.who is not Who.EVERYBODY or not one.protocols & other.protocols:
        return False
    if not one.families & other.families or (one.destinations and other.destinations):
        return False
    return one.host != other.host or _shift(one, outer) != _shift(other, its)


def _shift(rule: PortForward, outer: PortRange) -> int:
    return 0 if rule.inner is None else rule.inner.first - outer.first


def listens(
    line: int, text: str, protocol: Protocol, numbers: PortRange, name: str, at: Bound | None = None
) -> PortForward:
    """A port or range on which the program itself listens."""
    where = at or bound("")
    return PortForward(
        line,
        text,
        frozenset((protocol,)),
        (numbers,),
        name=name,
        families=where.families,
        destinations=where.destinations,
        who=where.who,
    )


def doubtful(line: int, text: str, protocols: frozenset[Protocol] = BOTH) -> PortForward:
    """A line that may take any port in."""
    return PortForward(line, text, protocols, (EVERY_PORT,), families=EVERY_FAMILY, who=Who.PERHAPS)


def aside(
    line: int,
    text: str,
    protocols: frozenset[Protocol],
    inner: PortRange | None,
    who: Who = Who.EVERYBODY,
    *,
    exempts: bool = False,
) -> PortForward:
    """What a file says of ports inside without the number outside: for `ServiceReading.asides`."""
    return PortForward(line, text, protocols, (EVERY_PORT,), inner, families=EVERY_FAMILY, who=who, exempts=exempts)


def in_front() -> tuple[PortForward, ...]:
    """What a web server in front of the program may take in."""
    tcp = frozenset((Protocol.TCP,))
    return tuple(aside(BY_DEFAULT, "", tcp, numbers, Who.PERHAPS) for numbers in IN_FRONT)


@dataclass(frozen=True, slots=True)
class Bound:
    """Who reaches a socket that is bound to an address."""

    families: frozenset[int]
    who: Who = Who.EVERYBODY
    destinations: tuple[str, ...] = ()


PERHAPS = Bound(EVERY_FAMILY, Who.PERHAPS)
"""Whether anybody reaches it is not known."""


def bound(address: str, every: frozenset[int] = EVERY_FAMILY) -> Bound:
    """Where a socket bound to `address` is reached; an empty one is bound to addresses of the families in `every`."""
    text = address.strip().strip("[]")
    if text in ("", "*"):
        return Bound(every)
    if text == "localhost":
        return Bound(every, Who.FEW)
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return Bound(every, Who.PERHAPS)
    families = frozenset((ip.version,))
    if ip.is_unspecified:
        return Bound(families)
    return Bound(families, Who.FEW) if ip.is_loopback else Bound(families, destinations=(text,))


def in_step(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[PortRange, PortRange], ...]:
    """Pairs of numbers as ranges that run beside each other."""
    found: list[tuple[PortRange, PortRange]] = []
    for outer, inner in pairs:
        if found and (found[-1][0].last + 1, found[-1][1].last + 1) == (outer, inner):
            found[-1] = (PortRange(found[-1][0].first, outer), PortRange(found[-1][1].first, inner))
        else:
            found.append((PortRange(outer, outer), PortRange(inner, inner)))
    return tuple(found)
