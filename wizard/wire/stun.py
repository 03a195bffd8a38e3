"""STUN and TURN messages as values (RFC 8489, RFC 8656, RFC 6062), over aioice's attribute codecs.

Rules:
 1. Whatever the bytes, `parse` returns a message or raises `StunError`; nothing else, and never a partial message.
 2. Of an attribute that comes twice the first counts, except through `Message.addresses` (RFC 8489 section 14).
 3. What stands behind an integrity attribute is not part of the message (RFC 8489 section 9).
 4. Text from the network has no control characters and at most `MAX_TEXT` characters.
"""

from __future__ import annotations

import binascii
import enum
import hashlib
import hmac
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aioice import stun as codec

Address = tuple[str, int]

COOKIE = codec.COOKIE
HEADER_SIZE = codec.HEADER_LENGTH
MAX_ATTRIBUTES = 64
MAX_TEXT = 763
"""RFC 8489 sections 14.8 to 14.14 allow 128 characters, which take up to 763 bytes."""
CHANNEL_FIRST, CHANNEL_LAST = 0x4000, 0x4FFF  # RFC 8656 section 12

_HEADER = struct.Struct("!HHI12s")
_TRAILING = frozenset({0x0008, 0x001C, 0x8028})


class StunError(ValueError):
    """The bytes are no message that a STUN or TURN server may send."""


class Method(enum.IntEnum):
    """RFC 8489 section 18.2, RFC 8656 section 17, RFC 6062 section 6."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009
    CONNECT = 0x00A
    CONNECTION_BIND = 0x00B
    CONNECTION_ATTEMPT = 0x00C


class Class(enum.IntEnum):
    """RFC 8489 section 5."""

    REQUEST = 0x000
    INDICATION = 0x010
    SUCCESS = 0x100
    ERROR = 0x110


class Attribute(enum.IntEnum):
    """Attribute types that are read or written."""

    MAPPED_ADDRESS = 0x0001
    CHANGE_REQUEST = 0x0003
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    CHANNEL_NUMBER = 0x000C
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    DATA = 0x0013
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    REQUESTED_ADDRESS_FAMILY = 0x0017
    EVEN_PORT = 0x0018
    REQUESTED_TRANSPORT = 0x0019
    DONT_FRAGMENT = 0x001A
    MESSAGE_INTEGRITY_SHA256 = 0x001C
    PASSWORD_ALGORITHM = 0x001D
    USERHASH = 0x001E
    XOR_MAPPED_ADDRESS = 0x0020
    RESERVATION_TOKEN = 0x0022
    RESPONSE_PORT = 0x0027
    CONNECTION_ID = 0x002A
    ADDITIONAL_ADDRESS_FAMILY = 0x8000
    ADDRESS_ERROR_CODE = 0x8001
    PASSWORD_ALGORITHMS = 0x8002
    ALTERNATE_DOMAIN = 0x8003
    ICMP = 0x8004
    SOFTWARE = 0x8022
    ALTERNATE_SERVER = 0x8023
    FINGERPRINT = 0x8028
    RESPONSE_ORIGIN = 0x802B
    OTHER_ADDRESS = 0x802C


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """ERROR-CODE (RFC 8489 section 14.8): the number and the server's own words."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Icmp:
    """ICMP (RFC 8656 section 18.13): what a peer's network said to the relay."""

    type: int
    code: int


