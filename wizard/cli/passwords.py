"""Where a command gets a password: standard input, the environment or the keyring; never an argument."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wizard.model.project import Project
    from wizard.model.secret import Secret
    from wizard.report.login import Logins


def vantage_passwords(project: Project, options: argparse.Namespace) -> dict[str, Secret]:
    """The password of each TURN vantage, by its id: from standard input, the environment or the keyring."""
    from wizard.model.vantage import VantageKind

    wanted = [v for v in project.vantages if v.kind is VantageKind.TURN]
    if not wanted:
        return {}
    given = given_password(options)
    if given is not None:
        return {vantage.id: given for vantage in wanted}
    found = {vantage.id: kept_password(vantage.server or "", vantage.username or "") for vantage in wanted}
    return {name: secret for name, secret in found.items() if secret is not None}


def given_password(options: argparse.Namespace) -> Secret | None:
    """The password from standard input or the environment, if one was given there."""
    from wizard.model.secret import Secret

    # Taken out, so that no program that we start inherits it.
    value = os.environ.pop("HOPWISE_TURN_PASSWORD", None)
    if options.password_stdin:
        return first_line()
    return Secret(value) if value else None


def first_line() -> Secret:
    """The first line of standard input."""
    from wizard.model.secret import Secret

    return Secret(sys.stdin.readline().rstrip("\r\n"))


def logins(options: argparse.Namespace) -> Logins:
    """What to log in with as the options say, and the keyring. Reads standard input if they say so."""
    from wizard.report.login import Logins

    password = given_password(options)
    if options.credentials_from is None:
        return Logins(password, kept_password)
    # What was set for TURN servers is none of the web service's business.
    token = first_line() if options.token_stdin else None
    return Logins(None, kept_password, options.credentials_from, token, options.ca)


def login_fault(options: argparse.Namespace) -> str | None:
    """What does not fit together of the options that say how to log in."""
    if options.token_stdin and options.credentials_from is None:
        return "--token-stdin goes with --credentials-from"
    if options.credentials_from is not None and options.password_stdin:
        return "--password-stdin does not go with --credentials-from, where the password comes from; see --token-stdin"
    return None


def kept_password(server: str, username: str) -> Secret | None:
    """The password that the keyring has for a user of a server."""
    from wizard.system.keyring import find

    return find(server, username)
