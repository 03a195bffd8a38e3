"""A production list of seven servers, with one dead, one that refuses and one wrong password; and what happens when a
server goes away under way."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest

from tests.probes.coturn import CREDENTIALS, PASSWORD, USER, coturn
from wizard.probes.candidate import ServerTried
from wizard.probes.conversation import Endpoint, converse, new_client
from wizard.probes.fault import LinkFault
from wizard.probes.ice import Options, Target, gather
from wizard.probes.server_verdict import Verdict, verdict_of
from wizard.wire import uri
from wizard.wire.request import Timing
from wizard.wire.turn_event import Succeeded, Unanswered
from wizard.wire.uri import Transport

from .ice_command import hopwise_ice
from .ice_street import SERVER, street


@pytest.mark.requires("root", "nft", "coturn")
async def test_seven_servers_take_the_time_of_the_slowest_and_each_has_its_own_verdict(tmp_path: Path) -> None:
    with street() as there:
        there.filter("udp dport 3001 drop")
        async with there.coturn(tmp_path) as server:
            good = {"username": USER, "credential": PASSWORD}
            listed = [
                ("ok", f"stun:{SERVER}:{server.port}", {}),
                ("refused", f"stun:{SERVER}:3003", {}),
                ("ok", f"turn:{SERVER}:{server.port}?transport=udp", good),
                ("ok", f"turn:{SERVER}:{server.port}?transport=tcp", good),
                ("unreachable", f"turn:{SERVER}:3001?transport=udp", good),
                ("auth-failed", f"turn:{SERVER}:{server.port}?transport=udp", good | {"credential": "not-it"}),
                ("refused", f"turn:{SERVER}:3003?transport=tcp", good),
            ]
            file = tmp_path / "servers.json"
            file.write_text(json.dumps({"iceServers": [{"urls": url} | rest for _, url, rest in listed]}))
            result = await hopwise_ice(there.home, "--servers", str(file))
            alone = await hopwise_ice(there.home, "--server", listed[4][1])
    verdicts = sorted((server["url"], server["verdict"]) for server in result["servers"])
    assert verdicts == sorted((url, verdict) for verdict, url, _ in listed)
    assert result["status"] == 1
    slowest = max(server["seconds"] for server in result["servers"])
    last_ms = max(error["time_ms"] for error in result["errors"])
    assert last_ms / 1000 < 1.15 * slowest
    # Nor does the dead one take longer for the company that it has.
    assert slowest < 1.15 * alone["servers"][0]["seconds"]
    assert {error["code"] for error in result["errors"]} == {401, 701}


@pytest.mark.alone
@pytest.mark.requires("coturn")
@pytest.mark.parametrize(("transport", "verdict"), [("udp", Verdict.REFUSED), ("tcp", Verdict.PROTOCOL_ERROR)])
async def test_a_server_that_dies_between_two_requests_is_told_at_once(
    tmp_path: Path, transport: str, verdict: Verdict
) -> None:
    kind = Transport(transport)
    async with coturn(tmp_path) as server:
        client = new_client(kind, CREDENTIALS, Timing(timeout_s=2.0))
        began = 0.0
        async with converse(Endpoint("127.0.0.1", server.port, kind, "localhost"), client) as talk:
            assert not isinstance(talk, LinkFault)
            assert isinstance(await talk.ask(client.allocate), Succeeded)
            server.process.kill()
            await server.process.wait()
            began = time.monotonic()
            reply = await talk.ask(lambda now: client.refresh(now, 600))
            assert verdict_of(reply, has_credentials=True, stream=kind is Transport.TCP).verdict is verdict
    # The release, too, finds nobody.
    assert time.monotonic() - began < 1.0


@pytest.mark.alone
@pytest.mark.requires("coturn")
async def test_a_server_that_freezes_under_way_is_unanswered_in_its_time(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        client = new_client(Transport.UDP, CREDENTIALS, Timing(timeout_s=0.8))
        async with converse(Endpoint("127.0.0.1", server.port, Transport.UDP, "localhost"), client) as talk:
            assert not isinstance(talk, LinkFault)
            assert isinstance(await talk.ask(client.allocate), Succeeded)
            server.process.send_signal(19)  # SIGSTOP
            began = time.monotonic()
            reply = await talk.ask(lambda now: client.refresh(now, 600))
            assert isinstance(reply, Unanswered)
            assert 0.7 < time.monotonic() - began < 2.0


@pytest.mark.alone
@pytest.mark.requires("coturn")
async def test_killing_the_server_amid_a_gathering_of_many_leaves_no_row_without_a_verdict(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        urls = [server.uri("udp"), server.uri("tcp"), server.uri("udp", "[::1]"), server.uri("tcp", "[::1]")]
        targets = [Target(uri.parse(url), who) for url in urls for who in (CREDENTIALS, None)]
        began = time.monotonic()
        tried = []
        options = Options(relay_only=True, timing=Timing(timeout_s=1.0))
        async with contextlib.aclosing(gather(targets, options)) as events:
            async for event in events:
                if isinstance(event, ServerTried):
                    tried.append(event)
                if server.process.returncode is None:
                    server.process.kill()
                    await server.process.wait()
        took = time.monotonic() - began
    assert len(tried) == len(targets)
    assert took < 4.0
    assert all((one.verdict is Verdict.OK) is (one.error is None) for one in tried)
