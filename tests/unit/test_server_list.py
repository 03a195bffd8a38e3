"""Lists of ICE servers: read from what people paste, kept in order, written back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategies import ice_uris, texts
from wizard.configs.ice_servers import Imported, read_servers
from wizard.model import server_list
from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind, ServerEntry, keyring_names
from wizard.report.rtc_config import to_javascript, to_json, to_turnserver
from wizard.wire.rtc_config import ConfigError

SEVEN = [
    {"urls": ["stun:stun1.example.org:3478"]},
    {"urls": ["stun:stun2.example.org:3478"]},
    {"urls": ["turn:198.51.100.7:3478?transport=udp"], "username": "alice", "credential": "hush-1"},
    {"urls": ["turn:198.51.100.7:3478?transport=tcp"], "username": "alice", "credential": "hush-1"},
    {"urls": ["turn:203.0.113.1", "turns:b1.example.org:443?transport=tcp"], "username": "b1", "credential": "hush-2"},
    {"urls": ["turn:203.0.113.2"], "username": "b2", "credential": "hush'3\"</script>"},
    {"urls": ["turn:203.0.113.3"], "username": "b3", "credential": "hush\\4\u2028"},
]
SNIPPET = r"""
import React from 'react'; // { urls: 'turn:ignored.example.org' }
/* iceServers: [] */
interface Props { iceServers: RTCIceServer[]; urls: string }
const [peer, setPeer] = useState<RTCPeerConnection | null>(null);
const config: RTCConfiguration = {
  iceServers: [
    { urls: 'stun:192.0.2.1' },
    {
      urls: ["turn:192.0.2.2", `turns:turn.example.org`,],
      username: 'al\'ice', 'credential': "hush\u002dhush", // a comment
    } as RTCIceServer,
  ] satisfies RTCIceServer[],
  iceTransportPolicy: 'relay',
};
return <p>Don't call before {peer ? 'ready' : 'set'}</p>;
"""


def found(text: str) -> Imported:
    return read_servers(text.encode())


def rows(imported: Imported) -> list[tuple[tuple[str, ...], str, str | None]]:
    return [(s.entry.urls, s.entry.username, s.secret.reveal() if s.secret else None) for s in imported.servers]


def written(imported: Imported) -> tuple[list[ServerEntry], list[tuple[str, Secret] | None]]:
    return (
        [s.entry for s in imported.servers],
        [(s.entry.username, s.secret) if s.secret else None for s in imported.servers],
    )


def test_seven_servers_keep_order_addresses_and_users_through_json_and_javascript() -> None:
    first = found(json.dumps({"iceServers": SEVEN}))
    assert rows(first) == [(tuple(s["urls"]), s.get("username", ""), s.get("credential")) for s in SEVEN]
    assert found(to_json(*written(first))) == first
    assert found(to_javascript(*written(first))) == first


servers = st.builds(
    lambda urls, username, secret: (
        ServerEntry(tuple(urls), username),
        (username, Secret(secret)) if username else None,
    ),
    st.lists(ice_uris, min_size=1, max_size=3),
    st.just("") | texts,
    texts | st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12),
)


@given(st.lists(servers, min_size=1, max_size=7), st.booleans())
def test_any_list_comes_back_from_json_and_javascript(
    listed: list[tuple[ServerEntry, tuple[str, Secret] | None]], relay_only: bool
) -> None:
    entries, credentials = [entry for entry, _ in listed], [credential for _, credential in listed]
    for write in (to_json, to_javascript):
        back = found(write(entries, credentials, relay_only=relay_only))
        assert written(back) == (entries, credentials)
        assert back.relay_only is relay_only


pieces = st.sampled_from(
    [*"{}[](),:;'\"`\\/*$.\n a1=#", "...", "urls", "iceServers", "'turn:a'", "username", "[{urls:"]
)


@given(st.lists(pieces, max_size=30).map("".join))
def test_any_text_is_a_list_or_an_error(text: str) -> None:
    try:
        imported = found(text)
    except ConfigError:
        return
    assert all(server.entry.fault is None for server in imported.servers)


@pytest.mark.parametrize("piece", ["`", "/*", '\\"', "[", "{a:", "'\\", "[{urls:", "iceServers:a,", "...", "(", "`${"])
def test_a_hostile_text_is_refused_in_time(piece: str) -> None:
    with pytest.raises(ConfigError):
        found("[" + piece * 60_000)


def test_a_snippet_is_read_through_comments_types_and_markup() -> None:
    imported = found(SNIPPET)
    assert rows(imported) == [
        (("stun:192.0.2.1",), "", None),
        (("turn:192.0.2.2", "turns:turn.example.org"), "al'ice", "hush-hush"),
    ]
    assert imported.relay_only


@pytest.mark.parametrize(
    "text",
    [
        "new RTCPeerConnection({iceServers: [{urls: 'turn:192.0.2.2', username: 'a', credential: 'b'}]})",
        "const servers = [{urls: 'turn:192.0.2.2', username: 'a', credential: 'b'}];\nnew X({iceServers: servers});",
        "{urls: 'turn:192.0.2.2', username: 'a', credential: 'b'},",
        "var iceServers = {'iceServers': [{'urls': 'turn:192.0.2.2', username: 'a', credential: 'b'}]};",
        "const iceServers: RTCIceServer[] = [{url: 'turn:192.0.2.2', username: 'a', credential: 'b'}]",
        "[{urls: 'turn:192.0.2.2', username: 'a', credential: 'b', credentialType: 'password'},]",
    ],
)
def test_every_way_to_paste_one_server_gives_that_server(text: str) -> None:
    assert rows(found(text)) == [(("turn:192.0.2.2",), "a", "b")]


def test_what_only_the_page_knows_is_named_with_its_line_and_not_guessed() -> None:
    text = "[{urls: 'turn:192.0.2.2',\n username: process.env.TURN_USER,\n credential: 'hush' + rest}]"
    (server,) = found(text).servers
    assert (server.entry.username, server.secret, server.username_unread) == ("", None, True)
    assert server.unread[0].startswith("line 2: iceServers[0].username is process.env.TURN_USER when the page runs")
    assert server.unread[1].startswith("line 3: iceServers[0].credential is worked out when the page runs")


def test_a_password_without_quotation_marks_is_not_repeated() -> None:
    (server,) = found("[{urls: 'turn:192.0.2.2', username: 'a', credential: hushhush}]").servers
    assert server.secret is None
    assert "hushhush" not in repr(server)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[{urls: 'stun:192.0.2.1'},\n ...more]", "line 2: iceServers[1] is more when the page runs"),
        ("[{urls: `turn:${host}`}]", "line 1: iceServers[0].urls is worked out"),
        ("[{urls: 'turn:' + host}]", "line 1: iceServers[0].urls is worked out"),
        ("[{urls: 'turn:192.0.2.1', ...more}]", "iceServers[0].urls is more"),
        ("[{urls: 'stun:192.0.2.1'\n username: 'a'}]", "line 2: a comma or } is missing"),
        ("[{urls: 'stun:192.0.2.1'}", "line 1: [ is not closed"),
        (
            "a = [{urls: 'stun:192.0.2.1'}]\nb = [{urls: 'stun:192.0.2.2'}]",
            "several lists of servers, at lines 1, 2",
        ),
        ("[{urls: 'stun:192.0.2.1'}].concat(more)", "the list is worked out when the page runs"),
        ("{iceServers: {urls: 'stun:192.0.2.1'}}", "expected a list in [ ]"),
        ("[{urls: 'turn:192.0.2.1', username: 'a', credential: 'b', credentialType: 'oauth'}]", "only passwords"),
        ("hello", "no list of servers"),
        ("", "no list of servers"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        found(text)
    assert says in str(caught.value)


def test_a_coturn_with_a_user_is_read_as_its_clients_see_it() -> None:
    imported = found(
        "# home\nexternal-ip=203.0.113.20/192.168.77.10\nlistening-port=3479\ntls-listening-port=443\n"
        "cert=/c.pem\npkey=/k.pem\nlt-cred-mech\nuser=alice:hush\nuser=bob:hush2\nrealm=example.org\n"
    )
    urls = (
        "turn:203.0.113.20:3479?transport=udp",
        "turn:203.0.113.20:3479?transport=tcp",
        "turns:203.0.113.20:443?transport=tcp",
    )
    assert rows(imported) == [(urls, "alice", "hush"), (urls, "bob", "hush2")]
    assert [server.entry.enabled for server in imported.servers] == [True, False]
    assert "hush" not in repr(imported)


def test_a_coturn_with_a_shared_secret_has_that_kind() -> None:
    imported = found("listening-ip=192.0.2.9\nuse-auth-secret\nstatic-auth-secret=hush\nno-tcp\nno-tls\n")
    (server,) = imported.servers
    assert server.entry == ServerEntry(("turn:192.0.2.9:3478?transport=udp",), kind=CredentialKind.SHARED_SECRET)
    assert server.secret == Secret("hush")


def test_a_coturn_that_only_does_stun_has_a_stun_address_and_no_user() -> None:
    assert rows(found("stun-only\nexternal-ip=192.0.2.9\nuser=a:b\n")) == [(("stun:192.0.2.9:3478",), "", None)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("listening-port=3478\nlistening-ip=0.0.0.0\n", "does not say where clients reach"),
        ("listening-port=99999\nexternal-ip=192.0.2.1\n", "line 1: listening-port=99999 is no port"),
        ("no-udp\nno-tcp\nno-tls\nexternal-ip=192.0.2.1\n", "listen on nothing"),
    ],
)
def test_a_coturn_that_nobody_can_reach_is_no_server(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        found(text)


@pytest.mark.parametrize("kind", [CredentialKind.STATIC, CredentialKind.SHARED_SECRET])
@pytest.mark.parametrize(
    "urls", [("turn:192.0.2.2:3479?transport=udp",), ("turn:turn.example.org:3478?transport=tcp",)]
)
def test_a_written_coturn_fragment_is_that_server_again(urls: tuple[str, ...], kind: CredentialKind) -> None:
    entry = ServerEntry(urls, "alice" if kind is CredentialKind.STATIC else "", kind)
    (server,) = found(to_turnserver(entry, ("alice", Secret("hush")))).servers
    assert (server.entry, server.secret) == (entry, Secret("hush"))


@pytest.mark.parametrize("password", ["0x12", " hush", "a\nno-auth", '"hush', ""])
def test_a_password_that_coturn_would_read_as_another_is_not_written(password: str) -> None:
    with pytest.raises(ValueError, match="cannot hold this password"):
        to_turnserver(ServerEntry(("turn:192.0.2.2",), "alice"), ("alice", Secret(password)))


def test_nothing_secret_and_nothing_disabled_is_exported_unless_asked() -> None:
    imported = found(json.dumps(SEVEN))
    entries = [server.entry for server in imported.servers]
    entries[4] = replace(entries[4], enabled=False)
    for text in (to_json(entries), to_javascript(entries), to_turnserver(entries[2])):
        assert "hush" not in text
        assert "b1.example.org" not in text


def test_rows_are_moved_copied_switched_and_dropped() -> None:
    a, b, c = (ServerEntry((f"stun:192.0.2.{n}",)) for n in (1, 2, 3))
    assert server_list.moved((a, b, c), 0, 2) == (b, c, a)
    assert server_list.moved((a, b, c), 2, 0) == (c, a, b)
    assert server_list.duplicated((a, b), 0) == (a, a, b)
    assert server_list.removed((a, b, c), 1) == (a, c)
    assert server_list.added((a, b), c, 1) == (a, c, b)
    assert [s.enabled for s in server_list.enabled((a, b), 1, False)] == [True, False]
    with pytest.raises(IndexError):
        server_list.removed((a,), 1)


def test_secrets_of_different_kinds_have_different_names_in_the_keyring() -> None:
    entry = ServerEntry(("turn:192.0.2.2",), "alice", endpoint="https://example.org/turn")
    names = {kind: keyring_names(replace(entry, kind=kind)) for kind in CredentialKind}
    assert names[CredentialKind.STATIC] == (("turn:192.0.2.2", "alice"),)
    assert len({name for listed in names.values() for name in listed}) == 3
