"""NAT-PMP, RFC 6886: what a gateway's public address is, and mappings of one's own ports. Bytes only, no sockets."""

from __future__ import annotations

import enum
import ipaddress
import struct
from dataclasses import dataclass

from wizard.wire.transport import Transport

VERSION = 0
PORT = 5351
"""Gateways listen here, for PCP as well (RFC 6886 section 1.1, RFC 6887 section 7)."""

_REPLY = 128
_OPCODES = {Transport.UDP: 1, Transport.TCP: 2}
_TRANSPORTS = {opcode: transport for transport, opcode in _OPCODES.items()}
_HEAD = struct.Struct("!BBHI")  # version, opcode, result, seconds since start of epoch
_MAP_REQUEST = struct.Struct("!BBHHHI")
_MAP_REPLY = struct.Struct("!HHI")


class NatPmpError(ValueError):
    """The bytes are no NAT-PMP reply; the message says why."""


class Result(enum.IntEnum):
    """RFC 6886 section 3.5."""

    SUCCESS = 0
    UNSUPPORTED_VERSION = 1
    NOT_AUTHORISED = 2
    """Port mapping is switched off, or not for this computer."""
    NETWORK_FAILURE = 3
    """The gateway itself has no address on its outer side."""
    OUT_OF_RESOURCES = 4
    UNSUPPORTED_OPCODE = 5
    UNKNOWN = -1
    """A number that the RFC does not have."""

    @classmethod
    def _missing_(cls, _value: object) -> Result:
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class AddressReply:
    """Section 3.2: the gateway's public address, unless it refuses to say."""

    result: Result
    code: int
    epoch_s: int
    address: str | None


@dataclass(frozen=True, slots=True)
class MapReply:
    """Section 3.3: a mapping as it was made. A lifetime of 0 says that it is gone."""

    result: Result
    code: int
    epoch_s: int
    transport: Transport
    internal: int
    external: int
    lifetime_s: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reply that holds nothing but a result: the version or the operation is unknown there."""

    result: Result
    code: int
    opcode: int


Reply = AddressReply | MapReply | Refusal


def address_request() -> bytes:
    """Ask for the public address (section 3.2)."""
    return bytes([VERSION, 0])


def map_request(transport: Transport, internal: int, external: int, lifetime_s: int) -> bytes:
    """Ask to map one of one's own ports (section 3.3); with a lifetime of 0 to take the mapping away (section 3.4)."""
    return _MAP_REQUEST.pack(
        VERSION, _OPCODES[transport], 0, internal, external if lifetime_s else 0, max(0, lifetime_s)
    )


def read(data: bytes) -> Reply:
    """A reply. Raises NatPmpError for bytes that are none."""
    if len(data) < 4:
        raise NatPmpError(f"{len(data)} bytes are too few")
    version, opcode, code = struct.unpack_from("!BBH", data)
    if version != VERSION:
        raise NatPmpError(f"version {version}, not {VERSION}")
    if opcode < _REPLY:
        raise NatPmpError("a request, not a reply")
    result = Result(code)
    operation = opcode - _REPLY
    # Section 3.5: to an unknown version or operation the gateway may answer with the head alone.
    if result in (Result.UNSUPPORTED_VERSION, Result.UNSUPPORTED_OPCODE):
        return Refusal(result, code, operation)
    if len(data) < _HEAD.size:
        raise NatPmpError(f"{len(data)} bytes are too few")
    (epoch_s,) = struct.unpack_from("!I", data, 4)
    rest = data[_HEAD.size :]
    if operation == 0:
        if result is not Result.SUCCESS:
            return AddressReply(result, code, epoch_s, None)
        if len(rest) < 4:
            raise NatPmpError("the public address is cut off")
        address = ipaddress.IPv4Address(rest[:4])
        return AddressReply(result, code, epoch_s, None if address.is_unspecified else str(address))
    if operation not in _TRANSPORTS:
        raise NatPmpError(f"operation {operation} was not asked for")
    if len(rest) < _MAP_REPLY.size:
        if result is Result.SUCCESS:
            raise NatPmpError("the mapping is cut off")
        return Refusal(result, code, operation)
    internal, external, lifetime_s = _MAP_REPLY.unpack_from(rest)
    return MapReply(result, code, epoch_s, _TRANSPORTS[operation], internal, external, lifetime_s)
