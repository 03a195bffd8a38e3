"""TURN passwords: in the system's keyring, or, where there is none, in memory for this session; never in a file."""

from __future__ import annotations

import enum
from typing import Protocol

from wizard.model.secret import Secret

_SERVICE = "hopwise"
_RECOMMENDED = 1
"""The least priority of a backend that encrypts. Files in the clear and the backend that always fails have less."""


class Backend(Protocol):
    """A keyring: what `keyring.backend.KeyringBackend` can do."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """The password, or None."""
        ...

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Store it."""
        ...

    def delete_password(self, service: str, username: str, /) -> None:
        """Drop it; raises where there is none."""
        ...


class Trouble(enum.Enum):
    """Why the keyring cannot be used."""

    MISSING = "missing"
    LOCKED = "locked"
    FAILED = "failed"


class Keyring:
    """Passwords by server and user name. Its calls may wait for the person to unlock the keyring.

    `trouble` says why passwords are in memory only; None while the system's keyring works.
    """

    def __init__(self, backend: Backend | None) -> None:
        """`backend` None: memory only."""
        self._backend = backend
        self._memory: dict[str, Secret] = {}
        self.trouble: Trouble | None = None if backend else Trouble.MISSING

    def find(self, server: str, username: str) -> Secret | None:
        """The password of `username` on a TURN URI."""
        account = _account(server, username)
        if account in self._memory:
            return self._memory[account]
        if self._backend is None:
            return None
        from keyring.errors import KeyringError

        try:
            found = self._backend.get_password(_SERVICE, account)
        except (KeyringError, OSError) as error:
            self.trouble = _trouble(error)
            return None
        self.trouble = None
        return Secret(found) if found else None

    def keep(self, server: str, username: str, secret: Secret) -> bool:
        """Keep a password. Returns whether the system's keyring took it; if not, it is in memory."""
        account = _account(server, username)
        self._memory[account] = secret
        if self._backend is None:
            return False
        from keyring.errors import KeyringError

        try:
            self._backend.set_password(_SERVICE, account, secret.reveal())
        except (KeyringError, OSError) as error:
            self.trouble = _trouble(error)
            return False
        self.trouble = None
        return True

    def forget(self, server: str, username: str) -> None:
        """Drop a password wherever it is; one that is not there is no fault."""
        account = _account(server, username)
        self._memory.pop(account, None)
        if self._backend is None:
            return
        from keyring.errors import KeyringError, PasswordDeleteError

        try:
            self._backend.delete_password(_SERVICE, account)
        except PasswordDeleteError:
            return
        except (KeyringError, OSError) as error:
            self.trouble = _trouble(error)


def system_keyring() -> Keyring:
    """The keyring of this system and user."""
    import keyring

    backend = keyring.get_keyring()
    return Keyring(backend if backend.priority >= _RECOMMENDED else None)


def find(server: str, username: str) -> Secret | None:
    """The password of `username` on a TURN URI in the system's keyring; None also where there is no keyring."""
    return system_keyring().find(server, username)


def _account(server: str, username: str) -> str:
    """One name for a server however it is reached: the transport makes no other account of it."""
    return f"{username} {server.partition('?')[0].lower()}"


def _trouble(error: Exception) -> Trouble:
    from keyring.errors import KeyringLocked, NoKeyringError

    if isinstance(error, NoKeyringError):
        return Trouble.MISSING
    return Trouble.LOCKED if isinstance(error, KeyringLocked) else Trouble.FAILED
