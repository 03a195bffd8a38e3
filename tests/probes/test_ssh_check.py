"""`hopwise check` over a real sshd: a place to probe from, and the responder on the service's host."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.probes.asking import WITHIN_S, free_port
from tests.probes.far_ends import silent_udp
from tests.probes.sshd import Sshd, sshd

pytestmark = pytest.mark.requires("sshd")

HOPWISE = str(Path(sys.executable).with_name("hopwise"))
PROJECT = """\
format = 1
name = "On one computer"
public_address = "127.0.0.1"

[[hops]]
id = "chat"
kind = "service"
address = "127.0.0.1"

[[ports]]
name = "media"
protocol = "udp"
outside = "{udp}"

[[ports]]
name = "web"
protocol = "tcp"
outside = "{tcp}"

[[vantages]]
id = "cloud"
kind = "ssh"
server = "{server}"
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Sshd]:
    async with sshd(tmp_path) as there:
        yield there


def a_project(server: Sshd, udp: int | None = None) -> Path:
    path = server.files / "project.toml"
    path.write_text(PROJECT.format(udp=udp or free_port(), tcp=free_port(), server=server.destination))
    return path


async def started(server: Sshd, project: Path, *more: str) -> asyncio.subprocess.Process:
    """`check`, under way."""
    environment = {**os.environ, "HOME": str(server.home), "SSH_AUTH_SOCK": ""}
    return await asyncio.create_subprocess_exec(
        *(HOPWISE, "check", str(project), "--json", *more),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )


async def check(server: Sshd, project: Path, *more: str) -> tuple[int, str, str]:
    """Exit status, standard output and error."""
    process = await started(server, project, "--timeout", "1", *more)
    async with asyncio.timeout(6 * WITHIN_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def outcomes(result: dict[str, Any], vantage: str) -> set[str]:
    return {seen["outcome"] for seen in result["observations"] if seen["vantage"] == vantage}


async def test_the_responder_is_started_for_the_time_of_the_run_and_what_it_saw_is_in_the_result(server: Sshd) -> None:
    project = a_project(server)
    status, out, err = await check(server, project, "--respond-by-ssh", server.destination)
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert outcomes(result, "cloud") == {"answered"}
    assert "answered" in outcomes(result, "responder")
    await server.until_all_are_gone()
    status, out, _ = await check(server, project)
    assert status == 1
    assert outcomes(json.loads(out), "cloud") == {"refused"}


async def test_ctrl_c_leaves_nothing_on_either_host(server: Sshd) -> None:
    with silent_udp() as port:
        project = a_project(server, udp=port)
        process = await started(server, project, "--timeout", "60", "--respond-by-ssh", server.destination)
        async with asyncio.timeout(4 * WITHIN_S):
            # The responder and the prober.
            while len(server.left_behind()) < 2:  # noqa: ASYNC110 - another program's start is no event here
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")
    await server.until_all_are_gone()


async def test_a_responder_that_cannot_be_started_ends_the_check_before_anything_is_probed(server: Sshd) -> None:
    project = a_project(server)
    server.known_hosts.write_text("")
    status, out, err = await check(server, project, "--respond-by-ssh", server.destination)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith(f"hopwise: --respond-by-ssh: no responder on {server.destination}: the host key of ")


async def test_a_place_that_cannot_be_logged_in_to_leaves_the_ports_unproven_and_says_why(server: Sshd) -> None:
    project = a_project(server)
    server.known_hosts.write_text("")
    status, out, _ = await check(server, project)
    result = json.loads(out)
    assert status == 3
    assert outcomes(result, "cloud") == {"failed"}
    assert {row["state"] for row in result["ports"]} == {"unknown"}
    assert {finding["code"] for finding in result["findings"]} == {"unproven-failed"}
    assert "is not known on this computer" in json.dumps(result["findings"])


async def test_a_destination_that_is_none_is_refused_at_once(server: Sshd) -> None:
    status, _, err = await check(server, a_project(server), "--respond-by-ssh", "-oProxyCommand=x")
    assert status == 2
    assert "is no SSH destination" in err or "expected one argument" in err
