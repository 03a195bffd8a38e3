"""IP packets as a network card sees them: the UDP datagram inside, and the filter that keeps only STUN over UDP.

Standard library only and Python 3.8, because the printed responder carries this file along.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple, Optional, Tuple

UDP = 17
INSTRUCTION = struct.Struct("HBBI")
"""One instruction of the classic packet filter: code, jump if true, jump if false, operand."""


class Datagram(NamedTuple):
    """A UDP datagram and the addresses on its packet."""

    source: Tuple[str, int]
    destination: Tuple[str, int]
    payload: bytes


def datagram(packet: bytes) -> Optional[Datagram]:
    """The UDP datagram in an IP packet without its link header; None for anything else, a fragment included.

    RFC 791 section 3.1, RFC 8200 section 3. Behind IPv6 extension headers nothing is looked for: probes have none.
    """
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == 4:
        header = (packet[0] & 15) * 4
        more_or_offset = struct.unpack_from("!H", packet, 6)[0] & 0x3FFF
        if header < 20 or packet[9] != UDP or more_or_offset:
            return None
        addresses = packet[12:16], packet[16:20]
    elif packet[0] >> 4 == 6:
        header = 40
        if len(packet) < header or packet[6] != UDP:
            return None
        addresses = packet[8:24], packet[24:40]
    else:
        return None
    if len(packet) < header + 8:
        return None
    source_port, destination_port, length = struct.unpack_from("!HHH", packet, header)
    if length < 8 or header + length > len(packet):
        return None
    source, destination = (str(ipaddress.ip_address(address)) for address in addresses)
    payload = packet[header + 8 : header + length]
    return Datagram((source, source_port), (destination, destination_port), payload)


def stun_filter(cookie: int) -> bytes:
    """A classic BPF program that passes only UDP datagrams whose second word is the STUN cookie.

    It runs on packets without a link header, in the kernel, so that a busy host's other traffic costs nothing here.
    """
    load_byte, load_half, load_word, load_word_at_x = 0x30, 0x28, 0x20, 0x40
    header_length_to_x, shift_right, jump_equal, jump_set, result = 0xB1, 0x74, 0x15, 0x45, 0x06
    program = (
        (load_byte, 0, 0, 0),
        (shift_right, 0, 0, 4),
        (jump_equal, 8, 0, 6),
        (jump_equal, 0, 12, 4),
        (load_byte, 0, 0, 9),
        (jump_equal, 0, 10, UDP),
        (load_half, 0, 0, 6),
        (jump_set, 8, 0, 0x1FFF),
        (header_length_to_x, 0, 0, 0),
        (load_word_at_x, 0, 0, 12),
        (jump_equal, 4, 5, cookie),
        (load_byte, 0, 0, 6),
        (jump_equal, 0, 3, UDP),
        (load_word, 0, 0, 52),
        (jump_equal, 0, 1, cookie),
        (result, 0, 0, 0xFFFF),
        (result, 0, 0, 0),
    )
    return b"".join(INSTRUCTION.pack(*instruction) for instruction in program)
