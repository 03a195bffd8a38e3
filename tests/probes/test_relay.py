"""Probes that a real TURN server sends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import trustme

from tests.probes.asking import KEY, a_plan, free_port, running
from tests.probes.coturn import PASSWORD, USER, coturn
from tests.probes.far_ends import tcp
from tests.probes.forwarder import forwarder
from wizard.model.hop import Hop, HopKind
from wizard.model.port import Protocol, Speaks
from wizard.model.secret import Secret
from wizard.observation import Observation, Outcome, RelayChecked
from wizard.plan import Probe
from wizard.responder import Responder
from wizard.vantage.relay import RelayPlace

pytestmark = pytest.mark.requires("coturn")
TIMEOUT_S = 1.5


def hop(address: str = "127.0.0.1") -> Hop:
    return Hop("chat", HopKind.SERVICE, address=address)


def probe(protocol: Protocol, port: int, address: str = "127.0.0.1", speaks: Speaks | None = None) -> Probe:
    return Probe("relay", "chat", address, port, protocol, port, (("chat", port),), speaks, "/")


async def observed(
    server: str,
    probes: Sequence[Probe],
    *,
    password: str = PASSWORD,
    timeout_s: float = TIMEOUT_S,
    hops: Sequence[Hop] = (hop(), hop("::1")),
) -> tuple[list[Observation], list[RelayChecked]]:
    place = RelayPlace(
        "relay", server=server, username=USER, password=Secret(password), key=KEY, hops=hops, timeout_s=timeout_s
    )
    observations: list[Observation] = []
    facts: list[RelayChecked] = []
    async with contextlib.aclosing(place.observe(probes)) as items:
        async for item in items:
            if isinstance(item, Observation):
                observations.append(item)
            else:
                assert isinstance(item, RelayChecked)
                facts.append(item)
    told = sorted((o.address, o.port, o.protocol) for o in observations)
    assert told == sorted((p.address, p.port, p.protocol) for p in probes)
    return observations, facts


async def outcome(server: str, one: Probe, **options: object) -> Outcome:
    observations, _ = await observed(server, [one], **options)  # type: ignore[arg-type]
    return observations[0].outcome


@contextlib.asynccontextmanager
async def answering(*ports: tuple[str, int]) -> AsyncIterator[None]:
    async with running(Responder(a_plan(*ports), addresses=("127.0.0.1", "::1"))):
        yield


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("protocol", list(Protocol))
async def test_a_responder_answers_through_the_relay(
    tmp_path: Path, transport: str, address: str, protocol: Protocol
) -> None:
    port = free_port()
    async with coturn(tmp_path) as server, answering((protocol.value, port)):
        observations, facts = await observed(server.uri(transport), [probe(protocol, port, address)])
    assert observations[0].outcome is Outcome.ANSWERED
    assert observations[0].stands_at == "chat"
    relayed = facts[0].relayed
    assert relayed is not None
    assert int(relayed.rpartition(":")[2]) in server.relay_ports
    assert observations[0].source == ("127.0.0.1/32" if address == "127.0.0.1" else "::1/128")
    assert observations[0].seen_as == relayed


async def test_a_tcp_port_where_nothing_listens_is_refused_and_a_silent_udp_port_is_silent(tmp_path: Path) -> None:
    closed, silent = free_port(), free_port()
    async with coturn(tmp_path) as server:
        observations, _ = await observed(server.uri(), [probe(Protocol.TCP, closed), probe(Protocol.UDP, silent)])
    found = {o.protocol: o.outcome for o in observations}
    assert found == {Protocol.TCP: Outcome.REFUSED, Protocol.UDP: Outcome.SILENT}


async def test_a_tcp_port_that_hangs_up_on_everyone_is_closed(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pass

    async with coturn(tmp_path) as server, tcp(hang_up) as port:
        assert await outcome(server.uri(), probe(Protocol.TCP, port)) is Outcome.CLOSED


async def test_a_tcp_port_that_hangs_up_a_little_later_is_closed(tmp_path: Path) -> None:
    # As a tunnel server does that first asks its client to dial.
    async def hang_up_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)

    async with coturn(tmp_path) as server, tcp(hang_up_late) as port:
        assert await outcome(server.uri(), probe(Protocol.TCP, port)) is Outcome.CLOSED


async def test_a_service_that_only_dislikes_our_bytes_is_accepted_and_not_closed(tmp_path: Path) -> None:
    async def hang_up_on_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with coturn(tmp_path) as server, tcp(hang_up_on_bytes) as port:
        assert await outcome(server.uri(), probe(Protocol.TCP, port)) is Outcome.ACCEPTED


async def test_a_tcp_port_that_takes_all_and_says_nothing_is_accepted(tmp_path: Path) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass

    async with coturn(tmp_path) as server, tcp(listen) as port:
        assert await outcome(server.uri(), probe(Protocol.TCP, port)) is Outcome.ACCEPTED


@pytest.mark.parametrize("banner", [b"220 mail.example.org ESMTP\r\n", b"\x00" * 100_000])
async def test_bytes_that_prove_nothing_are_alien(tmp_path: Path, banner: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(banner)
        await writer.drain()
        await reader.read(1)

    async with coturn(tmp_path) as server, tcp(speak) as port:
        assert await outcome(server.uri(), probe(Protocol.TCP, port)) is Outcome.ALIEN


async def test_a_web_server_proves_itself_through_the_relay(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

    async with coturn(tmp_path) as server, tcp(serve) as port:
        assert await outcome(server.uri(), probe(Protocol.TCP, port, speaks=Speaks.HTTP)) is Outcome.ANSWERED


async def test_a_forbidden_peer_is_not_permitted_and_says_so(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["denied-peer-ip=127.0.0.1"]) as server:
        probes = [probe(Protocol.UDP, free_port()), probe(Protocol.TCP, free_port())]
        observations, facts = await observed(server.uri(), probes)
    assert {o.outcome for o in observations} == {Outcome.NOT_PERMITTED}
    assert all("403" in (o.error or "") for o in observations)
    assert [fact.code for fact in facts if fact.relayed is None] == [403]


async def test_a_wrong_password_fails_and_never_blames_the_port(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        observations, facts = await observed(server.uri(), [probe(Protocol.UDP, 9)], password="wrong-one")
    assert observations[0].outcome is Outcome.FAILED
    assert "password" in (observations[0].error or "")
    assert "wrong-one" not in repr((observations, facts))
    assert facts[0].code == 401


async def test_a_used_up_quota_leaves_ports_unchecked(tmp_path: Path) -> None:
    port = free_port()
    async with coturn(tmp_path, ["user-quota=1"]) as server, answering(("udp", port)):
        place = RelayPlace(
            "relay", server=server.uri(), username=USER, password=Secret(PASSWORD), key=KEY, hops=[hop()], timeout_s=9
        )
        silent = probe(Protocol.UDP, free_port())
        async with contextlib.aclosing(place.observe([silent])) as holder:
            # The first fact says that its allocation stands.
            assert isinstance(await anext(holder), RelayChecked)
            observations, facts = await observed(server.uri(), [probe(Protocol.UDP, port)])
        assert observations[0].outcome is Outcome.NOT_CHECKED
        assert facts[0].code == 486


@pytest.mark.alone
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_leaving_early_releases_the_allocation(tmp_path: Path, transport: str) -> None:
    async with coturn(tmp_path) as server:
        place = RelayPlace(
            "relay",
            server=server.uri(transport),
            username=USER,
            password=Secret(PASSWORD),
            key=KEY,
            hops=[hop()],
            timeout_s=9,
        )
        async with contextlib.aclosing(place.observe([probe(Protocol.UDP, free_port())])) as items:
            assert isinstance(await anext(items), RelayChecked)
            began = time.monotonic()
        assert time.monotonic() - began < 0.2
        await server.says("lifetime=0")


async def test_a_server_without_tcp_relaying_leaves_tcp_unchecked_and_does_udp(tmp_path: Path) -> None:
    port = free_port()
    async with coturn(tmp_path, ["no-tcp-relay"]) as server, answering(("udp", port), ("tcp", port)):
        observations, _ = await observed(server.uri(), [probe(Protocol.UDP, port), probe(Protocol.TCP, port)])
    found = {o.protocol: o.outcome for o in observations}
    assert found == {Protocol.UDP: Outcome.ANSWERED, Protocol.TCP: Outcome.NOT_CHECKED}


@pytest.mark.alone
@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("there", [True, False])
async def test_a_dead_server_fails_in_time_and_never_blames_the_port(protocol: Protocol, there: bool) -> None:
    kind = socket.SOCK_DGRAM if protocol is Protocol.UDP else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as mute:
        mute.bind(("127.0.0.1", 0))
        number = mute.getsockname()[1]
        if not there:
            mute.close()
        elif protocol is Protocol.TCP:
            mute.listen(1)
        began = time.monotonic()
        assert await outcome(f"turn:127.0.0.1:{number}", probe(protocol, 9)) is Outcome.FAILED
        assert time.monotonic() - began < 2 * TIMEOUT_S


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_server_that_dies_on_the_way_leaves_no_port_blamed(tmp_path: Path, transport: str) -> None:
    open_port, silent = free_port(), free_port()
    async with coturn(tmp_path) as server, answering(("udp", open_port)):
        place = RelayPlace(
            "relay",
            server=server.uri(transport),
            username=USER,
            password=Secret(PASSWORD),
            key=KEY,
            hops=[hop()],
            timeout_s=TIMEOUT_S,
        )
        found: dict[int, Outcome] = {}
        probes = [probe(Protocol.UDP, open_port), probe(Protocol.UDP, silent)]
        async with contextlib.aclosing(place.observe(probes)) as items:
            async for item in items:
                if isinstance(item, Observation):
                    found[item.port] = item.outcome
                    if item.port == open_port:
                        server.process.kill()
    assert found == {open_port: Outcome.ANSWERED, silent: Outcome.FAILED}


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_a_relay_is_reached_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: Protocol) -> None:
    port = free_port()
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    made.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    both = tmp_path / "both.pem"
    async with coturn(tmp_path, certificate=(both, both)) as server, answering((protocol.value, port)):
        one = probe(protocol, port)
        assert await outcome(server.uri(scheme="turns"), one) is Outcome.FAILED
        # OpenSSL's own name for the file of those whom the system trusts.
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert await outcome(server.uri(scheme="turns"), one) is Outcome.ANSWERED


async def test_an_address_that_the_project_does_not_list_is_never_talked_to(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        observations, facts = await observed(server.uri(), [probe(Protocol.UDP, 9, "127.0.0.2")])
    assert observations[0].outcome is Outcome.NOT_CHECKED
    assert facts == []


async def test_every_third_packet_lost_on_the_way_to_the_relay_leaves_open_ports_open(tmp_path: Path) -> None:
    ports = [free_port() for _ in range(40)]
    async with (
        coturn(tmp_path) as server,
        answering(*(("udp", port) for port in ports)),
        forwarder(server.port, lossy=True) as front,
    ):
        probes = [probe(Protocol.UDP, port) for port in ports]
        observations, _ = await observed(f"turn:127.0.0.1:{front}", probes, timeout_s=4.0)
    assert {o.outcome for o in observations} == {Outcome.ANSWERED}


@pytest.mark.alone
async def test_many_silent_ports_take_one_time_out(tmp_path: Path) -> None:
    probes = [probe(Protocol.UDP, number) for number in range(33000, 33302)]
    async with coturn(tmp_path) as server:
        began = time.monotonic()
        observations, _ = await observed(server.uri(), probes, timeout_s=4.0)
        took = time.monotonic() - began
    assert {o.outcome for o in observations} == {Outcome.SILENT}
    assert took < 1.3 * 4.0
