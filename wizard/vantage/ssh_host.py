"""Hosts that are logged in to over SSH, and what is run on them: scripts that end with the connection."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wizard.model import ssh_destination
from wizard.vantage.far_end import FarEnd, FarEndError

if TYPE_CHECKING:
    import asyncssh

    from wizard.vantage.ssh_login import Login

_START_S = 15.0
"""Longest wait for Python's first word on the host."""
_CLOSE_S = 0.1
_KEEPALIVE_S = 5.0
_AGAIN_AFTER_S = 5.0
"""A host that did not answer is not called again sooner."""
_OLDEST_PYTHON = (3, 8)
_NOISE = 64 * 1024
"""Bytes that a login shell may print before Python does."""
_MOST_OUTPUT = 4 << 20
_MARK = b"hopwise-far "
# In double quotes for any shell, so without quotes, dollars, back ticks and backslashes of its own.
_RECEIVE = (
    "import os,sys;"
    "os.write(1,('hopwise-far %d %d'%sys.version_info[:2]).encode()+bytes([10]));"
    "sys.version_info<(3,8) and sys.exit(78);"
    "take=lambda n,b=b'':b if len(b)==n else take(n,b+(os.read(0,n-len(b)) or sys.exit(1)));"
    "[exec(one,globals()) for one in [take(int(take(8))) for _ in range(int(take(1)))]]"
)
"""Reads scripts from standard input, all of them, then runs them: no file is written, nothing secret is an argument."""


class HostError(Exception):
    """What was wanted of a host cannot be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed, and its exit status."""

    command: str
    status: int
    out: str
    err: str


class Running:
    """A script that runs on a host. It ends when its standard input does."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process

    def write(self, data: bytes) -> None:
        """Bytes for its standard input. Harmless when it is gone."""
        with contextlib.suppress(OSError):
            self._process.stdin.write(data)

    async def lines(self) -> AsyncIterator[bytes]:
        """What it prints, line by line, until it ends or the connection does."""
        import asyncssh

        with contextlib.suppress(OSError, asyncssh.Error):
            async for line in self._process.stdout:
                yield line

    async def complaint(self) -> str:
        """The last line that it printed on standard error."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                said = (await self._process.stderr.read(_NOISE)).decode(errors="replace").split("\n")
                return next((line.strip() for line in reversed(said) if line.strip()), "")
        return ""

    def end(self) -> None:
        """End its standard input."""
        with contextlib.suppress(OSError):
            self._process.stdin.write_eof()


