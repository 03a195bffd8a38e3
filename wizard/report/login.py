"""What a command logs in with on TURN servers: a password that was given or kept, or what a web service grants."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind, ServerEntry
from wizard.probes.conversation import trust
from wizard.probes.server_credentials import NoCredentialsError, login, secret_of
from wizard.wire.long_term import Credentials
from wizard.wire.uri import IceUri

Find = Callable[[str, str], Secret | None]
"""What the keyring has, by server and user name."""


@dataclass(frozen=True, slots=True)
class Logins:
    """Where credentials come from, beside what a file brings. `service` is the address of a web service that grants
    them, and `token` what it wants; both are never sent to a TURN server, nor `password` to the web service."""

    password: Secret | None = None
    find: Find | None = None
    service: str = ""
    token: Secret | None = None
    ca_file: Path | None = None
    _granted: dict[str, Credentials] = field(default_factory=dict, repr=False)

    def credentials(self, found: IceUri, username: str | None, secret: Secret | None = None) -> Credentials | None:
        """For that server; None where none are wanted, as by STUN, or nobody is named. `secret` is what a file has.

        Raises ValueError that says why there are none and what to do.
        """
        if not found.relays:
            return None
        if username is not None and secret is not None:
            return Credentials(username, secret)
        if self.service:
            return self._from_service(found, username or "")
        if username is None:
            return None
        secret = self.password
        if secret is None and self.find is not None:
            secret = self.find(found.text, username)
        if secret is None:
            raise ValueError(
                f"no password for {username} on {found.text}: store it in the keyring with the wizard, "
                "or set HOPWISE_TURN_PASSWORD, or use --password-stdin"
            )
        return Credentials(username, secret)

    def _from_service(self, found: IceUri, username: str) -> Credentials:
        held = self._granted.get(found.host)
        if held is None:
            entry = ServerEntry((found.text,), username, CredentialKind.REST_ENDPOINT, self.service)
            token = self.token
            if token is None and self.find is not None:
                token = secret_of(entry, self.find)
            try:
                granted = asyncio.run(login(entry, token, datetime.now(UTC), ca_file=self.ca_file))
            except NoCredentialsError as fault:
                raise ValueError(str(fault)) from None
            assert granted is not None
            held = self._granted[found.host] = Credentials(granted.username, granted.password)
        return held


def worded(fault: Exception) -> str:
    """Why a command cannot start, with the file that is at fault but without Python's numbers."""
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror
    return str(fault)


def believed(ca_file: Path | None) -> ssl.SSLContext:
    """The authorities that `--ca` names, or the system's. Raises ValueError in words, OSError or ssl.SSLError."""
    try:
        return trust(ca_file)
    except ValueError as fault:
        raise ValueError(f"--ca {fault}") from None
