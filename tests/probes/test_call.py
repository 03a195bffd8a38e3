"""Calls between two ICE agents through a real coturn."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from tests.probes.coturn import CREDENTIALS, Coturn, coturn
from tests.probes.netns import FAR, cable
from tests.probes.rough_line import rough_line, steady
from wizard.model.secret import Secret
from wizard.probes.call import CONNECT_S, Call, Failure, Policy, calls
from wizard.probes.call import Path as Needed
from wizard.probes.conversation import Endpoint
from wizard.probes.relay_leg import Access
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.uri import Transport

pytestmark = pytest.mark.requires("coturn")


def access(
    port: int, transport: Transport = Transport.UDP, credentials: Credentials = CREDENTIALS, address: str = "127.0.0.1"
) -> Access:
    return Access(Endpoint(address, port, transport, "localhost"), credentials, timing=Timing(timeout_s=2.0))


async def both(to: Access, connect_s: float = CONNECT_S) -> tuple[Call, Call]:
    async with contextlib.aclosing(calls(to, connect_s)) as found:
        relayed, free = [one async for one in found]
    assert (relayed.policy, free.policy) == (Policy.RELAY_ONLY, Policy.ANY)
    return relayed, free


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_a_call_through_the_relay_alone_connects_and_carries_data(tmp_path: Path, transport: Transport) -> None:
    async with coturn(tmp_path) as server:
        relayed, _ = await both(access(server.port, transport))
        for _ in range(2):
            await server.says("lifetime=0")
    assert relayed.failure is None
    assert relayed.pair is not None
    assert (relayed.pair.local.type, relayed.pair.remote.type, relayed.pair.path) == ("relay", "relay", Needed.TURN)
    assert {relayed.pair.local.port, relayed.pair.remote.port} <= set(server.relay_ports)
    # RFC 8445 section 5.1.2.1, section 6.1.2.3.
    priority = (65535 << 8) + 255
    assert relayed.pair.local.priority == relayed.pair.remote.priority == priority
    assert relayed.pair.priority == (priority << 32) + 2 * priority
    assert relayed.echo_ms is not None


async def test_the_echo_of_a_call_takes_two_round_trips_to_the_server(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.020)) as line:
        relayed, _ = await both(access(line.port))
    assert relayed.failure is None
    assert relayed.echo_ms is not None
    assert 80 <= relayed.echo_ms < 140


async def test_a_call_outlives_some_loss(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.0, loss=0.1)) as line:
        # An agent asks again by timers that double: what is lost thrice takes it long.
        relayed, _ = await both(access(line.port), connect_s=40)
    assert relayed.failure is None


async def test_mangled_checks_are_passed_over_in_silence(tmp_path: Path) -> None:
    def mangled(data: bytes, dice: random.Random) -> bytes:
        spoilt = bytearray(data)
        if dice.random() < 0.8:
            for at in range(20, len(spoilt)):
                spoilt[at] = dice.randrange(256) if dice.random() < 0.2 else spoilt[at]
        return bytes(spoilt)

    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.0)) as line:
        line.mangled = mangled
        await both(access(line.port), connect_s=2.0)
        assert line.crossed > 4
    assert complaints == []


@pytest.mark.requires("root", "namespaces")
async def test_parties_that_see_each_other_need_no_relay(tmp_path: Path) -> None:
    with cable() as net:
        async with net.at_far(lambda: coturn(tmp_path, listen=(FAR,))) as server:
            _, free = await net.in_near(lambda: both(access(server.port, address=FAR)))
    assert free.failure is None
    assert free.pair is not None
    assert (free.pair.local.type, free.pair.remote.type, free.pair.path) == ("host", "host", Needed.P2P)
    assert free.echo_ms is not None


async def test_a_wrong_password_is_the_reason(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        relayed, _ = await both(access(server.port, credentials=Credentials("alice", Secret("not-it"))))
    assert relayed.failure is Failure.NO_ALLOCATION
    assert relayed.sentence is not None
    assert relayed.sentence.code == 401


async def test_a_policy_against_the_other_party_is_the_reason(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["denied-peer-ip=127.0.0.0-127.255.255.255"]) as server:
        relayed, _ = await both(access(server.port), connect_s=1.0)
    assert relayed.failure is Failure.REFUSED
    assert relayed.sentence is not None
    assert relayed.sentence.code == 403


async def test_a_server_that_is_killed_ends_the_call(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.0)) as line:
        line.fate = lambda _: killed(server)
        relayed, _ = await both(access(line.port), connect_s=1.0)
    assert relayed.failure is not None


def killed(server: Coturn) -> tuple[float, ...]:
    if server.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            server.process.kill()
    return ()


async def test_a_cancelled_call_releases_its_allocations(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.0)) as line:
        going = asyncio.Event()

        def lose(_: object) -> tuple[float, ...]:
            going.set()
            return ()

        line.fate = lose
        talking = asyncio.create_task(both(access(line.port)))
        await going.wait()
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking
        for _ in range(2):
            await server.says("lifetime=0")
