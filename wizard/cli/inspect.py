"""`hopwise inspect`: reads the rules of this computer, by commands that are shown first, into a project."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import EXIT_USAGE, complain, reason
from wizard.cli.project import load_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wizard.cli.arguments import Commands
    from wizard.model.hop import Hop
    from wizard.system.inspection import Look, Run, Seen


def add(commands: Commands) -> None:
    """Add it to the commands."""
    parser = commands.add_parser("inspect", help="read the rules that this computer runs with into a project")
    parser.add_argument("project", metavar="PROJECT", type=Path)
    parser.add_argument("--hop", metavar="ID", required=True, help="the hop that this computer is")
    parser.add_argument("--ssh", metavar="USER@HOST", help="the hop is that host: read its rules over SSH")
    parser.add_argument(
        "--frp", metavar="URL", help="frpc's admin API, or frps's dashboard, to be asked for its proxies"
    )
    parser.add_argument("--username", metavar="U", help="the user name for --frp")
    parser.add_argument("--password-stdin", action="store_true", help="read the password for it from standard input")
    parser.add_argument("--yes", action="store_true", help="run the commands without asking")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.system.inspection import inspect, looks

    project = load_project(options.project)
    if project is None:
        return EXIT_USAGE
    hop = next((hop for hop in project.hops if hop.id == options.hop), None)
    if hop is None:
        return complain(f"--hop {options.hop}: no such hop; there are {', '.join(hop.id for hop in project.hops)}")
    wanted = looks(hop.kind, options.frp)
    if not wanted:
        more = "; give the address of its API with --frp" if hop.kind.value.startswith("tunnel") else ""
        return complain(f"--hop {hop.id}: a {hop.kind.value} has no rules that a command could read{more}")
    if not _agreed(wanted, options.yes, options.ssh):
        return complain("nothing was run; to agree without being asked, add --yes")
    try:
        seen = asyncio.run(_elsewhere(options.ssh, wanted) if options.ssh else inspect(wanted, _runner(options)))
    except ConnectionError as error:
        return complain(str(error))
    return _keep(options.project, hop, seen)


def _runner(options: argparse.Namespace) -> Run:
    from wizard.system.inspection import asking, here

    if options.frp is None:
        return here
    from wizard.model.secret import Secret

    password = Secret(sys.stdin.readline().rstrip("\r\n")) if options.password_stdin else None
    return asking(options.frp, options.username or "", password)


async def _elsewhere(server: str, wanted: Sequence[Look]) -> tuple[Seen, ...]:
    """Run the commands on another host. Raises ConnectionError."""
    from wizard.system.inspection import ELSEWHERE, NO_SUCH_COMMAND, Printed, inspect
    from wizard.vantage.ssh_host import HostError, SshHosts

    try:
        async with SshHosts() as hosts:
            host = await hosts.host(server)

            async def run(argv: Sequence[str]) -> Printed:
                output = await host.read((*ELSEWHERE, *argv))
                return Printed(None if output.status == NO_SUCH_COMMAND else output.status, output.out, output.err)

            return await inspect(wanted, run)
    except HostError as error:
        raise ConnectionError(str(error)) from None


def _agreed(wanted: Sequence[Look], yes: bool, server: str | None) -> bool:
    """Show the commands, and ask whether to run them."""
    root = (not hasattr(os, "geteuid") or os.geteuid() == 0) if server is None else server.startswith("root@")
    remedy = "run hopwise with sudo" if server is None else "log in as root"
    where = server or "this computer"
    print(f"These commands read and change nothing; those that {where} does not have are left out:")
    for look in wanted:
        print(f"    {look.shown}{'' if root or not look.root else f'    (needs root: {remedy})'}")
    if yes:
        return True
    if not sys.stdin.isatty():
        return False
    return input("Run them? [y/N] ").strip().lower() in ("y", "yes")


def _keep(path: Path, hop: Hop, seen: Sequence[Seen]) -> int:
    """Write what was read beside the project, and name it there."""
    from wizard.configs.words import say
    from wizard.model.load import load
    from wizard.model.project import with_configs
    from wizard.model.save import save
    from wizard.system.inspection import keep

    for found in seen:
        if found.why is not None:
            print(f"hopwise: {say(found.why)}", file=sys.stderr)
    try:
        kept = keep(seen, hop.id, path.parent, path.stem)
        for config in kept:
            print(f"{config.product}: kept in {path.parent / config.file}")
        if not kept:
            return complain(f"nothing was read for {hop.id}")
        save(with_configs(load(path), kept), path)
    except OSError as error:
        return complain(f"{error.filename or path}: {reason(error)}")
    print(f"The project is in {path}; hopwise coverage {path} lays the plan over the rules")
    return 0
