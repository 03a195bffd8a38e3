"""`hopwise ice`, `turn`, `nat` and `audit` write their reports, against a real coturn; no report holds its password."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.probes.asking import free_port
from tests.probes.coturn import PASSWORD, USER, coturn
from tests.secret_search import disguises, opened, where

WORN = disguises(PASSWORD, USER, "example.org")


async def hopwise(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Exit status, standard output and error of the command, given the password on standard input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wizard.cli", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "QT_QPA_PLATFORM": "offscreen"},
    )
    out, err = await process.communicate(f"{PASSWORD}\n".encode())
    return process.returncode or 0, out.decode(), err.decode()


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def text_of(pdf: Path) -> bytes:
    """What a reader of the PDF can copy."""
    process = await asyncio.create_subprocess_exec("pdftotext", "-raw", str(pdf), "-", stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    return out


@pytest.mark.requires("coturn", "poppler")
async def test_each_command_writes_its_report_and_no_report_holds_the_password(tmp_path: Path) -> None:
    login = ("--username", USER, "--password-stdin", "--json")
    reports = tmp_path / "reports"
    reports.mkdir()
    async with coturn(tmp_path) as server:
        url = server.uri()
        wrong = ("--username", "mallory", "--password-stdin", "--json")
        runs = {
            "ice": (("--server", url, "--server", f"turn:127.0.0.1:{free_port()}?transport=tcp", *login), "Servers"),
            "ice-refused": (("--server", url, *wrong), "Servers"),
            "turn": ((url, *login, "--seconds", "1", "--call"), "Does the relay carry a call?"),
            "turn-refused": ((url, *wrong), "Does the relay carry a call?"),
            "nat": (("--server", url, "--json"), "Do I need STUN or TURN?"),
            "audit": ((url, *login), "Security audit"),
            "audit-file": ((str(tmp_path / "turnserver.conf"), "--json"), "Security audit"),
        }
        for name, (arguments, chapter) in runs.items():
            command = name.partition("-")[0]
            files = ("--pdf", f"{name}.pdf", "--markdown", f"{name}.md")
            status, out, err = await hopwise(command, *arguments, *files, cwd=reports)
            assert status in (0, 1, 3), err
            assert f"The report is in {name}.pdf" in err
            (reports / f"{name}.txt").write_bytes(await text_of(reports / f"{name}.pdf"))
            assert f"\n## {chapter}\n" in (reports / f"{name}.md").read_text()
            assert chapter in (reports / f"{name}.txt").read_text()
            assert json.loads(out)["format"] == 1
            assert where((out + err).encode(), WORN) == []
    assert len(files_in(reports)) == 3 * len(runs)
    for file in files_in(reports):
        assert where(opened(file), WORN) == [], file
    assert "Round trip while packets were sent" in (reports / "turn.txt").read_text()
    assert "401" in (reports / "ice-refused.md").read_text()
    assert "user=alice:" in (reports / "audit-file.md").read_text()


async def test_a_report_that_cannot_be_written_is_said_and_the_other_is_written_all_the_same(tmp_path: Path) -> None:
    conf = tmp_path / "turnserver.conf"
    conf.write_text("realm=example.org\nlt-cred-mech\n")
    missing = tmp_path / "missing" / "report.md"
    status, out, err = await hopwise(
        "audit", str(conf), "--markdown", str(missing), "--pdf", "report.pdf", cwd=tmp_path
    )
    assert status == 2
    assert "turnserver.conf" in out
    assert err.splitlines()[-2:] == [
        f"hopwise: --markdown {missing}: No such file or directory",
        "The report is in report.pdf",
    ]
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


async def test_arguments_of_no_use_leave_no_report(tmp_path: Path) -> None:
    status, out, err = await hopwise("ice", "--server", "nonsense", "--markdown", "report.md", cwd=tmp_path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert files_in(tmp_path) == []
