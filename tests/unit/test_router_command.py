"""What `hopwise router` says before it asks anybody: arguments of no use, and the guide."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.cli import main

PROJECT = """
format = 1
name = "Home"
public_address = "203.0.113.20"

[[hops]]
id = "router"
kind = "router"
address = "203.0.113.20"

[[hops]]
id = "calls"
kind = "service"

[[ports]]
name = "media"
protocol = "udp"
outside = "40000-40009"
"""


@pytest.fixture
def project(tmp_path: Path) -> str:
    file = tmp_path / "home.toml"
    file.write_text(PROJECT)
    return str(file)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--add"], "--add needs the PROJECT that says which ports"),
        (["{project}", "--add"], "no hop behind the router has an address; say where to with --to ADDRESS"),
        (["{project}", "--guide", "nonsuch"], "--guide nonsuch: no such guide; there are generic, tp-link"),
        (["{project}", "--server", "203.0.113.7"], "does not start with stun:"),
        (["{project}", "--to", "here"], "'here' is not an IP address"),
        (["{project}", "--lifetime", "-1"], "'-1' is not a number of seconds from 0 to"),
        (["{project}", "--add", "--remove"], "not allowed with argument"),
        (["nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    project: str, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    try:
        status = main(["router", *(argument.format(project=project) for argument in arguments)])
    except SystemExit as end:
        status = int(str(end.code))
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_path_without_a_router_has_nothing_to_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(PROJECT.replace('kind = "router"', 'kind = "firewall"'))
    assert main(["router", str(file), "--add"]) == 2
    assert "the path has no hop of the kind router" in capsys.readouterr().err


def test_the_guide_says_what_to_enter_and_where(project: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["router", project, "--guide", "asus", "--to", "192.168.77.20"]) == 0
    out = capsys.readouterr().out
    assert "Go to: Advanced Settings > WAN > Virtual Server / Port Forwarding" in " ".join(out.split())
    row = next(line for line in out.splitlines() if "External Port" in line)
    assert row.strip() == (
        "Service Name: media, Protocol: UDP, External Port: 40000:40009, Internal Port: (leave empty), "
        "Internal IP Address: 192.168.77.20"
    )
