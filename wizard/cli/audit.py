"""`hopwise audit`: what is unsafe about a TURN server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.arguments import add_login, add_reports
from wizard.cli.exits import complain
from wizard.cli.passwords import first_line, login_fault, logins
from wizard.cli.reports import reported

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Add it to the commands."""
    audit = commands.add_parser("audit", help="what is unsafe about a turnserver.conf or a running TURN server")
    audit.add_argument("target", metavar="FILE|URL", help="a turnserver.conf, or a turn: or turns: URL")
    audit.add_argument("--username", metavar="U")
    audit.add_argument(
        "--secret-stdin",
        action="store_true",
        help="read the shared secret of use-auth-secret from standard input, and log in with what it mints",
    )
    audit.add_argument("--own", action="store_true", help="the server is mine: try its limits and its own ports too")
    audit.add_argument("--harden", metavar="FILE", type=Path, help="also write the configuration with its holes closed")
    audit.add_argument(
        "--ca", metavar="FILE", type=Path, help="believe the authorities in this PEM file instead of the system's"
    )
    audit.add_argument("--json", action="store_true")
    add_reports(audit)
    add_login(audit)
    audit.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.report.audit import run_audit

    if (fault := login_fault(options)) is not None:
        return complain(fault)
    return reported(options, lambda tell: run_audit(options, lambda: logins(options), first_line, tell=tell))
