"""`--credentials-from`: the commands log in with what a web service grants, and its token shows nowhere."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest

from tests.probes.coturn import coturn
from tests.probes.web_service import granting, service

SECRET, TOKEN = "shared-between-both-4711", "token-of-the-web-0815"
ENVIRONMENT = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "HOPWISE_TURN_PASSWORD": "of-another-server"}


async def hopwise(*arguments: str, token: str = TOKEN) -> tuple[int, str, str]:
    """Exit status, standard output and error."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wizard.cli", *arguments),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=os.environ | ENVIRONMENT,
    )
    out, err = await process.communicate(f"{token}\n".encode())
    assert process.returncode is not None
    for secret in (token, SECRET, "of-another-server"):
        assert secret not in (out + err).decode()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.requires("coturn")
async def test_each_command_logs_in_with_what_the_web_service_grants(tmp_path: Path) -> None:
    heard: list[tuple[str, str | None]] = []
    seen: list[list[str]] = []
    grant = granting(SECRET, TOKEN, heard)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        # While the command waits: nobody on this computer sees more than the address.
        seen.extend(process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
        grant(handler)

    options = ["use-auth-secret", f"static-auth-secret={SECRET}"]
    with service(answer) as url:
        async with coturn(tmp_path, options) as server:
            login = ("--credentials-from", url, "--token-stdin", "--username", "alice", "--json")
            servers = ("--server", server.uri(), "--server", server.uri("tcp"), "--server", server.uri(scheme="stun"))
            status, out, err = await hopwise("ice", *servers, *login)
            assert (status, err) == (0, "")
            result = json.loads(out)
            assert [row["verdict"] for row in result["servers"]] == ["ok"] * 3
            assert sum(candidate["type"] == "relay" for candidate in result["candidates"]) == 2
            # Two addresses of one host are one login.
            assert len(heard) == 1
            status, out, _ = await hopwise("turn", server.uri("tcp"), "--seconds", "1", *login)
            assert json.loads(out)["rtt_ms"]["median"] < 100
            _, out, _ = await hopwise("audit", server.uri(), *login)
            assert "loopback-peers" in [finding["code"] for finding in json.loads(out)["findings"]]
            status, out, _ = await hopwise("ice", *servers[:2], "--credentials-from", url, "--token-stdin", "--json")
            assert (status, json.loads(out)["servers"][0]["verdict"]) == (0, "ok")
    assert [path for path, _ in heard[:3]] == ["/turn?a=b&service=turn&username=alice"] * 3
    assert heard[3][0] == "/turn?a=b&service=turn"
    assert {given for _, given in heard} == {f"Bearer {TOKEN}"}
    assert any("--credentials-from" in line for line in seen)
    assert not any(secret in " ".join(line) for line in seen for secret in (TOKEN, "of-another-server"))


@pytest.mark.parametrize("command", [["ice", "--server"], ["turn"], ["audit"]])
async def test_why_the_web_service_grants_nothing_is_one_line_without_the_token(command: list[str]) -> None:
    target = "turn:127.0.0.1:9"
    with service(granting(SECRET, "another")) as url:
        status, out, err = await hopwise(*command, target, "--credentials-from", url, "--token-stdin")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"hopwise {command[0]}: no credentials for {target}")
    assert "HTTP 401: the token was not accepted" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ice", "--server", "turn:127.0.0.1", "--token-stdin"], "--token-stdin goes with --credentials-from"),
        (["turn", "turn:127.0.0.1", "--credentials-from", "https://x", "--password-stdin"], "see --token-stdin"),
        (["turn", "turn:127.0.0.1"], "give --username, or --credentials-from"),
        (["ice", "--server", "turn:127.0.0.1", "--credentials-from", "https://x/?key=k"], "no key or token belongs"),
        (["audit", "turn:127.0.0.1", "--credentials-from", "https://x", "--secret-stdin"], "choose one"),
        (["audit", "turnserver.conf", "--credentials-from", "https://x"], "--credentials-from is for a running server"),
    ],
)
async def test_options_that_do_not_fit_together_are_said_in_one_line(arguments: list[str], said: str) -> None:
    status, out, err = await hopwise(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
