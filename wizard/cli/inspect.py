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
    from wizard.system.inspection import Look, Seen


def add(commands: Commands) -> None:
    """Add it to the commands."""
    parser = commands.add_parser("inspect", help="read the rules that this computer runs with into a project")
    parser.add_argument("project", metavar="PROJECT", type=Path)
    parser.add_argument("--hop", metavar="ID", required=True, help="the hop that this computer is")
    parser.add_argument("--yes", action="store_true", help="run the commands without asking")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.system.inspection import here, inspect, looks

    project = load_project(options.project)
    if project is None:
        return EXIT_USAGE
    hop = next((hop for hop in project.hops if hop.id == options.hop), None)
    if hop is None:
        return complain(f"--hop {options.hop}: no such hop; there are {', '.join(hop.id for hop in project.hops)}")
    wanted = looks(hop.kind)
    if not wanted:
        return complain(f"--hop {hop.id}: a {hop.kind.value} has no rules that a command here could read")
    if not _agreed(wanted, options.yes):
        return complain("nothing was run; to agree without being asked, add --yes")
    seen = asyncio.run(inspect(wanted, here))
    return _keep(options.project, hop, seen)


def _agreed(wanted: Sequence[Look], yes: bool) -> bool:
    """Show the commands, and ask whether to run them."""
    root = not hasattr(os, "geteuid") or os.geteuid() == 0
    print("These commands read and change nothing; those that this computer does not have are left out:")
    for look in wanted:
        print(f"    {look.shown}{'' if root or not look.root else '    (needs root: run hopwise with sudo)'}")
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
