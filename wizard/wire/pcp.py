"""The Port Control Protocol, RFC 6887: the operations ANNOUNCE and MAP. Bytes only, no sockets."""

from __future__ import annotations

import enum
import ipaddress
import struct
from dataclasses import dataclass

from wizard.wire.transport import Transport

VERSION = 2
LONGEST = 1100
"""Bytes of a message at most (section 7)."""
NONCE_SIZE = 12

_ANNOUNCE, _MAP = 0, 1
_REPLY = 0x80
_REQUEST_HEAD = struct.Struct("!BBHI16s")  # version, operation, reserved, lifetime, the client's own address
_REPLY_HEAD = struct.Struct("!BBBBII12x")  # version, operation, reserved, result, lifetime, epoch, reserved
_MAP_BODY = struct.Struct("!12sB3xHH16s")  # nonce, protocol, internal port, external port, external address


class PcpError(ValueError):
    """The bytes are no PCP reply; the message says why."""


class Result(enum.IntEnum):
    """RFC 6887 section 7.4."""

    SUCCESS = 0
    UNSUPPORTED_VERSION = 1
    NOT_AUTHORISED = 2
    """Switched off, or this client may not."""
    MALFORMED_REQUEST = 3
    UNSUPPORTED_OPCODE = 4
    UNSUPPORTED_OPTION = 5
    MALFORMED_OPTION = 6
    NETWORK_FAILURE = 7
    NO_RESOURCES = 8
    UNSUPPORTED_PROTOCOL = 9
    USER_EXCEEDED_QUOTA = 10
    CANNOT_PROVIDE_EXTERNAL = 11
    """The outer port or address that was asked for is taken."""
    ADDRESS_MISMATCH = 12
    """The request came from another address than it says: a NAT stands between."""
    EXCESSIVE_REMOTE_PEERS = 13
    UNKNOWN = -1
    """A number that the RFC does not have."""

    @classmethod
    def _missing_(cls, _value: object) -> Result:
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class Mapping:
    """Section 11.1. A lifetime of 0 says that it is gone."""

    nonce: bytes
    transport: Transport
    internal: int
    external: int
    address: str
    """The outer address."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. `lifetime_s` of a mapping made is how long it lives, of an error how long to wait (section 7.4)."""

    result: Result
    code: int
    lifetime_s: int
    epoch_s: int
    mapping: Mapping | None
    """None in a reply to ANNOUNCE, and where the gateway cut it off."""


def announce_request(own: str) -> bytes:
    """The lightest question (section 14.1): whoever speaks PCP answers it."""
    return _request(_ANNOUNCE, 0, own)


def map_request(own: str, mapping: Mapping, lifetime_s: int) -> bytes:
    """Ask to map a port of one's own address `own`; with a lifetime of 0 to take the mapping away (section 15)."""
    body = _MAP_BODY.pack(
        mapping.nonce, mapping.transport, mapping.internal, mapping.external, _sixteen(mapping.address)
    )
    return _request(_MAP, lifetime_s, own) + body


def read(data: bytes) -> Reply:
    """A reply. Raises PcpError for bytes that are none."""
    if len(data) > LONGEST:
        raise PcpError(f"{len(data)} bytes are too many")
    if len(data) < 4:
        raise PcpError(f"{len(data)} bytes are too few")
    if data[0] != VERSION:
        raise PcpError(f"version {data[0]}, not {VERSION}")
    if not data[1] & _REPLY:
        raise PcpError("a request, not a reply")
    if len(data) < _REPLY_HEAD.size:
        raise PcpError(f"{len(data)} bytes are too few")
    _, operation, _, code, lifetime_s, epoch_s = _REPLY_HEAD.unpack_from(data)
    result = Result(code)
    mapping = None
    if operation & ~_REPLY == _MAP:
        mapping = _mapping(data[_REPLY_HEAD.size :])
        if mapping is None and result is Result.SUCCESS:
            raise PcpError("the mapping is cut off, or of an unknown protocol")
    elif operation & ~_REPLY != _ANNOUNCE:
        raise PcpError(f"operation {operation & ~_REPLY} was not asked for")
    return Reply(result, code, lifetime_s, epoch_s, mapping)


def restarted(before_s: int, after_s: int, elapsed_s: float) -> bool:
    """Whether a gateway has lost its mappings between two replies, told by its clock (section 8.5).

    `elapsed_s` is what passed on our own clock meanwhile.
    """
    if after_s < before_s - 1:
        return True
    theirs = after_s - before_s
    return elapsed_s + 2 < theirs - theirs / 16 or theirs + 2 < elapsed_s - elapsed_s / 16


def _request(operation: int, lifetime_s: int, own: str) -> bytes:
    return _REQUEST_HEAD.pack(VERSION, operation, 0, max(0, lifetime_s), _sixteen(own))


def _mapping(body: bytes) -> Mapping | None:
    if len(body) < _MAP_BODY.size:
        return None
    nonce, protocol, internal, external, address = _MAP_BODY.unpack_from(body)
    if protocol not in tuple(Transport):
        return None
    return Mapping(nonce, Transport(protocol), internal, external, _spelt(address))


def _sixteen(address: str) -> bytes:
    """Section 5: IPv4 addresses are written as IPv4-mapped IPv6 ones."""
    ip = ipaddress.ip_address(address)
    return ip.packed if ip.version == 6 else bytes(10) + b"\xff\xff" + ip.packed


def _spelt(packed: bytes) -> str:
    ip = ipaddress.IPv6Address(packed)
    return str(ip.ipv4_mapped or ip)
