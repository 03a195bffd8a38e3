"""The user name and password to use now on a server of the list, or why there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind, ServerEntry, keyring_names
from wizard.probes.rest_endpoint import TIMEOUT_S, Endpoint, EndpointError, fetch
from wizard.wire.rest_credentials import LIFETIME_S, expiry, mint
from wizard.wire.uri import UriError

MARGIN = timedelta(minutes=10)
"""Credentials that end sooner are made anew before a run: they should outlast it."""


class NoCredentialsError(Exception):
    """There is nothing to log in with; the message says why and what to do, and repeats no secret."""


@dataclass(frozen=True, slots=True)
class Login:
    """What to log in with. `expires` is None where nothing says it."""

    username: str
    password: Secret
    expires: datetime | None = None

    def outlasts(self, moment: datetime) -> bool:
        """Whether it is good until then, as far as is known."""
        return self.expires is None or self.expires > moment


def secret_of(entry: ServerEntry, find: Callable[[str, str], Secret | None]) -> Secret | None:
    """What the keyring has for the entry. `find` may wait for a person to unlock it."""
    for server, username in keyring_names(entry):
        found = find(server, username)
        if found is not None and found.reveal():
            return found
    return None


def keep_secret(entry: ServerEntry, secret: Secret, keep: Callable[[str, str, Secret], bool]) -> bool:
    """Keep the entry's secret under each of its names. Returns whether the system's keyring took it everywhere."""
    kept = [keep(server, username, secret) for server, username in keyring_names(entry)]
    return all(kept)


async def login(
    entry: ServerEntry,
    secret: Secret | None,
    now: datetime,
    *,
    held: Login | None = None,
    allow_plain: bool = False,
    ca_file: Path | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Login | None:
    """The login to use from `now` on; None where none is wanted. Raises NoCredentialsError.

    `secret` is what `secret_of` found: password, shared secret or token. `held` is the last login of a limited kind,
    used again while it lasts. Only the kind rest-endpoint sends anything, to its web service.
    """
    if not entry.relays:
        return None
    if entry.kind is not CredentialKind.STATIC and held is not None and held.outlasts(now + MARGIN):
        return held
    match entry.kind:
        case CredentialKind.STATIC:
            return _static(entry, secret)
        case CredentialKind.SHARED_SECRET:
            if secret is None or not secret.reveal():
                raise NoCredentialsError(
                    f"no shared secret for {entry.urls[0]}: enter static-auth-secret of the server"
                )
            until = int(now.astimezone(UTC).timestamp()) + LIFETIME_S
            made = mint(secret, Secret, until, entry.username, entry.separator)
            return Login(made.username, made.password, made.expires)
        case CredentialKind.REST_ENDPOINT:
            return await _granted(entry, secret, now, allow_plain, ca_file, timeout_s)


def _static(entry: ServerEntry, secret: Secret | None) -> Login | None:
    if not entry.username:
        return None
    if secret is None or not secret.reveal():
        raise NoCredentialsError(
            f"no password for {entry.username} on {entry.urls[0]}: enter it, or keep it in the keyring"
        )
    # A name of digits may be a telephone number: whether it has ended is for the server to say.
    return Login(entry.username, secret, expiry(entry.username))


async def _granted(
    entry: ServerEntry,
    token: Secret | None,
    now: datetime,
    allow_plain: bool,
    ca_file: Path | None,
    timeout_s: float,
) -> Login:
    try:
        hosts = frozenset(found.host.lower() for found in entry.uris)
        endpoint = Endpoint(entry.endpoint, token, entry.username, hosts, allow_plain, ca_file)
        grant = await fetch(endpoint, now, timeout_s)
    except (EndpointError, UriError) as fault:
        raise NoCredentialsError(f"no credentials for {entry.urls[0]}: {fault}") from None
    if grant.expires is not None and grant.expires <= now:
        raise NoCredentialsError(
            f"no credentials for {entry.urls[0]}: those that the web service gave have ended already"
        )
    return Login(grant.username, grant.password, grant.expires)
