"""Gathering from a real coturn, and from servers that are broken in every way."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import socket
import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.probes.coturn import CREDENTIALS, PASSWORD, USER, Coturn, coturn
from tests.probes.far_ends import OnConnection, tcp
from tests.probes.forwarder import forwarder
from wizard.model.secret import Secret
from wizard.probes.candidate import Candidate, CandidateError, CandidateType, Event, ServerTried
from wizard.probes.ice import Options, Target, gather
from wizard.probes.server_verdict import KNOWN_CODES, Verdict
from wizard.report import ice as report
from wizard.report.login import Logins
from wizard.wire import uri
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.uri import Transport

QUICK = Options(timing=Timing(timeout_s=1.0), relay_only=True)


async def gathered(targets: Sequence[Target], options: Options = QUICK) -> list[Event]:
    async with contextlib.aclosing(gather(targets, options)) as events:
        return [event async for event in events]


async def tried(text: str, credentials: Credentials | None = CREDENTIALS, options: Options = QUICK) -> ServerTried:
    """The one verdict on one server."""
    events = await gathered([Target(uri.parse(text), credentials)], options)
    (server,) = (event for event in events if isinstance(event, ServerTried))
    errors = [event for event in events if isinstance(event, CandidateError)]
    assert bool(errors) is (server.verdict is not Verdict.OK)
    return server


async def cause(text: str, credentials: Credentials | None = CREDENTIALS, options: Options = QUICK) -> tuple[Any, ...]:
    """Verdict, code and cause of the one error."""
    events = await gathered([Target(uri.parse(text), credentials)], options)
    (error,) = (event for event in events if isinstance(event, CandidateError))
    return error.sentence.verdict, error.sentence.code, error.sentence.cause


@pytest.mark.requires("coturn")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_a_turn_server_gives_a_relay_candidate_in_its_range(tmp_path: Path, transport: str, host: str) -> None:
    async with coturn(tmp_path) as server:
        url = server.uri(transport, host)
        events = await gathered([Target(uri.parse(url), CREDENTIALS)], Options())
        await server.says("lifetime=0")
    (relay,) = (e for e in events if isinstance(e, Candidate) and e.type is CandidateType.RELAY)
    assert relay.port in server.relay_ports
    assert relay.relay_protocol is Transport(transport)
    assert relay.related is not None
    assert relay.related[0] == host.strip("[]")
    assert relay.priority >> 24 == 0
    (verdict,) = (e for e in events if isinstance(e, ServerTried))
    assert (verdict.verdict, verdict.error) == (Verdict.OK, None)
    assert verdict.rtt_ms is not None
    assert 0 < verdict.rtt_ms < 1000


@pytest.mark.requires("coturn")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_stun_server_that_is_not_behind_nat_adds_no_candidate(tmp_path: Path, transport: str) -> None:
    async with coturn(tmp_path) as server:
        events = await gathered([Target(uri.parse(server.uri(transport, scheme="stun")))], Options())
    assert [type(event) for event in events] == [ServerTried]


@pytest.mark.requires("coturn")
async def test_a_mapped_address_is_a_server_reflexive_candidate_of_the_socket_that_asked(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, forwarder(server.port) as front:
        events = await gathered([Target(uri.parse(f"stun:127.0.0.1:{front}"))], Options())
    candidate, verdict = events
    assert isinstance(candidate, Candidate)
    assert isinstance(verdict, ServerTried)
    assert candidate.type is CandidateType.SRFLX
    assert candidate.priority >> 24 == 100
    assert candidate.related is not None
    assert candidate.related[1] not in (front, candidate.port)


@pytest.mark.requires("coturn")
async def test_a_wrong_password_is_told_apart_from_none(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        wrong = Credentials(USER, Secret("not-it"))
        assert await cause(server.uri(), wrong) == (Verdict.AUTH_FAILED, 401, "code-401")
        assert await cause(server.uri(), None) == (Verdict.AUTH_FAILED, 401, "code-401-anonymous")


@pytest.mark.requires("coturn")
async def test_a_used_up_quota_is_told(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=1"]) as server:
        events = await gathered([Target(uri.parse(server.uri(t)), CREDENTIALS) for t in ("udp", "tcp")])
    verdicts = {e.verdict for e in events if isinstance(e, ServerTried)}
    assert verdicts == {Verdict.OK, Verdict.QUOTA}


@pytest.mark.requires("coturn")
async def test_a_redirection_is_told_and_not_followed(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["alternate-server=127.0.0.1:9"]) as server:
        verdict = await tried(server.uri("tcp"))
    assert verdict.verdict is Verdict.REDIRECTED
    assert verdict.error is not None
    assert "127.0.0.1:9" in verdict.error


@pytest.mark.alone
@pytest.mark.requires("coturn")
async def test_each_server_gets_its_own_verdict_in_the_time_of_the_slowest(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        closed.bind(("127.0.0.1", 0))
        async with coturn(tmp_path) as server:
            targets = [
                Target(uri.parse(server.uri())),
                Target(uri.parse(server.uri(scheme="stun"))),
                Target(uri.parse(server.uri()), CREDENTIALS),
                Target(uri.parse(server.uri("tcp")), CREDENTIALS),
                Target(uri.parse(f"turn:127.0.0.1:{silent.getsockname()[1]}"), CREDENTIALS),
                Target(uri.parse(f"turn:127.0.0.1:{closed.getsockname()[1]}?transport=tcp"), CREDENTIALS),
                Target(uri.parse("turn:name.invalid"), CREDENTIALS),
            ]
            began = time.monotonic()
            events = await gathered(targets)
            took = time.monotonic() - began
    verdicts = [e.verdict for e in events if isinstance(e, ServerTried)]
    assert sorted(verdicts) == sorted(
        [
            Verdict.AUTH_FAILED,
            Verdict.OK,
            Verdict.OK,
            Verdict.OK,
            Verdict.UNREACHABLE,
            Verdict.REFUSED,
            *[Verdict.UNRESOLVED] * 2,
        ]
    )
    slowest = max(e.seconds for e in events if isinstance(e, ServerTried))
    assert took < slowest + 0.3


async def test_an_unknown_name_is_unresolved() -> None:
    options = Options(family=4, timing=QUICK.timing)
    assert (await cause("turn:name.invalid", options=options))[::2] == (Verdict.UNRESOLVED, "unresolved")


async def test_an_address_of_the_other_family_is_said_to_be() -> None:
    options = Options(family=6, timing=QUICK.timing)
    assert (await cause("stun:127.0.0.1", options=options))[2] == "wrong-family"


async def test_host_candidates_have_the_ports_that_their_sockets_hold() -> None:
    options = Options(own_addresses=("127.0.0.1", "::1"), timing=QUICK.timing)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        target = Target(uri.parse(f"stun:127.0.0.1:{silent.getsockname()[1]}"))
        async with contextlib.aclosing(gather([target], options)) as events:
            found = [await anext(events), await anext(events)]
            first = found[0]
            assert isinstance(first, Candidate)
            assert first.priority == 126 << 24 | 65535 << 8 | 255
            for candidate in found:
                assert isinstance(candidate, Candidate)
                family = socket.AF_INET6 if ":" in candidate.address else socket.AF_INET
                with socket.socket(family, socket.SOCK_DGRAM) as sock, pytest.raises(OSError, match="in use"):
                    sock.bind((candidate.address, candidate.port))


@pytest.mark.alone
@pytest.mark.requires("coturn")
async def test_stopping_early_releases_what_was_allocated(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with coturn(tmp_path) as server:
            targets = [
                Target(uri.parse(server.uri()), CREDENTIALS),
                Target(uri.parse(f"turn:127.0.0.1:{silent.getsockname()[1]}"), CREDENTIALS),
            ]
            async with contextlib.aclosing(gather(targets, Options(relay_only=True))) as events:
                assert isinstance(await anext(events), Candidate)
                began = time.monotonic()
            assert time.monotonic() - began < 0.3
            await server.says("lifetime=0")


class Certificates:
    """An authority, and certificates that it issued."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.folder = folder
        self.trust = ssl.create_default_context()
        self.authority.configure_trust(self.trust)

    def issue(self, *names: str, expires: datetime | None = None) -> tuple[Path, Path]:
        """Files of a certificate chain and its key."""
        made = self.authority.issue_cert(*names, not_after=expires)
        chain, key = self.folder / "chain.pem", self.folder / "key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(key))
        return chain, key


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


