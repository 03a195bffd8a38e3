"""What a relay does to a call's packets: measured through a real coturn, over lines whose faults are known."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from tests.probes.coturn import CREDENTIALS, Coturn, coturn
from tests.probes.rough_line import rough_line, steady
from wizard.model.secret import Secret
from wizard.probes.conversation import Endpoint
from wizard.probes.relay_leg import Access, Leg, legs
from wizard.probes.relay_ports import Direct, Place, place_of
from wizard.probes.relay_quality import Halt, Options, Progress, Quality, measure
from wizard.probes.server_verdict import Sentence, Verdict
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.uri import Transport

pytestmark = pytest.mark.requires("coturn")

SHORT = Options(seconds=1.0, ports=2)
LONG = Options(seconds=60.0, ports=2)
BUSY_MS = 25.0
"""What a busy machine may add to a delay."""


def access(port: int, transport: Transport = Transport.UDP, credentials: Credentials = CREDENTIALS) -> Access:
    return Access(Endpoint("127.0.0.1", port, transport, "localhost"), credentials, timing=Timing(timeout_s=2.0))


class _StoppedError(Exception):
    """Somebody stops the test."""


async def measured(to: Access, options: Options = SHORT) -> Quality:
    async with contextlib.aclosing(measure(to, options)) as events:
        (quality,) = [event async for event in events if isinstance(event, Quality)]
    return quality


async def all_released(server: Coturn, count: int) -> None:
    for _ in range(count):
        await server.says("lifetime=0")


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_a_good_relay_carries_everything(tmp_path: Path, transport: Transport) -> None:
    async with coturn(tmp_path) as server:
        quality = await measured(access(server.port, transport))
        await all_released(server, 2)
    assert quality.halted is None
    assert [way.loss_percent for way in quality.ways] == [0, 0]
    assert {figures.sent for way in quality.ways for figures in (way.voice, way.video)} == {50}
    assert quality.delay is not None
    assert 0 < quality.delay.min_ms <= quality.delay.median_ms <= quality.delay.p95_ms
    assert quality.delay.median_ms < BUSY_MS
    # Twice 50 packets of 160 bytes and 50 of 1,000 each second.
    assert quality.throughput_bits == pytest.approx(928_000, rel=0.1)
    assert {port.direct for port in quality.survey.ports} == {Direct.BOTH_WAYS}
    assert all(address[1] in server.relay_ports for address in quality.relayed)


async def test_loss_is_told_to_the_packet_and_delay_to_milliseconds(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.025, loss=0.03)) as line:
        quality = await measured(access(line.port))
    lost = [figures.lost for way in quality.ways for figures in (way.voice, way.video)]
    assert sum(lost) == line.lost > 0
    assert quality.loss_percent == max(way.loss_percent for way in quality.ways) > 0
    assert quality.delay is not None
    assert quality.delay.min_ms >= 50
    assert quality.delay.median_ms == pytest.approx(50, abs=BUSY_MS)


async def test_packets_that_come_twice_are_no_gain(tmp_path: Path) -> None:
    def twice(_: random.Random) -> tuple[float, ...]:
        return 0.0, 0.001

    async with coturn(tmp_path) as server, rough_line(server.port, twice) as line:
        quality = await measured(access(line.port))
    figures = [figures for way in quality.ways for figures in (way.voice, way.video)]
    assert [one.received for one in figures] == [one.sent for one in figures]
    # Doubled on the way up and each copy again on the way down; the last may come too late to count.
    assert 2.5 * sum(one.sent for one in figures) < sum(one.duplicates for one in figures)


async def test_overtaken_packets_and_their_jitter_are_told(tmp_path: Path) -> None:
    def uneven(dice: random.Random) -> tuple[float, ...]:
        return (dice.choice((0.005, 0.045)),)

    async with coturn(tmp_path) as server, rough_line(server.port, uneven) as line:
        quality = await measured(access(line.port))
    assert quality.loss_percent == 0
    assert quality.reordered > 10
    assert quality.jitter_ms is not None
    # Two crossings of 5 or 45 ms each: neighbours differ by 0, 40 or 80 ms, by 30 on average.
    assert 12 < quality.jitter_ms < 60


async def test_progress_comes_while_it_runs(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, contextlib.aclosing(measure(access(server.port), SHORT)) as events:
        moments = [event async for event in events if isinstance(event, Progress)]
    assert len(moments) >= 4
    assert [moment.at_s for moment in moments] == sorted(moment.at_s for moment in moments)
    assert sum(moment.delay is not None for moment in moments) >= 4
    assert moments[-1].loss_percent == 0


async def test_a_server_that_is_killed_ends_the_test_with_its_reason(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, contextlib.aclosing(measure(access(server.port), LONG)) as events:
        async for event in events:
            if isinstance(event, Progress) and server.process.returncode is None:
                server.process.kill()
                await server.process.wait()
            last = event
    assert isinstance(last, Quality)
    assert last.halted is not None
    assert last.halted.halt is Halt.WENT_AWAY
    assert last.halted.sentence is not None
    assert last.halted.sentence.verdict is Verdict.REFUSED
    assert last.seconds < 30


async def test_a_line_that_is_cut_ends_the_test(tmp_path: Path) -> None:
    async with (
        coturn(tmp_path) as server,
        rough_line(server.port, steady(0.0)) as line,
        contextlib.aclosing(measure(access(line.port), LONG)) as events,
    ):
        async for event in events:
            line.cut = line.cut or isinstance(event, Progress)
            last = event
    assert isinstance(last, Quality)
    assert last.halted is not None
    assert last.halted.halt is Halt.FELL_SILENT
    assert last.seconds < 30


async def test_a_stopped_test_releases_every_allocation(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        async with contextlib.aclosing(measure(access(server.port), Options(seconds=60, ports=3))) as events:
            async for event in events:
                if isinstance(event, Progress):
                    break
        await all_released(server, 3)


async def test_a_wrong_password_is_the_reason(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        quality = await measured(access(server.port, credentials=Credentials("alice", Secret("not-it"))))
    assert quality.halted is not None
    assert quality.halted.halt is Halt.NO_ALLOCATION
    assert quality.halted.sentence is not None
    assert (quality.halted.sentence.verdict, quality.halted.sentence.code) == (Verdict.AUTH_FAILED, 401)


async def test_a_user_with_one_allocation_cannot_have_a_call(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=1"]) as server:
        quality = await measured(access(server.port))
    assert quality.halted is not None
    assert quality.halted.halt is Halt.NO_SECOND_ALLOCATION
    assert quality.halted.sentence is not None
    assert quality.halted.sentence.code == 486
    assert len(quality.survey.ports) == 1


async def test_a_policy_against_the_relay_itself_is_told(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["denied-peer-ip=127.0.0.0-127.255.255.255"]) as server:
        quality = await measured(access(server.port))
    assert quality.halted is not None
    assert quality.halted.halt is Halt.NO_CHANNEL
    assert quality.halted.sentence is not None
    assert quality.halted.sentence.code == 403
    assert {port.direct for port in quality.survey.ports} == {Direct.NOT_PERMITTED}


async def test_the_quota_is_seen_by_the_addresses_that_are_not_given(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=3"]) as server:
        quality = await measured(access(server.port), Options(seconds=1.0, ports=8))
    seen = quality.survey
    assert quality.halted is None
    assert len(seen.ports) == 3
    assert seen.refused is not None
    assert seen.refused.code == 486


@pytest.mark.requires("ipv6")
async def test_the_relay_is_of_the_family_that_was_asked_for(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        to = Access(Endpoint("127.0.0.1", server.port, Transport.UDP, "localhost"), CREDENTIALS, family=6)
        quality = await measured(to)
    assert quality.halted is None
    assert {address[0] for address in quality.relayed} == {"::1"}
    assert quality.loss_percent == 0


async def test_a_hurried_release_of_many_waits_for_none(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.0)) as line:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(_StoppedError):
            async with legs(access(line.port)) as held:
                given = await held.allocate(30)
                assert all(isinstance(one, Leg) for one in given)
                line.cut = True
                began = loop.time()
                raise _StoppedError
        assert loop.time() - began < 1.0


async def test_no_more_is_asked_of_a_server_that_refuses(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=5"]) as server, legs(access(server.port)) as held:
        given = await held.allocate(50)
    assert len(given) < 50
    assert sum(isinstance(one, Leg) for one in given) == 5
    assert {one.code for one in given if isinstance(one, Sentence)} == {486}


@pytest.mark.parametrize(
    ("server", "relayed", "place"),
    [
        ("203.0.113.7", "203.0.113.7", Place.FITS),
        ("203.0.113.7", "203.0.113.8", Place.DIFFERS),
        ("203.0.113.7", "10.0.0.5", Place.PRIVATE),
        ("203.0.113.7", "100.64.3.4", Place.PRIVATE),
        ("203.0.113.7", "127.0.0.1", Place.PRIVATE),
        ("203.0.113.7", "0.0.0.0", Place.PRIVATE),
        ("203.0.113.7", "2001:db8::7", Place.FITS),
        ("203.0.113.7", "fd00::7", Place.PRIVATE),
        ("192.168.1.5", "172.18.0.2", Place.DIFFERS),
        ("192.168.1.5", "203.0.113.7", Place.DIFFERS),
        ("192.168.1.5", "192.168.1.5", Place.FITS),
    ],
)
def test_where_a_relayed_address_is_beside_the_server(server: str, relayed: str, place: Place) -> None:
    assert place_of(server, relayed) is place
