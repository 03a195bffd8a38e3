"""The audit of real servers, and of the hardened configuration that it writes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.probes.asking import free_port
from tests.probes.coturn import CREDENTIALS, USER, WITHIN_S, Coturn, coturn
from tests.probes.far_ends import OnConnection, tcp
from tests.probes.netns import Cable, cable
from wizard.audit.access import Entry, entry
from wizard.audit.finding import Audit, AuditFinding
from wizard.audit.harden import harden
from wizard.audit.reach import GROUP_CODE
from wizard.audit.rules import audit_file
from wizard.configs.peers import FORBIDDEN
from wizard.configs.turnserver import parse
from wizard.model.secret import Secret
from wizard.probes.audit import QUOTA_TRIES, AuditError, Options, audit_server
from wizard.probes.conversation import Endpoint, converse, new_client, trust
from wizard.probes.fault import LinkFault
from wizard.wire import uri
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.rest_credentials import mint
from wizard.wire.turn_event import Received, Refused, Succeeded
from wizard.wire.uri import Transport

QUICK = Timing(timeout_s=1.5)
SECRET = Secret("b3a1f4c2d5e69788" * 3)
STRONG = "c0rrect-Horse!battery/Staple-7291"
FAR_FUTURE_S = 2_000_000_000


async def audited(text: str, credentials: Credentials | None = CREDENTIALS, **how: Any) -> Audit:
    return await audit_server(uri.parse(text), Options(credentials=credentials, timing=QUICK, **how))


def codes(audit: Audit) -> set[str]:
    return {finding.code for finding in audit.findings}


def missing(audit: Audit) -> set[str]:
    return {missing.code for missing in audit.not_checked}


def one(audit: Audit, code: str) -> AuditFinding:
    (finding,) = (finding for finding in audit.findings if finding.code == code)
    return finding


@pytest.mark.requires("coturn", "ipv6")
async def test_a_server_as_it_comes_permits_private_peers_by_both_families(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        audit = await audited(server.uri())
    found = one(audit, "private-peers").values["list"].split(", ")
    assert {"10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "fd00::1", "fe80::1"} == set(
        found
    )
    assert {"loopback-peers", "multicast-peers", "mapped-peers", "tcp-relay", "banner"} <= codes(audit)
    assert one(audit, "loopback-peers").change == ("- allow-loopback-peers",)


@pytest.mark.requires("coturn", "ipv6")
async def test_a_server_that_denies_them_is_not_accused(tmp_path: Path) -> None:
    denied = [f"denied-peer-ip={f.range}" for f in FORBIDDEN]
    async with coturn(tmp_path, [*denied, "no-multicast-peers", "no-tcp-relay", "no-software-attribute"]) as server:
        audit = await audited(server.uri())
    assert (
        codes(audit) & {"private-peers", "loopback-peers", "special-peers", "multicast-peers", "mapped-peers"} == set()
    )
    assert codes(audit) & {"tcp-relay", "banner", "open-relay"} == set()
    assert missing(audit) & {"peers", "ipv6-peers", "tcp-relay", "login"} == set()
    assert "software" in missing(audit)


_WHOLE = [f"denied-peer-ip={f.range}" for f in FORBIDDEN]


@pytest.mark.requires("coturn", "ipv6")
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["no-multicast-peers"],
        ["denied-peer-ip=10.0.0.0/8", "denied-peer-ip=fc00::/7"],
        _WHOLE,
        [*_WHOLE, "allowed-peer-ip=203.0.113.1"],
        [line for line in _WHOLE if ":" in line],
        [line for line in _WHOLE if ":" not in line],
        ["denied-peer-ip=0.0.0.0-255.255.255.255"],
        ["denied-peer-ip=::"],
        ["allowed-peer-ip=203.0.113.1", "denied-peer-ip=0.0.0.0"],
    ],
)
async def test_the_file_tells_which_peers_coturn_permits(tmp_path: Path, options: list[str]) -> None:
    groups = set(GROUP_CODE.values())
    async with coturn(tmp_path, options) as server:
        live = codes(await audited(server.uri())) & groups
    file = audit_file(parse((tmp_path / "turnserver.conf").read_bytes()))
    said = codes(file) & groups
    assert said == live


@pytest.mark.requires("coturn")
@pytest.mark.parametrize("hole", ["10.0.0.1", "10.0.0.0-10.0.0.255", "0.0.0.0", "0.0.0.0-255.255.255.255"])
async def test_a_hole_in_the_file_is_one_in_the_server(tmp_path: Path, hole: str) -> None:
    async with coturn(tmp_path, [*_WHOLE, f"allowed-peer-ip={hole}"]) as server:
        live = await audited(server.uri())
    assert "10.0.0.1" in one(live, "private-peers").values["list"]
    assert "peer-hole" in codes(audit_file(parse((tmp_path / "turnserver.conf").read_bytes())))


@pytest.mark.requires("coturn")
async def test_no_payload_ever_reaches_a_peer(tmp_path: Path) -> None:
    """The listener stands on the very port and address that permissions are asked for."""
    async with coturn(tmp_path) as server:
        heard: list[bytes] = []

        class Peer(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _: Any) -> None:
                heard.append(data)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Peer, local_addr=("127.0.0.1", 9))
        try:
            audit = await audited(server.uri())
        finally:
            transport.close()
    assert "127.0.0.1" in one(audit, "loopback-peers").values["list"]
    assert heard == []


@pytest.mark.requires("coturn")
async def test_an_open_relay_is_found_without_any_credentials(tmp_path: Path) -> None:
    async with _plain(tmp_path, "no-auth") as server:
        audit = await audited(server, None)
    assert "open-relay" in codes(audit)


@pytest.mark.requires("coturn")
@pytest.mark.parametrize(
    "options",
    [
        "",
        "lt-cred-mech",
        "lt-cred-mech=no",
        "lt-cred-mech lt-cred-mech=0",
        "lt-cred-mech no-auth=0",
        "no-auth=0 lt-cred-mech",
        "user=a:b",
        "user=a:b lt-cred-mech=no",
        "user=a:b no-auth=0",
        "user=a",
        "user=a:",
        "user=a:b no-auth",
        "oauth",
        "use-auth-secret",
        "use-auth-secret=no",
        "use-auth-secret lt-cred-mech=0",
        "use-auth-secret no-auth=0",
        "static-auth-secret=abc",
    ],
)
async def test_the_file_tells_whom_coturn_lets_in(tmp_path: Path, options: str) -> None:
    async with _plain(tmp_path, *options.split()) as server:
        found = uri.parse(server)
        client = new_client(Transport.UDP)
        async with converse(Endpoint(found.host, found.port, Transport.UDP, found.host), client) as talk:
            assert not isinstance(talk, LinkFault)
            reply = await talk.ask(client.allocate)
    said = entry(parse((tmp_path / "plain.conf").read_bytes()))
    assert said is (Entry.EVERYBODY if isinstance(reply, Succeeded) else Entry.USERS)


@pytest.mark.requires("coturn")
@pytest.mark.parametrize("options", ["lt-cred-mech no-auth", "use-auth-secret no-auth", "static-auth-secret=a no-auth"])
async def test_coturn_does_not_start_where_the_file_contradicts_itself(tmp_path: Path, options: str) -> None:
    with pytest.raises(AssertionError, match="ended before it listened"):
        async with _plain(tmp_path, *options.split()):
            pass
    assert entry(parse((tmp_path / "plain.conf").read_bytes())) is Entry.NOBODY


@pytest.mark.requires("coturn")
async def test_without_credentials_what_needs_them_is_not_checked(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        audit = await audited(server.uri(), None)
    assert "open-relay" not in codes(audit)
    assert "private-peers" not in codes(audit)
    assert "login" in missing(audit)


@pytest.mark.requires("coturn")
async def test_refused_credentials_are_an_error_and_not_a_clean_bill(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        audit = await audited(server.uri(), Credentials(USER, Secret("wrong-" + STRONG)))
    assert "login-refused" in codes(audit)
    assert not audit.passed


@pytest.mark.requires("coturn")
async def test_a_weak_password_and_a_name_without_an_end_are_named_but_not_shown(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user=bob:password1"]) as server:
        audit = await audited(server.uri(), Credentials("bob", Secret("password1")))
    assert {"weak-password", "endless-credentials"} <= codes(audit)
    assert "password1" not in repr(audit)


@pytest.mark.requires("coturn")
async def test_minted_credentials_log_in_and_their_end_is_seen(tmp_path: Path) -> None:
    options = ["use-auth-secret", f"static-auth-secret={SECRET.reveal()}"]
    soon = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    async with _plain(tmp_path, *options) as server:
        good = mint(SECRET, Secret, soon, "alice")
        late = mint(SECRET, Secret, FAR_FUTURE_S, "alice")
        over = mint(SECRET, Secret, 1_000_000_000, "alice")
        for minted, expected in ((good, set()), (late, {"long-credentials"}), (over, {"login-refused"})):
            audit = await audited(server, Credentials(minted.username, minted.password), minted=True)
            about = {"long-credentials", "login-refused", "endless-credentials", "weak-password"}
            assert codes(audit) & about == expected


@pytest.mark.requires("coturn")
async def test_limits_are_tried_on_ones_own_server_only(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=3"]) as server:
        other = await audited(server.uri())
        own = await audited(server.uri(), own=True)
    assert {"quota", "own-listener"} <= missing(other)
    assert "quota" not in missing(own)


@pytest.mark.requires("coturn")
async def test_a_quota_that_was_not_met_is_not_called_missing(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=100"]) as server:
        audit = await audited(server.uri(), own=True)
    assert "quota" in missing(audit)
    assert "no-user-quota" not in codes(audit)


@pytest.mark.requires("coturn", "ipv6")
async def test_every_allocation_is_released(tmp_path: Path) -> None:
    """One not released would live for ten minutes."""
    made = ended = 0
    async with coturn(tmp_path) as server:
        await audited(server.uri(), own=True)
        async with asyncio.timeout(WITHIN_S):
            while not made or ended < made or not server.lines.empty():
                line = await server.lines.get()
                made += "ALLOCATE processed, success" in line
                ended += "delete: realm=<example.org>, username=<alice>" in line
    assert made == ended == 3 + QUOTA_TRIES


@pytest.mark.requires("coturn")
async def test_the_servers_own_port_is_reached_through_it(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        audit = await audited(server.uri("tcp"), own=True)
    assert one(audit, "own-listener").values["list"] == f"127.0.0.1:{server.port}"


def _certificate(folder: Path, authority: trustme.CA, *names: str, days: float = 90) -> tuple[Path, Path]:
    issued = authority.issue_cert(*names, not_after=datetime.now(UTC) + timedelta(days=days))
    certificate, key = folder / "cert.pem", folder / "key.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return certificate, key


@contextlib.asynccontextmanager
async def _tls_coturn(
    folder: Path, *options: str, name: str = "127.0.0.1", days: float = 90
) -> AsyncIterator[tuple[Coturn, ssl.SSLContext]]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    async with coturn(folder, options, certificate=_certificate(folder, authority, name, days=days)) as server:
        yield server, trust(folder / "ca.pem")


@pytest.mark.requires("coturn")
@pytest.mark.parametrize(
    ("name", "days", "trusted", "code"),
    [
        ("127.0.0.1", 90, True, None),
        ("127.0.0.1", 5, True, "cert-soon"),
        ("127.0.0.1", -1, True, "cert-expired"),
        ("192.0.2.1", 90, True, "cert-wrong-name"),
        ("127.0.0.1", 90, False, "cert-unknown-issuer"),
    ],
)
async def test_the_certificate_is_judged(
    tmp_path: Path, name: str, days: float, trusted: bool, code: str | None
) -> None:
    async with _tls_coturn(tmp_path, name=name, days=days) as (server, tls):
        audit = await audited(server.uri(scheme="turns"), tls=tls if trusted else None)
    assert {found for found in codes(audit) if found.startswith("cert-")} == ({code} if code else set())
    # A bad certificate does not keep the rest from being looked at.
    assert "private-peers" in codes(audit)


@pytest.mark.requires("coturn")
@pytest.mark.parametrize(
    ("options", "versions"),
    [((), "TLS 1.0, TLS 1.1"), (("no-tlsv1",), "TLS 1.1"), (("no-tlsv1", "no-tlsv1_1"), None)],
)
async def test_old_versions_of_tls_are_found(tmp_path: Path, options: tuple[str, ...], versions: str | None) -> None:
    async with _tls_coturn(tmp_path, "cipher-list=ALL:@SECLEVEL=0", *options) as (server, tls):
        audit = await audited(server.uri(scheme="turns"), tls=tls)
    if versions is None:
        assert "old-tls" not in codes(audit)
        assert "tls-version" not in missing(audit)
    else:
        assert one(audit, "old-tls").values["versions"] == versions


async def test_a_server_that_is_not_there_cannot_be_audited() -> None:
    with pytest.raises(AuditError):
        await audited(f"turn:127.0.0.1:{free_port()}")


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 64, b"\xff" * 5000])
async def test_a_server_that_talks_nonsense_is_not_audited_and_hangs_nobody(garbage: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(garbage)
        await writer.drain()
        await reader.read()

    on_connection: OnConnection = talk
    async with asyncio.timeout(10), tcp(on_connection) as port:
        with pytest.raises(AuditError):
            await audited(f"turn:127.0.0.1:{port}?transport=tcp")


@contextlib.asynccontextmanager
async def _plain(
    folder: Path, *options: str, text: bytes | None = None, namespace: str = "", address: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """coturn with no more than those options, or with that file. Yields its address."""
    file = folder / "plain.conf"
    port = free_port() if text is None else int(parse(text).text("listening-port"))
    if text is None:
        basis = [
            f"listening-ip={address}",
            f"listening-port={port}",
            "min-port=21000",
            "max-port=21199",
            "realm=a",
            "verbose",
        ]
        text = "\n".join([*basis, f"userdb={folder / 'plaindb'}", "log-file=stdout", *options, ""]).encode()
    file.write_bytes(text)
    inside = ["ip", "netns", "exec", namespace] if namespace else []
    process = await asyncio.create_subprocess_exec(
        *inside, "turnserver", "-c", str(file), "--pidfile", str(folder / "plain.pid"), "--log-file", "stdout",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    drained: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(WITHIN_S):
            while f"UDP listener opened on: {address}:{port}".encode() not in (line := await process.stdout.readline()):
                assert line, "coturn ended before it listened"
        drained = asyncio.create_task(process.stdout.read())
        yield f"turn:{address}:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if drained is not None:
            await drained


NEAR, FAR = "192.0.2.1", "192.0.2.2"
LAX = f"""\
# The server of the choir.
listening-ip={FAR}
relay-ip={FAR}
listening-port=3478
tls-listening-port=5349
min-port=21000
max-port=21199
realm=choir.example.org
no-auth
allowed-peer-ip=10.0.0.5
verbose
log-file=stdout
"""


async def _relayed(server: str, credentials: Credentials) -> bytes:
    """What comes back through the relay from an echo at the near end, on an address of the documentation."""

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(data.upper(), addr)  # type: ignore[attr-defined]

    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(Echo, local_addr=(NEAR, 0))
    peer = echo.get_extra_info("sockname")
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    found = uri.parse(server)
    client = new_client(Transport.UDP, credentials)

    def take(happening: object) -> None:
        if isinstance(happening, Received):
            heard.put_nowait(happening.data)

    try:
        async with converse(Endpoint(FAR, found.port, Transport.UDP, FAR), client, heard=take) as talk:
            assert not isinstance(talk, LinkFault)
            assert isinstance(await talk.ask(client.allocate), Succeeded)
            assert isinstance(await talk.ask(lambda now: client.create_permission(now, [peer])), Succeeded)
            denied = await talk.ask(lambda now: client.create_permission(now, [("10.0.0.5", 9)]))
            assert isinstance(denied, Refused)
            client.send(peer, b"through the relay")
            talk.flush()
            async with asyncio.timeout(WITHIN_S):
                return await heard.get()
    finally:
        echo.close()


def _add_addresses(net: Cable) -> None:
    for side, address in ((net.near, NEAR), (net.far, FAR)):
        subprocess.run(["ip", "-n", side, "addr", "add", f"{address}/24", "dev", "c0"], check=True)


@pytest.mark.requires("root", "namespaces", "coturn")
async def test_coturn_passes_its_own_audit_with_the_hardened_file_and_still_relays(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate, key = _certificate(tmp_path, authority, FAR)
    lax = (LAX + f"cert={certificate}\npkey={key}\nuserdb={tmp_path / 'db'}\n").encode()
    hardened = harden(parse(lax), lambda: SECRET)
    assert not audit_file(parse(lax)).passed
    assert audit_file(parse(hardened)).findings == ()
    soon = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    minted = mint(SECRET, Secret, soon, "alice")
    credentials = Credentials(minted.username, minted.password)
    with cable() as net:
        _add_addresses(net)
        async with _plain(tmp_path, text=hardened, namespace=net.far, address=FAR) as server:
            tls = trust(tmp_path / "ca.pem")
            work: Callable[[], Coroutine[Any, Any, Audit]] = lambda: audited(  # noqa: E731
                server, credentials, minted=True, own=True, tls=tls
            )
            audit = await net.in_near(work)
            assert await net.in_near(lambda: _relayed(server, credentials)) == b"THROUGH THE RELAY"
        async with _plain(tmp_path, text=lax, namespace=net.far, address=FAR) as server:
            before = await net.in_near(lambda: audited(server, None, tls=tls))
    assert audit.findings == ()
    assert missing(audit) & {"login", "peers", "tls", "tls-version", "tcp-relay"} == set()
    assert "open-relay" in codes(before)


def _hopwise(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wizard.cli", "audit", *arguments],
        input=stdin, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_command_audits_a_file_and_hardens_it(tmp_path: Path) -> None:
    file, hardened = tmp_path / "turnserver.conf", tmp_path / "hard.conf"
    file.write_text("cert=a\npkey=b\nuser=alice:hunter2\nrealm=example.org\nmisspelt-option=7\n")
    first = _hopwise(str(file), "--json", "--harden", str(hardened))
    assert first.returncode == 1
    document = json.loads(first.stdout)
    assert document["format"] == 1
    assert document["unknown_options"] == [{"name": "misspelt-option", "line": 5}]
    weak = next(f for f in document["findings"] if f["code"] == "weak-password")
    assert (weak["severity"], weak["where"], weak["minutes"]) == ("error", f"{file}:3", 5)
    assert all(entry["title"] and entry["how"] for entry in document["not_checked"])
    assert hardened.stat().st_mode & 0o077 == 0
    assert "hunter2" not in first.stdout + first.stderr + hardened.read_text()
    secret = re.search(r"static-auth-secret=(\w+)", hardened.read_text())
    assert secret is not None
    assert secret[1] not in first.stdout + first.stderr
    second = _hopwise(str(hardened))
    assert second.returncode == 0, second.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-file.conf"],
        ["stun:192.0.2.1"],
        ["turn:"],
        ["turn:127.0.0.1", "--harden", "x.conf"],
        ["turn:127.0.0.1", "--password-stdin"],
        ["turn:127.0.0.1", "--secret-stdin"],
        [str(Path(__file__).with_name("netns.py"))],
    ],
)
def test_what_cannot_be_audited_is_said_in_one_line(arguments: list[str]) -> None:
    run = _hopwise(*arguments)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert "Traceback" not in run.stderr


@pytest.mark.requires("coturn")
async def test_the_command_tests_the_credentials_that_it_mints(tmp_path: Path) -> None:
    options = ["use-auth-secret", f"static-auth-secret={SECRET.reveal()}"]
    async with _plain(tmp_path, *options) as server:
        run = await asyncio.to_thread(
            _hopwise, server, "--secret-stdin", "--username", "alice", "--json", stdin=SECRET.reveal() + "\n"
        )
        wrong = await asyncio.to_thread(_hopwise, server, "--secret-stdin", "--json", stdin="another\n")
    found = {finding["code"] for finding in json.loads(run.stdout)["findings"]}
    assert "private-peers" in found
    assert "login-refused" not in found
    assert re.search(r"end at 20\d\d-\d\d-\d\d \d\d:\d\d UTC", run.stderr)
    assert SECRET.reveal() not in run.stdout + run.stderr
    assert "login-refused" in {finding["code"] for finding in json.loads(wrong.stdout)["findings"]}


def test_the_text_is_readable_on_a_plain_terminal(tmp_path: Path) -> None:
    from wizard.report.audit import to_text
    from wizard.report.text import Terminal

    audit = audit_file(parse(b"user=alice:alice\n\x1b[31mnope=1\n"))
    for language in ("en", "zh_CN"):
        text = to_text(audit, Terminal(60), language)
        assert "\x1b" not in text
        assert all(len(line) <= 60 for line in text.splitlines() if not line.startswith("    "))
    assert "\x1b[1;31m" in to_text(audit, Terminal(80, colour=True))
    assert to_text(audit, Terminal(80, encoding="ascii")).isascii()
