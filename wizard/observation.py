"""What one probe saw, and what else was learnt on the way to a verdict."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from wizard.model.gateway import Gateway
from wizard.model.port import PortRange, Protocol


class Outcome(enum.StrEnum):
    """Everything that can happen to a probe."""

    ANSWERED = "answered"
    """Our responder on the planned port, or a protocol reply that proves the service."""
    MISDIRECTED = "misdirected"
    """Our responder, but on another port or host than planned."""
    ALIEN = "alien"
    """Bytes that prove nothing: garbage, a banner, an echo."""
    ACCEPTED = "accepted"
    """TCP accepted, nothing proven behind it."""
    CLOSED = "closed"
    """TCP accepted, then closed without a byte."""
    REFUSED = "refused"
    """RST, or ICMP port unreachable."""
    REJECTED = "rejected"
    """ICMP administratively prohibited."""
    UNREACHABLE = "unreachable"
    """ICMP host or network unreachable."""
    SILENT = "silent"
    """Nothing came back, asked again and again."""
    NOT_PERMITTED = "not-permitted"
    """The TURN server's policy, not the port."""
    FAILED = "failed"
    """A local fault, or TURN authentication; `error` says which."""
    NOT_CHECKED = "not-checked"
    """Planned but not sent."""
    ARRIVED = "arrived"
    """Seen by the responder at the host's network card."""

    @property
    def blames(self) -> bool:
        """Whether it is a failure of the port, and not merely no news."""
        return self in _FAILURES


_FAILURES = frozenset(
    {
        Outcome.MISDIRECTED,
        Outcome.CLOSED,
        Outcome.REFUSED,
        Outcome.REJECTED,
        Outcome.UNREACHABLE,
        Outcome.SILENT,
    }
)

RESPONDER = "responder"
"""The vantage of observations that the responder itself reports."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one probe saw. `port` is the number on which it arrives at the hop it `enters`."""

    vantage: str
    enters: str
    address: str
    port: int
    protocol: Protocol
    outcome: Outcome
    at: datetime
    """When it was decided, UTC."""
    rtt_ms: float | None = None
    seen_as: str | None = None
    """The probe's source as the far end saw it: `192.0.2.1:5000`, `[2001:db8::1]:5000`."""
    error: str | None = None
    """The fault in words, for `failed`, `not-checked`, `alien` and `not-permitted`."""
    stands_at: str | None = None
    """The hop in whose place the answering responder stands; None for the real service."""
    came_in_on: str | None = None
    """Where that responder got the probe: its own `address:port`."""
    source: str | None = None
    """The network this end probed from, `192.168.77.20/24`; for a relay the relayed address, `/32` or `/128`."""
    service: str | None = None
    """How the real service that answered describes itself: two that differ are two programs."""
    probe_vantage: str | None = None
    """With vantage `responder`: where the probe came from, by its own word."""
    probe_enters: str | None = None
    """With vantage `responder`: the hop at which that probe entered the path."""
    asked_ms: float | None = None
    """From the first of several requests over UDP until it was decided."""
    watched_since: datetime | None = None
    """With vantage `responder`: from then until `at`, nothing that came to the network card went unseen."""
    by_our_clock: bool = False
    """Whether that time is of the clock of the run that it is part of."""


@dataclass(frozen=True, slots=True)
class NameResolved:
    """What DNS says of a name. Empty with `error` None: no such record."""

    name: str
    family: int
    """4 or 6."""
    addresses: tuple[str, ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that a program on the service's host holds."""

    protocol: Protocol
    port: int
    address: str
    program: str
    """Name of the program; empty where the system does not tell."""
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class HostInspected:
    """The listening sockets of the service's host were read, all of them."""

    sockets: tuple[Listening, ...]


@dataclass(frozen=True, slots=True)
class RelayChecked:
    """How a TURN server received us as a vantage."""

    vantage: str
    server: str
    relayed: str | None
    """The relayed address, `ip:port`, if one was given."""
    code: int | None = None
    """STUN error code of the refusal, if there was one."""
    text: str = ""
    """The server's own words, or the local fault's."""


class Coverage(enum.StrEnum):
    """What a hop's configuration does with a planned port. It may blame the hop, and never proves it open."""

    COVERED = "covered"
    """It lets the port through, to where the plan says."""
    MISSING = "missing"
    """Nothing in it lets the port through."""
    WRONG_PROTOCOL = "wrong-protocol"
    """It lets the other protocol through on that number, and not the one that is planned."""
    WRONG_TARGET = "wrong-target"
    """It hands the port on to another host than planned."""
    TRANSLATED_ELSEWHERE = "translated-elsewhere"
    """It hands the port on to the right host, on another number than planned."""
    RESTRICTED = "restricted"
    """It lets the port through for some senders, and not for the internet at large."""
    UNKNOWN = "unknown"
    """What decides was not understood, or is not in the file."""

    @property
    def blames(self) -> bool:
        """Whether the hop would stop the port if it runs with this configuration."""
        return self not in (Coverage.COVERED, Coverage.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Configured:
    """What one hop's configuration does with a stretch of planned ports."""

    hop: str
    protocol: Protocol
    outside: PortRange
    coverage: Coverage
    file: str
    lines: tuple[int, ...] = ()
    """The lines that decide, counted from 1."""
    rule: str = ""
    """The deciding line's own text, or where it leads instead."""


@dataclass(frozen=True, slots=True)
class MappedSeen:
    """The address that a STUN server saw this computer at."""

    server: str
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AnnouncedSeen:
    """What a probe saw that was sent to an address which the service announces and no hop has."""

    vantage: str
    address: str
    protocol: Protocol
    outside: int
    """The planned port, by the number that clients use."""
    outcome: Outcome
    error: str | None = None


Fact = NameResolved | HostInspected | RelayChecked | Configured | Gateway | MappedSeen | AnnouncedSeen


def subject(fact: Fact) -> object:
    """What a fact that may be learnt anew is about: of two about one thing the later holds."""
    if isinstance(fact, RelayChecked):
        return (RelayChecked, fact.vantage)
    return HostInspected if isinstance(fact, HostInspected) else fact
