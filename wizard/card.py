"""The network card of this host, looked at before any firewall: signed probes over UDP, marked SYNs over TCP.

Standard library only and Python 3.8, because the printed responder carries this file along. Linux only.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import struct
import time
from typing import Callable, List

from wizard.wire.packet import INSTRUCTION, datagram, handshake, stun_filter, syn_filter
from wizard.wire.probe import COOKIE, is_foreign_request, read_request
from wizard.wire.response import ResponderPlan, Seen
from wizard.wire.syn import MARK_FIRST, MARKS, Syns

GLANCES = 64
"""Packets that are looked at before the others' turn."""
GLANCES_AT_MOST = 1024
"""Times so many that are looked at when all that has come is to be seen."""
CARD_BUFFER = 16 << 20
"""Bytes of packets that wait to be looked at: a burst of probes must not hide that some arrived."""

# Linux's numbers, by value because the socket module lacks some of them.
_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33
_ETH_P_ALL = 3
_PACKET_HOST, _PACKET_OUTGOING = 0, 4
_SOL_PACKET, _PACKET_STATISTICS = 263, 6


class Card:
    """Tells `seen` of each probe that arrives. `is_own` says whether this host has an address."""

    def __init__(self, plan: ResponderPlan, is_own: Callable[[str], bool], seen: Callable[[Seen], None]) -> None:
        self._key = plan.key
        self._is_own = is_own
        self._seen = seen
        self._syns = Syns(plan)
        self._sockets: List[socket.socket] = []
        self._missed = False

    def open(self) -> None:
        """Look from now on. Raises OSError where this user may not."""
        try:
            self._listen(stun_filter(COOKIE), self._on_datagrams)
            self._listen(syn_filter(MARK_FIRST, MARK_FIRST + MARKS - 1), self._on_handshakes)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Look at what has come already, then no more."""
        self.glance()
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self._sockets = []

    def glance(self) -> bool:
        """Look at all that has come by now. False if since the glance before a probe may have come and not been told.

        A probe that is signed under another key is one: its sender's project is not this one.
        """
        for sock, look in zip(self._sockets, (self._on_datagrams, self._on_handshakes)):
            drained = any(look(sock) for _ in range(GLANCES_AT_MOST))
            # packet(7): asking sets the counts back.
            _, lost = struct.unpack("II", sock.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
            self._missed = self._missed or not drained or lost > 0
        missed, self._missed = self._missed, False
        return not missed

    def _listen(self, program: bytes, look: Callable[[socket.socket], bool]) -> None:
        # Bound to no interface: those that come up later are looked at, too. Without link headers, so that packets of
        # a VLAN, a bridge or a tunnel look alike.
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._sockets.append(sock)
        held = ctypes.create_string_buffer(program)
        told = struct.pack("HP", len(program) // INSTRUCTION.size, ctypes.addressof(held))
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, told)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, CARD_BUFFER)
        sock.setblocking(False)
        asyncio.get_running_loop().add_reader(sock, look, sock)

    def _on_datagrams(self, sock: socket.socket) -> bool:
        """Look at some that have come. Returns whether those were all."""
        for _ in range(GLANCES):
            try:
                packet, (_, _, kind, *_) = sock.recvfrom(65_535)
            except BlockingIOError:
                return True
            except OSError:
                self._missed = True
                return True
            found = datagram(packet) if kind == _PACKET_HOST else None
            request = read_request(self._key, found.payload) if found is not None else None
            # A host that forwards sees other hosts' packets on their way; those did not arrive.
            if found is not None and request is not None and self._is_own(found.destination[0]):
                self._seen(Seen("arrived", "udp", found.source, found.destination, request))
            elif found is not None and request is None and is_foreign_request(self._key, found.payload):
                self._missed = True
        return False

    def _on_handshakes(self, sock: socket.socket) -> bool:
        for _ in range(GLANCES):
            try:
                packet, (_, _, kind, *_) = sock.recvfrom(65_535)
            except OSError:
                return True
            found = handshake(packet)
            if found is None:
                continue
            if found.agrees and kind == _PACKET_OUTGOING:
                self._syns.agreed(found.destination, found.source)
            elif not found.agrees and kind == _PACKET_HOST and self._is_own(found.destination[0]):
                seen = self._syns.came(found.source, found.destination, found.size, time.monotonic())
                if seen is not None:
                    self._seen(seen)
        return False
