"""The STUN and TURN servers to test, in the order that a page tries them, and how each one's password comes about."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from wizard.wire import uri
from wizard.wire.uri import IceUri, UriError


class CredentialKind(enum.StrEnum):
    """Where the user name and the password come from."""

    STATIC = "static"
    """They are kept."""
    SHARED_SECRET = "shared-secret"
    """They are made for a limited time from a secret that the server has, too."""
    REST_ENDPOINT = "rest-endpoint"
    """A web service gives them for a limited time."""


@dataclass(frozen=True, slots=True)
class ServerEntry:
    """One row of the list. Secrets are not in it: the keyring has them, under `keyring_names`."""

    urls: tuple[str, ...]
    username: str = ""
    kind: CredentialKind = CredentialKind.STATIC
    endpoint: str = ""
    """The address of the web service, for that kind."""
    separator: str = ":"
    """Between the time and the user of a made name: `rest-api-separator`."""
    enabled: bool = True

    @property
    def uris(self) -> tuple[IceUri, ...]:
        """The addresses. Raises UriError."""
        return tuple(uri.parse(url) for url in self.urls)

    @property
    def relays(self) -> bool:
        """Whether a password is wanted at all: STUN has none. Addresses that cannot be read want none."""
        return any(url.strip().lower().startswith(("turn:", "turns:")) for url in self.urls)

    @property
    def fault(self) -> str | None:
        """What is wrong with it, in words; None if it can be tested."""
        if not self.urls:
            return "it has no address"
        try:
            self.uris  # noqa: B018 - read for what it raises
        except UriError as error:
            return str(error)
        if self.kind is CredentialKind.REST_ENDPOINT and not self.endpoint:
            return "the address of the web service that gives the credentials is missing"
        return None


Servers = tuple[ServerEntry, ...]


def keyring_names(entry: ServerEntry) -> tuple[tuple[str, str], ...]:
    """Under which (server, user name) the keyring has this entry's secret; the first is looked at first.

    A static password goes by the address of each relay, as a project's vantage has it; a shared secret and an
    endpoint's token have names of their own, so that none of them is ever sent as a password.
    """
    match entry.kind:
        case CredentialKind.STATIC:
            places = tuple(url for url in entry.urls if url.strip().lower().startswith(("turn:", "turns:")))
            return tuple((place, entry.username) for place in places) if entry.username else ()
        case CredentialKind.SHARED_SECRET:
            # The secret is the server's, whoever the user is.
            return tuple((f"shared-secret {url}", "") for url in entry.urls)
        case CredentialKind.REST_ENDPOINT:
            return ((f"rest-endpoint {entry.endpoint}", entry.username),)


def added(servers: Servers, entry: ServerEntry, at: int | None = None) -> Servers:
    """With one more, before position `at` or at the end."""
    place = len(servers) if at is None else at
    return (*servers[:place], entry, *servers[place:])


def edited(servers: Servers, at: int, entry: ServerEntry) -> Servers:
    """With another in that place. Raises IndexError."""
    return (*servers[: _there(servers, at)], entry, *servers[at + 1 :])


def removed(servers: Servers, at: int) -> Servers:
    """Without that one. Raises IndexError."""
    return (*servers[: _there(servers, at)], *servers[at + 1 :])


def moved(servers: Servers, at: int, to: int) -> Servers:
    """With that one at position `to`. Raises IndexError."""
    entry = servers[_there(servers, at)]
    rest = removed(servers, at)
    return added(rest, entry, _there(servers, to))


def duplicated(servers: Servers, at: int) -> Servers:
    """With a copy just behind it. Raises IndexError."""
    return added(servers, servers[_there(servers, at)], at + 1)


def enabled(servers: Servers, at: int, on: bool) -> Servers:
    """With that one tested or left out. Raises IndexError."""
    return edited(servers, at, replace(servers[_there(servers, at)], enabled=on))


def _there(servers: Servers, at: int) -> int:
    if not 0 <= at < len(servers):
        raise IndexError(f"there is no server {at} of {len(servers)}")
    return at
