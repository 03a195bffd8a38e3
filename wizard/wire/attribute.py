"""Attributes of STUN and TURN messages: their types, and their values to bytes and back (RFC 8489, 8656, 6062, 5780).

Text from the network has no control characters and at most `MAX_TEXT` characters.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aioice import stun as codec

Address = tuple[str, int]

MAX_TEXT = 763
"""RFC 8489 sections 14.8 to 14.14 allow 128 characters, which take up to 763 bytes."""


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


def pack(name: Attribute, value: Any, transaction: bytes) -> bytes:
    """The bytes of a value."""
    return bytes(codec.pack_xor_address(value, transaction) if name in _XORED else _CODECS[name][0](value))


def unpack(name: Attribute, data: bytes, transaction: bytes) -> Any:
    """The value in those bytes. Raises ValueError."""
    return codec.unpack_xor_address(data, transaction) if name in _XORED else _CODECS[name][1](data)
