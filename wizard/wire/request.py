"""A request under way: how it is signed, and when it is sent again (RFC 8489 sections 6.2 and 9.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wizard.wire import stun
from wizard.wire.attribute import Attribute
from wizard.wire.long_term import LongTerm
from wizard.wire.stun import Class, Integrity, Message, Method


@dataclass(frozen=True, slots=True)
class Timing:
    """Retransmission of RFC 8489 section 6.2.1, cut after `timeout_s` without an answer."""

    rto_s: float = 0.5
    timeout_s: float = 5.5
    """Four transmissions at 0, 0.5, 1.5 and 3.5 s, and 2 s for the last one's answer."""


@dataclass(slots=True)
class Request:
    """One request and its retransmissions; answered with a challenge it begins anew under the same ticket."""

    ticket: int
    method: Method
    attributes: tuple[tuple[Attribute, Any], ...]
    began: float
    transaction: bytes = b""
    data: bytes = b""
    signed: bool = False
    challenged: bool = False
    renewed: bool = False
    sent: float = 0.0
    tries: int = 0
    due: float = 0.0
    deadline: float = 0.0

    def begin(self, transaction: bytes, session: LongTerm | None, now: float, timing: Timing) -> None:
        """Write it anew, signed if there is something to sign with."""
        self.transaction = transaction
        self.signed = session is not None
        attributes = self.attributes + (session.attributes if session else ())
        message = Message(self.method, Class.REQUEST, transaction, attributes)
        key, integrity = (session.key, session.integrity) if session else (None, Integrity.SHA1)
        self.data = stun.write(message, key, integrity)
        self.tries = 0
        self.deadline = now + timing.timeout_s

    def transmit(self, now: float, timing: Timing, *, repeats: bool) -> bytes:
        """What to send now. Sets when it is due again; on a stream it is not sent twice."""
        self.tries += 1
        if self.tries == 1:
            self.sent = now
        # RFC 8489 section 6.2.1: the interval doubles.
        wait = timing.rto_s * 2 ** (self.tries - 1) if repeats else timing.timeout_s
        self.due = min(now + wait, self.deadline)
        return self.data
