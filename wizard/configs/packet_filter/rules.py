"""A packet filter's rules as values: what they match and what they do."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wizard.configs.packet_filter.spans import Span, Spans, normal


class Field(enum.Enum):
    """What of a packet a rule may look at."""

    FAMILY = enum.auto()
    PROTOCOL = enum.auto()
    SOURCE = enum.auto()
    DESTINATION = enum.auto()
    SOURCE_PORT = enum.auto()
    PORT = enum.auto()
    IN = enum.auto()
    OUT = enum.auto()
    STATE = enum.auto()
    """Of its connection, one of the numbers of `State`."""
    TRANSLATED = enum.auto()
    """1 where its destination was rewritten, else 0."""
    DIRECTION = enum.auto()
    """0 as the connection began, 1 for replies."""
    MARK = enum.auto()
    CONNECTION_MARK = enum.auto()
    LOCAL_SOURCE = enum.auto()
    LOCAL_DESTINATION = enum.auto()
    """1 where the address is this machine's own, else 0."""
    TCP_FLAGS = enum.auto()
    FIRST_PORT = enum.auto()
    """The port that the connection's first packet was sent to."""
    FIRST_DESTINATION = enum.auto()


class State(enum.IntEnum):
    """What connection tracking says of a packet, by the kernel's numbers."""

    INVALID = 1
    ESTABLISHED = 2
    RELATED = 4
    NEW = 8
    UNTRACKED = 64


TCP, UDP = 6, 17
Cell = Span | str
"""Numbers, or an interface's name; that may end in `*`."""


@dataclass(frozen=True, slots=True)
class Among:
    """The field, masked, is one of these numbers. `partial`: it may be others too, that the file does not say."""

    field: Field
    spans: Spans
    negated: bool = False
    mask: int | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The interface has one of these names."""

    field: Field
    names: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """The fields, taken together, are one of these rows."""

    fields: tuple[Field, ...]
    rows: tuple[tuple[Cell, ...], ...]
    negated: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """Within a rate, or `over` it: a sender that comes anew, and not too often, is within."""

    over: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """A match that was not understood."""


class Verdict(enum.Enum):
    """What becomes of a packet."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    RETURN = "return"
    UNKNOWN = "unknown"
    """The rule ends its way, and it cannot be told how."""


@dataclass(frozen=True, slots=True)
class Jump:
    """To a chain of the same table. `goto`: not to come back here."""

    chain: str
    goto: bool = False


@dataclass(frozen=True, slots=True)
class Translate:
    """Rewrite the destination. `host` None: the machine itself.

    `ports` None: the number stays; of several, a number among them stays and `base` is the one that becomes the first.
    `vague`: it cannot be told to which host, or number.
    """

    host: int | None
    ports: Span | None = None
    base: int | None = None
    keeps_host: bool = False
    vague: bool = False


@dataclass(frozen=True, slots=True)
class Disguise:
    """Rewrite the source, as for computers behind this one that call out."""


@dataclass(frozen=True, slots=True)
class SetMark:
    """`mark` becomes itself and `keep`, exclusive or `flip`; with `keep` None nobody knows what."""

    field: Field
    keep: int | None = None
    flip: int = 0


@dataclass(frozen=True, slots=True)
class Untrack:
    """Connection tracking is to leave the packet alone."""


Target = Verdict | Jump | Translate | Disguise
Match = Among | Named | Together | Rate | Doubt


@dataclass(frozen=True, slots=True)
class Switch:
    """What the first row says that the fields are in; none: on to the next rule."""

    fields: tuple[Field, ...]
    rows: tuple[tuple[tuple[Cell, ...], Target], ...]
    partial: bool = False


Step = Match | Target | Switch | SetMark | Untrack


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """Steps in order; a match that fails ends them. `text` is the line as it stands in the file."""

    steps: tuple[Step, ...]
    line: int
    text: str = ""
    policy: bool = False
    """Not a rule, but what happens where none decides."""


class Hook(enum.Enum):
    """Where a packet passes a filter."""

    INGRESS = "ingress"
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"


CONNTRACK = -200
"""Chains of a lower priority see packets before connection tracking does."""
TRANSLATION = -100
"""Destinations are rewritten there, whatever the priority of the chain that says so."""


@dataclass(frozen=True, slots=True)
class Base:
    """A chain that packets come to by themselves."""

    chain: str
    hook: Hook
    priority: int = 0
    policy: Verdict = Verdict.ACCEPT
    line: int = 0
    text: str = ""
    """The line of the policy, and what it says."""
    families: frozenset[int] = frozenset({4, 6})
    translates: bool = False
    """Whether it is of the type nat: it sees the first packet of a connection, and alone may rewrite."""
    devices: tuple[str, ...] = ()
    """At the hook ingress: the interfaces that it is about."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """All of a file. Chains are named by their table too: `inet filter input`."""

    chains: Mapping[str, tuple[Rule, ...]]
    bases: tuple[Base, ...]
    families: frozenset[int] = frozenset({4, 6})
    """Those that the file is about; of the other it says nothing."""
    outward: tuple[str, ...] = field(default=())
    """The interfaces by which the internet comes in, where that was told."""

    def rules(self) -> Iterable[Rule]:
        """Every rule of every chain."""
        return (rule for rules in self.chains.values() for rule in rules)


def among(field: Field, *spans: Span | int, negated: bool = False, mask: int | None = None) -> Among:
    """A match of numbers and stretches of numbers."""
    return Among(field, normal((s, s) if isinstance(s, int) else s for s in spans), negated, mask)
