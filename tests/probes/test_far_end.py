"""What the sockets of another host see is what those of this computer see."""

from __future__ import annotations

import ast
import asyncio
import signal
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.probes.asking import KEY, WITHIN_S, a_plan, free_port, running
from tests.probes.far_ends import Reply, closed_port, silent_tcp, silent_udp, tcp, udp
from tests.probes.far_process import far_place
from tests.probes.netns import FAR, cable
from tests.probes.probing import a_place, a_probe
from tests.probes.test_responder_command import interpreter
from wizard.model.port import Speaks
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.responder import Responder
from wizard.vantage.far_script import ending_with_standard_input, sockets_script
from wizard.vantage.place import Place


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail ready\r\n")
    await writer.drain()


async def _say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if (await reader.readline()).startswith(b"GET /"):
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()


def _echo(data: bytes, reply: Reply) -> None:
    reply(data)


async def street(stack: AsyncExitStack) -> dict[str, Probe]:
    """Probes of everything that may stand behind a port, by what it is."""
    port, moved = free_port(), free_port()
    await stack.enter_async_context(running(Responder(a_plan(("udp", port), ("tcp", port), ("udp", moved)))))
    return {
        "responder over udp": a_probe(port),
        "responder over tcp": a_probe(port, "tcp"),
        "responder on another number": a_probe(moved, arrives=port),
        "nobody over udp": a_probe(closed_port(socket.SOCK_DGRAM)),
        "nobody over tcp": a_probe(closed_port(socket.SOCK_STREAM), "tcp"),
        "silence over udp": a_probe(stack.enter_context(silent_udp())),
        "silence over tcp": a_probe(stack.enter_context(silent_tcp()), "tcp"),
        "echo": a_probe(await stack.enter_async_context(udp(_echo))),
        "hangs up": a_probe(await stack.enter_async_context(tcp(_hang_up)), "tcp"),
        "greets": a_probe(await stack.enter_async_context(tcp(_greet)), "tcp"),
        "says nothing": a_probe(await stack.enter_async_context(tcp(_say_nothing)), "tcp"),
        "web": a_probe(await stack.enter_async_context(tcp(_http)), "tcp", speaks=Speaks.HTTP),
        "no such name": a_probe(9, address="nobody.invalid"),
    }


async def seen(place: Place, probes: dict[str, Probe]) -> dict[str, Observation]:
    """What is seen of each."""
    names = {(probe.protocol, probe.port): name for name, probe in probes.items()}
    async with asyncio.timeout(6 * WITHIN_S):
        return {names[o.protocol, o.port]: o async for o in place.observe(list(probes.values()))}  # type: ignore[union-attr]


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
async def test_another_host_s_sockets_see_what_this_computer_s_see(tmp_path: Path, version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"needs Python {version}")
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(far_place(tmp_path, python))
        probes = await street(stack)
        there, here = await asyncio.gather(seen(place, probes), seen(a_place(), probes))
    assert {name: o.outcome for name, o in there.items()} == {name: o.outcome for name, o in here.items()}
    assert {o.outcome for o in there.values()} >= {
        Outcome.ANSWERED,
        Outcome.MISDIRECTED,
        Outcome.REFUSED,
        Outcome.SILENT,
        Outcome.ALIEN,
        Outcome.CLOSED,
        Outcome.ACCEPTED,
        Outcome.FAILED,
    }
    assert there["no such name"].error is not None
    assert "on another host" in there["no such name"].error
    assert there["responder over udp"].source == "127.0.0.1/32"


