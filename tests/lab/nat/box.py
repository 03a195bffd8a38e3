"""A NAT that does for UDP exactly what it is told, in the words of RFC 4787: run inside a router's namespace.

Every packet that is to cross it comes out of a TUN device, and goes back in rewritten. What is not UDP is dropped.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_UDP = 17

Host = tuple[str, int]


@dataclass
class Mapping:
    inside: Host
    outside: Host
    last_s: float
    spoken_to: set[Host] = field(default_factory=set)


class Box:
    """`outside` are its public addresses, used in turn where `pooling` is arbitrary."""

    def __init__(self, told: dict) -> None:
        self.outside: list[str] = told["outside"]
        self.mapping: str = told["mapping"]
        self.filtering: str = told["filtering"]
        self.hairpin: bool = told["hairpin"]
        self.preserves: bool = told["preserves"]
        self.lifetime_s: float = told["lifetime_s"]
        self.by_key: dict[tuple, Mapping] = {}
        self.by_outside: dict[Host, Mapping] = {}
        self.made = 0

    def cross(self, source: Host, destination: Host) -> tuple[Host, Host] | None:
        """Where a packet seems to come from and goes to behind the box; None if it is dropped."""
        if destination[0] not in self.outside:
            return self.outward(source, destination).outside, destination
        if source[0].startswith("192.168."):
            if not self.hairpin:
                return None
            source = self.outward(source, destination).outside
        inside = self.inward(source, destination)
        return None if inside is None else (source, inside)

    def outward(self, source: Host, destination: Host) -> Mapping:
        parts = {
            "endpoint-independent": (source,),
            "address-dependent": (source, destination[0]),
            "address-and-port-dependent": (source, destination),
        }
        key = parts[self.mapping]
        mapping = self.by_key.get(key)
        if mapping is None or not self.alive(mapping):
            mapping = Mapping(source, self.free(source), time.monotonic())
            self.by_key[key] = self.by_outside[mapping.outside] = mapping
        mapping.last_s = time.monotonic()
        mapping.spoken_to.add(destination)
        return mapping

    def inward(self, source: Host, destination: Host) -> Host | None:
        mapping = self.by_outside.get(destination)
        if mapping is None or not self.alive(mapping):
            return None
        spoken_to = {
            "endpoint-independent": True,
            "address-dependent": any(address == source[0] for address, _ in mapping.spoken_to),
            "address-and-port-dependent": source in mapping.spoken_to,
        }
        return mapping.inside if spoken_to[self.filtering] else None

    def alive(self, mapping: Mapping) -> bool:
        return time.monotonic() - mapping.last_s < self.lifetime_s

    def free(self, source: Host) -> Host:
        self.made += 1
        address = self.outside[self.made % len(self.outside)]
        port = source[1] if self.preserves else 20000 + self.made
        while (taken := self.by_outside.get((address, port))) is not None and self.alive(taken):
            port += 1
        return address, port


def rewritten(packet: bytes, box: Box) -> bytes | None:
    """The packet as the box sends it on."""
    size = (packet[0] & 0xF) * 4
    if packet[0] >> 4 != 4 or packet[9] != _UDP:
        return None
    ports = struct.unpack_from("!HH", packet, size)
    source = (socket.inet_ntoa(packet[12:16]), ports[0])
    destination = (socket.inet_ntoa(packet[16:20]), ports[1])
    crossed = box.cross(source, destination)
    if crossed is None:
        return None
    (from_address, from_port), (to_address, to_port) = crossed
    header = bytearray(packet[:size])
    header[10:12] = bytes(2)
    header[12:20] = socket.inet_aton(from_address) + socket.inet_aton(to_address)
    header[10:12] = struct.pack("!H", checksum(header))
    # RFC 768: a checksum of zero means that there is none.
    udp = struct.pack("!HH", from_port, to_port) + packet[size + 4 : size + 6] + bytes(2)
    return bytes(header) + udp + packet[size + 8 :]


def checksum(header: bytes) -> int:
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def main() -> None:
    told = json.loads(sys.argv[1])
    box = Box(told)
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", told["device"].encode(), _IFF_TUN | _IFF_NO_PI))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        out = rewritten(os.read(device, 65536), box)
        if out is not None:
            os.write(device, out)


if __name__ == "__main__":
    main()
