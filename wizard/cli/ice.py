"""`hopwise ice`: gathers candidates from STUN and TURN servers, and says why one fails."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.arguments import add_login, add_reports
from wizard.cli.exits import complain
from wizard.cli.passwords import login_fault, logins
from wizard.cli.reports import reported

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Add it to the commands."""
    ice = commands.add_parser("ice", help="gather candidates from STUN and TURN servers, and say why one fails")
    ice.add_argument("--server", metavar="URL", action="append", default=[], help="stun:, stuns:, turn: or turns: URL")
    ice.add_argument(
        "--servers", metavar="FILE", type=Path, help="an RTCConfiguration as JSON or JavaScript, or a turnserver.conf"
    )
    ice.add_argument("--username", metavar="U")
    ice.add_argument("--relay-only", action="store_true", help="relay candidates only")
    ice.add_argument("--interface", metavar="NAME", help="send through this network interface only")
    ice.add_argument(
        "--ca", metavar="FILE", type=Path, help="believe the authorities in this PEM file instead of the system's"
    )
    ice.add_argument("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 only")
    ice.add_argument("--json", action="store_true")
    add_reports(ice)
    add_login(ice)
    ice.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.report.ice import run_ice

    if (fault := login_fault(options)) is not None:
        return complain(fault)
    how = logins(options)
    return reported(options, lambda tell: run_ice(options, how, tell=tell))
