"""`hopwise demo`: a practice network on this computer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import complain, reason

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands
    from wizard.progress import Result


def add(commands: Commands) -> None:
    """Add it to the commands."""
    demo = commands.add_parser("demo", help="a practice network on this computer, with faults to find")
    demo.add_argument("--pdf", metavar="FILE", type=Path, help="where to write the report")
    demo.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    import asyncio

    from wizard.practice.demo import demo

    path: Path = options.pdf or Path("hopwise-practice.pdf")

    def report(result: Result) -> str:
        try:
            from wizard.gui.pdf import write_pdf

            write_pdf(result, path)
        except (ImportError, OSError) as error:
            return f"There is no report: {reason(error)}"
        return f"The report is in {path}"

    try:
        return asyncio.run(demo(sys.stdout, sys.stdin if sys.stdin.isatty() else None, report))
    except OSError as error:
        return complain(f"demo: {reason(error)}")
