"""`hopwise turn` against a real coturn: what it prints, and the status that it ends with."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.probes.asking import free_port
from tests.probes.coturn import PASSWORD, USER, coturn
from tests.probes.netns import Cable, cable
from tests.probes.rough_line import rough_line, steady

NEAR, FAR = "203.0.113.1", "203.0.113.2"
"""Public as far as Hopwise is concerned."""


async def turn(*arguments: str, inside: str | None = None, password: str = PASSWORD) -> tuple[int, str, str]:
    """Exit status, standard output and error of `hopwise turn`."""
    entered = ["ip", "netns", "exec", inside] if inside else []
    command = [*entered, sys.executable, "-m", "wizard.cli", "turn", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
    )
    out, err = await process.communicate(f"{password}\n".encode())
    assert password not in (out + err).decode()
    return process.returncode or 0, out.decode(), err.decode()


async def result_of(url: str, *arguments: str, inside: str | None = None, password: str = PASSWORD) -> tuple[int, Any]:
    """Exit status and JSON of a short test."""
    options = ("--username", USER, "--password-stdin", "--seconds", "1", "--json")
    status, out, err = await turn(url, *options, *arguments, inside=inside, password=password)
    assert err == ""
    return status, json.loads(out)


def codes(result: Any) -> list[str]:
    """What is said of the server; that the machine of the test is busy is nothing to prove."""
    return [reason["code"] for reason in result["reasons"] if reason["code"] not in ("late-here", "jitter")]


@pytest.mark.requires("coturn")
async def test_a_kept_promise_ends_with_0(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        first, last = server.relay_ports[0], server.relay_ports[-1]
        status, result = await result_of(server.uri(), "--min-port", str(first), "--max-port", str(last))
    assert (status, result["verdict"], codes(result)) == (0, "ok", [])
    assert result["rtt_ms"]["median"] < 100
    assert result["loss_percent"] < 1
    assert len(result["relayed"]) == 12


@pytest.mark.requires("coturn", "ipv6")
async def test_a_server_on_ipv6_is_tested_as_well(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        status, result = await result_of(server.uri(host="[::1]"), "--peer-family", "6", "--call")
    assert (status, codes(result), result["address"]) == (0, [], "::1")
    assert {port["address"] for port in result["relayed"]} == {"::1"}
    assert {port["direct"] for port in result["relayed"]} == {"both-ways"}
    assert result["call"]["relay_only"]["connected"] is True


@pytest.mark.requires("coturn")
async def test_a_server_behind_tls_is_believed_by_its_own_authority(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    async with coturn(tmp_path, certificate=(tmp_path / "cert.pem", tmp_path / "key.pem")) as server:
        url = server.uri(scheme="turns")
        status, result = await result_of(url, "--ca", str(tmp_path / "ca.pem"), "--call")
        assert (status, codes(result), result["transport"]) == (0, [], "tls")
        assert result["call"]["relay_only"]["connected"] is True
        status, result = await result_of(url)
        assert (status, codes(result)) == (1, ["no-allocation"])


@pytest.mark.requires("coturn")
async def test_ctrl_c_releases_every_allocation(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        command = [sys.executable, "-m", "wizard.cli", "turn", server.uri(), "--username", USER, "--password-stdin"]
        process = await asyncio.create_subprocess_exec(
            *command, "--seconds", "60", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(f"{PASSWORD}\n".encode())
        for _ in range(2):
            await server.says("CHANNEL_BIND processed, success")
        process.send_signal(signal.SIGINT)
        assert (await process.communicate(), process.returncode) == ((b"", b""), 130)
        for _ in range(12):
            await server.says("lifetime=0")


@pytest.mark.requires("coturn")
async def test_a_slow_line_breaks_the_promise(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, rough_line(server.port, steady(0.060)) as line:
        status, result = await result_of(f"turn:127.0.0.1:{line.port}")
    assert (status, result["verdict"], codes(result)) == (1, "poor", ["rtt-long"])
    assert 120 <= result["rtt_ms"]["median"] < 160


@pytest.mark.requires("coturn")
async def test_call_and_capacity_are_told_and_loss_is_none(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=12"]) as server:
        status, result = await result_of(server.uri(), "--call", "--capacity", "10", "--mbit", "0.1", "--own")
    assert (status, codes(result)) == (0, [])
    assert result["call"]["relay_only"]["connected"] is True
    assert (result["capacity"]["carried"], result["capacity"]["limit"]) == (10, "none")


@pytest.mark.requires("coturn")
async def test_a_wrong_password_ends_with_1_and_says_so(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        status, result = await result_of(server.uri(), "--call", password="not-it-at-all")
    assert (status, result["verdict"], codes(result)) == (1, "failed", ["no-allocation"])
    assert "401" in result["reasons"][0]["text"]
    assert result["rtt_ms"] is result["call"] is None


async def test_a_server_that_is_not_there_ends_with_1() -> None:
    status, result = await result_of(f"turn:127.0.0.1:{free_port()}")
    assert (status, result["verdict"], codes(result)) == (1, "failed", ["no-allocation"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["turn:127.0.0.1"], "--username"),
        (["stun:127.0.0.1", "--username", "u", "--password-stdin"], "relays nothing"),
        (["127.0.0.1", "--username", "u", "--password-stdin"], "turn:"),
        (["turn:127.0.0.1", "--username", "u"], "no password"),
        (["turn:127.0.0.1", "--username", "u", "--capacity", "10", "--password-stdin"], "--own"),
        (["turn:127.0.0.1", "--username", "u", "--capacity", "11", "--password-stdin"], "--capacity"),
        (["turn:127.0.0.1", "--username", "u", "--mbit", "1", "--password-stdin"], "--capacity"),
        (["turn:127.0.0.1", "--username", "u", "--seconds", "nan", "--password-stdin"], "--seconds"),
        (["turn:127.0.0.1", "--username", "u", "--min-port", "70000", "--password-stdin"], "--min-port"),
        (
            ["turn:127.0.0.1", "--username", "u", "--min-port", "9", "--max-port", "8", "--password-stdin"],
            "greater than",
        ),
        (["turn:127.0.0.1", "--username", "u", "--ca", "missing.pem", "--password-stdin"], "No such file"),
    ],
)
async def test_what_cannot_be_used_ends_with_2_and_one_line(arguments: list[str], said: str) -> None:
    status, out, err = await turn(*arguments)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err


def public(net: Cable) -> None:
    for side, address in ((net.near, NEAR), (net.far, FAR)):
        subprocess.run(["ip", "-n", side, "addr", "add", f"{address}/24", "dev", "c0"], check=True)


def nothing(_: Cable) -> None:
    """Leave the network as it is."""


def closed(net: Cable) -> None:
    # The server still sends to itself: only what comes over the cable is dropped.
    net.filter(net.far, "in iifname c0 udp dport 20000-32000 drop")


def mute(net: Cable) -> None:
    # Dropped here, as if on the way: a firewall on the server itself would tell coturn.
    net.filter(net.near, "in iifname c0 udp sport 20000-32000 drop")


@pytest.mark.requires("root", "namespaces", "nft", "coturn")
@pytest.mark.parametrize(
    ("options", "change", "expected"),
    [
        ([], nothing, []),
        (["external-ip=10.9.9.9"], nothing, ["relay-private"]),
        (["external-ip=203.0.113.99"], nothing, ["ports-closed", "relay-differs"]),
        ([], closed, ["ports-closed"]),
        ([], mute, ["ports-in-only"]),
    ],
)
async def test_what_the_relay_itself_does_not_show_is_found_by_sending_to_its_ports(
    tmp_path: Path, options: list[str], change: Callable[[Cable], None], expected: list[str]
) -> None:
    with cable() as net:
        public(net)
        change(net)
        async with net.at_far(lambda: coturn(tmp_path, options, listen=(FAR,))) as server:
            status, result = await result_of(f"turn:{FAR}:{server.port}", inside=net.near)
    assert codes(result) == expected
    assert status == (1 if expected else 0)
    assert result["loss_percent"] == 0
