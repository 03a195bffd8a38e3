"""The signed probe: a STUN Binding request and answer under the project's probe key.

Standard library only and Python 3.8, because the printed responder carries this file along.
Rules:
 1. A probe and its answer are STUN messages that any RFC 8489 parser reads.
 2. Both carry MESSAGE-INTEGRITY as their last attribute; a message whose integrity is wrong is no message.
 3. An answer is never larger than its request: the request is padded to `REQUEST_SIZE` at least.
 4. Nothing that can be reflected is an answer: an answer has the success class.
"""

from __future__ import annotations

import hmac
import ipaddress
import struct
from typing import NamedTuple, Optional, Tuple

COOKIE = 0x2112A442  # RFC 8489 section 5
HEADER = struct.Struct("!HHI12s")
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101

MESSAGE_INTEGRITY = 0x0008  # RFC 8489 section 14.5
XOR_MAPPED_ADDRESS = 0x0020  # RFC 8489 section 14.2
RESPONSE_ORIGIN = 0x802B  # RFC 5780 section 7.3
# Comprehension-optional and unassigned: a STUN server that meets them passes over them.
SENDER = 0xFF48
FILLER = 0xFF49
STANDS_AT = 0xFF4A
WRONG_HOST = 0xFF4B

MAX_ID = 63
"""Longest hop or vantage id that travels in a message; the rest is cut."""
REQUEST_SIZE = 240
"""Bytes of a request at least: the largest answer (two IPv6 addresses, a long id) has 168."""
MAX_MESSAGE = 1200
"""Bytes of the largest message that is looked at."""


class Request(NamedTuple):
    """A probe as the responder reads it."""

    transaction: bytes
    vantage: str
    enters: str
    port: int
    """The number that the probe was sent to at the hop it enters; 0 if it does not say."""


class Answer(NamedTuple):
    """A responder's answer as the prober reads it."""

    transaction: bytes
    seen_as: Tuple[str, int]
    came_in_on: Tuple[str, int]
    stands_at: str
    wrong_host: bool


def request(key: bytes, transaction: bytes, vantage: str, enters: str, port: int = 0) -> bytes:
    """The probe's bytes. `transaction` is 12 random bytes; `port` is the number that it is sent to.

    Without the port, a responder that reports what reached it could not tell a probe of this port from
    one that a wrong translation brought here.
    """
    return signed_request(key, transaction, request_body(vantage, enters, port))


def request_body(vantage: str, enters: str, port: int) -> bytes:
    """What stays the same in each request of one probe: its attributes before the signature."""
    body = _attribute(SENDER, b"\0".join((_id(vantage), _id(enters), str(port).encode())))
    missing = REQUEST_SIZE - HEADER.size - len(body) - 24 - 4
    return body + _attribute(FILLER, bytes(max(0, missing)))


def signed_request(key: bytes, transaction: bytes, body: bytes) -> bytes:
    """The probe's bytes around a body."""
    return _signed(key, BINDING_REQUEST, transaction, body)


def answer(
    key: bytes,
    transaction: bytes,
    seen_as: Tuple[str, int],
    came_in_on: Tuple[str, int],
    stands_at: str,
    wrong_host: bool,
) -> bytes:
    """The answer's bytes, for a request of that transaction."""
    body = _attribute(XOR_MAPPED_ADDRESS, _address(seen_as, transaction))
    body += _attribute(RESPONSE_ORIGIN, _address(came_in_on, None))
    body += _attribute(STANDS_AT, _id(stands_at))
    if wrong_host:
        body += _attribute(WRONG_HOST, b"\1")
    return _signed(key, BINDING_SUCCESS, transaction, body)


def read_request(key: bytes, data: bytes) -> Optional[Request]:
    """The probe in `data`, or None if it is not one under this key."""
    parsed = _verified(key, data, BINDING_REQUEST)
    if parsed is None:
        return None
    transaction, attributes = parsed
    vantage, enters, port = [*attributes.get(SENDER, b"").split(b"\0"), b"", b"", b""][:3]
    number = int(port) if port.isdigit() and len(port) <= 5 else 0
    return Request(transaction, vantage.decode("utf-8", "replace"), enters.decode("utf-8", "replace"), number)


def is_foreign_request(key: bytes, data: bytes) -> bool:
    """Whether `data` is a probe that is signed under another key."""
    size = message_size(data)
    if not size or size != len(data) or HEADER.unpack_from(data)[0] != BINDING_REQUEST:
        return False
    return data[HEADER.size :][:2] == struct.pack("!H", SENDER) and read_request(key, data) is None


