"""Looks for a password in all the clothes that it might wear."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pikepdf


def disguises(password: str, user: str, realm: str) -> dict[str, bytes]:
    """Each encoding of the password, and of the keys that stand for it, by name."""
    plain = password.encode()
    text = f"{user}:{realm}:{password}".encode()
    keys = {
        "md5 key": hashlib.md5(text, usedforsecurity=False).digest(),
        "sha-256 key": hashlib.sha256(text).digest(),
        "md5": hashlib.md5(plain, usedforsecurity=False).digest(),
        "sha-256": hashlib.sha256(plain).digest(),
    }
    return encodings(password) | _coded(keys) | {"reversed": password[::-1].encode()}


def encodings(password: str) -> dict[str, bytes]:
    """Each encoding of the password by name; those that come to the same are there once."""
    texts = {
        "utf-8": password.encode(),
        "utf-16-le": password.encode("utf-16-le"),
        "utf-16-be": password.encode("utf-16-be"),
        "latin-1": password.encode("latin-1", "replace"),
    }
    written = {
        "url": quote(password, safe="").encode(),
        "url with slashes": quote(password).encode(),
        "form": quote_plus(password).encode(),
        "json": json.dumps(password)[1:-1].encode(),
        "html": html.escape(password).encode(),
        "repr": repr(password)[1:-1].encode(),
    }
    found: dict[bytes, str] = {}
    for name, form in (_coded(texts) | written).items():
        found.setdefault(form, name)
    return {name: form for form, name in found.items()}


def _coded(secrets: dict[str, bytes]) -> dict[str, bytes]:
    """Those bytes, and in base64, base64url, hexadecimal and as Python writes them."""
    found = dict(secrets)
    for name, secret in secrets.items():
        found[f"{name}, hex"] = secret.hex().encode()
        found[f"{name}, HEX"] = secret.hex().upper().encode()
        found[f"{name}, bytes"] = repr(secret)[2:-1].encode()
        for shift in range(3):
            # Wherever it stands in what was encoded, without the characters that its neighbours share.
            coded = base64.b64encode(bytes(shift) + secret)[[0, 2, 3][shift] :].rstrip(b"=")[:-1]
            found[f"{name}, base64 at {shift}"] = coded
            found[f"{name}, base64url at {shift}"] = coded.replace(b"+", b"-").replace(b"/", b"_")
    return found


def where(data: bytes, worn: dict[str, bytes]) -> list[str]:
    """The names of the disguises that stand in those bytes."""
    return [name for name, form in worn.items() if form in data]


def opened(file: Path) -> bytes:
    """The bytes of a file; of a PDF, what its streams unfold to as well."""
    data = file.read_bytes()
    if not data.startswith(b"%PDF"):
        return data
    unfolded = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        document.save(
            unfolded,
            stream_decode_level=pikepdf.StreamDecodeLevel.all,
            compress_streams=False,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
    return data + unfolded.getvalue()