async def tls_cause(server: Coturn, trust: ssl.SSLContext) -> tuple[Any, ...]:
    return await cause(server.uri(scheme="turns"), options=Options(timing=QUICK.timing, tls=trust))


@pytest.mark.requires("coturn")
async def test_tls_works_with_a_certificate_for_the_address(tmp_path: Path, certificates: Certificates) -> None:
    async with coturn(tmp_path, certificate=certificates.issue("127.0.0.1")) as server:
        options = Options(timing=QUICK.timing, tls=certificates.trust)
        verdict = await tried(server.uri(scheme="turns"), options=options)
    assert (verdict.verdict, verdict.transport) == (Verdict.OK, Transport.TLS)


@pytest.mark.requires("coturn")
async def test_each_fault_of_a_certificate_is_named(tmp_path: Path, certificates: Certificates) -> None:
    async with coturn(tmp_path, certificate=certificates.issue("turn.example.org")) as server:
        assert await tls_cause(server, certificates.trust) == (Verdict.TLS_FAILED, 701, "tls-wrong-name")
        assert (await tls_cause(server, ssl.create_default_context()))[2] == "tls-unknown-issuer"
    past = datetime.now(UTC) - timedelta(days=1)
    async with coturn(tmp_path, certificate=certificates.issue("127.0.0.1", expires=past)) as server:
        assert (await tls_cause(server, certificates.trust))[2] == "tls-expired"


async def _mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def _web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


