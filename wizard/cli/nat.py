"""`hopwise nat`: what the NAT on the way does."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wizard.cli.arguments import add_reports
from wizard.cli.reports import reported

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Add it to the commands."""
    nat = commands.add_parser("nat", help="what the NAT on the way does, and whether you need STUN or TURN")
    nat.add_argument(
        "--server", metavar="URL", action="append", default=[], help="stun: or turn: URL (repeatable: two tell more)"
    )
    nat.add_argument("--lifetime", action="store_true", help="also how long an unused mapping lives: takes 5 minutes")
    nat.add_argument("--json", action="store_true")
    add_reports(nat)
    nat.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.report.nat import run_nat

    return reported(options, lambda tell: run_nat(options, tell=tell))
