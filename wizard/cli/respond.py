"""`hopwise respond`: answers the probes on the service's host."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.arguments import minutes
from wizard.cli.exits import EXIT_USAGE, complain
from wizard.cli.project import load_project

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Add it to the commands."""
    respond = commands.add_parser("respond", help="answer the probes, on the service's host")
    respond.add_argument("project", metavar="PROJECT", type=Path)
    respond.add_argument("--json", action="store_true", help="print each probe that arrives as a line of JSON")
    respond.add_argument("--at", metavar="HOP", help="whose port numbers to answer on (default: the last hop)")
    respond.add_argument("--minutes", metavar="N", type=minutes, default=30.0, help="stop after N minutes (30)")
    respond.add_argument(
        "--print", dest="printed", action="store_true", help="print a script that does the same with bare Python"
    )
    respond.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    project = load_project(options.project)
    if project is None:
        return EXIT_USAGE
    hops = [hop.id for hop in project.hops]
    if options.at is not None and options.at not in hops:
        return complain(f"--at {options.at}: {options.project} has no such hop; it has {', '.join(hops)}")
    from wizard.report.responder import printed, respond

    if options.printed:
        print(printed(project, options.at, options.minutes), end="")
        return 0
    return respond(project, options.at, options.minutes, as_json=options.json)
