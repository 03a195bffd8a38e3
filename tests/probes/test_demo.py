"""`hopwise demo`, as a process."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.requires("linux")

DEMO = [sys.executable, "-m", "wizard.cli", "demo"]
OPEN = "✔ All 25 ports are proven open."
BROKEN = "✖ 5 of 25 ports are blocked, at Practice router."


def test_without_a_person_it_breaks_finds_and_mends_one_fault_and_writes_the_report(tmp_path: Path) -> None:
    done = subprocess.run(
        DEMO, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", cwd=tmp_path, timeout=60, check=False
    )
    verdicts = [line for line in done.stdout.splitlines() if line in (OPEN, BROKEN)]
    assert verdicts == [OPEN, BROKEN, OPEN]
    assert "The report is in hopwise-practice.pdf" in done.stdout
    assert (tmp_path / "hopwise-practice.pdf").read_bytes().startswith(b"%PDF")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_report_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--pdf", "no/such/folder.pdf"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert "There is no report: No such file or directory" in done.stdout
    assert done.returncode == 0


def test_a_person_breaks_and_mends_what_they_like(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        DEMO, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=tmp_path
    )
    os.close(theirs)
    try:
        # The terminal keeps the lines until they are read.
        os.write(ours, b"1\n1\n\n")
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
        os.close(ours)
    assert [line for line in out.splitlines() if line in (OPEN, BROKEN)] == [OPEN, BROKEN, OPEN, BROKEN, OPEN]
    assert "  1  break: The router forwards a part of the media range only" in out
    assert "  1  mend: Forward udp 10010-10014 on the router as well." in out
    assert (process.returncode, errors) == (0, "")
