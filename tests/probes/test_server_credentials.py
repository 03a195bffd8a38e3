"""Credentials of each kind, from a real web service on loopback, a shared secret and the keyring's memory."""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme

from tests.probes.web_service import Answer, saying, service
from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind, ServerEntry
from wizard.probes.rest_endpoint import LARGEST, Endpoint, EndpointError, fetch
from wizard.probes.server_credentials import Login, NoCredentialsError, keep_secret, login, secret_of
from wizard.system.keyring import Keyring

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SERVER = ServerEntry(("turn:198.51.100.7:3478",), "alice")


async def test_an_endpoint_is_asked_with_the_token_in_the_header_alone_and_its_answer_used() -> None:
    asked: list[tuple[str, str | None]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append((handler.path, handler.headers.get("Authorization")))
        saying({"username": "u", "password": "hush", "ttl": 600})(handler)

    with service(answer) as url:
        grant = await fetch(Endpoint(url, Secret("token"), "alice"), NOW)
    assert (grant.username, grant.password, grant.expires) == ("u", Secret("hush"), NOW + timedelta(minutes=10))
    assert asked == [("/turn?a=b&service=turn&username=alice", "Bearer token")]


async def test_https_is_believed_only_with_a_certificate_of_its_authority(tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with service(saying({"username": "u", "credential": "hush"}), tls) as url:
        assert (await fetch(Endpoint(url, ca_file=tmp_path / "ca.pem"), NOW)).username == "u"
        with pytest.raises(EndpointError, match="certificate is not valid"):
            await fetch(Endpoint(url), NOW)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (saying(b"", 302, Location="https://other.example.org/x"), "redirects to other.example.org; nothing was sent"),
        (saying({}, 403), "HTTP 403: the token was not accepted"),
        (saying({}, 500), "HTTP 500"),
        (saying(b"<html>"), "not JSON"),
        (saying({"username": "u"}), "no username with a password"),
        (saying(b" " * (LARGEST + 1)), "larger than 64 kB"),
        (saying([{"username": "u", "credential": "1"}, {"username": "u", "credential": "2"}]), "several different"),
    ],
)
async def test_why_an_endpoint_gives_nothing_is_said_without_the_token(answer: Answer, says: str) -> None:
    with service(answer) as url, pytest.raises(EndpointError) as caught:
        await fetch(Endpoint(url, Secret("hush-token")), NOW)
    assert says in str(caught.value)
    assert "hush-token" not in str(caught.value)


async def test_an_answer_that_never_ends_is_given_up_in_time() -> None:
    done = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not done.wait(0.05):
            handler.wfile.write(b" ")

    with service(drip) as url:
        try:
            with pytest.raises(EndpointError, match="no whole answer within"):
                await fetch(Endpoint(url), NOW, timeout_s=0.4)
        finally:
            done.set()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://turn.example.org/x", "write https://"),
        ("https://alice:hush@turn.example.org/x", "no user name or password"),
        ("ftp://turn.example.org", "must start with https://"),
        ("https://[", "cannot be read"),
        ("https://turn.example.org/x?service=turn&key=hush", "no key or token belongs into the address"),
        ("https://turn.example.org/x?Access_Token=hush", "no key or token belongs into the address"),
    ],
)
async def test_an_address_that_would_show_a_secret_is_not_asked(url: str, says: str) -> None:
    with pytest.raises(EndpointError, match=says) as caught:
        await fetch(Endpoint(url), NOW)
    assert "hush" not in str(caught.value)


async def test_of_several_servers_in_an_answer_the_credentials_are_those_of_this_one() -> None:
    listed = [
        {"urls": "turn:198.51.100.8", "username": "other", "credential": "1"},
        {"urls": ["turn:198.51.100.7"], "username": "mine", "credential": "2"},
    ]
    with service(saying({"iceServers": listed})) as url:
        entry = ServerEntry(SERVER.urls, kind=CredentialKind.REST_ENDPOINT, endpoint=url)
        assert await login(entry, None, NOW) == Login("mine", Secret("2"))


async def test_a_shared_secret_gives_a_day_and_is_made_anew_only_before_it_ends() -> None:
    entry = ServerEntry(SERVER.urls, "alice", CredentialKind.SHARED_SECRET)
    first = await login(entry, Secret("north"), NOW)
    assert first is not None
    assert first.username == f"{int(NOW.timestamp()) + 86400}:alice"
    assert first.expires == NOW + timedelta(days=1)
    assert await login(entry, Secret("north"), NOW + timedelta(hours=1), held=first) is first
    later = await login(entry, Secret("north"), NOW + timedelta(hours=23, minutes=55), held=first)
    assert later is not None
    assert later.expires == NOW + timedelta(days=1, hours=23, minutes=55)


@pytest.mark.parametrize("kind", CredentialKind)
def test_the_keyring_gives_back_the_secret_of_each_kind_and_of_no_other(kind: CredentialKind) -> None:
    keyring = Keyring(None)
    entries = {
        k: ServerEntry(("turn:198.51.100.7:3478?transport=udp",), "alice", k, "https://example.org/t")
        for k in CredentialKind
    }
    keep_secret(entries[kind], Secret("hush"), keyring.keep)
    assert [k for k, entry in entries.items() if secret_of(entry, keyring.find)] == [kind]


@pytest.mark.parametrize("kind", [CredentialKind.STATIC, CredentialKind.SHARED_SECRET])
async def test_a_missing_secret_is_said_with_the_server(kind: CredentialKind) -> None:
    with pytest.raises(NoCredentialsError, match=r"turn:198\.51\.100\.7:3478"):
        await login(ServerEntry(SERVER.urls, "alice", kind), None, NOW)


async def test_a_stun_server_wants_no_login() -> None:
    assert await login(ServerEntry(("stun:198.51.100.7",), "alice"), None, NOW) is None