@dataclass(frozen=True, slots=True)
class Message:
    """One STUN message. `attributes` are in the order of the wire, of the types that are known."""

    method: Method
    cls: Class
    transaction: bytes
    attributes: tuple[tuple[Attribute, Any], ...] = ()
    unknown: tuple[int, ...] = ()
    """Types that must be understood and are not (RFC 8489 section 14)."""
    raw: bytes = field(default=b"", repr=False, compare=False)
    """The bytes it was read from, for the check of its integrity."""

    def _first(self, attribute: Attribute) -> Any:
        return next((value for name, value in self.attributes if name is attribute), None)

    def has(self, attribute: Attribute) -> bool:
        """Whether the attribute is there."""
        return any(name is attribute for name, _ in self.attributes)

    def address(self, attribute: Attribute) -> Address | None:
        """The first address of that attribute."""
        value: Address | None = self._first(attribute)
        return value

    def addresses(self, attribute: Attribute) -> tuple[Address, ...]:
        """All addresses of that attribute: a dual allocation has two (RFC 8656 section 7.3)."""
        return tuple(value for name, value in self.attributes if name is attribute)

    def number(self, attribute: Attribute) -> int | None:
        """The number of that attribute."""
        value: int | None = self._first(attribute)
        return value

    def text(self, attribute: Attribute) -> str | None:
        """The text of that attribute, fit to be shown."""
        value: str | None = self._first(attribute)
        return value

    def data(self, attribute: Attribute) -> bytes | None:
        """The bytes of that attribute."""
        value: bytes | None = self._first(attribute)
        return value

    @property
    def error(self) -> ErrorCode | None:
        """The error that an error response carries."""
        value: ErrorCode | None = self._first(Attribute.ERROR_CODE)
        return value

    @property
    def icmp(self) -> Icmp | None:
        """The ICMP error that a Data indication carries."""
        value: Icmp | None = self._first(Attribute.ICMP)
        return value


@dataclass(frozen=True, slots=True)
class ChannelData:
    """RFC 8656 section 12.4."""

    channel: int
    data: bytes


def shown(text: str) -> str:
    """`text` from the network without control characters, cut to `MAX_TEXT`."""
    return "".join(c if c.isprintable() else " " for c in text[:MAX_TEXT]).strip()


def _pack_text(value: str) -> bytes:
    # A user name may be anything that somebody typed; one that does not fit is refused by the server.
    return value.encode("utf-8", "replace")[:MAX_TEXT]


def _unpack_text(data: bytes) -> str:
    return shown(data.decode("utf-8", "replace"))


def _unpack_number(data: bytes) -> int:
    if len(data) != 4:
        raise ValueError(f"a number has 4 bytes, this has {len(data)}")
    return int.from_bytes(data, "big")


def _pack_error(value: ErrorCode) -> bytes:
    return bytes(codec.pack_error_code((value.code, value.reason)))


def _unpack_error(data: bytes) -> ErrorCode:
    # RFC 8489 section 14.8: class 3 to 6, number 0 to 99.
    if len(data) < 4 or not 3 <= data[2] & 7 <= 6 or data[3] > 99:
        raise ValueError("the error code is none")
    return ErrorCode((data[2] & 7) * 100 + data[3], _unpack_text(data[4:]))


def _pack_first_byte(value: int) -> bytes:
    return bytes([value, 0, 0, 0])


def _pack_flag(value: int) -> bytes:
    return bytes([value])


def _unpack_flag(data: bytes) -> int:
    if not data:
        raise ValueError("the byte is missing")
    return data[0]


def _unpack_short(data: bytes) -> int:
    if len(data) != 4:
        raise ValueError(f"a channel number has 4 bytes, this has {len(data)}")
    return int.from_bytes(data[:2], "big")


def _pack_shorts(value: tuple[int, ...]) -> bytes:
    return struct.pack(f"!{len(value)}H", *value)


def _unpack_shorts(data: bytes) -> tuple[int, ...]:
    if len(data) % 2:
        raise ValueError("an odd number of bytes is no list of types")
    return struct.unpack(f"!{len(data) // 2}H", data)


def _pack_icmp(value: Icmp) -> bytes:
    return struct.pack("!HHI", 0, value.type << 9 | value.code, 0)


def _unpack_icmp(data: bytes) -> Icmp:
    if len(data) != 8:
        raise ValueError(f"ICMP has 8 bytes, this has {len(data)}")
    (both,) = struct.unpack_from("!H", data, 2)
    return Icmp(both >> 9, both & 0x1FF)


def _unpack_id(data: bytes) -> bytes:
    if len(data) != 4:
        raise ValueError(f"a connection id has 4 bytes, this has {len(data)}")
    return data


_Pack = Callable[[Any], bytes]
_Unpack = Callable[[bytes], Any]

