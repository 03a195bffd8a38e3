"""The ports that services listen on by their own files, and the settings that Hopwise writes for them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.probes.asking import free_port
from tests.unit.configs.asking import FILES, TCP, UDP, ask, numbers, order, reading, wants
from wizard.audit.finding import Severity
from wizard.audit.rules import audit_file
from wizard.configs import turnserver
from wizard.configs.assembling import NO_ADDRESS, assemble
from wizard.configs.coverage import wanted
from wizard.configs.placing import Given
from wizard.configs.product import Order, Wanted
from wizard.configs.products import product, recognise
from wizard.configs.reading import UnreadableError
from wizard.configs.words import say
from wizard.model.hop import Hop, HopKind
from wizard.model.port import Protocol, Speaks
from wizard.model.project import Project
from wizard.model.vantage import IceServer
from wizard.observation import Coverage

C, M, W, R, U = (*(Coverage.COVERED, Coverage.MISSING, Coverage.WRONG_PROTOCOL, Coverage.RESTRICTED, Coverage.UNKNOWN),)
Row = tuple[Protocol, int, Coverage, tuple[int, ...]]
CORPUS: dict[str, tuple[str, tuple[Row, ...], tuple[str, ...]]] = {
    "ess.env": (
        "ess-env",
        (
            (TCP, 31881, C, (3,)),
            (UDP, 31882, C, (4,)),
            (UDP, 31152, C, (5,)),
            (UDP, 31352, C, (5,)),
            (UDP, 31353, M, ()),
            (UDP, 31881, W, (3,)),
            (TCP, 30881, M, ()),
            (TCP, 8443, C, (7,)),
            (TCP, 443, U, ()),
        ),
        (),
    ),
    "ess-script.env": (
        "ess-env",
        ((TCP, 30881, C, (1,)), (UDP, 30882, U, (2, 3)), (UDP, 30200, U, (2, 3))),
        ("variable-unset", "bad-port"),
    ),
    "ess-values.yaml": (
        "ess-helm",
        (
            (TCP, 30881, C, (9,)),
            (UDP, 30882, C, (12,)),
            (UDP, 30352, C, (17,)),
            (UDP, 30353, M, ()),
            (TCP, 30883, M, ()),
            (TCP, 443, U, ()),
        ),
        (),
    ),
    "livekit.yaml": (
        "livekit",
        (
            (TCP, 7880, R, (1,)),
            (TCP, 7981, C, (5,)),
            (TCP, 7881, M, ()),
            (UDP, 50100, C, (6,)),
            (UDP, 50101, M, ()),
            (UDP, 3478, C, (12,)),
        ),
        (),
    ),
    "livekit-defaults.yaml": (
        "livekit",
        ((TCP, 7880, C, ()), (TCP, 7881, C, ()), (UDP, 60000, C, ()), (UDP, 7882, M, ())),
        (),
    ),
    "livekit-both.yaml": (
        "livekit",
        ((TCP, 7881, M, ()), (UDP, 7882, U, (4, 3)), (UDP, 50000, U, (4, 3))),
        ("livekit-both",),
    ),
    "coturn-typical.conf": (
        "coturn",
        (
            (UDP, 3478, C, (2,)),
            (TCP, 3478, C, (2,)),
            (UDP, 65530, C, (3,)),
            (UDP, 65529, M, ()),
            (TCP, 5349, M, ()),
        ),
        (),
    ),
    "coturn-tls.conf": (
        "coturn",
        ((TCP, 443, C, (1,)), (UDP, 3478, W, ()), (TCP, 3478, C, ()), (UDP, 50000, W, ()), (TCP, 3479, U, ())),
        ("no-such-option",),
    ),
    "coturn-odd.conf": (
        "coturn",
        ((UDP, 3478, U, (1, 2)), (TCP, 45000, U, (1, 2))),
        ("no-servers", "bad-port", "bad-port", "bad-port"),
    ),
    "rtc.js": ("rtc-configuration", ((UDP, 3478, U, ()),), ("worked-out", "worked-out")),
}


@pytest.mark.parametrize("name", CORPUS)
def test_a_file_of_the_corpus_is_recognised_and_says_where_the_service_listens(name: str) -> None:
    data = (FILES / name).read_bytes()
    owner, rows, notes = CORPUS[name]
    assert recognise(data.decode()).id == owner
    found = reading(data, owner)
    answers = [ask(found, protocol, number) for protocol, number, _, _ in rows]
    assert [(answer.coverage, answer.lines) for answer in answers] == [row[2:] for row in rows]
    assert tuple(note.phrase.key for note in found.notes) == notes
    assert all(say(note.phrase, language) for note in found.notes for language in ("en", "zh_CN"))
    assert "hunter2" not in repr(found)


def test_servers_and_announced_addresses_come_with_their_secrets_concealed() -> None:
    (server,) = reading((FILES / "coturn-typical.conf").read_bytes(), "coturn").servers
    assert (server.entry.username, server.entry.urls[0]) == ("alice", "turn:203.0.113.20:3478?transport=udp")
    assert server.secret is not None
    assert server.secret.reveal() == "hunter2-secret"
    assert reading((FILES / "coturn-typical.conf").read_bytes(), "coturn").announced == ("203.0.113.20",)
    assert reading((FILES / "livekit.yaml").read_bytes(), "livekit").announced == ("203.0.113.20",)
    servers = reading((FILES / "rtc.js").read_bytes(), "rtc-configuration").servers
    assert [len(found.entry.urls) for found in servers] == [1, 1, 1]


@pytest.mark.parametrize(
    ("owner", "data", "key"),
    [
        ("ess-env", b"DOMAIN=example.org\n", "no-webrtc-ports"),
        ("ess-helm", b"synapse: {}\n", "no-webrtc-ports"),
        ("livekit", b"a: 1\n", "not-recognised"),
        ("livekit", b"rtc: &a {b: *a}\n", "nested-beyond-reason"),
        ("livekit", b"rtc: \x00\n", "nul"),
        ("rtc-configuration", b"{iceServers: makeThem()}", "no-servers"),
        ("rtc-configuration", b'{"iceServers": [{}]}', "no-servers"),
        ("ess-env", b"", "empty"),
    ],
)
def test_a_file_of_another_kind_is_refused(owner: str, data: bytes, key: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        reading(data, owner)
    assert refused.value.phrase.key == key
    assert all(say(refused.value.phrase, language) for language in ("en", "zh_CN"))


SPOKEN = st.sampled_from([None, *Speaks])


@pytest.mark.parametrize("owner", ["ess-env", "ess-helm", "livekit", "coturn"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_each_planned_port_is_in_what_is_written_or_said_to_have_no_setting(owner: str, data: st.DataObject) -> None:
    wanted = data.draw(wants(translated=False, most=3))
    speaks = {each.name: spoken for each in wanted if (spoken := data.draw(SPOKEN)) is not None}
    assume(wanted)
    written = product(owner).write(order(HopKind.SERVICE, wanted, None, speaks))  # type: ignore[misc]
    left = " ".join(caution.values["ports"] for caution in written.cautions if caution.key == "no-setting")
    # With no setting for any of them, there is nothing to read.
    text = "\n".join(line for line in written.text.split("\n") if not line.startswith("#"))
    found = reading(text, owner) if text.strip() else None
    for each in wanted:
        web = speaks.get(each.name) in (Speaks.HTTPS, Speaks.WSS) or each.arrives.first in (80, 443)
        if f"{each.protocol} " in left and any(str(n) in left for n in (each.arrives.first, each.arrives.last)):
            continue
        if owner == "livekit" and web:
            continue
        assert found is not None
        for number in each.arrives:
            answer = ask(found, each.protocol, number)
            assert answer.coverage is C, (each, answer, written.text)


@pytest.mark.parametrize(
    ("name", "owner", "lines"),
    [
        (
            "ess.env",
            "ess-env",
            ["WEBRTC_TCP_PORT=31881", "WEBRTC_UDP_PORT=31882", "WEBRTC_UDP_RANGE_START=31152", "HTTPS_PORT=8443"],
        ),
        ("ess-values.yaml", "ess-helm", ["port: 30881", "port: 30882", "startPort: 30152", "endPort: 30352"]),
        ("livekit.yaml", "livekit", ["tcp_port: 7981", "port_range_end: 50100", "udp_port: 3478"]),
        ("coturn-typical.conf", "coturn", ["listening-port=3478", "min-port=65530", "max-port=65535"]),
    ],
)
def test_what_is_generated_from_an_imported_file_has_its_settings(name: str, owner: str, lines: list[str]) -> None:
    existing = reading((FILES / name).read_bytes(), owner)
    project = assemble([Given(existing)], None, "Chat")
    assert project.public_address in (*existing.announced, NO_ADDRESS)
    (hop,) = project.hops
    written = product(owner).write(Order(project, hop, wanted(project, hop.id), existing))  # type: ignore[misc]
    assert not written.cautions
    assert {line.strip() for line in written.text.split("\n")} >= set(lines)


NATTED = "listening-port=3478\nmin-port=65530\nmax-port=65535\nuse-auth-secret\ncert=c.pem\npkey=k.pem\n"


@pytest.mark.parametrize(
    ("more", "hops", "lacking"),
    [
        ("", ("router",), True),
        ("external-ip=203.0.113.20\n", ("router",), False),
        ("stun-only\n", ("router",), False),
        ("", ("firewall",), False),
    ],
)
def test_a_relay_behind_nat_without_the_address_outside_is_told_and_gets_its_line(
    more: str, hops: tuple[str, ...], lacking: bool
) -> None:
    existing = reading((NATTED + more).encode(), "coturn")
    path = (*(Hop(hop, HopKind(hop), address="203.0.113.20") for hop in hops), Hop("turn", HopKind.SERVICE))
    work = Order(Project("Turn", "203.0.113.20", path, ()), path[-1], (), existing)
    lacks, write = product("coturn").lacks, product("coturn").write
    assert lacks is not None
    assert write is not None
    assert [note.phrase.key for note in lacks(work)] == ["no-external-ip"] * lacking
    assert ("external-ip=203.0.113.20" in write(work).text) is lacking


def test_what_coturn_speaks_on_its_ports_is_known_from_its_file() -> None:
    project = assemble([Given(reading(NATTED.encode(), "coturn"))], None, "Turn")
    assert {(plan.name, plan.speaks) for plan in project.ports} == {
        ("turn-udp", Speaks.TURN),
        ("turn-tcp", Speaks.TURN),
        ("turn-tls", Speaks.TLS),
        ("relay", None),
    }


@pytest.mark.requires("coturn")
async def test_a_written_turnserver_conf_starts_coturn_with_nothing_to_blame_in_an_audit(tmp_path: Path) -> None:
    port, first = free_port(), 20000 + free_port() % 9000
    wanted = [
        Wanted("turn", UDP, numbers(str(port)), numbers(str(port)), None),
        Wanted("turn-tcp", TCP, numbers(str(port)), numbers(str(port)), None),
        Wanted("relay", UDP, numbers(f"{first}-{first + 9}"), numbers(f"{first}-{first + 9}"), None),
    ]
    text = product("coturn").write(order(HopKind.SERVICE, wanted)).text  # type: ignore[misc]
    blamed = [f for f in audit_file(turnserver.parse(text.encode())).findings if f.severity is not Severity.INFO]
    assert [finding.code for finding in blamed] == ["no-tls"]
    file = tmp_path / "turnserver.conf"
    local = ("listening-ip=127.0.0.1", f"userdb={tmp_path}/db", f"pidfile={tmp_path}/pid", "log-file=stdout")
    file.write_text(text.replace("syslog\n", "").replace("external-ip=", "#") + "\n".join(local) + "\n")
    process = await asyncio.create_subprocess_exec(
        "turnserver", "-c", str(file), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        said = ""
        async with asyncio.timeout(20):
            while f"UDP listener opened on: 127.0.0.1:{port}" not in said:
                line = await process.stdout.readline()
                assert line, said
                said += line.decode()
        assert "Bad configuration format" not in said
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def test_servers_of_a_project_are_written_without_passwords_and_read_back() -> None:
    servers = (IceServer(("stun:198.51.100.7:3478",)), IceServer(("turn:198.51.100.7:3478",), "alice"))
    hop = Hop("app", HopKind.SERVICE)
    project = Project("Chat", "203.0.113.20", (hop,), (), ice_servers=servers)
    written = product("rtc-configuration").write(Order(project, hop, ()))  # type: ignore[misc]
    assert json.loads(written.text)["iceServers"][1] == {
        "urls": ["turn:198.51.100.7:3478"],
        "username": "alice",
        "credential": "",
    }
    back = reading(written.text, "rtc-configuration").servers
    assert [(found.entry.urls, found.entry.username or None) for found in back] == [
        (server.urls, server.username) for server in servers
    ]
