"""A TURN server of its own make that demands the credentials of RFC 8489. It shares no code with Hopwise: what it
checks, it checks with struct, hashlib and hmac."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import itertools
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Flag, auto

from tests.probes.far_ends import Reply, tcp, udp

REALM = "example.org"
SOFTWARE = "one of its own make"
_COOKIE = b"\x21\x12\xa4\x42"
_ALLOCATE, _REFRESH = 0x003, 0x004
_USERNAME, _INTEGRITY, _ERROR, _LIFETIME, _REALM, _NONCE = 0x0006, 0x0008, 0x0009, 0x000D, 0x0014, 0x0015
_RELAYED, _INTEGRITY_256, _ALGORITHM, _USERHASH, _MAPPED = 0x0016, 0x001C, 0x001D, 0x001E, 0x0020
_ALGORITHMS, _SOFTWARE, _FINGERPRINT = 0x8002, 0x8022, 0x8028
MD5, SHA256 = 1, 2


class Demand(Flag):
    """What the nonce says that the server wants (RFC 8489 section 9.2)."""

    NOTHING = 0
    ALGORITHMS = auto()
    ANONYMITY = auto()


@dataclass
class Sha256Server:
    """Knows one user. `offered` are its password algorithms, best first."""

    username: str
    password: str
    demand: Demand = Demand.ALGORITHMS
    offered: tuple[int, ...] = (SHA256, MD5)
    signs_with: int | None = None
    """The attribute that signs its successes, if not the one that signed the request."""
    stale: int = 0
    """How many signed requests are told that their nonce is stale."""
    asked: list[str] = field(default_factory=list)
    """How each request was signed that was let in: attribute, algorithm of the key, and what names the user."""
    refused: list[int] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    """Every request, as it came."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    _nonces: itertools.count[int] = field(default_factory=itertools.count)
    _nonce: bytes = b""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[int, int]]:
        """Yields its ports for UDP and for TCP."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
            relay.bind(("127.0.0.1", 0))
            self._relay = relay.getsockname()

            def datagram(data: bytes, reply: Reply) -> None:
                reply(self.answer(data, reply.to))

            async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                while True:
                    head = await reader.readexactly(20)
                    data = head + await reader.readexactly(struct.unpack_from("!H", head, 2)[0])
                    writer.write(self.answer(data, writer.get_extra_info("peername")))

            async with udp(datagram) as by_udp, tcp(stream) as by_tcp:
                yield by_udp, by_tcp

    def answer(self, data: bytes, client: tuple[str, int]) -> bytes:
        """The response to one request."""
        self.heard.append(data)
        (kind,) = struct.unpack_from("!H", data)
        found = _attributes(data)
        code, key = self._judge(data, found)
        if code:
            self.refused.append(code)
            return self._challenge(kind, data[8:20], code)
        signed = _INTEGRITY_256 if _INTEGRITY_256 in found else _INTEGRITY
        lifetime = struct.unpack("!I", found[_LIFETIME][1])[0] if _LIFETIME in found else 600
        if kind == _REFRESH and lifetime == 0:
            self.released.set()
        granted = [(_LIFETIME, struct.pack("!I", lifetime)), (_MAPPED, _xored(client))]
        if kind == _ALLOCATE:
            granted.append((_RELAYED, _xored(self._relay)))
        granted.append((_SOFTWARE, SOFTWARE.encode()))
        return _signed(_message(kind | 0x100, data[8:20], granted), self.signs_with or signed, key)

    def _judge(self, data: bytes, found: dict[int, tuple[int, bytes]]) -> tuple[int, bytes]:
        """RFC 8489 section 9.2.4: the code to refuse with, or 0; and the key."""
        at, value = found.get(_INTEGRITY_256) or found.get(_INTEGRITY) or (0, b"")
        if not at:
            return 401, b""
        if not {_REALM, _NONCE} <= found.keys() or not _sealed(data):
            return 400, b""
        named = _USERHASH if Demand.ANONYMITY in self.demand else _USERNAME
        if named not in found or len({_USERNAME, _USERHASH} & found.keys()) != 1:
            return 400, b""
        algorithm = MD5
        if Demand.ALGORITHMS in self.demand:
            if _ALGORITHM not in found or found.get(_ALGORITHMS, (0, b""))[1] != self._listed():
                return 400, b""
            algorithm = struct.unpack_from("!H", found[_ALGORITHM][1])[0]
            # RFC 8489 section 9.2.5: who negotiates signs with SHA-256 alone.
            if algorithm not in self.offered or _INTEGRITY in found:
                return 400, b""
        elif {_ALGORITHM, _ALGORITHMS, _INTEGRITY_256} & found.keys():
            return 400, b""
        user = self.username.encode()
        expected = user if named == _USERNAME else hashlib.sha256(user + b":" + REALM.encode()).digest()
        text = f"{self.username}:{REALM}:{self.password}".encode()
        key = hashlib.sha256(text).digest() if algorithm == SHA256 else hashlib.md5(text).digest()
        covered = data[:2] + struct.pack("!H", at - 20 + 4 + len(value)) + data[4:at]
        digest = hashlib.sha256 if _INTEGRITY_256 in found else hashlib.sha1
        if found[named][1] != expected or hmac.new(key, covered, digest).digest() != value:
            return 401, b""
        if found[_NONCE][1] != self._nonce or self.stale > 0:
            self.stale -= 1
            return 438, b""
        by, name = ("sha-256" if _INTEGRITY_256 in found else "sha-1"), ("hash" if named == _USERHASH else "name")
        self.asked.append(f"{by}, key {'sha-256' if algorithm == SHA256 else 'md5'}, {name}")
        return 0, key

    def _challenge(self, kind: int, transaction: bytes, code: int) -> bytes:
        bits = base64.b64encode(struct.pack("!I", self.demand.value)[1:])
        cookie = b"obMatJos2" + bits if self.demand is not Demand.NOTHING else b""
        self._nonce = cookie + b"%08d" % next(self._nonces)
        more = [(_ERROR, struct.pack("!HBB", 0, code // 100, code % 100) + b"No")]
        if code != 400:
            more += [(_REALM, REALM.encode()), (_NONCE, self._nonce)]
            if Demand.ALGORITHMS in self.demand:
                more.append((_ALGORITHMS, self._listed()))
        return _message(kind | 0x110, transaction, more)

    def _listed(self) -> bytes:
        return b"".join(struct.pack("!HH", algorithm, 0) for algorithm in self.offered)


def _attributes(data: bytes) -> dict[int, tuple[int, bytes]]:
    """Where each attribute begins, and its value."""
    found: dict[int, tuple[int, bytes]] = {}
    at = 20
    while at < len(data):
        kind, length = struct.unpack_from("!HH", data, at)
        found.setdefault(kind, (at, data[at + 4 : at + 4 + length]))
        at += 4 + length + -length % 4
    return found


def _sealed(data: bytes) -> bool:
    at, value = _attributes(data).get(_FINGERPRINT, (0, b""))
    return at == len(data) - 8 and struct.unpack("!I", value)[0] == binascii.crc32(data[:at]) ^ 0x5354554E


def _message(kind: int, transaction: bytes, attributes: list[tuple[int, bytes]]) -> bytes:
    body = b"".join(struct.pack("!HH", one, len(value)) + value + bytes(-len(value) % 4) for one, value in attributes)
    return struct.pack("!HH", kind, len(body)) + _COOKIE + transaction + body


def _signed(message: bytes, attribute: int, key: bytes) -> bytes:
    digest = hashlib.sha256 if attribute == _INTEGRITY_256 else hashlib.sha1
    size = digest().digest_size
    covered = message[:2] + struct.pack("!H", len(message) - 20 + 4 + size) + message[4:]
    return covered + struct.pack("!HH", attribute, size) + hmac.new(key, covered, digest).digest()


def _xored(address: tuple[str, int]) -> bytes:
    raw = zip(socket.inet_aton(address[0]), _COOKIE, strict=True)
    return struct.pack("!HH", 1, address[1] ^ 0x2112) + bytes(one ^ other for one, other in raw)
