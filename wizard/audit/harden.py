"""The same server with its holes closed: ports, realm, comments and order stay."""

from __future__ import annotations

from collections.abc import Callable

from wizard.audit.access import NONCE_S, secret_weakness
from wizard.audit.evidence import masked, relays
from wizard.audit.operation import BPS_CAPACITY, MAX_BPS, TOTAL_QUOTA, USER_QUOTA
from wizard.audit.reach import ranges
from wizard.audit.rules import DATABASES, audit_file
from wizard.audit.strength import generate
from wizard.configs.peers import FORBIDDEN, Group, Range
from wizard.configs.turnserver import Option, Turnserver
from wizard.model.secret import Secret

LEFT_TO_THE_USER = frozenset(
    {"no-tls", "private-address", "wrong-external-ip", "range-small", "range-overlap", "damaged-line", "weak-ciphers"}
)
"""What needs a certificate, an address, a port or a choice that no program has."""

_GONE = ("no-auth", "user", "allow-loopback-peers", "server-relay", "dh566", "dh1066", "Verbose",
         "cli-password", "cli-ip", "cli-port", "web-admin-listen-on-workers", "web-admin-ip", "lt-cred-mech",
         "channel-lifetime", "permission-lifetime", "web-admin")  # fmt: skip
_FLAGS = ("fingerprint", "no-multicast-peers", "no-tcp-relay", "no-cli", "no-software-attribute", "verbose",
          "no-rfc5780", "no-stun-backward-compatibility", "response-origin-only-with-rfc5780")  # fmt: skip
_HEADING = "# Hardened by Hopwise. The lines above that it took out are comments now."


def harden(conf: Turnserver, make_secret: Callable[[], Secret] = generate) -> bytes:
    """The hardened file. It holds a shared secret: `make_secret` makes it unless the file has a strong one.

    What is in `LEFT_TO_THE_USER` stays for the next audit to name.
    """
    plan = _Plan(conf)
    for name in _GONE:
        plan.drop(name)
    if relays(conf):
        _set_access(plan, make_secret)
        _set_peers(plan)
        _set_limits(plan)
    for name in _FLAGS:
        plan.flag(name)
    if conf.text("cert") and conf.text("pkey"):
        plan.drop("no-tls")
        plan.flag("no-tlsv1")
        plan.flag("no-tlsv1_1")
    findings = audit_file(conf).findings
    if any(finding.code in ("no-log", "lost-log") for finding in findings):
        plan.drop("log-file")
        plan.flag("syslog")
    unread = {finding.where for finding in findings if finding.code in ("bad-value", "gone-option")}
    for option in conf.options:
        if f"{conf.name}:{option.line}" in unread:
            plan.remove(option)
    if conf.on("prometheus"):
        plan.put("prometheus-address", "127.0.0.1")
    added = plan.added
    return conf.edited(plan.removed, ["", _HEADING, *added] if added else [])


class _Plan:
    def __init__(self, conf: Turnserver) -> None:
        self.conf = conf
        self.removed: dict[int, str] = {}
        self.added: list[str] = []

    def remove(self, option: Option) -> None:
        self.removed[option.line] = masked(option)

    def drop(self, name: str) -> None:
        for option in self.conf.all(name):
            self.remove(option)

    def put(self, name: str, value: str) -> None:
        """One line with that value, the one that stands there if it says so."""
        if [option.value for option in self.conf.all(name)] != [value]:
            self.drop(name)
            self.added.append(f"{name}={value}")

    def flag(self, name: str) -> None:
        if not self.conf.on(name):
            self.drop(name)
            self.added.append(name)


def _set_access(plan: _Plan, make_secret: Callable[[], Secret]) -> None:
    conf = plan.conf
    secrets = conf.all("static-auth-secret")
    for option in secrets:
        if secret_weakness(conf, option) is not None:
            plan.remove(option)
    if not conf.on("use-auth-secret"):
        plan.added.append("use-auth-secret")
    in_database = not secrets and conf.on("use-auth-secret") and conf.last(*DATABASES) is not None
    if all(option.line in plan.removed for option in secrets) and not in_database:
        plan.added.append(f"static-auth-secret={make_secret().reveal()}")
    if not conf.text("realm"):
        plan.put("realm", "turn")
    nonce = conf.last("stale-nonce")
    if nonce is None or (nonce.value and not (nonce.number or 0) > 0):
        plan.put("stale-nonce", str(NONCE_S))


def _set_peers(plan: _Plan) -> None:
    conf = plan.conf
    for option in (*conf.all("denied-peer-ip"), *conf.all("allowed-peer-ip")):
        if option not in [kept for kept, _ in ranges(conf, option.name)]:
            plan.remove(option)
    denied = [parsed for _, parsed in ranges(conf, "denied-peer-ip")]
    plan.added += [
        f"denied-peer-ip={f.range}" for f in FORBIDDEN if f.group is not Group.LOOPBACK and f.range not in denied
    ]
    plan.added += [
        f"denied-peer-ip={f.range}" for f in FORBIDDEN if f.group is Group.LOOPBACK and f.range not in denied
    ]
    for option, hole in ranges(conf, "allowed-peer-ip"):
        if any(_overlap(hole, network.range) for network in FORBIDDEN):
            plan.remove(option)


def _overlap(one: Range, other: Range) -> bool:
    return (
        one.first.version == other.first.version
        and int(one.first) <= int(other.last)
        and int(other.first) <= int(one.last)
    )


def _set_limits(plan: _Plan) -> None:
    conf = plan.conf
    limits = {"user-quota": USER_QUOTA, "total-quota": TOTAL_QUOTA, "max-bps": MAX_BPS, "bps-capacity": BPS_CAPACITY}
    for name, value in limits.items():
        if conf.number(name, 0) <= 0:
            plan.put(name, str(value))
    first, last = conf.number("min-port", 49152), conf.number("max-port", 65535)
    if first > last:
        plan.put("min-port", str(last))
        plan.put("max-port", str(first))
