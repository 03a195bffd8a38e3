"""Logging in over SSH as ssh does, with the host's key always checked; and in words why it did not come about.

Rules:
 1. A host whose key is not in known_hosts is not logged in to, whatever ~/.ssh/config says of checking, and nothing is
    added to known_hosts. So for every host on the way (ProxyJump).
 2. Keys of the agent and of ~/.ssh log in; nothing asks for a password or a passphrase.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from wizard.model.ssh_destination import SshDestination, parse

CONNECT_TIMEOUT_S = 10.0
LOGIN_TIMEOUT_S = 15.0
KEEPALIVE_S, KEEPALIVES = 2.0, 3
"""A connection that answers nothing for so long is lost."""
_DEFAULT_KNOWN = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_DEFAULT_GLOBAL = ("/etc/ssh/ssh_known_hosts",)
_DEFAULT_KEYS = ("id_ed25519_sk", "id_ecdsa_sk", "id_ed25519", "id_ecdsa", "id_rsa")


class LoginError(Exception):
    """The host cannot be logged in to; the message says why and what to do. `final`: trying again changes nothing."""

    def __init__(self, words: str, *, final: bool = False) -> None:
        super().__init__(words)
        self.final = final


@dataclass(slots=True)
class Login:
    """A connection that stands, and those that it goes through."""

    connection: asyncssh.SSHClientConnection
    through: list[asyncssh.SSHClientConnection] = field(default_factory=list)

    def abort(self) -> None:
        """Close everything at once."""
        for connection in (self.connection, *reversed(self.through)):
            connection.abort()


async def log_in(destination: SshDestination) -> Login:
    """Log in. Raises LoginError."""
    through: list[asyncssh.SSHClientConnection] = []
    try:
        options = await _options(destination)
        for text in _jumps(options):
            try:
                jump = parse(text)
            except ValueError:
                raise LoginError(
                    f"ProxyJump {text} in ~/.ssh/config names no host to jump through", final=True
                ) from None
            over = through[-1] if through else None
            through.append(await _connected(jump, await _options(jump), over))
        connection = await _connected(destination, options, through[-1] if through else None)
        return Login(connection, through)
    except BaseException:
        for jumped in reversed(through):
            jumped.abort()
        raise


async def _options(destination: SshDestination) -> asyncssh.SSHClientConnectionOptions:
    """What ~/.ssh/config says of it."""
    # `config=()` is what has the user's own configuration read.
    told: dict[str, Any] = {"host": destination.host, "config": ()}
    if destination.user is not None:
        told["username"] = destination.user
    if destination.port is not None:
        told["port"] = destination.port
    try:
        return await asyncio.to_thread(asyncssh.SSHClientConnectionOptions, **told)
    except (OSError, ValueError) as error:
        # A broken configuration, or a key file that is none.
        raise LoginError(f"~/.ssh/config or a key that it names cannot be used: {error}", final=True) from None


def _jumps(options: asyncssh.SSHClientConnectionOptions) -> list[str]:
    told = options.tunnel if isinstance(options.tunnel, str) else ""
    return [] if told.lower() == "none" else [part.strip() for part in told.split(",") if part.strip()]


async def _connected(
    destination: SshDestination,
    options: asyncssh.SSHClientConnectionOptions,
    over: asyncssh.SSHClientConnection | None,
) -> asyncssh.SSHClientConnection:
    known = await asyncio.to_thread(_known_hosts, options)
    checker = _Checker(destination, known, options.host_key_alias)
    told: dict[str, Any] = {"username": destination.user} if destination.user is not None else {}
    try:
        return await asyncssh.connect(
            destination.host,
            destination.port or (),
            tunnel=over,
            known_hosts=known,
            client_factory=lambda: checker,
            password=None,
            password_auth=False,
            kbdint_auth=False,
            # Whatever the configuration has for people who work there is not wanted here.
            agent_forwarding=False,
            x11_forwarding=False,
            connect_timeout=CONNECT_TIMEOUT_S,
            login_timeout=LOGIN_TIMEOUT_S,
            keepalive_interval=KEEPALIVE_S,
            keepalive_count_max=KEEPALIVES,
            **told,
        )
    except asyncssh.HostKeyNotVerifiable as error:
        raise LoginError(checker.words or f"the host key cannot be trusted: {error}", final=True) from None
    except asyncssh.PermissionDenied:
        words = await asyncio.to_thread(_refused, destination, options)
        raise LoginError(words, final=True) from None
    except (OSError, asyncssh.Error) as error:
        raise LoginError(f"no SSH connection to {destination}: {_reason(error)}") from None
    except ValueError as error:
        raise LoginError(f"no SSH connection to {destination}: {error}", final=True) from None


def _known_hosts(options: asyncssh.SSHClientConnectionOptions) -> asyncssh.SSHKnownHosts:
    """The known hosts that ssh would look at. Without any file it is empty: nobody is trusted then."""
    users: Sequence[str] = options.config.get("UserKnownHostsFile", _DEFAULT_KNOWN)  # type: ignore[assignment]
    everybody: Sequence[str] = options.config.get("GlobalKnownHostsFile", _DEFAULT_GLOBAL)  # type: ignore[assignment]
    files = [Path(name).expanduser() for name in (*users, *everybody)]
    try:
        return asyncssh.read_known_hosts([str(file) for file in files if file.is_file()])
    except (OSError, ValueError) as error:
        raise LoginError(f"known_hosts cannot be read: {error}", final=True) from None


class _Checker(asyncssh.SSHClient):
    """Says what is wrong with a host key that known_hosts does not have."""

    def __init__(self, destination: SshDestination, known: asyncssh.SSHKnownHosts, alias: str | None) -> None:
        self.words = ""
        self._destination = destination
        self._known = known
        self._alias = alias

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Never trusts: what is in known_hosts is not asked about."""
        listed = host if port == asyncssh.DEFAULT_PORT else f"[{host}]:{port}"
        shown = f"{key.get_algorithm()} {key.get_fingerprint()}"
        before = asyncssh.match_known_hosts(self._known, host, addr, port)[0]
        if before:
            was = ", ".join(f"{one.get_algorithm()} {one.get_fingerprint()}" for one in before)
            self.words = (
                f"THE HOST KEY OF {listed} HAS CHANGED: known_hosts has {was}, but the host shows {shown}. "
                "Either it was set up anew, or somebody else answers in its place. Nothing was sent to it. Ask whoever "
                f"runs it for the new fingerprint; only if they confirm it, run: ssh-keygen -R '{listed}' and then: "
                f"{self._destination.command}"
            )
        else:
            self.words = (
                f"the host key of {listed} is not known on this computer, so it is not trusted: it shows {shown}. "
                f"Connect once with: {self._destination.command} and compare the fingerprint before you accept it"
            )
        return False