async def _oversized(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(bytes.fromhex("0101fffc2112a442") + bytes(12))
    await reader.read()


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Answers to nothing we asked, one after the other.
    while True:
        writer.write(bytes.fromhex("010100002112a442") + bytes(12))
        await writer.drain()
        await asyncio.sleep(0)


async def _dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in bytes.fromhex("010107002112a442") + bytes(1000):
        writer.write(bytes([byte]))
        await asyncio.sleep(0.05)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("handler", "verdict"),
    [
        (_mute, Verdict.UNREACHABLE),
        (_dripping, Verdict.PROTOCOL_ERROR),
        (_oversized, Verdict.PROTOCOL_ERROR),
        (_close, Verdict.PROTOCOL_ERROR),
        (_web, Verdict.PROTOCOL_ERROR),
        (_endless, Verdict.PROTOCOL_ERROR),
        (_echo, Verdict.PROTOCOL_ERROR),
    ],
)
async def test_a_hostile_stream_gives_a_verdict_in_time(handler: OnConnection, verdict: Verdict) -> None:
    async with tcp(handler) as port:
        began = time.monotonic()
        assert (await tried(f"turn:127.0.0.1:{port}?transport=tcp")).verdict is verdict
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(("handler", "expected"), [(_mute, "tls-silent"), (_close, "tls-closed"), (_web, "tls-none")])
async def test_what_does_not_speak_tls_is_told_apart(handler: OnConnection, expected: str) -> None:
    options = Options(timing=QUICK.timing, tls=ssl.create_default_context())
    async with tcp(handler) as port:
        assert await cause(f"turns:127.0.0.1:{port}", options=options) == (Verdict.TLS_FAILED, 701, expected)


@pytest.mark.parametrize("answer", [b"", b"garbage", bytes(2000), None])
async def test_a_hostile_udp_server_gives_a_verdict_in_time(answer: bytes | None) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        loop = asyncio.get_running_loop()

        def echo() -> None:
            data, client = sock.recvfrom(2000)
            sock.sendto(data if answer is None else answer, client)

        loop.add_reader(sock, echo)
        try:
            assert (await tried(f"stun:127.0.0.1:{sock.getsockname()[1]}")).verdict is Verdict.PROTOCOL_ERROR
        finally:
            loop.remove_reader(sock)


def command(*servers: str, **others: Any) -> argparse.Namespace:
    defaults = {"servers": None, "username": None, "relay_only": True, "family": None, "json": True}
    defaults |= {"ca": None, "interface": None}
    return argparse.Namespace(server=list(servers), **(defaults | others))


@pytest.mark.requires("coturn")
async def test_the_command_prints_the_promised_json_and_no_password(tmp_path: Path) -> None:
    out = io.StringIO()
    async with coturn(tmp_path) as server:
        options = command(server.uri(), "turn:127.0.0.1:9?transport=tcp", username=USER)
        status = await asyncio.to_thread(report.run_ice, options, Logins(Secret(PASSWORD)), out)
    assert status == 1
    assert PASSWORD not in out.getvalue()
    result = json.loads(out.getvalue())
    assert sorted(result) == ["candidates", "errors", "format", "servers"]
    good, bad = result["servers"]
    assert sorted(good) == ["error", "family", "rtt_ms", "seconds", "transport", "url", "verdict"]
    assert (good["verdict"], good["transport"], good["family"], good["error"]) == ("ok", "udp", 4, None)
    assert bad["verdict"] == "refused"
    (candidate,) = result["candidates"]
    fields = "address component foundation port priority protocol related_address related_port relay_protocol time_ms"
    assert " ".join(sorted(candidate)) == f"{fields} type url"
    (error,) = result["errors"]
    assert sorted(error) == ["address", "cause", "code", "remedy", "text", "time_ms", "url"]
    assert error["cause"]
    assert error["remedy"]


@pytest.mark.requires("coturn")
async def test_the_command_reads_a_list_of_servers_and_prints_a_table(tmp_path: Path) -> None:
    out = io.StringIO()
    async with coturn(tmp_path) as server:
        file = tmp_path / "servers.json"
        entry = {"urls": [server.uri(), server.uri("tcp")], "username": USER, "credential": PASSWORD}
        file.write_text(json.dumps({"iceServers": [entry]}))
        status = await asyncio.to_thread(report.run_ice, command(servers=file, json=False), Logins(), out)
    assert status == 0
    assert PASSWORD not in out.getvalue()
    assert out.getvalue().count("ok") == 2
    assert "relay" in out.getvalue()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (command(), "no server"),
        (command("nonsense"), "does not start with"),
        (command("turn:127.0.0.1", username="alice"), "no password for alice"),
        (command(servers=Path("no-such-file.json")), "no-such-file.json"),
    ],
)
def test_arguments_that_cannot_be_used_are_named_in_one_line(options: argparse.Namespace, says: str) -> None:
    err = io.StringIO()
    assert report.run_ice(options, Logins(), io.StringIO(), err) == 2
    assert says in err.getvalue()
    assert err.getvalue().count("\n") == 1


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_cause_has_words(language: str) -> None:
    from wizard.probes.fault import Fault

    causes = [*(fault.value for fault in Fault), *(f"code-{code}" for code in KNOWN_CODES)]
    for one in [*causes, "code-other", "code-401-anonymous", "unresolved", "wrong-family", "not-stun", "mute"]:
        words = report.cause_words(one, language)
        assert words.cause
        assert words.remedy
