"""A real sshd on loopback, with keys of its own, and a home folder to log in from."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil

from tests.probes.asking import WITHIN_S, free_port

START_S = 20.0
SSHD = "/usr/sbin/sshd"
_MARK = "HOPWISE_TEST_SSHD"
"""In the environment of what is started through an sshd: where its files are."""


def make_key(file: Path, passphrase: str = "") -> Path:
    """A key pair, new unless there is one."""
    if file.exists():
        return file
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(file)]
    subprocess.run(told, check=True, stdin=subprocess.DEVNULL)
    return file


def fingerprint(key: Path) -> str:
    """As ssh shows it."""
    told = ["ssh-keygen", "-lf", str(key.with_suffix(".pub"))]
    return subprocess.run(told, capture_output=True, text=True, check=True).stdout.split()[1]


@contextlib.contextmanager
def agent(folder: Path, key: Path) -> Iterator[Path]:
    """An SSH agent that has the key. Yields its socket."""
    at = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(at)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        subprocess.run(["ssh-add", "-q", str(key)], check=True, env={**os.environ, "SSH_AUTH_SOCK": str(at)})
        yield at
    finally:
        process.terminate()
        process.communicate()


class Sshd:
    """Where it is, and its files. `home` is the folder whose .ssh a client logs in with.

    Several with the same files have the same keys.
    """

    def __init__(self, files: Path, address: str = "127.0.0.1", port: int | None = None) -> None:
        self.files = files
        self.address = address
        self.home = files / "home"
        self.key = make_key(self.home / ".ssh/id_ed25519")
        self.host_key = make_key(files / "host_key")
        self.known_hosts = self.home / ".ssh/known_hosts"
        if os.geteuid() == 0:
            # Where it locks itself in before a login; a package would make it at its start.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.port = port or free_port()
        self.user = getpass.getuser()
        (files / "authorized_keys").write_text(self.key.with_suffix(".pub").read_text())
        self.trust(self.host_key)

    @property
    def destination(self) -> str:
        """As a project names it."""
        return f"{self.user}@{self.address}:{self.port}"

    def trust(self, host_key: Path) -> None:
        """Have that host key in known_hosts, and no other for this host."""
        kind, data = host_key.with_suffix(".pub").read_text().split()[:2]
        here = f"[{self.address}]:{self.port} "
        known = self.known_hosts.read_text().splitlines() if self.known_hosts.exists() else []
        others = [line for line in known if not line.startswith(here)]
        self.known_hosts.write_text("\n".join([*others, f"{here}{kind} {data}", ""]))

    def left_behind(self) -> list[psutil.Process]:
        """What still runs of the scripts that were started through it."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(_MARK) == str(self.files) and "hopwise-far" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    async def until_all_are_gone(self) -> None:
        """Returns when nothing is left behind. Raises TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            while self.left_behind():  # noqa: ASYNC110 - another program's end is no event here
                await asyncio.sleep(0.01)

    def command(self, *more: str) -> list[str]:
        """The command line of the server."""
        lines = [
            f"ListenAddress {self.address}:{self.port}",
            f"HostKey {self.host_key}",
            f"AuthorizedKeysFile {self.files / 'authorized_keys'}",
            "PidFile none",
            "UsePAM no",
            "StrictModes no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            f"SetEnv {_MARK}={self.files}",
            *more,
        ]
        config = self.files / f"sshd_config-{self.address}"
        config.write_text("\n".join(lines) + "\n")
        return [SSHD, "-D", "-e", "-f", str(config)]


@contextlib.asynccontextmanager
async def sshd(files: Path, *more: str) -> AsyncIterator[Sshd]:
    """A running sshd, with these lines of configuration too."""
    there = Sshd(files)
    process = await asyncio.create_subprocess_exec(
        *there.command(*more), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_S):
            async for line in process.stderr:
                if b"Server listening" in line:
                    break
        drain = asyncio.create_task(_drain(process.stderr))
        try:
            yield there
        finally:
            drain.cancel()
            await asyncio.gather(drain, return_exceptions=True)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(4096):
        pass


class Passage:
    """A way to an address that can be cut: what a broken line is to those who talk over it."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self._to = port
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    async def __aenter__(self) -> Passage:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break what is under way."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    def fall_silent(self) -> None:
        """Carry nothing more, without a word to either end."""
        self._flows.clear()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers += [writer, inner_writer]
        for source, sink in ((reader, inner_writer), (inner_reader, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        sink.close()
