"""The command line: what it accepts, what it says, and the status that it ends with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wizard.cli import main

PROJECT = """
format = 1
name = "Nobody can test this here"
public_address = "203.0.113.20"
[[hops]]
id = "router"
kind = "router"
address = "203.0.113.20"
[[hops]]
id = "chat"
kind = "service"
[[ports]]
name = "web"
protocol = "tcp"
outside = 8172
[[vantages]]
id = "relay"
kind = "turn"
server = "turn:198.51.100.7:3478"
username = "alice"
"""
ANSWERED = {
    "vantage": "relay",
    "enters": "router",
    "address": "203.0.113.20",
    "port": 8172,
    "protocol": "tcp",
    "outcome": "answered",
    "at": "2026-01-01T12:00:00Z",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HOPWISE_TURN_PASSWORD", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    path = tmp_path / "chat.toml"
    path.write_text(PROJECT)
    return path


def earlier(tmp_path: Path, **changes: object) -> str:
    path = tmp_path / "earlier.json"
    path.write_text(json.dumps({"format": 1, "observations": [ANSWERED | changes]}))
    return str(path)


def test_nothing_observed_ends_with_3(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(project), "--json"]) == 3
    result = json.loads(capsys.readouterr().out)
    assert [port["state"] for port in result["ports"]] == ["unknown"]
    assert {o["outcome"] for o in result["observations"]} == {"not-checked"}


@pytest.mark.parametrize(("outcome", "status"), [("answered", 0), ("silent", 1), ("accepted", 3), ("alien", 3)])
def test_the_status_is_that_of_the_verdict(project: Path, tmp_path: Path, outcome: str, status: int) -> None:
    late = "2999-01-01T12:00:00Z"
    assert main(["check", str(project), "--json", "--with", earlier(tmp_path, outcome=outcome, at=late)]) == status


def test_a_result_of_another_path_opens_nothing(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(project), "--with", earlier(tmp_path, address="198.51.100.99")]) == 3
    assert "198.51.100.99" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "missing.toml"], "missing.toml"),
        (["chekc"], "chekc"),
        (["check"], "PROJECT"),
        (["check", "PROJECT", "--vantage", "nowhere"], "--vantage nowhere"),
        (["check", "PROJECT", "--timeout", "nan"], "--timeout"),
        (["check", "PROJECT", "--with", "missing.json"], "missing.json"),
        (["ice", "--servers", "missing.js"], "ice: missing.js: No such file"),
        (["audit", "missing.conf"], "audit: missing.conf: No such file"),
        (["generate", "coturn", "PROJECT", "--language", "fr"], "--language"),
        (["respond", "PROJECT", "--at", "nowhere"], "--at nowhere"),
        (["respond", "PROJECT", "--minutes", "-1"], "--minutes"),
        (["--unknown"], "hopwise"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_one_line_that_says_what(
    project: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main([str(project) if argument == "PROJECT" else argument for argument in arguments])
    except SystemExit as stop:
        status = int(str(stop.code))
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert said in printed.err


def test_every_fault_of_a_project_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(PROJECT.replace('"tcp"', '"tpc"').replace('kind = "router"', 'kind = "modem"'))
    assert main(["check", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("bad.toml" in line for line in lines)
    assert any("protocol" in line and "tpc" in line for line in lines)
    assert any("kind" in line and "modem" in line for line in lines)


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    assert "coturn" in capsys.readouterr().out


CHECK = [sys.executable, "-m", "wizard.cli", "check"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_no_status(project: Path, closed: str) -> None:
    assert subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *CHECK, project], check=False).returncode == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_result_that_cannot_be_written_is_said_in_one_line(project: Path, options: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*CHECK, project, *options], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "hopwise: the result cannot be written: No space left on device"


def test_a_reader_that_has_gone_gets_no_traceback(project: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run([*CHECK, project], stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_a_defect_of_the_program_is_not_told_as_a_blocked_port(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("wizard.session.make_plan", broken)
    assert main(["check", str(project)]) == 70
    assert "a defect" in capsys.readouterr().err


@pytest.mark.requires("linux")
def test_without_a_display_the_wizard_says_what_to_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 2
    assert "no display" in capsys.readouterr().err


SERVERS = '{"iceServers": [{"urls": "turn:198.51.100.7:3478", "username": "alice"}]}'


def test_servers_alone_make_no_project_and_are_added_to_one_that_has_ports(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    servers, new = tmp_path / "servers.json", tmp_path / "new.toml"
    servers.write_text(SERVERS, encoding="utf-8")
    assert main(["import", str(servers), "-o", str(new)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "hopwise ice --servers" in told
    assert not new.exists()
    assert main(["import", str(servers), "-o", str(project)]) == 0
    assert "turn:198.51.100.7:3478" in project.read_text(encoding="utf-8")


def test_what_is_generated_speaks_the_language_asked_for_or_that_of_the_terminal(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_line(*options: str) -> str:
        assert main(["generate", "coturn", str(project), *options]) == 0
        return capsys.readouterr().out.partition("\n")[0]

    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "由 Hopwise 生成" in first_line()
    assert first_line("--language", "en").isascii()
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert first_line().isascii()
    assert first_line("--language", "zh_CN") != first_line()


def test_what_a_configuration_leaves_open_is_not_said_to_be_there(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = PROJECT.replace('[[hops]]\nid = "chat"', '[[hops]]\nid = "wall"\nkind = "firewall"\n' + ENGINE)
    project.write_text(path, encoding="utf-8")
    (tmp_path / "ufw.txt").write_text(UFW, encoding="utf-8")
    assert main(["import", f"wall={tmp_path / 'ufw.txt'}", "-o", str(project)]) == 0
    capsys.readouterr()
    assert main(["generate", "ufw", str(project)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "of tcp 8172 it cannot be told" in printed.err


# What a container engine publishes may pass ufw by, so that its silence tells nothing.
ENGINE = '[[hops]]\nid = "docker"\nkind = "container"\n[[hops]]\nid = "chat"'
UFW = """Status: active
Default: deny (incoming), allow (outgoing), deny (routed)

To                         Action      From
--                         ------      ----
22/tcp                     ALLOW IN    Anywhere
"""
