"""What a TURN stream or datagram may hold beside STUN messages: ChannelData; and where each of them ends."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from wizard.wire.stun import COOKIE, HEADER_SIZE, StunError

CHANNEL_FIRST, CHANNEL_LAST = 0x4000, 0x4FFF  # RFC 8656 section 12


@dataclass(frozen=True, slots=True)
class ChannelData:
    """RFC 8656 section 12.4."""

    channel: int
    data: bytes


def is_channel_data(data: bytes) -> bool:
    """Whether a datagram or frame is ChannelData and no STUN message (RFC 8656 section 12)."""
    return len(data) >= 4 and CHANNEL_FIRST <= int.from_bytes(data[:2], "big") <= CHANNEL_LAST


def write_channel_data(channel: int, data: bytes, *, stream: bool) -> bytes:
    """A ChannelData frame, padded on a stream (RFC 8656 section 12.5)."""
    return struct.pack("!HH", channel, len(data)) + data + (bytes(-len(data) % 4) if stream else b"")


def parse_channel_data(data: bytes) -> ChannelData:
    """The ChannelData in a whole datagram or frame. Raises StunError."""
    if not is_channel_data(data):
        raise StunError("these bytes are no ChannelData")
    channel, length = struct.unpack_from("!HH", data)
    if 4 + length > len(data):
        raise StunError("the ChannelData is cut short")
    return ChannelData(channel, data[4 : 4 + length])


def frame_size(start: bytes | bytearray) -> int | None:
    """Bytes of the frame that a stream starts with; None while there are too few to tell.

    Raises StunError as soon as the bytes cannot start a frame. No frame is larger than 65,560 bytes.
    """
    if not start:
        return None
    channel = CHANNEL_FIRST >> 8 <= start[0] <= CHANNEL_LAST >> 8
    if not channel and (start[0] & 0xC0 or (len(start) >= 8 and int.from_bytes(start[4:8], "big") != COOKIE)):
        raise StunError("the stream holds bytes that are neither STUN nor ChannelData")
    if len(start) < (4 if channel else 8):
        return None
    length = int.from_bytes(start[2:4], "big")
    if channel:
        return 4 + length + (-length % 4)
    if length % 4:
        raise StunError("the length in the header is not that of a STUN message")
    return HEADER_SIZE + length
