"""What a TURN client learns from the server, and from peers through it."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.wire.attribute import Address, Icmp
from wizard.wire.stun import Message


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The server did as asked. `rtt_s` is None if it was asked more than once, for then it is not known to which."""

    ticket: int
    response: Message
    rtt_s: float | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The server answered with an error."""

    ticket: int
    code: int
    reason: str
    signed: bool
    """Whether the request carried credentials."""
    alternate: Address | None
    rtt_s: float | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Invalid:
    """An answer came that breaks the protocol."""

    ticket: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer came in time. `heard` says what came instead, if anything did."""

    ticket: int
    heard: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """Data of a peer."""

    peer: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class PeerIcmp:
    """An ICMP error that the relay got for data to a peer (RFC 8656 section 11.5)."""

    peer: Address
    icmp: Icmp


@dataclass(frozen=True, slots=True)
class Attempted:
    """A peer connected to the relayed address (RFC 6062 section 4.4)."""

    peer: Address
    connection: bytes


@dataclass(frozen=True, slots=True)
class Tunnelled:
    """Bytes of the peer on a connection that ConnectionBind has made a plain pipe."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """The stream cannot be read any further."""

    reason: str


Outcome = Succeeded | Refused | Invalid | Unanswered
Event = Outcome | Received | PeerIcmp | Attempted | Tunnelled | Broken
