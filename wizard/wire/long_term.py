"""The long-term credential mechanism (RFC 8489 section 9.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Any, Protocol

from wizard.wire.attribute import Attribute
from wizard.wire.stun import Integrity

_NONCE_COOKIE = b"obMatJos2"  # RFC 8489 section 9.2
_PASSWORD_ALGORITHMS, _USERNAME_ANONYMITY = 1, 2  # RFC 8489 section 18.1
_MD5, _SHA256 = 1, 2  # RFC 8489 section 18.5


class Password(Protocol):
    """A password that does not show itself."""

    def reveal(self) -> str:
        """The password."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """A long-term credential (RFC 8489 section 9.2)."""

    username: str
    password: Password


@dataclass(frozen=True, slots=True)
class LongTerm:
    """What signs the requests to one realm."""

    username: str
    realm: bytes
    nonce: bytes
    algorithms: bytes | None
    """What the server offers; None where it does not negotiate."""
    algorithm: int
    key: bytes = field(repr=False)

    @property
    def integrity(self) -> Integrity:
        """Which attribute signs."""
        # RFC 8489 section 9.2.5: once algorithms are negotiated, SHA-256 alone signs.
        return Integrity.SHA1 if self.algorithms is None else Integrity.SHA256

    @property
    def attributes(self) -> tuple[tuple[Attribute, Any], ...]:
        """What a signed request carries beside its signature (RFC 8489 section 9.2.3.2)."""
        who: tuple[Attribute, Any] = (Attribute.USERNAME, self.username)
        if _features(self.nonce) & _USERNAME_ANONYMITY:
            # RFC 8489 section 14.4
            text = b":".join((self.username.encode("utf-8", "replace"), self.realm))
            who = (Attribute.USERHASH, hashlib.sha256(text).digest())
        shared = (who, (Attribute.REALM, self.realm), (Attribute.NONCE, self.nonce))
        if self.algorithms is None:
            return shared
        chosen = self.algorithm.to_bytes(2, "big") + bytes(2)
        return (*shared, (Attribute.PASSWORD_ALGORITHMS, self.algorithms), (Attribute.PASSWORD_ALGORITHM, chosen))


def long_term(user: Credentials, realm: bytes, nonce: bytes, offered: bytes | None) -> LongTerm:
    """The answer to a challenge. `offered` is the server's PASSWORD-ALGORITHMS, if it sent any."""
    wanted = _MD5
    algorithms = offered if _features(nonce) & _PASSWORD_ALGORITHMS else None
    if algorithms is not None:
        wanted = next((number for number in _algorithms(algorithms) if number in (_MD5, _SHA256)), _MD5)
    # RFC 8489 sections 9.2.2 and 18.5.1. The text is hashed as it was typed, as browsers do.
    name, password = (text.encode("utf-8", "replace") for text in (user.username, user.password.reveal()))
    text = b":".join((name, realm, password))
    key = hashlib.sha256(text).digest() if wanted == _SHA256 else hashlib.md5(text, usedforsecurity=False).digest()
    return LongTerm(user.username, realm, nonce, algorithms, wanted, key)


def _features(nonce: bytes) -> int:
    # RFC 8489 section 9.2: 24 bits in four characters behind the cookie, bit 0 the rightmost.
    if not nonce.startswith(_NONCE_COOKIE) or len(nonce) < len(_NONCE_COOKIE) + 4:
        return 0
    try:
        bits = base64.b64decode(nonce[len(_NONCE_COOKIE) : len(_NONCE_COOKIE) + 4], validate=True)
    except binascii.Error:
        return 0
    return int.from_bytes(bits, "big")


def _algorithms(offered: bytes) -> list[int]:
    # RFC 8489 section 14.11: number, length of its parameters, parameters padded to 4 bytes.
    found: list[int] = []
    at = 0
    while at + 4 <= len(offered):
        found.append(int.from_bytes(offered[at : at + 2], "big"))
        length = int.from_bytes(offered[at + 2 : at + 4], "big")
        at += 4 + length + (-length % 4)
    return found
