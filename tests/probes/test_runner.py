"""Whole runs from this computer: bounded files, prompt ends, names, and one observation for each probe."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.bench.silent_ports import silent_ports, waited_for_a_processor_s
from tests.probes.asking import a_plan, free_port, running
from tests.probes.far_ends import closed_port
from tests.probes.probing import a_place, a_probe, observe_all
from wizard.observation import Outcome
from wizard.probes.slots import Slots
from wizard.responder import Responder

_ENDS_WITHIN_S = 0.2


@pytest.mark.alone
@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.8])
async def test_a_cancelled_run_closes_every_socket_within_200_ms(after_s: float) -> None:
    with silent_ports() as probes:
        tasks, files = asyncio.all_tasks(), psutil.Process().num_fds()

        async def run() -> None:
            async for _ in a_place(5.0).observe(probes):
                pytest.fail("nothing is decided so soon")

        task = asyncio.create_task(run())
        await asyncio.sleep(after_s)  # the moment at which somebody presses Stop
        began = time.perf_counter() - waited_for_a_processor_s()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - waited_for_a_processor_s() - began < _ENDS_WITHIN_S
        assert psutil.Process().num_fds() == files
        assert asyncio.all_tasks() == tasks


@pytest.mark.alone
async def test_closing_the_iterator_closes_every_socket_within_200_ms() -> None:
    with silent_ports() as probes:
        tasks, files = asyncio.all_tasks(), psutil.Process().num_fds()
        observations = a_place(5.0).observe([a_probe(closed_port(socket.SOCK_STREAM), "tcp"), *probes])
        first = await anext(aiter(observations))
        assert first.outcome is Outcome.REFUSED
        began = time.perf_counter() - waited_for_a_processor_s()
        await observations.aclose()  # type: ignore[attr-defined]
        assert time.perf_counter() - waited_for_a_processor_s() - began < _ENDS_WITHIN_S
        assert psutil.Process().num_fds() == files
        assert asyncio.all_tasks() == tasks


async def test_a_run_leaves_no_task_and_no_socket_behind() -> None:
    port = free_port()
    async with running(Responder(a_plan(("udp", port), ("tcp", port)))):
        tasks, files = asyncio.all_tasks(), psutil.Process().num_fds()
        seen = await observe_all([a_probe(port), a_probe(port, "tcp")])
        assert {one.outcome for one in seen.values()} == {Outcome.ANSWERED}
        assert psutil.Process().num_fds() == files
        assert asyncio.all_tasks() == tasks


async def test_no_probes_are_no_observations() -> None:
    assert [one async for one in a_place().observe([])] == []


async def test_the_same_port_asked_for_two_outside_numbers_is_told_twice() -> None:
    port = free_port()
    probes = [a_probe(port, arrives=port), a_probe(port, arrives=port + 1)]
    async with running(Responder(a_plan(("udp", port)))):
        outcomes = [one.outcome async for one in a_place().observe(probes)]
    assert sorted(outcomes) == [Outcome.ANSWERED, Outcome.MISDIRECTED]


async def test_a_name_is_probed_at_its_address() -> None:
    port = free_port()
    async with running(Responder(a_plan(("tcp", port)))):
        seen = [one async for one in a_place().observe([a_probe(port, "tcp", "localhost")])]
    assert [(one.outcome, one.address) for one in seen] == [(Outcome.ANSWERED, "127.0.0.1")]


async def test_a_name_that_does_not_exist_is_said_so_of_each_of_its_ports() -> None:
    probes = [a_probe(n, protocol, "chat.invalid") for n in (1000, 1001) for protocol in ("udp", "tcp")]
    seen = await observe_all(probes)
    assert {one.outcome for one in seen.values()} == {Outcome.FAILED}
    assert all("chat.invalid" in (one.error or "") for one in seen.values())


@pytest.mark.requires("ipv6")
async def test_an_address_is_the_same_however_it_is_written() -> None:
    port = free_port()
    async with running(Responder(a_plan(("udp", port)))):
        seen = [one async for one in a_place().observe([a_probe(port, "udp", "0:0:0:0:0:0:0:1")])]
    assert [(one.outcome, one.address) for one in seen] == [(Outcome.ANSWERED, "::1")]


@pytest.mark.requires("linux")
@pytest.mark.parametrize(("files", "ports"), [(1024, 10_000), (128, 300), (32, 60)])
def test_many_ports_are_told_apart_with_few_files(files: int, ports: int, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            """
            import asyncio, collections, sys
            from tests.probes.probing import a_place, a_probe

            async def main(first, last):
                probes = [a_probe(n, protocol) for protocol in ("udp", "tcp") for n in range(first, last)]
                seen = collections.Counter([one.outcome.value async for one in a_place(2.0).observe(probes)])
                print(dict(seen))

            asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
            """
        )
    )
    # Below the range that systems give to sockets on their own, so that nobody takes these in the meantime.
    run = subprocess.run(
        ["sh", "-c", f"ulimit -n {files} && exec {sys.executable} -W error {script} 21000 {21000 + ports // 2}"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    assert run.stdout.strip() == str({"refused": ports})


async def test_slots_are_given_in_the_order_of_asking_and_none_is_lost() -> None:
    slots = Slots(4)
    await slots.take(3)
    order: list[str] = []

    async def take(name: str, count: int) -> None:
        await slots.take(count)
        order.append(name)

    many, few, gone = (asyncio.create_task(take(name, n)) for name, n in (("many", 4), ("few", 1), ("gone", 1)))
    await asyncio.sleep(0)
    gone.cancel()
    slots.give(3)
    await asyncio.wait_for(many, 1)
    assert order == ["many"]
    assert not few.done()
    slots.give(4)
    await asyncio.wait_for(few, 1)
    slots.give(1)
    await asyncio.wait_for(slots.take(4), 1)


async def test_who_wants_more_slots_than_there_are_gets_all_of_them_and_waits_for_no_more() -> None:
    slots = Slots(4)
    async with asyncio.timeout(1):
        await slots.take(9)
    other = asyncio.create_task(slots.take(4))
    await asyncio.sleep(0)
    assert not other.done()
    slots.give(9)
    async with asyncio.timeout(1):
        await other