def read_answer(key: bytes, data: bytes) -> Optional[Answer]:
    """The answer in `data`, or None if it is not one under this key."""
    parsed = _verified(key, data, BINDING_SUCCESS)
    if parsed is None:
        return None
    transaction, attributes = parsed
    seen_as = _read_address(attributes.get(XOR_MAPPED_ADDRESS, b""), transaction)
    came_in_on = _read_address(attributes.get(RESPONSE_ORIGIN, b""), None)
    if seen_as is None or came_in_on is None or STANDS_AT not in attributes:
        return None
    stands_at = attributes[STANDS_AT].decode("utf-8", "replace")
    return Answer(transaction, seen_as, came_in_on, stands_at, WRONG_HOST in attributes)


def repeated_answer(key: bytes, data: bytes) -> Optional[bytes]:
    """What two answers to one probe have in common, the source that they saw left out; None if `data` is no answer.

    A fraction of the work of `read_answer`, for who asks the same again and again.
    """
    if len(data) < HEADER.size + 28 or not _is_signed(key, data, BINDING_SUCCESS):
        return None
    name, length = struct.unpack_from("!HH", data, HEADER.size)
    return data[HEADER.size + 4 + length : -24] if name == XOR_MAPPED_ADDRESS else None


def message_size(start: bytes) -> Optional[int]:
    """Size of the STUN message that a stream starts with, from its first 20 bytes.

    0 while there are too few bytes to tell; None if it is no STUN message or too large to be ours.
    RFC 8489 section 6.2.2: over TCP the header's length is the framing.
    """
    if len(start) < HEADER.size:
        return 0
    kind, length, cookie, _ = HEADER.unpack_from(start)
    if kind & 0xC000 or cookie != COOKIE or length % 4 or HEADER.size + length > MAX_MESSAGE:
        return None
    return HEADER.size + int(length)


def _id(text: str) -> bytes:
    return text.encode("utf-8")[:MAX_ID]


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _signed(key: bytes, kind: int, transaction: bytes, body: bytes) -> bytes:
    head = HEADER.pack(kind, len(body) + 24, COOKIE, transaction)
    return head + body + _attribute(MESSAGE_INTEGRITY, _digest(key, head + body))


def _verified(key: bytes, data: bytes, kind: int) -> Optional[Tuple[bytes, dict[int, bytes]]]:
    if not _is_signed(key, data, kind):
        return None
    transaction = data[8 : HEADER.size]
    attributes: dict[int, bytes] = {}
    at = HEADER.size
    while at + 4 <= len(data):
        name, length = struct.unpack_from("!HH", data, at)
        if at + 4 + length > len(data):
            return None
        attributes.setdefault(name, data[at + 4 : at + 4 + length])
        at += 4 + length + (-length % 4)
    return transaction, attributes


def _is_signed(key: bytes, data: bytes, kind: int) -> bool:
    size = message_size(data)
    if not size or size != len(data) or size < HEADER.size + 24 or HEADER.unpack_from(data)[0] != kind:
        return False
    tail = data[-24:]
    if tail[:4] != struct.pack("!HH", MESSAGE_INTEGRITY, 20):
        return False
    return hmac.compare_digest(tail[4:], _digest(key, data[:-24]))


def _digest(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha1")


def _address(address: Tuple[str, int], transaction: Optional[bytes]) -> bytes:
    # An IPv4 client on a dual-stack socket appears as ::ffff:a.b.c.d.
    ip = ipaddress.ip_address(address[0].partition("%")[0])
    packed = (getattr(ip, "ipv4_mapped", None) or ip).packed
    port = address[1]
    if transaction is not None:
        port ^= COOKIE >> 16
        packed = _xor(packed, transaction)
    return struct.pack("!BBH", 0, 1 if len(packed) == 4 else 2, port) + packed


def _read_address(value: bytes, transaction: Optional[bytes]) -> Optional[Tuple[str, int]]:
    if len(value) not in (8, 20) or value[1] != (1 if len(value) == 8 else 2):
        return None
    (port,) = struct.unpack_from("!H", value, 2)
    packed = value[4:]
    if transaction is not None:
        port ^= COOKIE >> 16
        packed = _xor(packed, transaction)
    return str(ipaddress.ip_address(packed)), port


def _xor(packed: bytes, transaction: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(packed, struct.pack("!I", COOKIE) + transaction))