async def test_the_round_trip_is_that_of_the_network_and_not_of_the_way_to_the_host(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(far_place(tmp_path))
        far = await (await place._hosts.host("")).far()
        take = far.take
        loop = asyncio.get_running_loop()
        # Every word takes 150 ms longer, as it does from another continent.
        far.take = lambda line: loop.call_later(0.15, take, line)  # type: ignore[method-assign, assignment, return-value]
        probes = {name: probe for name, probe in (await street(stack)).items() if "responder" in name or name == "web"}
        there = await seen(place, probes)
    times = [o.rtt_ms for o in there.values() if o.outcome is Outcome.ANSWERED]
    assert len(times) == 3
    assert all(time is not None and time < 100 for time in times)


async def test_silence_is_not_believed_while_the_connection_to_the_host_stands_still(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(far_place(tmp_path))
        far = await (await place._hosts.host("")).far()
        take, late = far.take, list[bytes]()
        far.take = late.append  # type: ignore[method-assign, assignment]
        probes = {"responder over udp": (await street(stack))["responder over udp"]}
        loop = asyncio.get_running_loop()

        def go_on() -> None:
            far.take = take  # type: ignore[method-assign]
            for line in late:
                take(line)

        # Longer than the time after which silence is believed; then everything comes at once.
        loop.call_later(1.3, go_on)
        there = await seen(place, probes)
    assert there["responder over udp"].outcome is Outcome.ANSWERED


@pytest.mark.requires("nft")
async def test_a_host_whose_own_firewall_forbids_the_probes_is_told_and_no_port_is_blamed(tmp_path: Path) -> None:
    async def observed() -> list[Observation]:
        async with far_place(tmp_path) as place:
            probes = [a_probe(10000, protocol, FAR) for protocol in ("udp", "tcp")]
            return [o async for o in place.observe(probes)]

    with cable() as path:
        path.filter(path.near, "out udp dport 10000 drop", "out tcp dport 10000 reject with icmp admin-prohibited")
        seen = await path.in_near(observed)
    assert [o.outcome for o in seen] == [Outcome.FAILED] * 2
    assert all("another host" in (o.error or "") and "firewall" in (o.error or "") for o in seen)


async def test_a_host_that_may_open_few_files_asks_the_ports_one_after_the_other(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(far_place(tmp_path))
        far = await (await place._hosts.host("")).far()
        far._capacity = 8
        port = free_port()
        await stack.enter_async_context(running(Responder(a_plan(("udp", port), ("tcp", port)))))
        quiet = [a_probe(closed_port(socket.SOCK_STREAM), "tcp") for _ in range(20)]
        probes = [a_probe(port), a_probe(port, "tcp"), *quiet]
        seen = [o.outcome async for o in place.observe(probes)]
    assert sorted(seen) == sorted([Outcome.ANSWERED] * 2 + [Outcome.REFUSED] * 20)


IDLE = {
    "the sockets": (sockets_script(), "IDLE_S = 20.0", 0),
    "another script": (ending_with_standard_input() + "time.sleep(60)\n", "WATCH_IDLE_S = 30.0", -signal.SIGTERM),
}


@pytest.mark.parametrize(("script", "waits", "status"), IDLE.values(), ids=IDLE)
async def test_what_runs_on_a_host_ends_when_nothing_is_heard_any_more_of_who_started_it(
    tmp_path: Path, script: str, waits: str, status: int
) -> None:
    assert script.count(waits) == 1
    file = tmp_path / "script.py"
    file.write_text(script.replace(waits, waits.partition("=")[0] + "= 0.3"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(file), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(WITHIN_S):
        assert await process.wait() == status


def test_the_script_is_plain_python_3_8_and_the_standard_library_and_takes_no_name_twice() -> None:
    script = sockets_script()
    tree = ast.parse(script, feature_version=(3, 8))
    assert script.isascii()
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert imported <= set(sys.stdlib_module_names)
    assert "wizard" not in imported
    names = [
        name
        for node in tree.body
        for name in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            else [target.id for target in node.targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
    ]
    assert len(names) > 20
    assert sorted(names) == sorted(set(names))


def test_the_script_holds_no_key() -> None:
    assert KEY.decode() not in sockets_script()
    assert "hmac" not in sockets_script()
