"""Time-limited TURN credentials from a web service (draft-uberti-behave-turn-rest-00 section 2).

Rules:
 1. Only the host that was named is asked: a redirection is told, not followed, and no proxy is used.
 2. The token goes in the Authorization header, never into the address; in the clear only to loopback or if allowed.
 3. The answer is bounded in size, the whole in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from wizard.model.secret import Secret
from wizard.wire import uri
from wizard.wire.rest_credentials import expiry

TIMEOUT_S = 10.0
LARGEST = 64 * 1024
"""Bytes of an answer at most."""
_SECRET_NAMES = frozenset(
    ("key", "apikey", "api_key", "api-key", "token", "access_token", "auth", "secret", "password", "credential")
)
"""Of parameters in an address, which others on this computer can read in a list of processes."""
_LONGEST_TTL_S = 10 * 366 * 24 * 3600


class EndpointError(Exception):
    """The web service gave no credentials; the message says which service and why, and repeats no secret."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A user name and its password. `expires` is None where neither the answer nor the name says it."""

    username: str
    password: Secret
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A web service. `user` is who asks, where it wants to know; `ca_file` replaces the authorities believed."""

    url: str
    token: Secret | None = None
    user: str = ""
    hosts: frozenset[str] = field(default=frozenset())
    """The servers that the credentials are for: of an answer with several, theirs are taken."""
    allow_plain: bool = False
    ca_file: Path | None = None


async def fetch(endpoint: Endpoint, now: datetime, timeout_s: float = TIMEOUT_S) -> Grant:
    """Ask for credentials, at most `timeout_s` seconds in all. Raises EndpointError."""
    place = _checked(endpoint)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def put(body: bytes | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(body or b"")

    def work() -> None:
        body, fault = None, None
        try:
            body = _asked(endpoint, place, timeout_s)
        except Exception as error:  # noqa: BLE001 - carried to the one who awaits
            fault = error
        # A loop that has been closed meanwhile has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(put, body, fault)

    # requests cannot be cancelled, and a server may send a byte a second for ever.
    threading.Thread(target=work, name="endpoint", daemon=True).start()
    try:
        body = await asyncio.wait_for(answer, timeout_s)
    except TimeoutError:
        raise EndpointError(f"{place}: no whole answer within {timeout_s:g} s") from None
    return read_answer(body, place, endpoint.hosts, now)


def _checked(endpoint: Endpoint) -> str:
    """The host, to name it in messages."""
    try:
        parts = urlsplit(endpoint.url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise EndpointError("the address of the web service cannot be read; write https://HOST/PATH") from None
    if parts.scheme not in ("http", "https") or not host:
        raise EndpointError("the address of the web service must start with https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise EndpointError(f"{host}: no user name or password belongs into the address; enter the token by itself")
    named = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if named & _SECRET_NAMES:
        raise EndpointError(f"{host}: no key or token belongs into the address; enter it by itself")
    if parts.scheme == "http" and not endpoint.allow_plain and not _is_loopback(host):
        raise EndpointError(f"{host}: http:// would show token and password to everyone on the way; write https://")
    return host if port is None else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _asked(endpoint: Endpoint, place: str, timeout_s: float) -> bytes:
    import requests

    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if endpoint.token is not None and endpoint.token.reveal():
        headers["Authorization"] = f"Bearer {endpoint.token.reveal()}"
    asked = {"service": "turn"} | ({"username": endpoint.user} if endpoint.user else {})
    try:
        with requests.Session() as session:
            # Neither a proxy nor a password of .netrc is for this.
            session.trust_env = False
            with session.get(
                endpoint.url,
                params=asked,
                headers=headers,
                timeout=timeout_s,
                allow_redirects=False,
                stream=True,
                verify=True if endpoint.ca_file is None else str(endpoint.ca_file),
            ) as response:
                return _body(response, place)
    except requests.exceptions.SSLError as error:
        why = "the certificate is not valid for it" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "TLS failed"
        raise EndpointError(f"{place}: {why}") from None
    except requests.exceptions.Timeout:
        raise EndpointError(f"{place}: no whole answer within {timeout_s:g} s") from None
    except requests.exceptions.ConnectionError as error:
        raise EndpointError(f"{place}: {_connection_fault(error)}") from None
    # requests checks headers and addresses of its own; its words may repeat them.
    except (requests.exceptions.RequestException, OSError, ValueError):
        raise EndpointError(
            f"{place}: the request could not be made; check the address, the token and the CA file"
        ) from None


def _connection_fault(error: Exception) -> str:
    text = str(error)
    if "NameResolution" in text or "getaddrinfo" in text:
        return "there is no such host name"
    if "refused" in text:
        return "the connection was refused"
    return "the connection failed or broke off"


def _body(response: Any, place: str) -> bytes:
    status = response.status_code
    if 300 <= status < 400:
        target = urlsplit(response.headers.get("Location", "")).hostname
        where = f"to {target}" if target else "elsewhere"
        raise EndpointError(f"{place}: redirects {where}; nothing was sent there; enter that address if you trust it")
    if status in (401, 403):
        raise EndpointError(f"{place}: HTTP {status}: the token was not accepted")
    if status != 200:
        raise EndpointError(f"{place}: HTTP {status} in place of credentials")
    body = b""
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > LARGEST:
            raise EndpointError(f"{place}: the answer is larger than {LARGEST // 1024} kB")
    return body


def read_answer(body: bytes, place: str, hosts: frozenset[str], now: datetime) -> Grant:
    """What an answer grants: `username` and `password` (`credential`), also in iceServers. Raises EndpointError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise EndpointError(f"{place}: the answer is not JSON") from None
    grants: dict[tuple[str, str], Any] = {}
    for entry in _entries(document):
        username, password = entry.get("username"), entry.get("password", entry.get("credential"))
        if isinstance(username, str) and isinstance(password, str) and username and password:
            theirs = _hosts(entry)
            if not hosts or not theirs or theirs & hosts:
                grants[username, password] = entry.get(
                    "ttl", document.get("ttl") if isinstance(document, dict) else None
                )
    if not grants:
        raise EndpointError(f"{place}: the answer has no username with a password or credential for this server")
    if len(grants) > 1:
        raise EndpointError(f"{place}: the answer has several different credentials for this server")
    ((username, password), ttl), *_ = grants.items()
    return Grant(username, Secret(password), _ends(username, ttl, now))


def _entries(document: Any) -> Iterator[dict[str, Any]]:
    listed = document.get("iceServers") if isinstance(document, dict) and "iceServers" in document else document
    for entry in listed if isinstance(listed, list) else [listed]:
        if isinstance(entry, dict):
            yield entry


def _hosts(entry: dict[str, Any]) -> frozenset[str]:
    """The hosts that an entry of the answer is for; none where it does not say."""
    urls = entry.get("uris", entry.get("urls", entry.get("url")))
    found = set()
    for url in urls if isinstance(urls, list) else [urls]:
        with contextlib.suppress(uri.UriError):
            if isinstance(url, str):
                found.add(uri.parse(url).host.lower())
    return frozenset(found)


def _ends(username: str, ttl: Any, now: datetime) -> datetime | None:
    if isinstance(ttl, int) and not isinstance(ttl, bool) and 0 < ttl <= _LONGEST_TTL_S:
        return now.astimezone(UTC) + timedelta(seconds=ttl)
    return expiry(username)
