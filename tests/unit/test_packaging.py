"""What is installed: the wheel, the menu entry, the scripts, and that the README tells the truth about them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from xml.etree import ElementTree

import pytest

import wizard

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Standard output of the command; fails the test with all that it said if its status is not 0."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_installed_wheel_lists_the_presets_outside_of_any_checkout(tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    # A .pth inside the folder that this adds is not followed: the checkout stays out of sight.
    (site / "dependencies.pth").write_text(
        run(sys.executable, "-c", "import aioice; print(aioice.__path__[0] + '/..')")
    )

    assert str(site) in run(python, "-c", "import wizard; print(wizard.__file__)", cwd=tmp_path)
    shown = run(tmp_path / "venv" / "bin" / "hopwise", "presets", cwd=tmp_path)
    presets = [path.stem for path in (ROOT / "resources" / "presets").glob("*.toml")]
    assert presets
    assert [preset for preset in presets if preset not in shown] == []
    for path in (ROOT / "resources").rglob("*"):
        if path.is_file():
            assert (
                site / "wizard" / "resources" / path.relative_to(ROOT / "resources")
            ).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_holds_every_dependency_with_its_hashes(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["build"]
    if "test" in lock:
        wanted += project["project"]["optional-dependencies"]["test"]
    entries = re.split(r"\n(?=\S)", (PACKAGING / lock).read_text())
    pinned = {entry.partition("==")[0] for entry in entries if "--hash=sha256:" in entry}
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in wanted}  # type: ignore[index]
    # A dot in a name is a hyphen in a lock.
    assert {name.replace(".", "-") for name in names} - pinned == set()


def test_both_locks_pin_the_same_versions() -> None:
    running, testing = (
        set(re.findall(r"^[\w-]+==\S+", (PACKAGING / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-test.lock")
    )
    assert running - testing == set()


def test_the_description_for_software_centres_names_this_version() -> None:
    tree = ElementTree.parse(PACKAGING / "linux" / "org.hopwise.Hopwise.metainfo.xml")
    assert tree.find("releases/release").get("version") == wizard.__version__  # type: ignore[union-attr]


@pytest.mark.requires("desktop-file-validate")
def test_the_menu_entry_is_valid() -> None:
    assert run("desktop-file-validate", PACKAGING / "linux" / "org.hopwise.Hopwise.desktop") == ""


@pytest.mark.requires("appstreamcli")
def test_the_description_for_software_centres_is_valid() -> None:
    described = PACKAGING / "linux" / "org.hopwise.Hopwise.metainfo.xml"
    done = subprocess.run(
        ["appstreamcli", "validate", "--no-net", "--no-color", described], capture_output=True, text=True, check=False
    )
    issues = [line for line in done.stdout.splitlines() if line.startswith(("E:", "W:"))]
    assert "Validation" in done.stdout
    # Hopwise has no home page that the description could name.
    assert [line for line in issues if not line.endswith("url-homepage-missing")] == []


def test_the_readme_names_only_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL))
    assert {"bash packaging/run.sh", "bash packaging/test.sh"} <= set(blocks.splitlines())
    named = set(re.findall(r"^hopwise ([a-z]+)\b", blocks, re.MULTILINE))
    shown = run(Path(sys.executable).with_name("hopwise"), "--help")
    assert named
    assert [command for command in named if not re.search(rf"\b{command}\b", shown)] == []


def test_run_sh_says_what_is_missing_where_no_python_is_new_enough(tmp_path: Path) -> None:
    (tmp_path / "packaging").mkdir()
    for name in ("run.sh", "setup.sh", "requirements.lock"):
        (tmp_path / "packaging" / name).write_bytes((PACKAGING / name).read_bytes())
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").write_text('#!/bin/sh\ncase "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac\n')
    (programs / "python3").chmod(0o755)
    for name in ("bash", "sh", "dirname", "id", "uname", "cat", "cksum", "env"):
        (programs / name).symlink_to(next(p / name for p in map(Path, os.get_exec_path()) if (p / name).exists()))
    done = subprocess.run(
        ["bash", tmp_path / "packaging" / "run.sh"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer with its venv module; here is Python 3.9.2." in done.stderr


def test_every_file_that_the_readme_shows_or_links_to_is_there() -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text())
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
