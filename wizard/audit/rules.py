"""What a `turnserver.conf` says that is unsafe, for coturn 4.5 and 4.6. A default counts as if it were written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wizard.audit.access import access_rule
from wizard.audit.addresses import addresses_rule
from wizard.audit.evidence import relays
from wizard.audit.finding import Audit, AuditFinding, NotChecked, UnknownOption, sorted_findings
from wizard.audit.operation import consoles_rule, form_rule, limits_rule, logs_rule, protocol_rule
from wizard.audit.reach import peers_rule
from wizard.audit.transport import has_tls, tls_rule
from wizard.configs.turnserver import Turnserver
from wizard.model.secret import Secret

DATABASES = ("userdb", "db", "psql-userdb", "sql-userdb", "mysql-userdb", "mongo-userdb", "redis-userdb")


def audit_file(conf: Turnserver) -> Audit:
    """Everything that the file says, and what a file cannot say."""
    findings = [finding for rule in _RULES for finding in rule(conf)]
    unknown = tuple(UnknownOption(option.name, option.line) for option in conf.unknown)
    return Audit(conf.name, sorted_findings(findings), tuple(_not_checked(conf)), unknown)


_RULES: tuple[Callable[[Turnserver], Iterator[AuditFinding]], ...] = (
    access_rule,
    tls_rule,
    peers_rule,
    limits_rule,
    logs_rule,
    consoles_rule,
    addresses_rule,
    protocol_rule,
    form_rule,
)


def _not_checked(conf: Turnserver) -> Iterator[NotChecked]:
    yield NotChecked("version")
    yield NotChecked("command-line")
    if has_tls(conf):
        yield NotChecked("certificate", {"cert": conf.text("cert")})
    if relays(conf):
        yield NotChecked("live-peers")
    if conf.last(*DATABASES) is not None:
        yield NotChecked("database")
    elif conf.on("use-auth-secret") and not conf.all("static-auth-secret"):
        yield NotChecked("database-secret")
    if any((u.secret or Secret("")).reveal().partition(":")[2].startswith("0x") for u in conf.all("user")):
        yield NotChecked("hashed-password")
    if not (conf.all("external-ip") or conf.all("relay-ip") or conf.all("listening-ip")):
        yield NotChecked("addresses")
