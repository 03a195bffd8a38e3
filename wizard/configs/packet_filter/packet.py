"""A packet on its way, and what can become of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from wizard.configs.packet_filter.rules import Rule, Verdict
from wizard.configs.packet_filter.spans import Span, Spans

UNNAMED = "\0"
"""An interface that no rule names."""


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a connection. None stands for what is not known.

    `local`: it is sent to an address of the machine itself. `goes_out` is the interface by which it would be forwarded,
    `own` are the machine's own addresses, the one of the interface by which it came in first.
    """

    family: int
    protocol: int
    sources: Spans
    number: int | None
    destination: int | None = None
    came_in: str | None = None
    goes_out: str | None = None
    source_port: Span = (1024, 65535)
    local: bool = True
    own: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """What a packet has become on its way. `translated`: a rule hands it on, and no other may; `rewritten`: to another
    place than it was sent to; `moved`: its port number was rewritten; `tracked`: connection tracking sees it, `begun`:
    it saw the first of its connection."""

    destination: int | None
    number: int | None
    local: bool
    translated: bool = False
    rewritten: bool = False
    moved: bool = False
    mark: int | None = 0
    connection_mark: int | None = 0
    tracked: bool = True
    begun: bool = True


@dataclass(frozen=True, slots=True)
class Way:
    """Senders whose packet has fared alike. `rules` decided so far, `doubts` are those that could have."""

    sources: Spans
    now: Now
    rules: frozenset[Rule] = frozenset()
    doubts: frozenset[Rule] = frozenset()


class Phase(enum.Enum):
    """Which packet of a connection it is: rules that let the first in may stop the others."""

    FIRST = enum.auto()
    REPLY = enum.auto()
    NEXT = enum.auto()
    """The sender's second."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What can become of the packets of some senders, in which phase it ends, and by what `rule` if it ends badly."""

    verdict: Verdict
    way: Way
    phase: Phase = Phase.FIRST
    rule: Rule | None = None

    @property
    def deciding(self) -> frozenset[Rule]:
        """The rules that decided: the one that ended it, or all that let it pass. Policies only where no rule did."""
        if self.rule is not None:
            return frozenset({self.rule})
        return frozenset(rule for rule in self.way.rules if not rule.policy) or self.way.rules
