"""The rules of this computer and of others are read, and nothing secret of them is kept."""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.probes.sshd import sshd
from wizard.configs.products import read
from wizard.configs.reading import Question
from wizard.model.load import load
from wizard.model.port import Protocol
from wizard.model.secret import Secret
from wizard.observation import Coverage
from wizard.system import docker_socket
from wizard.system.docker_socket import DockerError, containers
from wizard.system.frp_api import FrpError, client_configuration, server_proxies
from wizard.system.inspection import here

HIDDEN = "not-for-anybodys-eyes"
PROJECT = """\
format = 1
name = "Chat"
public_address = "203.0.113.20"
[[hops]]
id = "wall"
kind = "firewall"
[[hops]]
id = "client"
kind = "tunnel-client"
[[hops]]
id = "chat"
kind = "service"
[[ports]]
name = "media"
protocol = "udp"
outside = "10000-10010"
"""
FRPC = f"""\
serverAddr = "203.0.113.7"
auth.token = "{HIDDEN}"
webServer.password = '{HIDDEN}'
[[proxies]]
name = "media"
type = "udp"
localPort = 10000
remotePort = 10000
secretKey = "{HIDDEN}"
"""
DASHBOARD = {"proxies": [{"name": "media", "conf": {"remotePort": 10000}, "status": "online"}]}
# As Docker's Engine API documents its answers.
RUNNING = [{"Id": "0abc", "Names": ["/chat"], "Ports": []}]
INSPECTED = {
    "Id": "0abc",
    "Name": "/chat",
    "Config": {"Env": [f"PASSWORD={HIDDEN}"]},
    "HostConfig": {"NetworkMode": "bridge", "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8172"}]}},
    "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8172"}]}},
}


def handler(answers: dict[str, str], login: str | None = None) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = login is None or self.headers.get("Authorization") == login
            found = answers.get(self.path) if allowed else None
            self.send_response(200 if found is not None else 401 if not allowed else 404)
            self.end_headers()
            self.wfile.write((found or "").encode())

        def log_message(self, *_: Any) -> None:
            """Nothing for the terminal."""

        def address_string(self) -> str:
            return "client"

    return Handler


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def web(answers: dict[str, str], login: str | None = None) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(answers, login))
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def docker(folder: Path, answers: dict[str, str]) -> Iterator[Path]:
    path = folder / "docker.sock"
    with serving(socketserver.ThreadingUnixStreamServer(str(path), handler(answers))):
        yield path


