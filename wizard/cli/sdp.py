"""`hopwise sdp`: what is wrong with an offer or answer, and how it should read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import EXIT_USAGE, complain, reason
from wizard.cli.project import load_project

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Add it to the commands."""
    sdp = commands.add_parser("sdp", help="what is wrong with an SDP offer or answer, and how it should read")
    sdp.add_argument("file", metavar="FILE|-", help="the text, or JSON that has it; - reads standard input")
    sdp.add_argument("--project", metavar="PROJECT", type=Path, help="hold it against this plan")
    sdp.add_argument("--json", action="store_true", help="print the result as JSON")
    sdp.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.report.sdp import dumps, report, to_text, words
    from wizard.wire.sdp import LARGEST, SdpError, parse

    project = None
    if options.project is not None:
        project = load_project(options.project)
        if project is None:
            return EXIT_USAGE
    try:
        if options.file == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(options.file).open("rb") as file:
                data = file.read(LARGEST + 1)
    except OSError as error:
        return complain(f"{options.file}: {reason(error)}")
    if len(data) > LARGEST:
        return complain(f"{options.file}: {words('too-long')}")
    try:
        description = parse(data.decode("utf-8-sig", "replace"))
    except SdpError:
        return complain(f"{options.file}: {words('no-sdp')}")
    told = report(description, project)
    print(dumps(told) if options.json else to_text(told), end="\n" if options.json else "")
    return told.status
