"""What the network says of a packet, as the kernel hands it to a socket (Linux: IP_RECVERR and the error queue).

Standard library only and Python 3.8, because the sockets that are printed for another host carry this file along.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
import sys
from typing import NamedTuple

TOLD = sys.platform == "linux"
"""Whether this system tells which ICMP error a packet met."""
_MSG_ERRQUEUE = 0x2000  # socket has no name for these before Python 3.14
_RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
_EXTENDED_ERROR = struct.Struct("=IBBBBII")  # linux/errqueue.h: sock_extended_err


class NetworkError(NamedTuple):
    """An error about what was sent to `port`: the ICMP message where the system tells it, else its number alone."""

    port: int
    number: int
    """As errno has it."""
    origin: int = 0
    """Who made it, by Linux's numbers: 2 for ICMP, 3 for ICMPv6, 0 where the system does not tell."""
    kind: int = 0
    code: int = 0
    offender: str = ""
    """The address that the ICMP message came from."""


def listen(sock: socket.socket, on: bool = True) -> None:
    """Have ICMP errors queued on `sock`, or no longer. Does nothing where the system cannot."""
    if TOLD:
        sock.setsockopt(*_RECVERR[socket.AddressFamily(sock.family)], int(on))


def drain(sock: socket.socket, limit: int = 64) -> list[NetworkError]:
    """The errors queued on `sock`, oldest first, at most `limit`."""
    found: list[NetworkError] = []
    if not TOLD:
        return found
    for _ in range(limit):
        try:
            _, ancillary, _, sent_to = sock.recvmsg(1, 256, _MSG_ERRQUEUE)
        except OSError:
            break
        for level, kind, data in ancillary:
            if (level, kind) == _RECVERR.get(socket.AddressFamily(sock.family)) and len(data) >= _EXTENDED_ERROR.size:
                number, origin, icmp_type, code, *_ = _EXTENDED_ERROR.unpack_from(data)
                offender = _offender(data[_EXTENDED_ERROR.size :])
                # A stream's queue does not say where it was sent to: its port is the connection's.
                port = sent_to[1] if isinstance(sent_to, tuple) else 0
                found.append(NetworkError(port, number, origin, icmp_type, code, offender))
    return found


def of_the_network(error: OSError) -> bool:
    """Whether a socket's error came from the network and not from this computer."""
    return isinstance(error, (ConnectionRefusedError, ConnectionResetError)) or error.errno in (
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.ENOPROTOOPT,
    )


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
