"""What must hold of the whole tree: the layers, what a command loads, what the files may say."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ROOMS = ("wizard", "resources", "tests", "packaging", ".ci")
BINARY = {".png", ".ico", ".icns", ".qm", ".pyc", ".pdf", ".ttf", ".otf"}

HEAVY = {"PySide6", "qasync", "aioice", "aiohttp", "async_upnp_client", "requests", "keyring", "tomlkit", "pikepdf"}

UNREACHED = """
format = 1
name = "Nothing listens here"
public_address = "127.0.0.1"

[[hops]]
id = "service"
kind = "service"
address = "127.0.0.1"

[[ports]]
name = "web"
protocol = "tcp"
outside = "1"
"""

FIT_TO_PRINT = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001:db8::/32",
    )
]
# A section of an RFC may have four numbers.
IPV4 = re.compile(r"(?<![\w.])(?<!section )\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
GLOBAL_IPV6 = re.compile(r"(?<![\w:.])[23][0-9a-fA-F]{3}:[0-9a-fA-F:]*[0-9a-fA-F:]")


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file that is ours to write, with its path in the tree."""
    files = [ROOT / "README.md", ROOT / "pyproject.toml", *(p for room in ROOMS for p in (ROOT / room).rglob("*"))]
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in BINARY | {".lock"}:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """Exit status of the command, and the top-level names of what it imported."""
    program = (
        "import json, sys\n"
        "from wizard.cli import main\n"
        "try:\n    status = main(sys.argv[1:])\n"
        "except SystemExit as end:\n    status = end.code\n"
        "print(json.dumps([status or 0, sorted({name.partition('.')[0] for name in sys.modules})]), file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    status, names = json.loads(run.stderr.splitlines()[-1])
    return status, set(names)


def test_the_layers_hold() -> None:
    run = subprocess.run([BIN / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_help_loads_no_heavy_library() -> None:
    status, names = loaded_by("--help")
    assert (status, names & HEAVY) == (0, set())


def test_a_whole_check_loads_no_heavy_library(tmp_path: Path) -> None:
    project = tmp_path / "project.toml"
    project.write_text(UNREACHED)
    status, names = loaded_by("check", str(project), "--json")
    assert (status, names & HEAVY) == (1, set())


def test_no_file_names_a_path_of_this_machine() -> None:
    places = "|".join(re.escape(str(place)) for place in (ROOT, Path.home()))
    assert lines_with(re.compile(rf"(?<![\w./-])({places})/")) == []


def test_no_file_says_that_it_is_unfinished() -> None:
    assert lines_with(re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")) == []


@pytest.mark.parametrize("pattern", [IPV4, GLOBAL_IPV6], ids=["IPv4", "IPv6"])
def test_every_address_is_private_or_for_documentation(pattern: re.Pattern[str]) -> None:
    found = []
    for path, text in texts():
        for match in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(match.group())
            except ValueError:
                continue
            # All of IPv6's internet at once is nobody's address (RFC 4291 section 2.4).
            if text[match.start() : match.end() + 2] == "2000::/3":
                continue
            if not any(address in network for network in FIT_TO_PRINT):
                found.append(f"{path}: {address}")
    assert found == []


def test_the_address_check_would_catch_a_public_address() -> None:
    dotted, coloned = "8.8." + "8.8", "2606:" + "4700::1"
    assert IPV4.fullmatch(dotted)
    assert GLOBAL_IPV6.fullmatch(coloned)
    assert not any(ipaddress.ip_address(text) in network for text in (dotted, coloned) for network in FIT_TO_PRINT)
