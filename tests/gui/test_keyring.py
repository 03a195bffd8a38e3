"""Passwords are kept by a real keyring, or in memory with the reason said."""

import json
import os
import shutil
import subprocess
import sys
import textwrap

import keyring.backends.fail
import pytest

from wizard.model.secret import Secret
from wizard.system.keyring import Keyring, Trouble

SERVER = "turn:198.51.100.7:3478?transport=udp"


def test_without_a_keyring_a_password_stays_in_memory_and_the_reason_is_known():
    passwords = Keyring(None)
    assert passwords.keep(SERVER, "alice", Secret("s3cret")) is False
    assert passwords.find(SERVER, "alice") == Secret("s3cret")
    assert passwords.find(SERVER, "bob") is None
    assert passwords.trouble is Trouble.MISSING


def test_a_backend_that_fails_does_not_lose_the_password():
    passwords = Keyring(keyring.backends.fail.Keyring())
    assert passwords.keep(SERVER, "alice", Secret("s3cret")) is False
    assert passwords.trouble is Trouble.MISSING
    assert passwords.find(SERVER, "alice") == Secret("s3cret")


def test_udp_and_tcp_on_one_server_share_a_password():
    passwords = Keyring(None)
    passwords.keep(SERVER, "alice", Secret("s3cret"))
    assert passwords.find("turn:198.51.100.7:3478?transport=tcp", "alice") == Secret("s3cret")


def test_a_forgotten_password_is_gone_and_forgetting_twice_is_no_fault():
    passwords = Keyring(None)
    passwords.keep(SERVER, "alice", Secret("s3cret"))
    passwords.forget(SERVER, "alice")
    passwords.forget(SERVER, "alice")
    assert passwords.find(SERVER, "alice") is None


@pytest.mark.skipif(
    not (shutil.which("dbus-run-session") and shutil.which("gnome-keyring-daemon")), reason="needs gnome-keyring"
)
def test_a_real_keyring_gives_the_password_to_the_next_process(tmp_path):
    script = textwrap.dedent(
        """
        import json, subprocess, sys
        subprocess.run(["gnome-keyring-daemon", "--unlock", "--components=secrets"], input=b"login\\n", check=True,
                       stdout=subprocess.DEVNULL)
        ask = '''
        import sys
        from wizard.model.secret import Secret
        from wizard.system.keyring import find, system_keyring
        server = "turn:198.51.100.7:3478?transport=udp"
        passwords, password = system_keyring(), Secret(sys.stdin.read())
        if sys.argv[1] == "keep":
            print(passwords.keep(server, "alice", password), passwords.trouble)
        elif sys.argv[1] == "forget":
            passwords.forget(server, "alice"); passwords.forget(server, "alice"); print(passwords.trouble)
        else:
            found = find(server, "alice"); print(found if found is None else found == password)
        '''
        import textwrap
        password = sys.stdin.read()
        said = [subprocess.run([sys.executable, "-c", textwrap.dedent(ask), what], capture_output=True, text=True,
                               input=password)
                for what in ("keep", "find", "forget", "find")]
        print(json.dumps([s.stdout.strip() + s.stderr[-300:] for s in said]))
        """
    )
    environment = {k: v for k, v in os.environ.items() if k != "DBUS_SESSION_BUS_ADDRESS"}
    environment |= {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    done = subprocess.run(
        ["dbus-run-session", "--", sys.executable, "-c", script],
        env=environment,
        input="s3cret",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["True None", "True", "None", "None"]
