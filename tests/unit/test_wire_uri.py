"""Addresses of servers, and lists of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.model.secret import Secret
from wizard.wire import rtc_config, uri
from wizard.wire.rtc_config import ConfigError
from wizard.wire.uri import Transport, UriError


@pytest.mark.parametrize(
    ("text", "relays", "host", "port", "transport"),
    [
        ("stun:stun.example.org", False, "stun.example.org", 3478, Transport.UDP),
        ("stuns:stun.example.org", False, "stun.example.org", 5349, Transport.TLS),
        ("turn:192.0.2.1:80", True, "192.0.2.1", 80, Transport.UDP),
        ("turn:192.0.2.1?transport=tcp", True, "192.0.2.1", 3478, Transport.TCP),
        ("TURN:turn.example.org:443?TRANSPORT=TCP", True, "turn.example.org", 443, Transport.TCP),
        ("turns:turn.example.org?transport=tcp", True, "turn.example.org", 5349, Transport.TLS),
        ("turn:[2001:DB8::1]:3479", True, "2001:db8::1", 3479, Transport.UDP),
        ("turn:[2001:db8::1]", True, "2001:db8::1", 3478, Transport.UDP),
        (" turn:192.0.2.1 ", True, "192.0.2.1", 3478, Transport.UDP),
    ],
)
def test_an_address_is_read(text: str, relays: bool, host: str, port: int, transport: Transport) -> None:
    found = uri.parse(text)
    assert (found.relays, found.host, found.port, found.transport) == (relays, host, port, transport)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not start with"),
        ("example.org:3478", "does not start with"),
        ("http://example.org", "does not start with"),
        ("turn://example.org", "write turn:example.org"),
        ("turn:", "no host"),
        ("turn::3478", "no host"),
        ("turn:alice:secret@example.org", "no user name or password"),
        ("turn:2001:db8::1", "brackets"),
        ("turn:[2001:db8::1", "closing"),
        ("turn:[2001:db8::g]", "not an IPv6 address"),
        ("turn:[fe80::1%25eth0]", "zone"),
        ("turn:[2001:db8::1]3478", "out of place"),
        ("turn:example.org:0", "ports run from 1"),
        ("turn:example.org:65536", "ports run from 1"),
        ("turn:example.org:", "ports run from 1"),
        ("turn:example.org:٣٤", "ports run from 1"),
        ("turn:example.org?transport=sctp", "no transport"),
        ("turn:example.org?x=y", "only ?transport"),
        ("turn:example.org/path", "not a host name"),
        ("turn:exam ple.org", "not a host name"),
        ("turn:192.0.2.256", "not an IPv4 address"),
        ("turn:192.0.2", "not an IPv4 address"),
        ("turns:example.org?transport=udp", "DTLS"),
        ("turn:" + "a" * 64 + ".example.org", "not a host name"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(text: str, says: str) -> None:
    with pytest.raises(UriError) as caught:
        uri.parse(text)
    assert says in str(caught.value)


@given(st.text(max_size=40) | st.text(max_size=30).map(lambda rest: f"turn:{rest}"))
def test_any_text_is_an_address_or_an_error(text: str) -> None:
    try:
        found = uri.parse(text)
    except UriError:
        return
    assert found.host
    assert 1 <= found.port <= 65535


SERVERS = [
    {"urls": "stun:192.0.2.1"},
    {"urls": ["turn:192.0.2.1", "turns:turn.example.org"], "username": "alice", "credential": "hush-hush"},
]


@pytest.mark.parametrize("document", [SERVERS, {"iceServers": SERVERS, "iceTransportPolicy": "all"}])
def test_servers_are_read_and_their_credentials_stay_hidden(document: object) -> None:
    servers = rtc_config.parse(json.dumps(document), Secret)
    assert [len(server.uris) for server in servers] == [1, 2]
    assert servers[1].username == "alice"
    assert servers[1].credential == Secret("hush-hush")
    assert "hush-hush" not in repr(servers)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no list of servers"),
        ("3", "expected"),
        ("[3]", "iceServers[0]: expected an object"),
        ('[{"urls": []}]', "iceServers[0].urls"),
        ('[{"urls": ["stun:192.0.2.1", "nonsense"]}]', "'nonsense' does not start with"),
        ('[{"urls": "turn:192.0.2.1", "username": 3}]', "iceServers[0].username"),
        ('[{"urls": "turn:192.0.2.1", "credential": {"hush-hush": 1}}]', "iceServers[0].credential"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps([{"urls": "stun:192.0.2.1"}] * 257), "too many"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_without_its_credentials(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rtc_config.parse(text, Secret)
    assert says in str(caught.value)
    assert "hush-hush" not in str(caught.value)
