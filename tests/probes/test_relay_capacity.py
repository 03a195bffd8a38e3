"""How many sessions a real coturn carries, and that the ramp stops where it must."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from tests.probes.coturn import CREDENTIALS, coturn
from tests.probes.rough_line import rough_line, steady
from wizard.probes.conversation import Endpoint
from wizard.probes.relay_capacity import Capacity, Limit, Load, Ramping, Step, ramp
from wizard.probes.relay_leg import Access
from wizard.wire.request import Timing
from wizard.wire.uri import Transport

LIGHT = Load(4, 0.2)


def access(port: int, transport: Transport = Transport.UDP) -> Access:
    return Access(Endpoint("127.0.0.1", port, transport, "localhost"), CREDENTIALS, timing=Timing(timeout_s=2.0))


async def ramped(to: Access, load: Load) -> tuple[list[Step], Capacity]:
    async with contextlib.aclosing(ramp(to, load)) as events:
        found = [event async for event in events]
    (capacity,) = (event for event in found if isinstance(event, Capacity))
    steps = [event for event in found if isinstance(event, Step)]
    assert capacity.steps == tuple(steps)
    return steps, capacity


@pytest.mark.parametrize(
    ("load", "steps"),
    [
        (Load(10, 0.5), (2, 4, 8, 10)),
        (Load(50, 1.0), (4, 12, 24, 38, 50)),
        (Load(200, 1.0), (20, 50, 100, 150, 200)),
        (Load(2, 1.0), (2,)),
    ],
)
def test_sessions_grow_in_pairs_up_to_what_is_asked(load: Load, steps: tuple[int, ...]) -> None:
    assert load.steps == steps


def test_the_largest_ramp_sends_a_bounded_number_of_bytes() -> None:
    assert Load(200, 1.0).most_bytes == 130_000_000


@pytest.mark.requires("coturn")
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_a_server_that_carries_the_load_has_no_limit(tmp_path: Path, transport: Transport) -> None:
    async with coturn(tmp_path) as server:
        steps, capacity = await ramped(access(server.port, transport), LIGHT)
        for _ in range(LIGHT.sessions):
            await server.says("lifetime=0")
    assert (capacity.carried, capacity.limit, capacity.given) == (4, Limit.NONE, 4)
    assert [step.sessions for step in steps] == list(LIGHT.steps)
    for step in steps:
        assert step.carried_bits == pytest.approx(step.sessions * 200_000, rel=0.1)
        assert step.loss_percent == 0


@pytest.mark.requires("coturn")
async def test_a_quota_ends_the_ramp_with_its_code(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=5"]) as server:
        _, capacity = await ramped(access(server.port), Load(10, 0.1))
    assert (capacity.limit, capacity.carried, capacity.given) == (Limit.REFUSED, 4, 5)
    assert capacity.sentence is not None
    assert capacity.sentence.code == 486


@pytest.mark.requires("coturn")
async def test_loss_ends_the_ramp_before_its_step_is_over(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.0, loss=0.05)) as line:
        steps, capacity = await ramped(access(line.port), Load(10, 0.5))
    assert (capacity.limit, capacity.carried) == (Limit.LOSS, 0)
    (step,) = steps
    assert step.seconds < 1.9
    assert step.loss_percent > 1


@pytest.mark.requires("coturn")
async def test_a_server_that_limits_bandwidth_is_found_out(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["max-bps=30000"]) as server:
        _, within = await ramped(access(server.port), Load(2, 0.1))
        _, beyond = await ramped(access(server.port), Load(2, 0.5))
    assert (within.limit, within.carried) == (Limit.NONE, 2)
    assert (beyond.limit, beyond.carried) == (Limit.LOSS, 0)


@pytest.mark.requires("coturn")
async def test_a_delay_that_grows_ends_the_ramp(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.010)) as line:

        def crowded(_: random.Random) -> tuple[float, ...]:
            # The first step's 84 packets cross up and down.
            return (0.010,) if line.crossed < 200 else (0.150,)

        line.fate = crowded
        _, capacity = await ramped(access(line.port), Load(10, 0.2))
    assert (capacity.limit, capacity.carried) == (Limit.DELAY, 2)
    assert capacity.steps[-1].delay is not None
    assert capacity.steps[0].delay is not None
    assert capacity.steps[0].delay.median_ms < 100 < capacity.steps[-1].delay.p95_ms


@pytest.mark.requires("coturn")
async def test_what_this_computer_cannot_send_is_not_blamed_on_the_server(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        _, capacity = await ramped(access(server.port), Load(2, 20_000.0))
    assert (capacity.limit, capacity.carried) == (Limit.COMPUTER, 0)


@pytest.mark.requires("coturn")
async def test_a_server_that_is_killed_ends_the_ramp(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, contextlib.aclosing(ramp(access(server.port), Load(10, 0.2))) as events:
        async for event in events:
            if isinstance(event, Step) and server.process.returncode is None:
                server.process.kill()
                await server.process.wait()
            last = event
    assert isinstance(last, Capacity)
    assert (last.limit, last.carried) == (Limit.WENT_AWAY, 2)
    assert last.sentence is not None


@pytest.mark.requires("coturn")
async def test_a_cancelled_ramp_releases_every_allocation(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        going = asyncio.Event()

        async def run() -> None:
            async with contextlib.aclosing(ramp(access(server.port), Load(40, 0.2))) as events:
                async for event in events:
                    if isinstance(event, Ramping) and event.sessions >= 10:
                        going.set()

        task = asyncio.create_task(run())
        await going.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for _ in range(10):
            await server.says("lifetime=0")
