"""What came back, judged against what the plan expects."""

from __future__ import annotations

import errno
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wizard.model.hop import Hop
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.wire.probe import BINDING_REQUEST, HEADER, MAX_ID, STANDS_AT, Answer, message_size, read_answer

MAX_HEARD = 64 * 1024
"""Bytes of an answer that are looked at, at most."""

THIS_COMPUTER = "this computer"
"""Who sends, in words, unless it is another."""
_FAULTS = {
    errno.ENETUNREACH: "it has no route there",
    errno.EHOSTUNREACH: "it has no route there",
    errno.EADDRNOTAVAIL: "it has no free port or no address to send from",
    errno.EAFNOSUPPORT: "it does not have that version of IP",
    errno.EPERM: "its own firewall forbids it",
    errno.EACCES: "its own firewall or routes forbid it",
    errno.EMFILE: "this program may not open more files (ulimit -n)",
    errno.ENFILE: "the system may not open more files",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one probe. The fields are those of an Observation."""

    outcome: Outcome
    rtt_ms: float | None = None
    seen_as: str | None = None
    error: str | None = None
    stands_at: str | None = None
    came_in_on: str | None = None
    service: str | None = None
    asked_ms: float | None = None

    def observation(self, probe: Probe, address: str, source: str | None) -> Observation:
        """The observation of `probe`, sent to the literal `address` from the network `source`, decided now."""
        return Observation(
            vantage=probe.vantage,
            enters=probe.enters,
            address=address,
            port=probe.port,
            protocol=probe.protocol,
            outcome=self.outcome,
            at=datetime.now(UTC),
            rtt_ms=self.rtt_ms,
            seen_as=self.seen_as,
            error=self.error,
            stands_at=self.stands_at,
            came_in_on=self.came_in_on,
            source=source,
            service=self.service,
            asked_ms=self.asked_ms,
        )


def judge(probe: Probe, answer: Answer, hops: Sequence[Hop], rtt_ms: float | None) -> Judgement:
    """What a signed answer to `probe` proves: answered, or misdirected.

    It is an answer only where the responder stands in for a hop that the probe crosses, and got the probe
    there on the planned port and host. `hops` are the whole path, for the names that the message cuts short.
    """
    crossed = [hop_id for hop_id, number in probe.arrives if _cut(hop_id) == answer.stands_at]
    right = [
        hop_id
        for hop_id, number in probe.arrives
        if _cut(hop_id) == answer.stands_at and number == answer.came_in_on[1] and not answer.wrong_host
    ]
    named = right or crossed or [hop.id for hop in hops if _cut(hop.id) == answer.stands_at] or [answer.stands_at]
    return Judgement(
        Outcome.ANSWERED if right else Outcome.MISDIRECTED,
        rtt_ms=rtt_ms,
        seen_as=spelled(answer.seen_as),
        stands_at=named[0],
        came_in_on=spelled(answer.came_in_on),
    )


def hear(key: bytes, transaction: bytes, data: bytes) -> Answer | str:
    """The signed answer to that transaction in `data`, or in words why the bytes prove nothing."""
    answer = read_answer(key, data)
    if answer is not None:
        if hmac.compare_digest(answer.transaction, transaction):
            return answer
        return "an answer to another probe came back"
    size = message_size(data[: HEADER.size])
    if not size:
        return f"{shown(data)} came back, which is no answer to a probe"
    kind, _, _, found = HEADER.unpack_from(data)
    if kind == BINDING_REQUEST and found == transaction:
        return "our own bytes came back: an echo"
    if STANDS_AT.to_bytes(2, "big") in data:
        return "a responder answered under another probe key; both ends need the same project file"
    return "a STUN server answered that is not this project's responder"


def new_transaction() -> bytes:
    """12 random bytes (RFC 8489 section 5)."""
    return os.urandom(12)


def local_fault(error: OSError, address: str, sender: str = THIS_COMPUTER) -> Judgement:
    """A probe of `address` that the computer `sender` could not send, in words."""
    words = _FAULTS.get(error.errno or 0, error.strerror or str(error))
    return Judgement(Outcome.FAILED, error=f"sending to {address} failed on {sender}: {words}")


def spelled(address: tuple[str, int]) -> str:
    """`192.0.2.1:5000`, or `[2001:db8::1]:5000`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def shown(data: bytes) -> str:
    """The start of foreign bytes as it may be printed: a quoted line of text, or their number."""
    line = data[:60].splitlines()[0] if data[:60].splitlines() else b""
    if line and all(0x20 <= byte < 0x7F for byte in line):
        return repr(line.decode("ascii"))
    return f"{len(data)} bytes" if len(data) != 1 else "1 byte"


def _cut(hop_id: str) -> str:
    return hop_id.encode()[:MAX_ID].decode("utf-8", "replace")