_BYTES: tuple[_Pack, _Unpack] = (codec.pack_bytes, codec.unpack_bytes)
_TEXT: tuple[_Pack, _Unpack] = (_pack_text, _unpack_text)
_PLAIN: tuple[_Pack, _Unpack] = (codec.pack_address, codec.unpack_address)
_NUMBER: tuple[_Pack, _Unpack] = (codec.pack_unsigned, _unpack_number)
_FIRST_BYTE: tuple[_Pack, _Unpack] = (_pack_first_byte, _unpack_flag)

_XORED = frozenset({Attribute.XOR_MAPPED_ADDRESS, Attribute.XOR_PEER_ADDRESS, Attribute.XOR_RELAYED_ADDRESS})
_CODECS: Mapping[Attribute, tuple[_Pack, _Unpack]] = {
    Attribute.MAPPED_ADDRESS: _PLAIN,
    Attribute.CHANGE_REQUEST: _NUMBER,
    Attribute.USERNAME: _TEXT,
    Attribute.MESSAGE_INTEGRITY: _BYTES,
    Attribute.ERROR_CODE: (_pack_error, _unpack_error),
    Attribute.UNKNOWN_ATTRIBUTES: (_pack_shorts, _unpack_shorts),
    Attribute.CHANNEL_NUMBER: (codec.pack_unsigned_short, _unpack_short),
    Attribute.LIFETIME: _NUMBER,
    Attribute.DATA: _BYTES,
    Attribute.REALM: _BYTES,
    Attribute.NONCE: _BYTES,
    Attribute.REQUESTED_ADDRESS_FAMILY: _FIRST_BYTE,
    Attribute.EVEN_PORT: (_pack_flag, _unpack_flag),
    Attribute.REQUESTED_TRANSPORT: _FIRST_BYTE,
    Attribute.DONT_FRAGMENT: _BYTES,
    Attribute.MESSAGE_INTEGRITY_SHA256: _BYTES,
    Attribute.PASSWORD_ALGORITHM: _BYTES,
    Attribute.USERHASH: _BYTES,
    Attribute.RESERVATION_TOKEN: _BYTES,
    Attribute.RESPONSE_PORT: (codec.pack_unsigned_short, _unpack_short),
    Attribute.CONNECTION_ID: (codec.pack_bytes, _unpack_id),
    Attribute.ADDITIONAL_ADDRESS_FAMILY: _FIRST_BYTE,
    Attribute.ADDRESS_ERROR_CODE: _BYTES,
    Attribute.PASSWORD_ALGORITHMS: _BYTES,
    Attribute.ALTERNATE_DOMAIN: _TEXT,
    Attribute.ICMP: (_pack_icmp, _unpack_icmp),
    Attribute.SOFTWARE: _TEXT,
    Attribute.ALTERNATE_SERVER: _PLAIN,
    Attribute.FINGERPRINT: _NUMBER,
    Attribute.RESPONSE_ORIGIN: _PLAIN,
    Attribute.OTHER_ADDRESS: _PLAIN,
}


class Integrity(enum.Enum):
    """Which of the two integrity attributes signs a message."""

    SHA1 = Attribute.MESSAGE_INTEGRITY
    SHA256 = Attribute.MESSAGE_INTEGRITY_SHA256

    @property
    def size(self) -> int:
        """Bytes of the attribute's value."""
        return 20 if self is Integrity.SHA1 else 32

    def code(self, key: bytes, covered: bytes, size: int) -> bytes:
        """HMAC of `covered` with the length in its header as if the attribute of `size` bytes ended the message."""
        length = len(covered) - HEADER_SIZE + 4 + size
        digest = hashlib.sha1 if self is Integrity.SHA1 else hashlib.sha256
        return hmac.new(key, codec.set_body_length(covered, length), digest).digest()[:size]


def write(message: Message, key: bytes | None = None, integrity: Integrity = Integrity.SHA1) -> bytes:
    """The message's bytes; with a key, signed, and with FINGERPRINT at the end (RFC 8489 sections 14.5 to 14.7)."""
    body = b"".join(_attribute(name, value, message.transaction) for name, value in message.attributes)
    data = _header(message, len(body)) + body
    if key is None:
        return data
    code = integrity.code(key, data, integrity.size)
    data = codec.set_body_length(data, len(data) - HEADER_SIZE + 4 + len(code))
    data += struct.pack("!HH", integrity.value, len(code)) + code
    fingerprint = codec.message_fingerprint(data)
    data = codec.set_body_length(data, len(data) - HEADER_SIZE + 8)
    return data + struct.pack("!HHI", Attribute.FINGERPRINT, 4, fingerprint)


