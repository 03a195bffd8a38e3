"""`hopwise turn`: relays a call's packets through a TURN server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.arguments import add_login, add_reports, call_seconds, mbit, port_number
from wizard.cli.exits import complain
from wizard.cli.passwords import login_fault, logins
from wizard.cli.reports import reported

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Add it to the commands."""
    turn = commands.add_parser("turn", help="relay a call's packets through a TURN server, and say how well it does")
    turn.add_argument("url", metavar="URL", help="turn: or turns: URL")
    turn.add_argument("--username", metavar="U")
    turn.add_argument("--seconds", metavar="S", type=call_seconds, default=5.0, help="how long to send (5)")
    turn.add_argument(
        "--call", action="store_true", help="also connect two ICE agents, and say whether TURN was needed"
    )
    turn.add_argument(
        "--capacity",
        type=int,
        choices=(10, 50, 200),
        help="also how many sessions it carries; for your own server only",
    )
    turn.add_argument("--mbit", metavar="M", type=mbit, help="Mbit/s of each session (0.5 for 10 sessions, else 1)")
    turn.add_argument("--own", action="store_true", help="confirm that the server is yours to load")
    turn.add_argument("--peer-family", type=int, choices=(4, 6), help="relay over IPv4 or IPv6")
    turn.add_argument(
        "--min-port", metavar="P", type=port_number, help="the first relay port that the server is configured for"
    )
    turn.add_argument("--max-port", metavar="P", type=port_number, help="the last one")
    turn.add_argument(
        "--ca", metavar="FILE", type=Path, help="believe the authorities in this PEM file instead of the system's"
    )
    turn.add_argument("--json", action="store_true")
    add_reports(turn)
    add_login(turn)
    turn.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.report.turn_command import run_turn

    if (fault := login_fault(options)) is not None:
        return complain(fault)
    how = logins(options)
    return reported(options, lambda tell: run_turn(options, how, tell=tell))
