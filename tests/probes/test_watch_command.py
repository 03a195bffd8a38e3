"""`hopwise check --watch`, as a process, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.probes.asking import free_port, running
from wizard.model.load import load
from wizard.report.responder import responder_plan
from wizard.responder import Responder

WITHIN_S = 30.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "home.toml"
    path.write_text(
        'format = 1\nname = "On one computer"\npublic_address = "127.0.0.1"\n'
        '[[hops]]\nid = "wall"\nkind = "firewall"\naddress = "127.0.0.1"\n'
        '[[hops]]\nid = "chat"\nkind = "service"\n'
        f'[[ports]]\nname = "media"\nprotocol = "udp"\noutside = {free_port()}\n'
        '[[vantages]]\nid = "outside"\nkind = "local"\n'
    )
    return path


@contextlib.asynccontextmanager
async def command(*arguments: str | Path, stdout: int = PIPE) -> AsyncIterator[Process]:
    argv = [sys.executable, "-m", "wizard.cli", "check", *map(str, arguments), "--watch", "--timeout", "0.5"]
    process = await asyncio.create_subprocess_exec(*argv, stdout=stdout, stderr=PIPE, limit=1 << 20)
    try:
        async with asyncio.timeout(WITHIN_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode()


async def result(process: Process) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await line(process))
    return told


async def ended(process: Process) -> tuple[int, str]:
    """Exit status after Ctrl-C, and what was said on standard error."""
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def test_the_stream_has_a_whole_result_on_a_line_for_each_change(project: Path) -> None:
    plan = responder_plan(load(project))
    async with command(project, "--json") as process:
        first = await result(process)
        assert (first["ports"][0]["state"], first["changes"]) == ("blocked", [])
        async with running(Responder(plan)):
            told = await result(process)
            assert [(each["from"], each["to"]) for each in told["changes"]] == [("blocked", "open")]
            assert {hop["state"] for hop in told["hops"]} == {"open"}
            assert told["ports"][0]["since"] == told["changes"][0]["at"]
            assert [each["outcome"] for each in told["observations"] if each["protocol"] == "udp"] == ["answered"]
        told = await result(process)
        assert [(each["to"], each["stopped_by"]) for each in told["changes"]] == [("blocked", ["wall", "chat"])]
        assert await ended(process) == (1, "")


async def test_the_terminal_has_a_line_for_each_change_and_ctrl_c_gives_the_last_verdict(project: Path) -> None:
    plan = responder_plan(load(project))
    (port,) = plan.ports
    async with command(project) as process:
        while "Ctrl-C ends" not in await line(process):
            pass
        async with running(Responder(plan)):
            change = await line(process)
            assert change[8:].strip() == f"✔ udp {port[1]}: blocked → open, was stopped at wall or chat"
            assert await ended(process) == (0, "")


async def test_metrics_follow_the_state(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "hopwise.prom"
    plan = responder_plan(load(project))
    async with command(project, "--json", "--metrics", file) as process:
        await result(process)
        assert _state(file.read_text()) == 3
        async with running(Responder(plan)):
            await result(process)
            # Written after the line; what the next heartbeat writes says the same.
            assert (await ended(process))[0] == 0
    assert _state(file.read_text()) == 1

    assert _left_behind(tmp_path) == []


def _left_behind(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix not in (".toml", ".prom")]


def _state(text: str) -> int:
    return int(next(one for one in text.splitlines() if one.startswith("hopwise_port_state{")).rpartition(" ")[2])


async def test_metrics_that_cannot_be_written_are_said_in_one_line(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "missing" / "hopwise.prom"
    async with command(project, "--json", "--metrics", file) as process:
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode() == f"hopwise: --metrics {file}: No such file or directory\n"


async def test_a_reader_that_goes_ends_the_watch(project: Path) -> None:
    mine, theirs = os.pipe()
    async with command(project, "--json", stdout=theirs) as process:
        os.close(theirs)
        with os.fdopen(mine, "rb") as lines:
            assert (await asyncio.to_thread(lines.readline)).startswith(b"{")
        async with running(Responder(responder_plan(load(project)))):
            _, errors = await process.communicate()
    assert (process.returncode, errors) == (130, b"")
