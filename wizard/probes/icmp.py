"""ICMP errors as the kernel hands them to a socket (Linux: IP_RECVERR and the error queue)."""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
import sys
from dataclasses import dataclass

from wizard.observation import Outcome
from wizard.probes.answer import Judgement

TOLD = sys.platform == "linux"
"""Whether this system tells which ICMP error a probe met."""
_MSG_ERRQUEUE = 0x2000  # socket has no name for these before Python 3.14
_RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
_EXTENDED_ERROR = struct.Struct("=IBBBBII")  # linux/errqueue.h: sock_extended_err
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


def listen(sock: socket.socket, on: bool = True) -> None:
    """Have ICMP errors queued on `sock`, or no longer. Does nothing where the system cannot."""
    if TOLD:
        sock.setsockopt(*_RECVERR[socket.AddressFamily(sock.family)], int(on))


def drain(sock: socket.socket, limit: int = 64) -> list[IcmpError]:
    """The ICMP errors queued on `sock`, oldest first, at most `limit`; errors of other kinds are passed over."""
    found: list[IcmpError] = []
    if not TOLD:
        return found
    for _ in range(limit):
        try:
            _, ancillary, _, sent_to = sock.recvmsg(1, 256, _MSG_ERRQUEUE)
        except OSError:
            break
        for level, kind, data in ancillary:
            if (level, kind) == _RECVERR.get(socket.AddressFamily(sock.family)) and len(data) >= _EXTENDED_ERROR.size:
                _, origin, icmp_type, code, *_ = _EXTENDED_ERROR.unpack_from(data)
                outcome = meaning(origin, icmp_type, code)
                if outcome is not None:
                    expired = (origin, icmp_type) in _EXPIRED
                    found.append(IcmpError(sent_to[1], outcome, _offender(data[_EXTENDED_ERROR.size :]), expired))
    return found


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
    if isinstance(error, ConnectionRefusedError | ConnectionResetError):
        return Outcome.REFUSED
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENOPROTOOPT):
        return Outcome.UNREACHABLE
    return None


def blocked_here(error: IcmpError, target: str, own: str | None) -> Judgement | None:
    """The local fault behind an ICMP error that this computer sent to itself; None if the network sent it.

    A host that does not answer ARP is reported by this computer too, and is the network's fault.
    """
    if own is None or error.outcome is Outcome.UNREACHABLE or target == own or error.offender != own:
        return None
    return Judgement(Outcome.FAILED, error=f"this computer's own firewall rejects what is sent to {target}")


def _offender(sockaddr: bytes) -> str:
    # struct sockaddr_in and sockaddr_in6: family, port, address; the latter has a flow label before it.
    if len(sockaddr) < 8:
        return ""
    (family,) = struct.unpack_from("=H", sockaddr)
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(sockaddr[4:8]))
    if family == socket.AF_INET6 and len(sockaddr) >= 24:
        return str(ipaddress.IPv6Address(sockaddr[8:24]))
    return ""
