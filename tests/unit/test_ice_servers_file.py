"""`hopwise ice --servers FILE`: every shape is recognised by what is in it, and a bad one said in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.cli import main

RELAY = "turn:127.0.0.1:9?transport=tcp"


@pytest.fixture(autouse=True)
def _no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOPWISE_TURN_PASSWORD", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.mark.parametrize(
    "text",
    [
        f'{{"iceServers": [{{"urls": "{RELAY}", "username": "a", "credential": "hush"}}]}}',
        f"new RTCPeerConnection({{iceServers: [{{urls: ['{RELAY}'], username: 'a', credential: 'hush'}},]}})",
        "listening-ip=127.0.0.1\nlistening-port=9\nno-udp\nno-tls\nlt-cred-mech\nuser=a:hush\n",
        "listening-ip=127.0.0.1\nlistening-port=9\nno-udp\nno-tls\nuse-auth-secret\nstatic-auth-secret=hush\n",
    ],
    ids=["JSON", "JavaScript", "coturn", "coturn with a shared secret"],
)
def test_the_server_in_the_file_is_asked(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "servers"
    file.write_text(text)
    assert main(["ice", "--servers", str(file)]) == 1
    said = capsys.readouterr()
    assert f"refused         {RELAY}" in said.out
    assert "hush" not in said.out + said.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello", "no list of servers"),
        (
            f"[{{urls: '{RELAY}',\n username: env.USER, credential: 'hush'}}]",
            "line 2: iceServers[0].username is env.USER",
        ),
        (f"[{{urls: '{RELAY}', username: 'a',\n credential: hush}}]", "no password for a on"),
        ("use-auth-secret\nexternal-ip=127.0.0.1\n", "no static-auth-secret"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_status_2(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "servers"
    file.write_text(text)
    assert main(["ice", "--servers", str(file)]) == 2
    said = capsys.readouterr().err
    assert says in said.splitlines()[-1]
    assert "hush" not in said
