"""The time during which nothing that came to this host's network card went unseen.

Standard library only and Python 3.8, because the printed responder carries this file along. Linux only.
"""

from __future__ import annotations

import array
import asyncio
import ctypes
import ipaddress
import pathlib
import socket
import struct
import time
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

GLANCE_EVERY_S = 1.0
TELL_EVERY_S = 10.0
STALLED_S = 5.0
"""Seconds between two glances after which this host may have slept, or its clock been set."""

# Linux's numbers: netdevice(7).
_SIOCGIFCONF, _SIOCGIFFLAGS = 0x8912, 0x8913
_UP, _LOOPBACK, _RUNNING = 0x1, 0x8, 0x40
_ENTRY = 16 + (24 if ctypes.sizeof(ctypes.c_void_p) == 8 else 16)
_ENTRIES = 1024


class Span(NamedTuple):
    """From `began` to `ended`, in seconds of the epoch, all that came to `address` of this host was looked at."""

    address: str
    began: float
    ended: float
    over: bool = False
    """Whether nothing follows it."""


class Vigil:
    """Glances every so often, and tells the span that it covers: at its beginning, now and then, and at its end.

    `glance` looks at all that has come, and returns whether nothing can have been missed since the glance before;
    `reachable` returns this host's address that packets can come to just now, None if there is none.
    """

    def __init__(
        self,
        glance: Callable[[], bool],
        reachable: Callable[[], Optional[str]],
        told: Callable[[Span], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._glance = glance
        self._reachable = reachable
        self._told = told
        self._clock = clock
        self._span: Optional[Span] = None
        self._at = 0.0
        self._told_at = 0.0
        self._timer: Optional[asyncio.TimerHandle] = None

    def start(self) -> None:
        """Watch from now on."""
        self.look()
        self._timer = asyncio.get_running_loop().call_later(GLANCE_EVERY_S, self.start)

    def close(self) -> None:
        """Look once more, and tell the whole span."""
        if self._timer is not None:
            self._timer.cancel()
        self.look()
        if self._span is not None:
            self._told(self._span._replace(over=True))

    def look(self) -> None:
        """One glance: what was there before it has been seen."""
        now, address = self._clock(), self._reachable()
        whole = self._glance() and 0 <= now - self._at <= STALLED_S
        held, self._at = self._span, now
        if address is None:
            self._span = None
            return
        if held is None or held.address != address or not whole:
            self._span = Span(address, now, now)
        else:
            self._span = held._replace(ended=now)
        if self._span.began == now or now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self._told(self._span)


def reachable(addresses: Sequence[str]) -> Optional[str]:
    """The first of these literal addresses that an interface has whose link is up; that of loopback tells of none."""
    wanted = [ipaddress.ip_address(address) for address in addresses]
    wanted = [ip for ip in wanted if not ip.is_loopback and not ip.is_unspecified]
    if not wanted:
        return None
    try:
        names = _interfaces()
        return next((str(ip) for ip in wanted if any(map(_is_up, names.get(str(ip), ())))), None)
    except (OSError, ValueError, ImportError):
        return None


def _interfaces() -> Dict[str, List[str]]:
    """The interfaces that have each address."""
    import fcntl

    found: Dict[str, List[str]] = {}
    buffer = array.array("B", bytes(_ENTRY * _ENTRIES))
    asked = struct.pack("iP", len(buffer), buffer.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        (size,) = struct.unpack_from("i", fcntl.ioctl(sock, _SIOCGIFCONF, asked))
    for at in range(0, size, _ENTRY):
        entry = bytes(buffer[at : at + _ENTRY])
        # An address that was given a label of its own is listed as eth0:label.
        name = entry[:16].split(b"\0")[0].decode().partition(":")[0]
        found.setdefault(str(ipaddress.ip_address(entry[20:24])), []).append(name)
    table = pathlib.Path("/proc/net/if_inet6")
    for row in table.read_text().splitlines() if table.exists() else ():
        fields = row.split()
        found.setdefault(str(ipaddress.ip_address(bytes.fromhex(fields[0]))), []).append(fields[5])
    return found


def _is_up(name: str) -> bool:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        flags = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16sh22x", name.encode(), 0))
    (told,) = struct.unpack_from("H", flags, 16)
    return int(told) & (_UP | _LOOPBACK | _RUNNING) == _UP | _RUNNING
