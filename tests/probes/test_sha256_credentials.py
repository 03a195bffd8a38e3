"""Credentials of RFC 8489 over real sockets: SHA-256, negotiated algorithms, hashed user names."""

from __future__ import annotations

import contextlib

import pytest

from tests.probes.sha256_server import MD5, SHA256, SOFTWARE, Demand, Sha256Server
from wizard.model.secret import Secret
from wizard.probes.candidate import Candidate, ServerTried
from wizard.probes.conversation import Endpoint, converse, new_client
from wizard.probes.fault import LinkFault
from wizard.probes.ice import Options, Target, gather
from wizard.probes.server_verdict import Verdict
from wizard.wire import uri
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.turn_event import Succeeded
from wizard.wire.uri import Transport

USER, PASSWORD = "jürgen", "Sommer-4711 ß"
CREDENTIALS = Credentials(USER, Secret(PASSWORD))
BOTH = Demand.ALGORITHMS | Demand.ANONYMITY
QUICK = Options(relay_only=True, timing=Timing(timeout_s=0.6))


def server(demand: Demand, *offered: int) -> Sha256Server:
    return Sha256Server(USER, PASSWORD, demand, offered)


async def gathered(text: str, credentials: Credentials = CREDENTIALS) -> tuple[ServerTried, list[Candidate]]:
    async with contextlib.aclosing(gather([Target(uri.parse(text), credentials)], QUICK)) as events:
        found = [event async for event in events]
    (tried,) = (event for event in found if isinstance(event, ServerTried))
    return tried, [event for event in found if isinstance(event, Candidate)]


@pytest.mark.parametrize(
    ("demand", "offered", "signed"),
    [
        (Demand.ALGORITHMS, (SHA256,), "sha-256, key sha-256, name"),
        (Demand.ALGORITHMS, (SHA256, MD5), "sha-256, key sha-256, name"),
        (Demand.ALGORITHMS, (MD5, SHA256), "sha-256, key md5, name"),
        (Demand.ALGORITHMS, (9, SHA256), "sha-256, key sha-256, name"),
        (Demand.ALGORITHMS, (MD5,), "sha-256, key md5, name"),
        (BOTH, (SHA256, MD5), "sha-256, key sha-256, hash"),
        (Demand.ANONYMITY, (), "sha-1, key md5, hash"),
        (Demand.NOTHING, (), "sha-1, key md5, name"),
    ],
)
async def test_each_demand_is_met_in_two_round_trips_by_udp_and_tcp(
    demand: Demand, offered: tuple[int, ...], signed: str
) -> None:
    for transport in ("udp", "tcp"):
        there = server(demand, *offered)
        async with there.running() as (by_udp, by_tcp):
            port = by_udp if transport == "udp" else by_tcp
            tried, candidates = await gathered(f"turn:127.0.0.1:{port}?transport={transport}")
        assert tried.verdict is Verdict.OK, tried.error
        assert len(candidates) == 1
        # The allocation, and its release.
        assert there.asked == [signed] * 2
        assert there.refused == [401]
        assert there.released.is_set()
        said = b"".join(there.heard)
        assert (USER.encode() in said) is (Demand.ANONYMITY not in demand)
        assert PASSWORD.encode() not in said


async def test_a_wrong_password_or_user_is_refused_as_credentials_after_one_try() -> None:
    for one in (Credentials(USER, Secret("Winter")), Credentials("jurgen", Secret(PASSWORD))):
        for demand in (Demand.ALGORITHMS, BOTH):
            there = server(demand, SHA256)
            async with there.running() as (port, _):
                tried, candidates = await gathered(f"turn:127.0.0.1:{port}", one)
            assert (tried.verdict, candidates) == (Verdict.AUTH_FAILED, [])
            assert there.refused == [401, 401]


async def test_a_stale_nonce_is_met_with_a_fresh_one_under_sha_256() -> None:
    there = server(BOTH, SHA256)
    async with there.running() as (port, _):
        client = new_client(Transport.UDP, CREDENTIALS, QUICK.timing)
        async with converse(Endpoint("127.0.0.1", port, Transport.UDP, "localhost"), client) as talk:
            assert not isinstance(talk, LinkFault)
            assert isinstance(await talk.ask(client.allocate), Succeeded)
            there.stale = 1
            assert isinstance(await talk.ask(lambda now: client.refresh(now, 300)), Succeeded)
            assert client.software == SOFTWARE
    assert there.refused == [401, 438]
    assert there.released.is_set()


@pytest.mark.parametrize("attribute", [0x0008, 0x8022])
async def test_an_answer_that_is_not_signed_with_what_was_negotiated_is_not_believed(attribute: int) -> None:
    there = server(Demand.ALGORITHMS, SHA256)
    there.signs_with = attribute
    async with there.running() as (by_udp, by_tcp):
        for url in (f"turn:127.0.0.1:{by_udp}", f"turn:127.0.0.1:{by_tcp}?transport=tcp"):
            tried, candidates = await gathered(url)
            assert (tried.verdict, candidates) == (Verdict.PROTOCOL_ERROR, [])
            assert "not signed" in (tried.error or "")
