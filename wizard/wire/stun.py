"""STUN and TURN messages as values (RFC 8489, RFC 8656, RFC 6062), over aioice's attribute codecs.

Rules:
 1. Whatever the bytes, `parse` returns a message or raises `StunError`; nothing else, and never a partial message.
 2. Of an attribute that comes twice the first counts, except through `Message.addresses` (RFC 8489 section 14).
 3. What stands behind an integrity attribute is not part of the message (RFC 8489 section 9).
"""

from __future__ import annotations

import binascii
import enum
import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from typing import Any

from aioice import stun as codec

from wizard.wire.attribute import Address, Attribute, ErrorCode, Icmp, pack, unpack

COOKIE = codec.COOKIE
HEADER_SIZE = codec.HEADER_LENGTH
MAX_ATTRIBUTES = 64

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
    packed = pack(name, value, transaction)
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
        read = unpack(name, value, transaction)
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
