"""Which of this computer's interfaces a question leaves through."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """An interface to send from, and one of its addresses."""

    interface: str
    address: str


def bound(source: Source, kind: socket.SocketKind) -> socket.socket:
    """A socket that sends from that address, and through that interface alone where the system lets us say so.

    Raises OSError if the interface no longer has the address.
    """
    family = socket.AF_INET6 if ":" in source.address else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        # The address alone leaves the way to the routing table (Linux), which may lead out of another interface.
        device = getattr(socket, "SO_BINDTODEVICE", None)
        if device is not None:
            with contextlib.suppress(PermissionError):
                sock.setsockopt(socket.SOL_SOCKET, device, source.interface.encode())
        sock.bind((source.address, 0))
    except BaseException:
        sock.close()
        raise
    return sock
