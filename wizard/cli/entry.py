"""The command line: which command was asked for. Each has a file of its own beside this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from wizard import __version__
from wizard.cli import (
    audit,
    check,
    coverage,
    demo,
    generate,
    ice,
    importing,
    inspect,
    nat,
    presets,
    respond,
    router,
    sdp,
    turn,
)
from wizard.cli.arguments import Parser
from wizard.cli.exits import EXIT_DEFECT, EXIT_INTERRUPTED, complain

# Each imports what it needs when it runs, so that none pays for another's libraries.
COMMANDS = (check, respond, router, importing, inspect, coverage, generate, sdp, ice, turn, nat, audit, presets, demo)
"""In the order in which help lists them."""

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser, commands = _parser()
    _open_closed_streams()
    try:
        if not arguments or (arguments[0] not in commands and not arguments[0].startswith("-")):
            return _wizard(arguments, commands)
        options = parser.parse_args(arguments)
        status: int = options.run(options)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; there is nobody left to tell.
        sys.stderr.close()
        return EXIT_INTERRUPTED
    except Exception:  # noqa: BLE001 - shown whole, not swallowed
        import traceback

        traceback.print_exc()
        return EXIT_DEFECT
    return status


def _open_closed_streams() -> None:
    """Give whoever closed standard output or error a place to write to all the same: its number is then no socket's."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _wizard(arguments: Sequence[str], commands: Sequence[str]) -> int:
    if len(arguments) > 1 or (arguments and not Path(arguments[0]).exists()):
        word = arguments[0]
        return complain(f"{word}: neither a project file nor a command; the commands are {', '.join(commands)}")
    if sys.platform.startswith("linux") and not any(map(os.environ.get, _DISPLAYS)):
        # Qt would abort without a word that helps.
        return complain("there is no display for the wizard; in a terminal use hopwise check PROJECT or hopwise demo")
    from wizard.gui.app import main as wizard_main

    return wizard_main(list(arguments))


def _parser() -> tuple[Parser, list[str]]:
    parser = Parser(
        prog="hopwise",
        usage="hopwise [PROJECT] | hopwise COMMAND …",
        description="Finds the hop that stops a self-hosted call, and says how to mend it. "
        "Without a command it opens the wizard.",
    )
    parser.add_argument("--version", action="version", version=f"hopwise {__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser, prog="hopwise"
    )
    for command in COMMANDS:
        command.add(commands)
    return parser, list(commands.choices)
