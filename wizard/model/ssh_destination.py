"""Where an SSH connection goes: `user@host`, `user@host:2222`, `user@[2001:db8::1]:22`, or a Host of ~/.ssh/config."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wizard.model.address import address_fault, is_name

_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_BRACKETED = re.compile(r"\[(?P<host>[^\[\]]*)\](?::(?P<port>[0-9]+))?")


@dataclass(frozen=True, slots=True)
class SshDestination:
    """A host to log in to. What is None is left to ~/.ssh/config."""

    user: str | None
    host: str
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host and self.port else self.host
        return (f"{self.user}@" if self.user else "") + host + (f":{self.port}" if self.port else "")

    @property
    def command(self) -> str:
        """What a person types to log in there."""
        port = f"-p {self.port} " if self.port else ""
        return f"ssh {port}{self.user}@{self.host}" if self.user else f"ssh {port}{self.host}"


def parse(text: str) -> SshDestination:
    """The destination that `text` names. Raises ValueError for what names none."""
    user, at, rest = text.rpartition("@")
    if at and not _USER.fullmatch(user):
        raise ValueError("no user name")
    bracketed = _BRACKETED.fullmatch(rest)
    host, port = rest, ""
    if bracketed:
        host, port = bracketed["host"], bracketed["port"] or ""
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
        if not port:
            raise ValueError("no port")
    if host.startswith("-") or not (is_name(host.removesuffix(".")) or address_fault(host) is None):
        raise ValueError("no host")
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise ValueError("no port")
    return SshDestination(user or None, host, int(port) if port else None)
