"""The values of a verdict."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol


class State(enum.StrEnum):
    """What is known of a hop or a port."""

    OPEN = "open"
    BLOCKED = "blocked"
    SUSPECT = "suspect"
    UNKNOWN = "unknown"


class Severity(enum.StrEnum):
    """Only an error explains a blocked port."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class PortRow:
    """Neighbouring ports, by their outside numbers, that are in one state."""

    protocol: Protocol
    outside: PortRange
    state: State
    reason: Phrase | None = None


@dataclass(frozen=True, slots=True)
class HopVerdict:
    """A hop over all its ports."""

    id: str
    state: State
    ports: tuple[PortRow, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, without words: `words.py` has those.

    `suspects` is the smallest set of hops that explains it, outermost first.
    """

    code: str
    severity: Severity
    suspects: tuple[str, ...]
    protocol: Protocol | None
    outside: PortRange | None
    values: Mapping[str, str] = field(default_factory=dict)
    """What fills the gaps in the catalogue's title, detail and remedy."""
    evidence: tuple[Phrase, ...] = ()
    next_test: Phrase | None = None
    """The one further test that would split several suspects best."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that the observations say, and nothing that they do not."""

    hops: tuple[HopVerdict, ...]
    ports: tuple[PortRow, ...]
    findings: tuple[Finding, ...]
    stopped_behind_card: tuple[tuple[str, int], ...] = ()
    """The hop right behind a network card at which probes arrived that nobody answered, and of how many ports."""

    @property
    def state(self) -> State:
        """Over all ports: blocked if any is, else open if all are, else unknown."""
        states = {row.state for row in self.ports}
        if State.BLOCKED in states:
            return State.BLOCKED
        return State.OPEN if states == {State.OPEN} else State.UNKNOWN
