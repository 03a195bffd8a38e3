"""TCP connections that probes go over, and why one did not come about.

Standard library only and Python 3.8, because the sockets that are printed for another host carry this file along.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket

from wizard.probes.network_error import TOLD, NetworkError, drain, listen
from wizard.probes.target import Target


class NotConnectedError(Exception):
    """A connection did not come about. `told` are the ICMP errors it met; None where the system does not tell them."""

    def __init__(self, fault: OSError, told: list[NetworkError] | None) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.told = told


async def dial(target: Target, port: int, segment: int | None = None) -> socket.socket:
    """A connected socket, which the caller closes. `segment`: the segment size to announce, in bytes.

    Waits as long as the kernel tries. Raises NotConnectedError.
    """
    try:
        sock = socket.socket(target.family, socket.SOCK_STREAM)
    except OSError as fault:
        raise NotConnectedError(fault, [] if TOLD else None) from None
    try:
        sock.setblocking(False)
        listen(sock)
        if segment is not None:
            # A system that does not let us choose announces its own.
            with contextlib.suppress(OSError, AttributeError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
        await asyncio.get_running_loop().sock_connect(sock, target.sockaddr(port))
        if sock.getsockname() == sock.getpeername():
            # TCP's simultaneous open with itself, on this computer: nobody listens.
            raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        # A connection that stands is not to break at the first ICMP error.
        listen(sock, on=False)
    except OSError as fault:
        told = drain(sock) if TOLD else None
        sock.close()
        raise NotConnectedError(fault, told) from None
    except BaseException:
        sock.close()
        raise
    return sock
