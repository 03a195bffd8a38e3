"""The search for passwords after a run of the tests finds one that leaks, wherever it does, and fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.secret_search import encodings
from tests.secret_watch import is_telling

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "Sésame-4711/&"
HEAD = f"""
import asyncio, base64, logging, subprocess, sys
import pytest
from wizard.model.secret import Secret
PASSWORD = "".join(map(chr, {[ord(one) for one in PASSWORD]}))
secret = Secret(PASSWORD)
ECHO = [sys.executable, "-c", "print(input())", "--password-stdin"]
"""
LEAKS = {
    "a file": ('def test(tmp_path): (tmp_path / "log.txt").write_text(PASSWORD)', "the file"),
    "a file's name": ('def test(tmp_path): (tmp_path / PASSWORD.replace("/", "%2F")).touch()', "the file"),
    "a file in UTF-16": ('def test(tmp_path): (tmp_path / "a").write_text(PASSWORD, "utf-16-be")', "utf-16-be"),
    "a log": (
        'def test(): logging.getLogger("wizard").debug("hello %s", PASSWORD.encode().hex())',
        "the log of wizard",
    ),
    "what a test prints": ("def test(): print(base64.b64encode(b'x' + PASSWORD.encode()))", "Captured stdout"),
    "an exception": (
        "def test():\n  with pytest.raises(ValueError):\n    try: raise ValueError(PASSWORD)\n"
        "    except ValueError as fault: raise ValueError('x') from fault",
        "an exception",
    ),
    "an argument": ('def test(): subprocess.run(["true", "--password=" + PASSWORD])', "the arguments of true"),
    "an argument of a grandchild": (
        """def test(): subprocess.run(["sh"], input=f"sh -c 'sleep 2; true' '{PASSWORD}'", text=True)""",
        "the arguments of sh",
    ),
    "what a program says": (
        'def test(): subprocess.run(ECHO, input=PASSWORD.encode() + b"\\n", capture_output=True, check=True)',
        "what a program said",
    ),
    "what a program says to a loop": (
        "async def test():\n  pipe = asyncio.subprocess.PIPE\n"
        "  program = await asyncio.create_subprocess_exec(*ECHO, stdin=pipe, stdout=pipe)\n"
        '  await program.communicate(PASSWORD.encode() + b"\\n")',
        "what a program said on 1",
    ),
    "a password that was only typed": (
        'secret = None\ndef test(tmp_path):\n  typed = PASSWORD.encode() + b"-typed\\n"\n'
        '  subprocess.run([*ECHO[:2], "input()", ECHO[3]], input=typed)\n  (tmp_path / "a").write_bytes(typed)',
        "the file",
    ),
    "a password in the environment": (
        'secret = None\ndef test(tmp_path):\n  subprocess.run(["true"], env={"HOPWISE_TURN_PASSWORD": PASSWORD, '
        '"PATH": "/bin:/usr/bin"})\n  (tmp_path / "a").write_text(PASSWORD)',
        "the file",
    ),
}


def run(folder: Path, tests: dict[str, str], *options: str) -> tuple[int, str]:
    """Exit status and output of a run of those files."""
    folder.joinpath("conftest.py").write_text(
        "def pytest_configure(config):\n    config.pluginmanager.import_plugin('tests.secret_watch')\n"
    )
    folder.joinpath("pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    for name, text in tests.items():
        folder.joinpath(f"test_{name}.py").write_text(HEAD + text + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:qt", *options, str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DEBUG_TEMPROOT": str(folder), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.requires("linux")
def test_each_way_to_leak_fails_the_run_and_says_where_but_not_what(tmp_path: Path) -> None:
    """Beside each other, so that the first process must learn of what workers used and found."""
    tests = {str(number): text for number, (text, _) in enumerate(LEAKS.values())}
    status, said = run(tmp_path, tests, "-n", "2")
    assert f"{len(LEAKS)} passed" in said
    assert status == 1, said
    assert PASSWORD not in said
    found = said.partition("passwords where none belongs")[2]
    for way, (_, place) in LEAKS.items():
        assert place in found, (way, said)
    assert found.count("the file ") >= 5


@pytest.mark.requires("linux")
def test_a_run_that_keeps_its_passwords_to_itself_passes(tmp_path: Path) -> None:
    quiet = (
        "def test(tmp_path):\n"
        '  (tmp_path / "turnserver.conf").write_text(PASSWORD)\n'
        '  (tmp_path / "report.txt").write_text(repr(secret))\n'
        '  subprocess.run([*ECHO[:2], "input()", ECHO[3]], input=PASSWORD.encode() + b"\\n", check=True)\n'
    )
    status, said = run(tmp_path, {"quiet": quiet})
    assert status == 0, said
    assert "where none belongs" not in said


def test_chance_finds_are_not_looked_for_and_encodings_that_come_to_the_same_are_looked_for_once() -> None:
    assert not any(map(is_telling, ("x", "secret", "token", "12345678", "'relay',", "utf-8", "")))
    assert all(map(is_telling, ("s3cret", "hunter2", "not-it-4711", PASSWORD)))
    forms = encodings("open-sesame-4711")
    assert len(set(forms.values())) == len(forms) > 15
    assert all(len(form) >= 6 for form in encodings("s3cret").values())
