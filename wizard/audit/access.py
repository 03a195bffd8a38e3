"""Whom coturn lets in, as its file says."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from wizard.audit.evidence import SHADE, found, masked, relays
from wizard.audit.finding import AuditFinding
from wizard.audit.strength import SHORTEST_SECRET, weakness
from wizard.configs.turnserver import Option, Turnserver
from wizard.model.secret import Secret

NONCE_S = 600


class Entry(enum.Enum):
    """Whom coturn lets in."""

    USERS = enum.auto()
    EVERYBODY = enum.auto()
    NOBODY = enum.auto()
    """Contradictory: it does not start."""


def entry(conf: Turnserver) -> Entry:
    """Whom coturn lets in. It goes through the file line by line, and a later `no` undoes an earlier `yes` of another.

    Users in a database do not make it ask for a password; nor does `oauth`, nor a `user=` without a password.
    """
    demanded = asks = anonymous = False
    for option in conf.options:
        if option.name in ("use-auth-secret", "static-auth-secret"):
            demanded = asks = True
        elif option.name == "lt-cred-mech":
            demanded = asks = option.truth is True
        elif option.name == "no-auth":
            anonymous, asks = option.truth is True, False
    if demanded and anonymous:
        return Entry.NOBODY
    if not demanded and not anonymous:
        accounts = [(user.secret or Secret("")).reveal().partition(":") for user in conf.all("user")]
        asks = any(name and password for name, _, password in accounts)
    return Entry.USERS if asks else Entry.EVERYBODY


def secret_weakness(conf: Turnserver, option: Option) -> str | None:
    """Why a shared secret is weak, if it is."""
    secret = option.secret or Secret("")
    return weakness(secret, (conf.text("realm"), conf.text("server-name")), SHORTEST_SECRET)


def access_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """Whom the server lets in, and by which secrets."""
    if not relays(conf):
        return
    who = entry(conf)
    no_auth = conf.last("no-auth")
    gone = () if no_auth is None else (f"- {masked(no_auth)}",)
    if who is Entry.NOBODY:
        other = conf.last("lt-cred-mech", "use-auth-secret", "static-auth-secret")
        yield found(conf, "auth-conflict", no_auth, gone, other="" if other is None else other.name)
    elif who is Entry.EVERYBODY:
        refused = conf.last("lt-cred-mech")
        if refused is not None and refused.truth is not True:
            gone = (*gone, f"- {masked(refused)}")
        change = (*gone, "+ use-auth-secret", f"+ static-auth-secret={SHADE}")
        yield found(conf, "open-relay", no_auth or refused, change)
    by_secret = conf.on("use-auth-secret") or bool(conf.all("static-auth-secret"))
    users = conf.all("user")
    for user in users:
        yield from _user(conf, user)
    to_secret = ("+ use-auth-secret", f"+ static-auth-secret={SHADE}")
    if users:
        change = tuple(f"- {masked(user)}" for user in users)
        code = "mixed-credentials" if by_secret else "fixed-credentials"
        yield found(conf, code, users[0], change if by_secret else change + to_secret, count=str(len(users)))
    for option in conf.all("static-auth-secret"):
        reason = secret_weakness(conf, option)
        if reason is not None:
            change = (f"- {masked(option)}", f"+ static-auth-secret={SHADE}")
            yield found(conf, "weak-secret", option, change, reason=reason)
    if not conf.text("realm") and who is not Entry.EVERYBODY:
        yield found(conf, "no-realm", conf.last("realm"), ("+ realm=turn",))
    nonce = conf.last("stale-nonce")
    if nonce is not None and nonce.value and not (nonce.number or 0) > 0:
        yield found(conf, "endless-nonce", nonce, (f"- {masked(nonce)}", f"+ stale-nonce={NONCE_S}"))


def _user(conf: Turnserver, option: Option) -> Iterator[AuditFinding]:
    name, colon, password = option.secret.reveal().partition(":") if option.secret else ("", "", "")
    if not colon:
        yield found(conf, "bad-value", option, (f"- {masked(option)}",), setting="user")
        return
    # A key is a digest; its password cannot be weighed.
    if password.startswith("0x") and len(password) >= 34:
        return
    reason = weakness(Secret(password), (name, conf.text("realm")))
    if reason is not None:
        change = (f"- {masked(option)}", f"+ user={name}:{SHADE}")
        yield found(conf, "weak-password", option, change, user=name, reason=reason)
