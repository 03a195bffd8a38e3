"""Files opened lately, and work rescued from a crash."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from wizard.model.server_list import CredentialKind, ServerEntry
from wizard.system.recent import KeptServers, RecentFiles, Recovery


def test_the_latest_file_is_first_and_a_deleted_one_is_not_listed(tmp_path):
    files = [tmp_path / f"{name}.toml" for name in "abc"]
    recent = RecentFiles(tmp_path / "state")
    for file in files:
        file.touch()
        recent.add(file)
    files[1].unlink()
    recent.add(files[0])
    assert recent.paths() == (files[0], files[2])


def test_a_damaged_list_is_an_empty_one(tmp_path):
    (tmp_path / "recent.json").write_text("{not json")
    assert RecentFiles(tmp_path).paths() == ()
    (tmp_path / "recent.json").write_text('{"a": 1}')
    assert RecentFiles(tmp_path).paths() == ()


def test_work_of_a_process_that_was_killed_is_found_by_the_next_one(tmp_path):
    script = """
        import os, pathlib, signal, sys
        from wizard.system.recent import Recovery
        Recovery(pathlib.Path(sys.argv[1])).keep(None, {"name": "通话"})
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], check=False)
    (rescued,) = Recovery(tmp_path).left_behind()
    assert rescued.table == {"name": "通话"}
    assert rescued.path is None


def test_work_of_a_process_that_still_runs_is_not_offered(tmp_path):
    Recovery(tmp_path, pid=os.getpid()).keep(None, {"name": "x"})
    assert Recovery(tmp_path, pid=1).left_behind() == ()


def test_dropped_work_is_not_offered(tmp_path):
    recovery = Recovery(tmp_path, pid=2**22 + 1)
    recovery.keep(None, {"name": "x"})
    assert len(recovery.left_behind()) == 1
    recovery.drop()
    recovery.drop()
    assert recovery.left_behind() == ()


def test_a_recovery_file_is_readable_by_its_owner_only(tmp_path):
    recovery = Recovery(tmp_path)
    recovery.keep(tmp_path / "chat.toml", {"name": "x"})
    (file,) = tmp_path.glob("unsaved-*.json")
    assert file.stat().st_mode & 0o077 == 0


def test_the_list_of_servers_is_there_again_without_a_secret_in_its_file(tmp_path):
    servers = (
        ServerEntry(("stun:198.51.100.7",)),
        ServerEntry(("turn:198.51.100.7", "turn:198.51.100.7?transport=tcp"), "alice", enabled=False),
        ServerEntry(("turns:turn.example.org",), kind=CredentialKind.REST_ENDPOINT, endpoint="https://example.org/t"),
    )
    KeptServers(tmp_path).keep((*servers, ServerEntry(())))
    assert KeptServers(tmp_path).servers() == servers
    assert set(json.loads((tmp_path / "servers.json").read_text())[0]) == {
        "urls",
        "username",
        "kind",
        "endpoint",
        "separator",
        "enabled",
    }


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"urls": "turn:a"}]', "\0", "[[]]"])
def test_a_damaged_list_of_servers_is_an_empty_one(tmp_path, text):
    (tmp_path / "servers.json").write_text(text)
    assert KeptServers(tmp_path).servers() == ()