@contextmanager
def rules(policy: str, rule: str) -> Iterator[None]:
    """Rules for what comes in to this computer, for as long as it takes."""
    chain = f"type filter hook input priority 0; policy {policy};"
    script = f"add table inet f\nadd chain inet f in {{ {chain} }}\nadd rule inet f in {rule}\n"
    subprocess.run(["nft", "-f", "-"], input=script, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", "f"], check=True)


def wall(project: Path) -> set[tuple[str, str]]:
    """What coverage says of the firewall."""
    told = json.loads(hopwise("coverage", str(project), "--json").stdout)["hops"][0]["ports"]
    return {(row["outside"], row["coverage"]) for row in told}


def hopwise(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wizard.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    file = tmp_path / "chat.toml"
    file.write_text(PROJECT)
    return file


def test_docker_tells_its_ports_by_its_socket_and_its_secrets_stay_there(tmp_path: Path) -> None:
    answers = {"/containers/json": json.dumps(RUNNING), "/containers/0abc/json": json.dumps(INSPECTED)}
    with docker(tmp_path, answers) as path:
        text = containers(path)
    assert HIDDEN not in text
    reading = read(text.encode(), "docker")
    assert reading.answer(Question(Protocol.TCP, 8172, 80, translates=True)).coverage is Coverage.COVERED


@pytest.mark.parametrize("answers", [{}, {"/containers/json": "<html>"}, {"/containers/json": json.dumps(RUNNING)}])
def test_a_docker_that_answers_otherwise_is_said_so(tmp_path: Path, answers: dict[str, str]) -> None:
    with docker(tmp_path, answers) as path, pytest.raises(DockerError, match=r"docker\.sock"):
        containers(path)


def test_a_docker_that_is_not_there_is_not_asked(tmp_path: Path) -> None:
    assert not docker_socket.may_ask(tmp_path / "nowhere")


def test_frpc_tells_its_configuration_without_its_secrets() -> None:
    with web({"/api/config": FRPC}) as url:
        text = client_configuration(url)
    assert HIDDEN not in text
    reading = read(text.encode(), "frpc")
    assert reading.answer(Question(Protocol.UDP, 10000, 10000, translates=True)).coverage is Coverage.COVERED


def test_frps_tells_its_proxies_of_both_protocols_to_who_logs_in() -> None:
    answers = {"/api/proxy/tcp": '{"proxies": []}', "/api/proxy/udp": json.dumps(DASHBOARD)}
    with web(answers, "Basic YWxpY2U6b3Blbg==") as url:
        reading = read(server_proxies(url, "alice", Secret("open")).encode(), "frps")
        with pytest.raises(FrpError, match="not accepted"):
            server_proxies(url, "alice", Secret("wrong"))
    assert reading.answer(Question(Protocol.UDP, 10000, 10000, translates=True)).coverage is Coverage.COVERED
    assert reading.answer(Question(Protocol.TCP, 10000, 10000, translates=True)).coverage is Coverage.WRONG_PROTOCOL


def test_what_is_no_frp_is_said_so() -> None:
    with web({"/api/proxy/tcp": "[]"}) as url, pytest.raises(FrpError, match="does not answer as frps does"):
        server_proxies(url)
    with pytest.raises(FrpError, match="cannot be asked"):
        client_configuration("http://127.0.0.1:9")


async def test_a_command_that_is_not_there_is_no_fault() -> None:
    assert (await here(["no-such-command-anywhere"])).status is None


def test_inspect_asks_frpc_and_keeps_what_it_told_beside_the_project(project: Path) -> None:
    with web({"/api/config": FRPC}) as url:
        done = hopwise("inspect", str(project), "--hop", "client", "--frp", url, "--yes")
    assert done.returncode == 0, done.stderr
    kept = project.with_name("chat.client.frpc.txt")
    assert HIDDEN not in kept.read_text()
    assert [(c.hop, c.file, c.product) for c in load(project).configs] == [("client", kept.name, "frpc")]
    coverage = hopwise("coverage", str(project), "--json")
    assert coverage.returncode == 1
    told = {(row["outside"], row["coverage"]) for row in json.loads(coverage.stdout)["hops"][1]["ports"]}
    assert told == {("10000", "covered"), ("10001-10010", "missing")}


def test_without_consent_nothing_is_run_and_the_commands_are_shown(project: Path) -> None:
    done = hopwise("inspect", str(project), "--hop", "wall", stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "nft -j list ruleset" in done.stdout
    assert "--yes" in done.stderr
    assert load(project).configs == ()


@pytest.mark.requires("root", "nft")
def test_inspect_reads_the_live_rules_and_coverage_judges_them(project: Path) -> None:
    with rules("drop", "udp dport 10000-10005 accept"):
        done = hopwise("inspect", str(project), "--hop", "wall", "--yes")
    assert done.returncode == 0, done.stderr
    assert wall(project) == {("10000-10005", "covered"), ("10006-10010", "missing")}


@pytest.mark.requires("root", "nft", "sshd")
async def test_inspect_reads_the_rules_of_another_host_over_ssh(project: Path, tmp_path: Path) -> None:
    with rules("accept", "udp dport 10000-10005 drop"):
        async with sshd(tmp_path / "sshd") as there:
            environment = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
            arguments = ("inspect", str(project), "--hop", "wall", "--ssh", there.destination, "--yes")
            done = await asyncio.to_thread(hopwise, *arguments, env={**environment, "HOME": str(there.home)})
    assert done.returncode == 0, done.stderr
    assert wall(project) == {("10000-10005", "missing"), ("10006-10010", "covered")}
