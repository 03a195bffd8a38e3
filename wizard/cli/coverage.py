"""`hopwise coverage`: which planned port each imported configuration covers; sends nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import EXIT_USAGE, complain
from wizard.cli.project import load_project

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Add it to the commands."""
    coverage = commands.add_parser("coverage", help="which planned port each imported configuration covers")
    coverage.add_argument("project", metavar="PROJECT", type=Path)
    coverage.add_argument("--json", action="store_true", help="print the result as JSON")
    coverage.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    project = load_project(options.project)
    if project is None:
        return EXIT_USAGE
    if not project.configs:
        return complain(
            f"{options.project}: no hop has a configuration file; add one with hopwise import FILE -o {options.project}"
        )
    from wizard.report.coverage import dumps, report, to_text
    from wizard.system.config_files import read_configs

    told = report(project, read_configs(project, options.project.parent))
    print(dumps(told) if options.json else to_text(told))
    return told.status
