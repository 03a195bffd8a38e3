"""Plain sockets at a port: what comes back, without any of Hopwise."""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import time
from collections.abc import Iterable

from .namespaces import Namespace

# linux/in.h; Python's socket module does not name them.
_IP_RECVERR = 11
_ERRORS = {(3, 3): "refused", (3, 13): "rejected", (3, 1): "unreachable", (3, 0): "unreachable"}
WAIT_S = 0.6
"""How long a silent port is waited for: a lab's round trip takes less than a hundredth of it."""
ARP_S = 4.0
"""A host that does not exist is given up after three ARP requests, a second apart."""


def knock(
    space: Namespace, protocol: str, address: str, ports: Iterable[int], wait_s: float = WAIT_S
) -> dict[int, str]:
    """What each port says, asked from a namespace: the bytes that came back, or one of silent, refused, rejected,
    unreachable, closed (TCP accepted, then closed) and accepted (nothing more)."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    found: dict[int, str] = {}
    until = time.monotonic() + wait_s
    with space.entered(), selectors.DefaultSelector() as selector:
        for port in ports:
            sock = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
            if protocol == "udp":
                sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
                sock.connect((address, port))
                sock.send(b"knock")
                selector.register(sock, selectors.EVENT_READ, port)
            else:
                sock.connect_ex((address, port))
                selector.register(sock, selectors.EVENT_WRITE, port)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, events in selector.select(left):
                assert isinstance(key.fileobj, socket.socket)
                said = _listen(key.fileobj, protocol, events)
                if said == "accepted":
                    selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                found[key.data] = said
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            found.setdefault(key.data, "silent")
            key.fileobj.close()
    return found


def _listen(sock: socket.socket, protocol: str, events: int) -> str:
    if protocol == "udp":
        try:
            return sock.recv(2048).decode()
        except OSError:
            _, ancillary, _, _ = sock.recvmsg(2048, 2048, socket.MSG_ERRQUEUE)
            kind, code = struct.unpack_from("BB", ancillary[0][2], 5)
            return _ERRORS[kind, code]
    if events & selectors.EVENT_WRITE:
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            return {errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "unreachable"}[error]
        sock.send(b"knock")
        return "accepted"
    try:
        return sock.recv(2048).decode() or "closed"
    except ConnectionResetError:
        return "closed"
