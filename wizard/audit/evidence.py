"""What a finding of a file is made of: the line, without its secret, and the change."""

from __future__ import annotations

from wizard.audit.finding import AuditFinding
from wizard.configs.turnserver import Option, Turnserver

SHADE = "…"
"""Stands for a secret."""


def masked(option: Option) -> str:
    """The line with its secret left out. Of `user=` the name stays."""
    if option.secret is None:
        return f"{option.name}={option.value}" if option.value else option.name
    user, colon, _ = option.secret.reveal().partition(":")
    return f"user={user}:{SHADE}" if option.name == "user" and colon else f"{option.name}={SHADE}"


def relays(conf: Turnserver) -> bool:
    """Whether it is a TURN server at all."""
    return not conf.on("stun-only")


def found(
    conf: Turnserver, code: str, option: Option | None = None, change: tuple[str, ...] = (), **values: str
) -> AuditFinding:
    """A finding about a line, or about a line that is missing."""
    where = conf.name if option is None else f"{conf.name}:{option.line}"
    return AuditFinding(code, where, {"file": conf.name, **values}, change)
