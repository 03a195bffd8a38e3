"""A TURN password is given in each way that there is, and then looked for everywhere: it is in the keyring alone."""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.lab.certificates import Authority
from tests.lab.ice_command import HOPWISE
from tests.probes.coturn import Coturn, coturn
from tests.probes.far_ends import Reply, closed_port, udp
from tests.secret_search import disguises, opened, where
from wizard.cli.passwords import given_password
from wizard.model.secret import Secret

USER, REALM = "carol", "example.org"
PASSWORD = "Grüße+o/p&en='Sés4me\"9"
WORN = disguises(PASSWORD, USER, REALM)
KEEP = """
import sys
from wizard.model.secret import Secret
from wizard.system.keyring import system_keyring
keyring = system_keyring()
secret = sys.stdin.buffer.read().decode()
if sys.argv[1] == "keep":
    for server in sys.argv[3:]:
        assert keyring.keep(server, sys.argv[2], Secret(secret)), keyring.trouble
else:
    found = keyring.find(sys.argv[3], sys.argv[2])
    assert found is not None and found.reveal() == secret, keyring.trouble
"""
PROJECT = """
format = 1
name = "Seen from a relay"
public_address = "127.0.0.1"
[[hops]]
id = "chat"
kind = "service"
address = "127.0.0.1"
[[ports]]
name = "media"
protocol = "udp"
outside = "{port}"
[[vantages]]
id = "relay"
kind = "turn"
server = "{server}"
username = "carol"
"""


@dataclass(frozen=True, slots=True)
class Home:
    """A person's account. `folder` holds every file that a program of theirs may write."""

    folder: Path
    environment: dict[str, str]

    async def run(self, *command: str, stdin: bytes = b"", **environment: str) -> tuple[int, bytes]:
        """The exit status, and everything that was said on both outputs."""
        process = await self.start(*command, **environment)
        out, err = await process.communicate(stdin)
        assert process.returncode is not None
        return process.returncode, out + err

    async def start(self, *command: str, **environment: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=self.environment | environment, cwd=self.folder
        )

    def files(self) -> Iterator[Path]:
        return (file for file in self.folder.rglob("*") if file.is_file())


