"""IP packets as a network card sees them: what is inside, and the filters that keep the few that matter.

Standard library only and Python 3.8, because the printed responder carries this file along.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Iterable, NamedTuple, Optional, Tuple

UDP, TCP = 17, 6
INSTRUCTION = struct.Struct("HBBI")
"""One instruction of the classic packet filter: code, jump if true, jump if false, operand."""


class Datagram(NamedTuple):
    """A UDP datagram and the addresses on its packet."""

    source: Tuple[str, int]
    destination: Tuple[str, int]
    payload: bytes


class Handshake(NamedTuple):
    """The TCP segment that asks for a connection, or the one that agrees to it."""

    source: Tuple[str, int]
    destination: Tuple[str, int]
    agrees: bool
    size: int
    """The largest segment that its sender announces to take, in bytes; 0 if it announces none."""


def datagram(packet: bytes) -> Optional[Datagram]:
    """The UDP datagram in an IP packet without its link header; None for anything else, a fragment included."""
    found = _payload(packet, UDP)
    if found is None or len(packet) < found[2] + 8:
        return None
    source, destination, start = found
    source_port, destination_port, length = struct.unpack_from("!HHH", packet, start)
    if length < 8 or start + length > len(packet):
        return None
    return Datagram((source, source_port), (destination, destination_port), packet[start + 8 : start + length])


def handshake(packet: bytes) -> Optional[Handshake]:
    """The SYN in an IP packet without its link header; None for anything else (RFC 9293 section 3.1)."""
    found = _payload(packet, TCP)
    if found is None or len(packet) < found[2] + 20:
        return None
    source, destination, start = found
    source_port, destination_port = struct.unpack_from("!HH", packet, start)
    flags = packet[start + 13]
    if not flags & 0x02 or flags & 0x05:
        return None
    options = packet[start + 20 : start + (packet[start + 12] >> 4) * 4]
    size = struct.unpack_from("!H", options, 2)[0] if options[:2] == b"\2\4" and len(options) >= 4 else 0
    return Handshake((source, source_port), (destination, destination_port), bool(flags & 0x10), size)


def _payload(packet: bytes, protocol: int) -> Optional[Tuple[str, str, int]]:
    """Source, destination, and where the payload of that protocol begins.

    RFC 791 section 3.1, RFC 8200 section 3. Behind IPv6 extension headers nothing is looked for: probes have none.
    """
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == 4:
        header = (packet[0] & 15) * 4
        more_or_offset = struct.unpack_from("!H", packet, 6)[0] & 0x3FFF
        if header < 20 or packet[9] != protocol or more_or_offset:
            return None
        addresses = packet[12:16], packet[16:20]
    elif packet[0] >> 4 == 6:
        header = 40
        if len(packet) < header or packet[6] != protocol:
            return None
        addresses = packet[8:24], packet[24:40]
    else:
        return None
    source, destination = (str(ipaddress.ip_address(address)) for address in addresses)
    return source, destination, header


# bpf(4), the classic machine
_LOAD_BYTE, _LOAD_HALF, _LOAD_WORD = 0x30, 0x28, 0x20
_LOAD_BYTE_AT_X, _LOAD_HALF_AT_X, _LOAD_WORD_AT_X = 0x50, 0x48, 0x40
_NUMBER_TO_X, _HEADER_LENGTH_TO_X, _SHIFT_RIGHT, _AND = 0x01, 0xB1, 0x74, 0x54
_JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_GREATER, _JUMP_SET, _RESULT = 0x15, 0x35, 0x25, 0x45, 0x06


def stun_filter(cookie: int) -> bytes:
    """A classic BPF program that passes only UDP datagrams whose second word is the STUN cookie.

    It runs on packets without a link header, in the kernel, so that a busy host's other traffic costs nothing here.
    """
    program = (
        (_LOAD_BYTE, 0, 0, 0),
        (_SHIFT_RIGHT, 0, 0, 4),
        (_JUMP_EQUAL, 8, 0, 6),
        (_JUMP_EQUAL, 0, 12, 4),
        (_LOAD_BYTE, 0, 0, 9),
        (_JUMP_EQUAL, 0, 10, UDP),
        (_LOAD_HALF, 0, 0, 6),
        (_JUMP_SET, 8, 0, 0x1FFF),
        (_HEADER_LENGTH_TO_X, 0, 0, 0),
        (_LOAD_WORD_AT_X, 0, 0, 12),
        (_JUMP_EQUAL, 4, 5, cookie),
        (_LOAD_BYTE, 0, 0, 6),
        (_JUMP_EQUAL, 0, 3, UDP),
        (_LOAD_WORD, 0, 0, 52),
        (_JUMP_EQUAL, 0, 1, cookie),
        (_RESULT, 0, 0, 0xFFFF),
        (_RESULT, 0, 0, 0),
    )
    return _assembled(program)


def syn_filter(first: int, last: int) -> bytes:
    """A classic BPF program that passes only SYNs that announce a segment size from `first` to `last` in their first
    option, and segments that agree to a connection."""
    program = (
        (_LOAD_BYTE, 0, 0, 0),
        (_SHIFT_RIGHT, 0, 0, 4),
        (_JUMP_EQUAL, 6, 0, 6),
        (_JUMP_EQUAL, 0, 18, 4),
        (_LOAD_HALF, 0, 0, 6),
        (_JUMP_SET, 16, 0, 0x1FFF),
        (_HEADER_LENGTH_TO_X, 0, 0, 0),
        (_LOAD_BYTE, 0, 0, 9),
        (_JUMP_EQUAL, 3, 13, TCP),
        (_NUMBER_TO_X, 0, 0, 40),
        (_LOAD_BYTE, 0, 0, 6),
        (_JUMP_EQUAL, 0, 10, TCP),
        (_LOAD_BYTE_AT_X, 0, 0, 13),
        (_AND, 0, 0, 0x17),
        (_JUMP_EQUAL, 6, 0, 0x12),
        (_JUMP_EQUAL, 0, 6, 0x02),
        (_LOAD_HALF_AT_X, 0, 0, 20),
        (_JUMP_EQUAL, 0, 4, 0x0204),
        (_LOAD_HALF_AT_X, 0, 0, 22),
        (_JUMP_AT_LEAST, 0, 2, first),
        (_JUMP_GREATER, 1, 0, last),
        (_RESULT, 0, 0, 0xFFFF),
        (_RESULT, 0, 0, 0),
    )
    return _assembled(program)


def _assembled(program: Iterable[Tuple[int, int, int, int]]) -> bytes:
    return b"".join(INSTRUCTION.pack(*instruction) for instruction in program)
