"""What a STUN or TURN server's behaviour means, as one verdict with its code and its cause."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from wizard.probes.conversation import Reply
from wizard.probes.fault import Fault, LinkFault
from wizard.wire.turn_event import Invalid, Refused, Succeeded

NO_ANSWER = 701
"""The code that browsers give whatever is not a server's own error (WebRTC section 4.8.3)."""


class Verdict(enum.StrEnum):
    """What is to be said of a server on one transport and address family."""

    OK = "ok"
    UNRESOLVED = "unresolved"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    TLS_FAILED = "tls-failed"
    AUTH_FAILED = "auth-failed"
    FORBIDDEN = "forbidden"
    QUOTA = "quota"
    NO_CAPACITY = "no-capacity"
    REDIRECTED = "redirected"
    PROTOCOL_ERROR = "protocol-error"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A verdict with its reason. `cause` is the entry in the catalogue of causes and remedies."""

    verdict: Verdict
    code: int | None = None
    text: str = ""
    """The server's own words, or the system's."""
    cause: str = ""


_BY_CODE = {
    300: Verdict.REDIRECTED,
    401: Verdict.AUTH_FAILED,
    403: Verdict.FORBIDDEN,
    431: Verdict.AUTH_FAILED,
    432: Verdict.AUTH_FAILED,
    434: Verdict.AUTH_FAILED,
    436: Verdict.AUTH_FAILED,
    438: Verdict.AUTH_FAILED,
    441: Verdict.AUTH_FAILED,
    486: Verdict.QUOTA,
    508: Verdict.NO_CAPACITY,
}
KNOWN_CODES = frozenset({300, 400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 446, 447, 486, 500, 508})
"""Codes with words of their own in the catalogue."""


def verdict_of(reply: Reply, *, has_credentials: bool, stream: bool) -> Sentence:
    """The verdict on a server that replied so to a Binding or Allocate, over a `stream` or by datagrams."""
    if isinstance(reply, Succeeded):
        return Sentence(Verdict.OK)
    if isinstance(reply, Refused):
        return _refusal(reply, has_credentials=has_credentials)
    if isinstance(reply, LinkFault):
        return Sentence(_verdict_of_fault(reply.fault), NO_ANSWER, reply.text, reply.fault.value)
    if isinstance(reply, Invalid):
        return Sentence(Verdict.PROTOCOL_ERROR, NO_ANSWER, reply.reason, "not-stun")
    if reply.heard is not None:
        return Sentence(Verdict.PROTOCOL_ERROR, NO_ANSWER, reply.heard, "not-stun")
    if stream:
        return Sentence(Verdict.UNREACHABLE, NO_ANSWER, "connected, but no answer", "mute")
    return Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no answer", Fault.TIMED_OUT.value)


def unresolved(text: str) -> Sentence:
    """The verdict on a server whose name has no address."""
    return Sentence(Verdict.UNRESOLVED, NO_ANSWER, text, "unresolved")


def _refusal(reply: Refused, *, has_credentials: bool) -> Sentence:
    cause = f"code-{reply.code}" if reply.code in KNOWN_CODES else "code-other"
    if reply.code == 401 and not has_credentials:
        cause = "code-401-anonymous"
    text = reply.reason
    if reply.alternate is not None:
        host, port = reply.alternate
        text = f"{text} ({f'[{host}]' if ':' in host else host}:{port})".strip()
    return Sentence(_BY_CODE.get(reply.code, Verdict.PROTOCOL_ERROR), reply.code, text, cause)


def _verdict_of_fault(fault: Fault) -> Verdict:
    if fault is Fault.REFUSED:
        return Verdict.REFUSED
    if fault.of_tls:
        return Verdict.TLS_FAILED
    if fault is Fault.CLOSED:
        return Verdict.PROTOCOL_ERROR
    return Verdict.UNREACHABLE
