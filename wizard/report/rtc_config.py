"""A list of ICE servers as pages and servers take it. Passwords are in it only if they are handed in."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Any

from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind, ServerEntry
from wizard.wire.uri import Transport

Credential = tuple[str, Secret]
"""A user name and its password, or shared secret."""


def to_json(
    servers: Sequence[ServerEntry],
    credentials: Sequence[Credential | None] | None = None,
    *,
    relay_only: bool = False,
) -> str:
    """An RTCConfiguration of those that are enabled. `credentials` match `servers`; without, none are written."""
    return json.dumps(_document(servers, credentials, relay_only), indent=2, ensure_ascii=False) + "\n"


def to_javascript(
    servers: Sequence[ServerEntry],
    credentials: Sequence[Credential | None] | None = None,
    *,
    relay_only: bool = False,
) -> str:
    """`const configuration = {…}` for a page: the same in JavaScript."""
    lines = ["const configuration = {", "  iceServers: ["]
    document = _document(servers, credentials, relay_only)
    for server in document["iceServers"]:
        lines.append("    {")
        lines += [f"      {key}: {_script(value)}," for key, value in server.items()]
        lines.append("    },")
    lines.append("  ],")
    lines += [f"  iceTransportPolicy: {_script('relay')},"] if relay_only else []
    return "\n".join([*lines, "};", ""])


def to_turnserver(entry: ServerEntry, credential: Credential | None = None) -> str:
    """The lines of coturn's configuration that make it this server. Without `credential` a comment stands for it.

    Raises ValueError for what coturn's file cannot hold, UriError for an address that cannot be read.
    """
    uris = [found for found in entry.uris if found.relays]
    if not uris:
        raise ValueError("only a TURN server has users and passwords; this entry has STUN addresses alone")
    plain = sorted({found.port for found in uris if found.transport is not Transport.TLS})
    secure = sorted({found.port for found in uris if found.transport is Transport.TLS})
    if len(plain) > 1 or len(secure) > 1:
        raise ValueError("one coturn has one port for UDP and TCP and one for TLS; split the entry")
    lines = [f"listening-port={port}" for port in plain] + [f"tls-listening-port={port}" for port in secure]
    names = list(dict.fromkeys(found.host for found in uris))
    lines += [f"external-ip={name}" for name in names if _is_address(name)]
    lines += [f"realm={name}" for name in names if not _is_address(name)][:1] or ["realm=turn"]
    if Transport.UDP not in {found.transport for found in uris}:
        lines.append("no-udp")
    if Transport.TCP not in {found.transport for found in uris}:
        lines.append("no-tcp")
    lines += ["# cert=FILE", "# pkey=FILE"] if secure else ["no-tls", "no-dtls"]
    lines += ["fingerprint", *_authentication(entry, credential)]
    return "\n".join(lines) + "\n"


def _authentication(entry: ServerEntry, credential: Credential | None) -> list[str]:
    match entry.kind:
        case CredentialKind.STATIC:
            username, secret = credential or (entry.username or "NAME", None)
            if ":" in username:
                raise ValueError("coturn takes no user name with a colon on a user= line")
            line = f"user={_held(username, 'user name')}:"
            return [
                "lt-cred-mech",
                f"# {line}PASSWORD" if secret is None else line + _held(secret.reveal(), "password"),
            ]
        case CredentialKind.SHARED_SECRET:
            separator = [] if entry.separator == ":" else [f"rest-api-separator={entry.separator}"]
            line = "static-auth-secret="
            secret = credential[1] if credential else None
            return [
                "use-auth-secret",
                *separator,
                f"# {line}SECRET" if secret is None else line + _held(secret.reveal(), "secret"),
            ]
        case CredentialKind.REST_ENDPOINT:
            return ["use-auth-secret", "# static-auth-secret=SECRET (the one that the web service uses)"]


def _held(text: str, what: str) -> str:
    """The text itself. Raises ValueError where coturn would read another."""
    if not text or any(ord(char) < 32 for char in text) or text != text.strip() or text[0] in '"=' or text[:2] == "0x":
        raise ValueError(
            f"coturn's file cannot hold this {what}: it is empty, or has characters that mean something there"
        )
    return text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _document(
    servers: Sequence[ServerEntry], credentials: Sequence[Credential | None] | None, relay_only: bool
) -> dict[str, Any]:
    given = credentials if credentials is not None else [None] * len(servers)
    entries = [_server(entry, credential) for entry, credential in zip(servers, given, strict=True) if entry.enabled]
    return {"iceServers": entries} | ({"iceTransportPolicy": "relay"} if relay_only else {})


def _server(entry: ServerEntry, credential: Credential | None) -> dict[str, Any]:
    written: dict[str, Any] = {"urls": list(entry.urls)}
    username = credential[0] if credential else entry.username
    if username:
        written["username"] = username
    if credential:
        written["credential"] = credential[1].reveal()
    return written


def _script(value: object) -> str:
    # The end of a script element, and the line ends that JSON does not know, would break the page.
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("</", "<\\/").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
