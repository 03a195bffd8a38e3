"""Packets that look like a call's, and what their arrival says of the way (RFC 3550, RFC 4737).

Sender and receiver share one clock: the figures are of packets that leave this computer and come back to it.
"""

from __future__ import annotations

import math
import statistics
import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEADER = struct.Struct("!BBHII4sIQ")
"""RFC 3550 section 5.1: version, payload type, sequence number, timestamp, SSRC; then our own."""
_VERSION = 0x80
_DYNAMIC = 96
"""The first dynamic payload type (RFC 3551 section 6)."""
_OURS = b"HWm1"
_SMOOTHING = 16
"""RFC 3550 section 6.4.1."""

SMALLEST = _HEADER.size
"""Bytes of a packet that carries nothing but its number and time."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: of which stream, its number from 0 on, and sent when on the sender's clock, in seconds."""

    source: int
    sequence: int
    sent_s: float


def write(packet: Packet, size: int) -> bytes:
    """The packet in `size` bytes. Raises ValueError if it does not fit."""
    if size < SMALLEST:
        raise ValueError(f"{size} bytes are too few for a packet of {SMALLEST}")
    nanoseconds = round(packet.sent_s * 1e9)
    head = _HEADER.pack(
        _VERSION,
        _DYNAMIC,
        packet.sequence & 0xFFFF,
        nanoseconds // 1000 & 0xFFFFFFFF,
        packet.source,
        _OURS,
        packet.sequence,
        nanoseconds,
    )
    return head + bytes(size - SMALLEST)


def read(data: bytes) -> Packet | None:
    """The packet in these bytes, or None if they are something else."""
    if len(data) < SMALLEST:
        return None
    version, kind, _, _, source, mark, sequence, nanoseconds = _HEADER.unpack_from(data)
    if version != _VERSION or kind != _DYNAMIC or mark != _OURS:
        return None
    return Packet(source, sequence, nanoseconds / 1e9)


@dataclass(frozen=True, slots=True)
class Delay:
    """Round trips in milliseconds."""

    min_ms: float
    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of one stream's packets."""

    sent: int
    received: int
    """Each packet once, however often it came."""
    reordered: int
    duplicates: int
    payload_bytes: int
    delay: Delay | None
    """None if nothing came."""
    jitter_ms: float | None
    """RFC 3550's estimate after the last packet. None for fewer than two packets."""
    jitter_peak_ms: float | None

    @property
    def lost(self) -> int:
        """Packets that did not come."""
        return self.sent - self.received

    @property
    def loss_percent(self) -> float:
        """Of what was sent; 0 if nothing was."""
        return loss_percent(self.sent, self.received)


def loss_percent(sent: int, received: int) -> float:
    """What share of the packets did not come; 0 if none was sent."""
    return 100 * (sent - received) / sent if sent else 0.0


def delay(round_trips_s: Iterable[float]) -> Delay | None:
    """Minimum, median and 95th percentile (nearest rank) of round trips in seconds; None of none."""
    ordered = sorted(round_trips_s)
    if not ordered:
        return None
    rank = math.ceil(0.95 * len(ordered)) - 1
    return Delay(ordered[0] * 1000, statistics.median(ordered) * 1000, ordered[rank] * 1000)


class Stream:
    """One stream's packets on their way: numbers and stamps those that leave, and counts those that come."""

    def __init__(self, source: int, size: int) -> None:
        """`size` is that of a packet's payload in bytes."""
        self.source = source
        self.size = size
        self.sent = 0
        self.duplicates = 0
        self.reordered = 0
        self.round_trips_s = array("d")
        """Of each packet that came, in the order of arrival."""
        self.last_arrival_s: float | None = None
        self._seen = bytearray()
        self._next = 0
        self._jitter_s = 0.0
        self._jitter_peak_s = 0.0

    @property
    def received(self) -> int:
        """Packets that came, each counted once."""
        return len(self.round_trips_s)

    @property
    def jitter_ms(self) -> float:
        """RFC 3550's estimate so far."""
        return self._jitter_s * 1000

    def lost_of(self, first: int) -> int:
        """How many of the `first` packets that left have not come."""
        return first - self._seen.count(1, 0, first)

    def depart(self, now: float) -> bytes:
        """The bytes of the next packet, which leaves now."""
        packet = Packet(self.source, self.sent, now)
        self.sent += 1
        return write(packet, self.size)

    def arrive(self, packet: Packet, now: float) -> None:
        """Count a packet of this stream that came now. One that was never sent is passed over."""
        if packet.sequence >= self.sent:
            return
        if len(self._seen) < self.sent:
            self._seen.extend(bytes(self.sent - len(self._seen)))
        self.last_arrival_s = now
        if self._seen[packet.sequence]:
            self.duplicates += 1
            return
        self._seen[packet.sequence] = 1
        # RFC 4737 section 3.3: reordered is what comes after a later one.
        if packet.sequence < self._next:
            self.reordered += 1
        else:
            self._next = packet.sequence + 1
        round_trip = now - packet.sent_s
        if self.round_trips_s:
            # RFC 3550 appendix A.8, in the order of arrival.
            difference = abs(round_trip - self.round_trips_s[-1])
            self._jitter_s += (difference - self._jitter_s) / _SMOOTHING
            self._jitter_peak_s = max(self._jitter_peak_s, self._jitter_s)
        self.round_trips_s.append(round_trip)

    def figures(self) -> Figures:
        """What became of the packets so far."""
        several = self.received > 1
        return Figures(
            sent=self.sent,
            received=self.received,
            reordered=self.reordered,
            duplicates=self.duplicates,
            payload_bytes=self.received * self.size,
            delay=delay(self.round_trips_s),
            jitter_ms=self._jitter_s * 1000 if several else None,
            jitter_peak_ms=self._jitter_peak_s * 1000 if several else None,
        )


def loss_of(figures: Sequence[Figures]) -> float:
    """The loss of several streams together, in percent."""
    return loss_percent(sum(f.sent for f in figures), sum(f.received for f in figures))
