"""Ports that a container engine publishes: Docker's short form of one, and what several containers publish together."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from wizard.configs.coverage import family
from wizard.configs.filtering import BOTH, EVERY_FAMILY, EVERY_PORT
from wizard.configs.forwarding import PortForward, forwards
from wizard.configs.product import Order
from wizard.configs.reading import Forward, Note, Piece, Question
from wizard.configs.service_reading import ServiceReading, aside, bound, doubtful, settled
from wizard.configs.who import Who
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol
from wizard.observation import Coverage

_SHORT = re.compile(
    r"(?:(?:(?P<ip>\[[^\]]*\]|.*):)?(?P<outer>[^:]*):)?(?P<inner>[^:/]+)(?:/(?P<protocol>[A-Za-z]+))?", re.DOTALL
)
_LONGEST = 200
"""Characters of an entry at most: an address, two ranges and a protocol."""
_OTHER_PROTOCOLS = ("sctp",)


@dataclass(frozen=True, slots=True)
class Publication:
    """One entry. `outer` None: the engine takes a port by chance. `protocol` None: one that is none of ours."""

    inner: PortRange
    outer: PortRange | None = None
    protocol: Protocol | None = Protocol.TCP
    host_ip: str = ""


def short(text: str) -> Publication:
    """`[ADDRESS:][HOST]:CONTAINER[/PROTOCOL]`, each a port or a range. Raises ValueError."""
    found = _SHORT.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is None:
        raise ValueError(text)
    return made(found["inner"], found["outer"] or "", found["protocol"] or "tcp", found["ip"] or "")


def made(inner: str, outer: str, protocol: str, host_ip: str) -> Publication:
    """The same from its parts. Raises ValueError."""
    protocol = protocol.lower()
    known = None if protocol in _OTHER_PROTOCOLS else Protocol(protocol)
    numbers = PortRange.parse(inner)
    taken = PortRange.parse(outer) if outer.strip() else None
    if taken is not None and len(numbers) not in (1, len(taken)):
        raise ValueError(outer)
    address = host_ip.strip()
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address:
        # Engines take no names here.
        ipaddress.ip_address(address)
    return Publication(numbers, taken, known, address)


@dataclass
class Published:
    """What the containers of one file publish, gathered one by one."""

    rules: list[PortForward] = field(default_factory=list)
    asides: list[PortForward] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    hosts: list[tuple[str, int]] = field(default_factory=list)
    """Containers without a network of their own, and the lines that say so."""

    def publish(self, entry: Publication, container: str, line: int, text: str, *, perhaps: bool = False) -> None:
        """One entry of a container. `perhaps`: it may not run at all."""
        if entry.protocol is None:
            return
        protocols = frozenset((entry.protocol,))
        if entry.outer is None:
            self.notes.append(Note(Phrase("random-port", {"name": text}), line))
            self.unpublished(protocols, entry.inner, line, text)
            return
        at = bound(entry.host_ip)
        # One port out of a range: the first that is free then.
        any_of = len(entry.outer) > len(entry.inner)
        who = min(at.who, Who.PERHAPS) if perhaps or any_of else at.who
        self.rules.append(
            PortForward(
                line, text, protocols, (entry.outer,), entry.inner, None, container, at.families, at.destinations, who
            )
        )

    def unpublished(self, protocols: frozenset[Protocol], inner: PortRange, line: int, text: str) -> None:
        """Ports that a container has, and that the host does not hand on."""
        self.asides.append(aside(line, text, protocols, inner, exempts=True))

    def doubt(self, line: int, text: str, protocols: frozenset[Protocol] = BOTH) -> None:
        """A line that may publish any port."""
        self.rules.append(doubtful(line, text, protocols))

    def bad_port(self, line: int, text: str) -> None:
        """An entry that is none."""
        self.notes.append(Note(Phrase("bad-port", {"text": text}), line))
        self.doubt(line, text)

    def unset(self, names: Iterable[str], line: int, text: str) -> None:
        """An entry that depends on variables without a value here."""
        self.notes += [Note(Phrase("variable-unset", {"name": name}), line) for name in dict.fromkeys(names)]
        self.doubt(line, text)

    def reading(self, product: str, file: str, title: str) -> ServiceReading:
        """All of it as what the file says."""
        # Beside containers that publish, the planned port may be one of theirs that they forgot.
        who = Who.PERHAPS if self.rules or len(self.hosts) > 1 else Who.EVERYBODY
        self.rules += [
            PortForward(line, f"{name}: host", BOTH, (EVERY_PORT,), name=name, families=EVERY_FAMILY, who=who)
            for name, line in self.hosts
        ]
        rules = settled(self.rules)
        # Entries that were inherited are met again in each heir.
        once = {(note.line or 0, note.phrase.key, *note.phrase.values.values()): note for note in self.notes}
        notes = tuple(once[key] for key in sorted(once))
        return ServiceReading(product, file, rules, tuple(self.asides), notes, self._pieces(rules, title))

    def _pieces(self, rules: tuple[PortForward, ...], title: str) -> tuple[Piece, ...]:
        certain = _once(forwards(rules))
        if not certain:
            names = [name for name, _ in self.hosts[:1]]
            return (Piece(HopKind.CONTAINER, title), *(Piece(HopKind.SERVICE, n) for n in names))
        names = [forward.name for forward in certain for _ in forward.outer]
        busiest = max(dict.fromkeys(names), key=names.count)
        service = tuple(
            Forward(forward.protocol, forward.inner, forward.inner, None, forward.name, forward.line)
            for forward in certain
        )
        return (Piece(HopKind.CONTAINER, title, None, certain), Piece(HopKind.SERVICE, busiest, None, service))


def _once(found: Iterable[Forward]) -> tuple[Forward, ...]:
    """One of the two that an engine has for both address families."""
    seen: dict[tuple[Protocol, PortRange, PortRange], Forward] = {}
    for forward in found:
        seen.setdefault((forward.protocol, forward.outer, forward.inner), forward)
    return tuple(seen.values())


def in_the_way(order: Order) -> tuple[Phrase, ...]:
    """The caution about entries that hold the same ports of the host already: two cannot."""
    if order.existing is None:
        return ()
    version = family(order.project, order.position)
    lines: set[int] = set()
    for wanted in order.wanted:
        for arrives, leaves in zip(wanted.arrives, wanted.leaves, strict=True):
            answer = order.existing.answer(Question(wanted.protocol, arrives, leaves, version, True))
            if answer.coverage in (Coverage.RESTRICTED, Coverage.TRANSLATED_ELSEWHERE):
                lines |= set(answer.lines)
    values = {"lines": ", ".join(map(str, sorted(lines))), "file": order.existing.file}
    return (Phrase("published-already", values),) if lines else ()