class SshHost:
    """A host that is logged in to."""

    def __init__(self, destination: ssh_destination.SshDestination, login: Login) -> None:
        self.destination = destination
        self._login = login
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: list[Running] = []
        self._far: asyncio.Task[FarEnd] | None = None

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return self._login.connection.is_closed()

    async def far(self) -> FarEnd:
        """The sockets of this host. Raises HostError."""
        if self._far is None or (self._far.done() and not _stands(self._far)):
            self._far = asyncio.create_task(self._start_far())
        return await asyncio.shield(self._far)

    async def start(self, *scripts: str, arguments: Sequence[str] = ()) -> Running:
        """Run Python scripts there, one after the other in one process, from standard input. Raises HostError."""
        import asyncssh

        command = f'python3 -I -S -c "{_RECEIVE}" {shlex.join(arguments)}'.rstrip()
        try:
            process: asyncssh.SSHClientProcess[bytes] = await self._login.connection.create_process(
                command, encoding=None, request_pty=False
            )
        except (OSError, asyncssh.Error) as error:
            raise HostError(f"{self.destination} does not run commands: {error}") from None
        running = Running(process)
        self._running.append(running)
        running.write(str(len(scripts)).encode())
        for script in scripts:
            data = script.encode()
            running.write(b"%08d" % len(data) + data)
        try:
            async with asyncio.timeout(_START_S):
                await self._meet(process, running)
        except TimeoutError:
            running.end()
            raise HostError(f"python3 did not start within {_START_S:g} s on {self.destination}") from None
        return running

    async def read(self, argv: Sequence[str], timeout_s: float = 10.0) -> Output:
        """What a command prints there. It is for commands that change nothing: show `shown(argv)` and ask first.

        Raises HostError.
        """
        import asyncssh

        try:
            async with asyncio.timeout(timeout_s):
                # To ask without a terminal or a password, whatever the command: it gets no input.
                done = await self._login.connection.run(
                    shown(argv), stdin=asyncssh.DEVNULL, request_pty=False, encoding="utf-8", errors="replace"
                )
        except TimeoutError:
            raise HostError(f"{shown(argv)} took more than {timeout_s:g} s on {self.destination}") from None
        except (OSError, asyncssh.Error) as error:
            raise HostError(f"{shown(argv)} could not be run on {self.destination}: {error}") from None
        out, err = str(done.stdout or ""), str(done.stderr or "")
        status = -1 if done.exit_status is None else done.exit_status
        return Output(shown(argv), status, out[:_MOST_OUTPUT], err[:_MOST_OUTPUT])

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run that for as long as the host is logged in to."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what runs there, and log out."""
        tasks = [*self._tasks, *([self._far] if self._far is not None else [])]
        for running in self._running:
            running.end()
        for task in tasks:
            task.cancel()
        self._login.connection.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._login.connection.wait_closed()
        self._login.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _meet(self, process: asyncssh.SSHClientProcess[bytes], running: Running) -> None:
        """Wait for Python's first word; what a login shell prints before it is passed over. Raises HostError."""
        heard = 0
        async for line in running.lines():
            heard += len(line)
            if line.startswith(_MARK):
                try:
                    major, minor = map(int, line[len(_MARK) :].split())
                except ValueError:
                    break
                if (major, minor) < _OLDEST_PYTHON:
                    raise HostError(
                        f"python3 on {self.destination} is Python {major}.{minor}; it takes 3.8 or later there"
                    )
                return
            if heard > _NOISE:
                break
        # How it ended comes after its last word.
        await process.wait_closed()
        said = await running.complaint()
        if self.lost:
            raise HostError(f"the SSH connection to {self.destination} was lost")
        if process.exit_status in (127, 9009):
            raise HostError(
                f"{self.destination} has no python3 ({said or 'command not found'}). Install Python 3.8 or later "
                "there, or test from another host"
            )
        raise HostError(f"python3 cannot be run on {self.destination}: {said or 'it said nothing'}")

    async def _start_far(self) -> FarEnd:
        from wizard.vantage.far_script import sockets_script

        running = await self.start(sockets_script())
        far = FarEnd(str(self.destination), running.write)
        self.keep(self._follow(far, running))
        self.keep(far.keep_time())
        ready = asyncio.create_task(far.ready.wait())
        lost = asyncio.create_task(far.lost())
        try:
            await asyncio.wait((ready, lost), timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ready, lost):
                task.cancel()
        if not far.ready.is_set():
            raise HostError(far.why_lost or f"{self.destination} did not get ready within {_START_S:g} s")
        return far

    async def _follow(self, far: FarEnd, running: Running) -> None:
        try:
            async for line in running.lines():
                if not line.endswith(b"\n"):
                    # It was cut off in the middle of a word.
                    break
                try:
                    far.take(line)
                except FarEndError:
                    far.lose(f"{self.destination} said what makes no sense")
                    running.end()
                    return
        finally:
            said = "" if self.lost else await running.complaint()
            if self.lost:
                far.lose(f"the SSH connection to {self.destination} was lost")
            else:
                far.lose(f"the prober on {self.destination} ended" + (f": {said}" if said else ""))

    async def serve(self, script: str, *arguments: str) -> Running:
        """Run a script there that knows nothing of us, kept alive for as long as we are. Raises HostError."""
        from wizard.vantage.far_script import ending_with_standard_input

        running = await self.start(ending_with_standard_input(), script, arguments=arguments)

        async def stay() -> None:
            while not self.lost:
                running.write(b"\n")
                await asyncio.sleep(_KEEPALIVE_S)

        self.keep(stay())
        return running


def _stands(far: asyncio.Task[FarEnd]) -> bool:
    return not far.cancelled() and far.exception() is None and far.result().why_lost is None


class SshHosts:
    """The hosts of a run, each logged in to once, when it is first wanted, and all left at the end."""

    def __init__(self) -> None:
        self._hosts: dict[str, SshHost] = {}
        self._refusals: dict[str, tuple[float | None, str]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def __aenter__(self) -> SshHosts:
        return self

    async def __aexit__(self, *_: object) -> None:
        hosts = list(self._hosts.values())
        self._hosts.clear()
        await asyncio.gather(*(host.close() for host in hosts))

    async def host(self, server: str) -> SshHost:
        """That host, logged in to. Raises HostError."""
        async with self._locks.setdefault(server, asyncio.Lock()):
            host = self._hosts.get(server)
            if host is not None and not host.lost:
                return host
            if host is not None:
                del self._hosts[server]
                await host.close()
            until, words = self._refusals.get(server, (0.0, ""))
            if until is None or asyncio.get_running_loop().time() < until:
                raise HostError(words)
            self._hosts[server] = await self._log_in(server)
            return self._hosts[server]

    async def _log_in(self, server: str) -> SshHost:
        # asyncssh costs a start-up that nobody else need pay.
        from wizard.vantage.ssh_login import LoginError, log_in

        try:
            destination = ssh_destination.parse(server)
            return SshHost(destination, await log_in(destination))
        except ValueError:
            raise HostError(f"{server} is no SSH destination: write user@host") from None
        except LoginError as error:
            # A login that was refused is not tried again: hosts shut out who does.
            until = None if error.final else asyncio.get_running_loop().time() + _AGAIN_AFTER_S
            self._refusals[server] = (until, str(error))
            raise HostError(str(error)) from None


def shown(argv: Sequence[str]) -> str:
    """A command as a person would type it."""
    return shlex.join(argv)
