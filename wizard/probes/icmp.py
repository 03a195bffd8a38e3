"""ICMP errors, and what they say of a port."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from wizard.observation import Outcome
from wizard.probes import network_error
from wizard.probes.answer import THIS_COMPUTER, Judgement
from wizard.probes.network_error import TOLD, NetworkError, listen

__all__ = ["TOLD", "IcmpError", "blocked_here", "drain", "listen", "meaning", "outcome_of", "read"]

_ORIGIN_ICMP = 2
_ORIGIN_ICMP6 = 3

_UNREACHABLE_4 = 3  # RFC 792
_TIME_EXCEEDED_4 = 11
_UNREACHABLE_6 = 1  # RFC 4443 section 3.1
_TIME_EXCEEDED_6 = 3
_EXPIRED = frozenset({(_ORIGIN_ICMP, _TIME_EXCEEDED_4), (_ORIGIN_ICMP6, _TIME_EXCEEDED_6)})


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP error: the port that the probe was sent to, what it says, and who sent it."""

    port: int
    outcome: Outcome
    offender: str
    expired: bool = False
    """Whether it says that the packet had crossed as many routers as it was allowed to."""


def drain(sock: socket.socket, limit: int = 64) -> list[IcmpError]:
    """The ICMP errors queued on `sock`, oldest first, at most `limit`; errors of other kinds are passed over."""
    return [found for error in network_error.drain(sock, limit) if (found := read(error)) is not None]


def read(error: NetworkError) -> IcmpError | None:
    """The error as what it says of its port; None if it says nothing."""
    if error.origin == 0:
        outcome = outcome_of(OSError(error.number, ""))
        return None if outcome is None else IcmpError(error.port, outcome, "")
    outcome = meaning(error.origin, error.kind, error.code)
    expired = (error.origin, error.kind) in _EXPIRED
    return None if outcome is None else IcmpError(error.port, outcome, error.offender, expired)


def meaning(origin: int, icmp_type: int, code: int) -> Outcome | None:
    """What an ICMP error says of the port; None if it says nothing (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443)."""
    if (origin, icmp_type) == (_ORIGIN_ICMP, _UNREACHABLE_4):
        if code == 3:
            return Outcome.REFUSED
        if code in (9, 10, 13):
            return Outcome.REJECTED
        return None if code == 4 else Outcome.UNREACHABLE  # 4: too large for the way, which no probe is for good
    if (origin, icmp_type) == (_ORIGIN_ICMP6, _UNREACHABLE_6):
        if code == 4:
            return Outcome.REFUSED
        return Outcome.REJECTED if code in (1, 5, 6) else Outcome.UNREACHABLE
    if (origin, icmp_type) in _EXPIRED:
        return Outcome.UNREACHABLE
    return None


def outcome_of(error: OSError) -> Outcome | None:
    """What a socket's error that came from the network says; None for a local fault."""
    if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
        return Outcome.REFUSED
    return Outcome.UNREACHABLE if network_error.of_the_network(error) else None


def blocked_here(error: IcmpError, target: str, own: str | None, sender: str = THIS_COMPUTER) -> Judgement | None:
    """The local fault behind an ICMP error that the sending computer made itself; None if the network sent it.

    A host that does not answer ARP is reported by that computer too, and is the network's fault.
    """
    if own is None or error.outcome is Outcome.UNREACHABLE or target == own or error.offender != own:
        return None
    return Judgement(Outcome.FAILED, error=f"{sender}'s own firewall rejects what is sent to {target}")
