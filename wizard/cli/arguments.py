"""How arguments are read: the parser, the numbers that it takes, and the options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from wizard.cli.exits import EXIT_USAGE


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Parser]


def add_password(parser: argparse.ArgumentParser) -> None:
    """Add the option to read a password from standard input."""
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the TURN password from the first line of standard input"
    )


def add_login(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to log in on a TURN server."""
    add_password(parser)
    parser.add_argument(
        "--credentials-from", metavar="URL", help="ask this web service for a user name and a password that end soon"
    )
    parser.add_argument(
        "--token-stdin",
        action="store_true",
        help="read the web service's token from the first line of standard input; else the keyring is asked",
    )


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Add the options to write what was found to a file too."""
    parser.add_argument("--pdf", metavar="FILE", type=Path, help="also write the report as a PDF")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="also write the report as Markdown")


def seconds(text: str) -> float:
    """A time-out, in s. Raises ArgumentTypeError."""
    return _number(text, "seconds", 0.2, 600)


def minutes(text: str) -> float:
    """How long to answer, in minutes. Raises ArgumentTypeError."""
    return _number(text, "minutes", 0.01, 7 * 24 * 60)


def call_seconds(text: str) -> float:
    """How long a call is, in s. Raises ArgumentTypeError."""
    return _number(text, "seconds", 1, 240)


def mbit(text: str) -> float:
    """The rate of one session, in Mbit/s. Raises ArgumentTypeError."""
    return _number(text, "Mbit/s", 0.05, 1)


def port_number(text: str) -> int:
    """A port. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; ports run from 1 to 65535")
    return int(text)


def ssh_destination(text: str) -> str:
    """A host to log in to. Raises ArgumentTypeError."""
    from wizard.model.ssh_destination import parse

    try:
        parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no SSH destination; write user@host") from None
    return text


def _number(text: str, unit: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {unit} from {least:g} to {most:g}")
    return value