def _header(message: Message, length: int) -> bytes:
    return _HEADER.pack(message.method | message.cls, length, COOKIE, message.transaction)


def _attribute(name: Attribute, value: Any, transaction: bytes) -> bytes:
    packed = codec.pack_xor_address(value, transaction) if name in _XORED else _CODECS[name][0](value)
    return struct.pack("!HH", name, len(packed)) + packed + bytes(-len(packed) % 4)


def parse(data: bytes) -> Message:
    """The message in a whole datagram or frame. Raises StunError."""
    if len(data) < HEADER_SIZE:
        raise StunError(f"{len(data)} bytes are too few for a STUN message")
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind & 0xC000 or cookie != COOKIE:
        raise StunError("these bytes are no STUN message")
    if length % 4 or len(data) != HEADER_SIZE + length:
        raise StunError("the length in the header is not that of the message")
    try:
        # RFC 8489 section 5: the bits of the class lie between those of the method.
        method = Method(kind & 0x3EEF)
    except ValueError:
        raise StunError(f"STUN method 0x{kind & 0x3EEF:03x} is unknown") from None
    attributes, unknown = _attributes(data, transaction)
    return Message(method, Class(kind & 0x0110), transaction, attributes, unknown, data)


def _attributes(data: bytes, transaction: bytes) -> tuple[tuple[tuple[Attribute, Any], ...], tuple[int, ...]]:
    found: list[tuple[Attribute, Any]] = []
    unknown: list[int] = []
    signed = False
    at, count = HEADER_SIZE, 0
    while at < len(data):
        count += 1
        kind, length = struct.unpack_from("!HH", data, at)
        end = at + 4 + length
        if end > len(data) or count > MAX_ATTRIBUTES:
            raise StunError("an attribute is longer than its message" if end > len(data) else "too many attributes")
        value = data[at + 4 : end]
        if not signed or kind in _TRAILING:
            _read(found, unknown, kind, value, transaction)
        if kind == Attribute.FINGERPRINT:
            if value != struct.pack("!I", _fingerprint(data[:at])):
                raise StunError("the fingerprint is wrong")
            break
        signed = signed or kind in _TRAILING
        at = end + (-length % 4)
    return tuple(found), tuple(unknown)


def _fingerprint(covered: bytes) -> int:
    # RFC 8489 section 14.7
    length = len(covered) - HEADER_SIZE + 8
    return int(binascii.crc32(codec.set_body_length(covered, length)) ^ codec.FINGERPRINT_XOR)


def _read(found: list[tuple[Attribute, Any]], unknown: list[int], kind: int, value: bytes, transaction: bytes) -> None:
    try:
        name = Attribute(kind)
    except ValueError:
        if kind < 0x8000:
            unknown.append(kind)
        return
    try:
        read = codec.unpack_xor_address(value, transaction) if name in _XORED else _CODECS[name][1](value)
    except ValueError as fault:
        # One that need not be understood need not be well formed either.
        if kind < 0x8000:
            raise StunError(f"{name.name.replace('_', '-')} is malformed: {fault}") from None
        return
    found.append((name, read))


def verified(message: Message, key: bytes, integrity: Integrity) -> bool:
    """Whether the message as it was read is signed under `key` (RFC 8489 sections 9.2.5, 14.5 and 14.6)."""
    at = HEADER_SIZE
    data = message.raw
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("!HH", data, at)
        if kind == integrity.value:
            # SHA-256 may be cut to a multiple of 4 that is not below 16.
            good = length == 20 if integrity is Integrity.SHA1 else length % 4 == 0 and 16 <= length <= 32
            return good and hmac.compare_digest(data[at + 4 : at + 4 + length], integrity.code(key, data[:at], length))
        at += 4 + length + (-length % 4)
    return False


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