def _refused(destination: SshDestination, options: asyncssh.SSHClientConnectionOptions) -> str:
    named: Sequence[str] = options.config.get("IdentityFile", ())  # type: ignore[assignment]
    files = [Path(name).expanduser() for name in named] or [Path("~/.ssh", name).expanduser() for name in _DEFAULT_KEYS]
    files = [file for file in files if file.is_file()]
    if locked := [file for file in files if _has_passphrase(file)]:
        names = " ".join(map(_shown, locked))
        return (
            f"{destination} refuses the login. The key {names} has a passphrase, and no SSH agent has it unlocked, so "
            f"that it was not offered. Run: ssh-add {names} and test again"
        )
    have = [*map(_shown, files), *(["those of the SSH agent"] if os.environ.get("SSH_AUTH_SOCK") else [])]
    if not have:
        return (
            f"{destination} refuses the login without a key, and this computer has none: neither an SSH agent nor a "
            f"key in ~/.ssh. Make one with: ssh-keygen and bring it there with: ssh-copy-id {destination}"
        )
    return (
        f"{destination} refuses the login with every key of this computer: {', '.join(have)}. Bring one there with "
        f"ssh-copy-id, until {destination.command} logs in without a password"
    )


def _has_passphrase(file: Path) -> bool:
    try:
        asyncssh.read_private_key(file)
    except asyncssh.KeyEncryptionError:
        return True
    except asyncssh.KeyImportError as error:
        return str(error).startswith("Passphrase")
    except (OSError, ValueError):
        return False
    return False


def _shown(file: Path) -> str:
    try:
        return f"~/{file.relative_to(Path.home())}"
    except ValueError:
        return str(file)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there: is sshd running, on this port?"
    if isinstance(error, socket.gaierror):
        return "there is no such name"
    if isinstance(error, asyncssh.ConnectionLost):
        return "it hung up before the login was done"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
