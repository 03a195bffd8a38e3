"""Where a command gets a password: standard input, the environment or the keyring; never an argument."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wizard.model.project import Project
    from wizard.model.secret import Secret


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
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    return Secret(value) if value else None


def kept_password(server: str, username: str) -> Secret | None:
    """The password that the keyring has for a user of a server."""
    from wizard.system.keyring import find

    return find(server, username)
