"""The rules that a computer runs with, read by commands that change nothing."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wizard.configs.products import product
from wizard.configs.reading import Reading, Source, UnreadableError
from wizard.configs.words import say
from wizard.model.atomic import write_whole
from wizard.model.config_file import ConfigFile
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.secret import Secret
from wizard.system import docker_socket, frp_api

TIMEOUT_S = 10.0
_FOR_ROOT = ("/usr/sbin", "/sbin", "/usr/local/sbin")
ELSEWHERE = ("env", "LC_ALL=C", f"PATH=/usr/bin:/bin:/usr/local/bin:{':'.join(_FOR_ROOT)}")
"""What stands before a command on another host."""
NO_SUCH_COMMAND = 127
LARGEST = 4 * 1024 * 1024
"""Bytes of a command's output at most; what is longer is not read."""


@dataclass(frozen=True, slots=True)
class Look:
    """One command, and the product whose configuration it prints. `root`: it says nothing to anybody else."""

    product: str
    argv: tuple[str, ...]
    root: bool = False

    @property
    def shown(self) -> str:
        """The command as it is typed."""
        return shlex.join(self.argv)


_PACKET_FILTERS = (
    Look("nftables", ("nft", "-j", "list", "ruleset"), root=True),
    Look("iptables", ("iptables-save",), root=True),
    Look("iptables", ("ip6tables-save",), root=True),
    Look("ufw", ("ufw", "status", "numbered"), root=True),
    Look("firewalld", ("firewall-cmd", "--list-all"), root=True),
)
_GET = "GET"
"""In place of a command: a question over HTTP."""
_DOCKER = ("docker", "ps", "--no-trunc", "--format", "json")
_CONTAINERS = (
    Look("docker", _DOCKER),
    Look("kubernetes", ("kubectl", "get", "services", "--all-namespaces", "-o", "json")),
)
_LOOKS = {
    HopKind.FIREWALL: _PACKET_FILTERS,
    HopKind.ROUTER: (Look("openwrt", ("uci", "show", "firewall")), *_PACKET_FILTERS),
    HopKind.CONTAINER: _CONTAINERS,
}


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed. `status` None: there is no such command, or it did not end in time."""

    status: int | None
    out: str = ""
    err: str = ""


Run = Callable[[Sequence[str]], Awaitable[Printed]]
"""Runs a command on the computer that is looked at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A command that was run: its output as a configuration, or why there is none."""

    look: Look
    reading: Reading | None = None
    text: str = ""
    why: Phrase | None = None


def looks(kind: HopKind, frp: str | None = None) -> tuple[Look, ...]:
    """The commands that tell how a hop of this kind is configured. `frp` is the URL of frpc's admin API, or of frps's
    dashboard."""
    if frp is not None and kind is HopKind.TUNNEL_CLIENT:
        return (Look("frpc", (_GET, frp.rstrip("/") + frp_api.CLIENT)),)
    if frp is not None and kind is HopKind.TUNNEL_SERVER:
        return (Look("frps-dashboard", (_GET, frp.rstrip("/") + frp_api.SERVER)),)
    return _LOOKS.get(kind, ())


def asking(frp: str, username: str, password: Secret | None) -> Run:
    """What asks frp instead of running a command."""

    async def run(argv: Sequence[str]) -> Printed:
        told = frp_api.client_configuration if argv[1].endswith(frp_api.CLIENT) else frp_api.server_proxies
        try:
            return Printed(0, await asyncio.to_thread(told, frp, username, password))
        except frp_api.FrpError as error:
            return Printed(1, err=str(error))

    return run


async def here(argv: Sequence[str]) -> Printed:
    """Run a command on this computer, in the C locale, without input; Docker is asked by its socket."""
    if tuple(argv) == _DOCKER and docker_socket.may_ask():
        try:
            return Printed(0, await asyncio.to_thread(docker_socket.containers))
        except docker_socket.DockerError as error:
            return Printed(1, err=str(error))
    program = shutil.which(argv[0], path=_path())
    if program is None:
        return Printed(None)
    process = await asyncio.create_subprocess_exec(
        program,
        *argv[1:],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C"},
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate()
    except TimeoutError:
        return Printed(None)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Printed(process.returncode, out[: LARGEST + 1].decode(errors="replace"), err.decode(errors="replace"))


def _path() -> str:
    """Where commands are looked for: those for root too, which are not on everybody's path."""
    return os.pathsep.join(filter(None, (os.environ.get("PATH", ""), *_FOR_ROOT)))


async def inspect(wanted: Sequence[Look], run: Run) -> tuple[Seen, ...]:
    """Run the commands one after the other. Those that the computer does not have are left out."""
    found: list[Seen] = []
    for look in wanted:
        printed = await run(look.argv)
        if printed.status is not None:
            found.append(_seen(look, printed))
    return tuple(found)


def keep(seen: Sequence[Seen], hop: str, folder: Path, stem: str) -> tuple[ConfigFile, ...]:
    """Write what was read beside a project called `stem`, a file for each command. Raises OSError."""
    found: list[ConfigFile] = []
    for one in seen:
        if one.reading is not None:
            printed_by = one.look.product if one.look.argv[0] == _GET else one.look.argv[0]
            name = f"{stem}.{hop}.{printed_by}.txt"
            write_whole(folder / name, one.text.encode("utf-8"))
            found.append(ConfigFile(hop, name, one.look.product))
    return tuple(found)


def _seen(look: Look, printed: Printed) -> Seen:
    if printed.status != 0:
        said = next((line for line in reversed(printed.err.splitlines()) if line.strip()), "")
        return Seen(look, why=Phrase("command-failed", {"command": look.shown, "said": said}))
    known = product(look.product)
    if known.read is None or not printed.out.strip():
        return Seen(look, why=Phrase("command-empty", {"command": look.shown}))
    try:
        return Seen(look, known.read(Source(printed.out, look.shown)), printed.out)
    except UnreadableError as error:
        values = {"command": look.shown, "why": say(error.phrase)}
        return Seen(look, text=printed.out, why=Phrase("command-unread", values))