@contextlib.contextmanager
def home() -> Iterator[Home]:
    """An account with a session bus and an unlocked keyring."""
    # The paths of sockets are short, those of pytest's folders are not.
    folder = Path(tempfile.mkdtemp())
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "LANG": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
        # Whatever Python can be made to tell of its work.
        "PYTHONASYNCIODEBUG": "1",
        "PYTHONWARNINGS": "default",
    }
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)

        def program(*command: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        bus = program("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address")
        assert bus.stdout is not None
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
        # It goes to the background once it is ready, and leaves with the bus.
        daemon = ["gnome-keyring-daemon", "--unlock", "--components=secrets"]
        subprocess.run(daemon, input=b"login\n", stdout=subprocess.DEVNULL, env=environment, check=True)
        yield Home(folder, environment)


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port that says nothing, and whether somebody has knocked."""
    knocked = asyncio.Event()

    def note(_data: bytes, _reply: Reply) -> None:
        knocked.set()

    async with udp(note) as port:
        yield port, knocked


def ways(command: Sequence[str]) -> list[tuple[list[str], bytes, dict[str, str]]]:
    """The command with the password from standard input, from the environment, and from the keyring."""
    return [
        ([*command, "--password-stdin"], f"{PASSWORD}\n".encode(), {}),
        (list(command), b"", {"HOPWISE_TURN_PASSWORD": PASSWORD}),
        (list(command), b"", {}),
    ]


def seen_of(pid: int, what: str) -> bytes:
    """What /proc tells of a process; nothing of one that has ended meanwhile."""
    try:
        return Path("/proc", str(pid), what).read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def nowhere(data: bytes, place: object) -> None:
    assert where(data, WORN) == [], place


@pytest.mark.requires("coturn", "keyring", "linux")
async def test_a_password_is_found_in_the_keyring_and_nowhere_else(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue("turn.example.org")
    options = [f"user={USER}:{PASSWORD}"]
    with home() as mine:
        async with coturn(tmp_path, options, certificate=certificate) as server, listening() as (silent, knocked):
            urls = [server.uri(), server.uri("tcp"), server.uri(scheme="turns"), f"turn:127.0.0.1:{silent}"]
            status, said = await mine.run(*(sys.executable, "-c", KEEP, "keep", USER, *urls), stdin=PASSWORD.encode())
            assert status == 0, said
            await reports(mine, server, tmp_path)
            await look_in_on(mine, silent, knocked)
            status, said = await mine.run(*(sys.executable, "-c", KEEP, "find", USER, urls[0]), stdin=PASSWORD.encode())
            assert status == 0, said
        looked = 0
        for file in mine.files():
            nowhere(opened(file), file)
            looked += 1
    # The project, three reports, the keyring's own.
    assert looked >= 5


async def reports(mine: Home, server: Coturn, folder: Path) -> None:
    """What the commands print and write, when all is well and when it is not."""
    good, tls, gone = server.uri(), server.uri(scheme="turns"), f"turn:127.0.0.1:{closed_port(2)}"
    project = mine.folder / "project.toml"
    project.write_text(PROJECT.format(port=closed_port(2), server=good))
    commands = (
        ((HOPWISE, "ice", "--server", good, "--username", USER, "--json"), 0),
        ((HOPWISE, "ice", "--server", good, "--server", tls, "--username", USER), 1),
        ((HOPWISE, "check", str(project), "--timeout", "1", "--json"), 1),
        ((HOPWISE, "check", str(project), "--timeout", "1", "--pdf", "{}.pdf"), 1),
    )
    for place, (command, status) in enumerate(commands):
        given = ways(command)
        named = [[part.format(f"{place}{way}") for part in arguments] for way, (arguments, _, _) in enumerate(given)]
        done = await asyncio.gather(
            *(mine.run(*one, stdin=stdin, **more) for one, (_, stdin, more) in zip(named, given, strict=True))
        )
        for (code, said), arguments in zip(done, named, strict=True):
            assert code == status, (arguments, said)
            nowhere(said, arguments)
    # A server that is gone has no entry in the keyring; the complaint names the user, and no more.
    for arguments, stdin, environment in ways((HOPWISE, "ice", "--server", gone, "--username", USER)):
        _, said = await mine.run(*arguments, stdin=stdin, **environment)
        nowhere(said, arguments)
    servers = folder / "servers.json"
    servers.write_text(json.dumps([{"urls": [good, "nonsense"], "username": USER, "credential": PASSWORD}]))
    status, said = await mine.run(HOPWISE, "ice", "--servers", str(servers))
    assert status == 2
    nowhere(said, servers)


async def look_in_on(mine: Home, silent: int, knocked: asyncio.Event) -> None:
    """What others on this computer see of a run that waits for an answer, and what it says when it is broken off."""
    for arguments, stdin, environment in ways(
        (HOPWISE, "ice", "--server", f"turn:127.0.0.1:{silent}", "--username", USER)
    ):
        knocked.clear()
        process = await mine.start(*arguments, **environment)
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
        async with asyncio.timeout(30):
            await knocked.wait()
        running = psutil.Process(process.pid)
        for one in (running, *running.children(recursive=True)):
            if one != running or not environment:
                nowhere(seen_of(one.pid, "environ"), one)
        for pid in psutil.pids():
            nowhere(seen_of(pid, "cmdline"), pid)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stderr is not None
        said = await process.stdout.read() + await process.stderr.read()
        assert await process.wait() == 130, said
        nowhere(said, arguments)


def test_a_password_from_the_environment_is_not_handed_on_to_programs_that_are_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOPWISE_TURN_PASSWORD", PASSWORD)
    assert given_password(argparse.Namespace(password_stdin=False)) == Secret(PASSWORD)
    assert "HOPWISE_TURN_PASSWORD" not in subprocess.run(["env"], capture_output=True, text=True, check=True).stdout


def test_the_search_would_find_a_password_in_each_disguise(tmp_path: Path) -> None:
    coded = base64.b64encode(f"user={PASSWORD};".encode())
    assert where(b'{"credential": "%s"}' % coded, WORN) == ["utf-8, base64 at 2"]
    assert "url" in where(f"https://192.0.2.1/?p={quote(PASSWORD, safe='')}".encode(), WORN)
    assert "json" in where(json.dumps({"p": PASSWORD}).encode(), WORN)
    assert "utf-16-le" in where(f"the password is {PASSWORD}!".encode("utf-16-le"), WORN)
    assert "utf-8, hex" in where(PASSWORD.encode().hex().encode(), WORN)
    assert len(WORN) > 60
    assert all(len(form) > 8 for form in WORN.values())
