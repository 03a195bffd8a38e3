"""The long-term credential mechanism (RFC 8489 section 9.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from wizard.wire.stun import Integrity

_NONCE_COOKIE = b"obMatJos2"  # RFC 8489 section 9.2
_PASSWORD_ALGORITHMS_BIT = 1
_MD5, _SHA256 = 1, 2  # RFC 8489 section 18.5


@dataclass(frozen=True, slots=True)
class LongTerm:
    """What signs the requests to one realm."""

    realm: bytes
    nonce: bytes
    algorithms: bytes | None
    algorithm: int
    key: bytes = field(repr=False)

    @property
    def integrity(self) -> Integrity:
        """Which attribute signs."""
        # RFC 8489 section 9.2.5: once algorithms are negotiated, SHA-256 alone signs.
        return Integrity.SHA1 if self.algorithms is None else Integrity.SHA256


def long_term(username: str, password: str, realm: bytes, nonce: bytes, offered: bytes | None) -> LongTerm:
    """The answer to a challenge. `offered` is the server's PASSWORD-ALGORITHMS, if it sent any."""
    wanted = _MD5
    algorithms = offered if offered is not None and _negotiates(nonce) else None
    if algorithms is not None:
        wanted = next((number for number in _algorithms(algorithms) if number in (_MD5, _SHA256)), _MD5)
    # RFC 8489 sections 9.2.2 and 18.5.1. The text is hashed as it was typed, as browsers do.
    text = b":".join((username.encode("utf-8", "replace"), realm, password.encode("utf-8", "replace")))
    key = hashlib.sha256(text).digest() if wanted == _SHA256 else hashlib.md5(text, usedforsecurity=False).digest()
    return LongTerm(realm, nonce, algorithms, wanted, key)


def _negotiates(nonce: bytes) -> bool:
    # RFC 8489 section 9.2: 24 bits in four characters behind the cookie, bit 0 the rightmost.
    if not nonce.startswith(_NONCE_COOKIE) or len(nonce) < len(_NONCE_COOKIE) + 4:
        return False
    try:
        bits = base64.b64decode(nonce[len(_NONCE_COOKIE) : len(_NONCE_COOKIE) + 4], validate=True)
    except binascii.Error:
        return False
    return bool(int.from_bytes(bits, "big") & _PASSWORD_ALGORITHMS_BIT)


def _algorithms(offered: bytes) -> list[int]:
    # RFC 8489 section 14.11: number, length of its parameters, parameters padded to 4 bytes.
    found: list[int] = []
    at = 0
    while at + 4 <= len(offered):
        found.append(int.from_bytes(offered[at : at + 2], "big"))
        length = int.from_bytes(offered[at + 2 : at + 4], "big")
        at += 4 + length + (-length % 4)
    return found
