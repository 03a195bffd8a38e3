"""What a `turnserver.conf` says that is unsafe, for coturn 4.5 and 4.6. A default counts as if it were written."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Callable, Iterator

from wizard.audit.finding import Audit, AuditFinding, NotChecked, UnknownOption, sorted_findings
from wizard.audit.peers import FORBIDDEN, Group, Range, is_any, parse_range, reachable
from wizard.audit.strength import DOCUMENTED_CLI_HASH, SHORTEST_SECRET, weakness
from wizard.configs.turnserver import Kind, Option, Turnserver
from wizard.model.secret import Secret

USER_QUOTA, TOTAL_QUOTA = 12, 250
MAX_BPS, BPS_CAPACITY = 500_000, 125_000_000
"""In bytes a second: 4 Mbit/s for a session and 1 Gbit/s for all."""
NONCE_S = 600
SMALL_RANGE = 50
DATABASES = ("userdb", "db", "psql-userdb", "sql-userdb", "mysql-userdb", "mongo-userdb", "redis-userdb")
_LIFETIMES = {"channel-lifetime": 600, "permission-lifetime": 300}
_LOOPBACK = ("127.0.0.1", "::1")
_SHADE = "…"

GROUP_CODE = {
    Group.PRIVATE: "private-peers",
    Group.SPECIAL: "special-peers",
    Group.LOOPBACK: "loopback-peers",
    Group.MULTICAST: "multicast-peers",
    Group.MAPPED: "mapped-peers",
}


def audit_file(conf: Turnserver) -> Audit:
    """Everything that the file says, and what a file cannot say."""
    findings = [finding for rule in _RULES for finding in rule(conf)]
    unknown = tuple(UnknownOption(option.name, option.line) for option in conf.unknown)
    return Audit(conf.name, sorted_findings(findings), tuple(_not_checked(conf)), unknown)


def masked(option: Option) -> str:
    """The line with its secret left out. Of `user=` the name stays."""
    if option.secret is None:
        return f"{option.name}={option.value}" if option.value else option.name
    user, colon, _ = option.secret.reveal().partition(":")
    return f"user={user}:{_SHADE}" if option.name == "user" and colon else f"{option.name}={_SHADE}"


def relays(conf: Turnserver) -> bool:
    """Whether it is a TURN server at all."""
    return not conf.on("stun-only")


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


def has_tls(conf: Turnserver) -> bool:
    """Whether TLS can come up."""
    return bool(conf.text("cert") and conf.text("pkey")) and not conf.on("no-tls")


def secret_weakness(conf: Turnserver, option: Option) -> str | None:
    """Why a shared secret is weak, if it is."""
    secret = option.secret or Secret("")
    return weakness(secret, (conf.text("realm"), conf.text("server-name")), SHORTEST_SECRET)


def ranges(conf: Turnserver, name: str) -> list[tuple[Option, Range]]:
    """The ranges of `denied-peer-ip` or `allowed-peer-ip` that coturn can read and does not take for everything."""
    found = [(option, parse_range(option.value)) for option in conf.all(name) if not is_any(option.value)]
    return [(option, parsed) for option, parsed in found if parsed is not None]


def _at(conf: Turnserver, option: Option | None) -> str:
    return conf.name if option is None else f"{conf.name}:{option.line}"


def _found(
    conf: Turnserver, code: str, option: Option | None = None, change: tuple[str, ...] = (), **values: str
) -> AuditFinding:
    return AuditFinding(code, _at(conf, option), {"file": conf.name, **values}, change)


def _access(conf: Turnserver) -> Iterator[AuditFinding]:
    if not relays(conf):
        return
    who = entry(conf)
    no_auth = conf.last("no-auth")
    gone = () if no_auth is None else (f"- {masked(no_auth)}",)
    if who is Entry.NOBODY:
        other = conf.last("lt-cred-mech", "use-auth-secret", "static-auth-secret")
        yield _found(conf, "auth-conflict", no_auth, gone, other="" if other is None else other.name)
    elif who is Entry.EVERYBODY:
        refused = conf.last("lt-cred-mech")
        if refused is not None and refused.truth is not True:
            gone = (*gone, f"- {masked(refused)}")
        change = (*gone, "+ use-auth-secret", f"+ static-auth-secret={_SHADE}")
        yield _found(conf, "open-relay", no_auth or refused, change)
    by_secret = conf.on("use-auth-secret") or bool(conf.all("static-auth-secret"))
    users = conf.all("user")
    for user in users:
        yield from _user(conf, user)
    to_secret = ("+ use-auth-secret", f"+ static-auth-secret={_SHADE}")
    if users:
        change = tuple(f"- {masked(user)}" for user in users)
        code = "mixed-credentials" if by_secret else "fixed-credentials"
        yield _found(conf, code, users[0], change if by_secret else change + to_secret, count=str(len(users)))
    for option in conf.all("static-auth-secret"):
        reason = secret_weakness(conf, option)
        if reason is not None:
            change = (f"- {masked(option)}", f"+ static-auth-secret={_SHADE}")
            yield _found(conf, "weak-secret", option, change, reason=reason)
    if not conf.text("realm") and who is not Entry.EVERYBODY:
        yield _found(conf, "no-realm", conf.last("realm"), ("+ realm=turn",))
    nonce = conf.last("stale-nonce")
    if nonce is not None and nonce.value and not (nonce.number or 0) > 0:
        yield _found(conf, "endless-nonce", nonce, (f"- {masked(nonce)}", f"+ stale-nonce={NONCE_S}"))


def _user(conf: Turnserver, option: Option) -> Iterator[AuditFinding]:
    name, colon, password = option.secret.reveal().partition(":") if option.secret else ("", "", "")
    if not colon:
        yield _found(conf, "bad-value", option, (f"- {masked(option)}",), setting="user")
        return
    # A key is a digest; its password cannot be weighed.
    if password.startswith("0x") and len(password) >= 34:
        return
    reason = weakness(Secret(password), (name, conf.text("realm")))
    if reason is not None:
        change = (f"- {masked(option)}", f"+ user={name}:{_SHADE}")
        yield _found(conf, "weak-password", option, change, user=name, reason=reason)


def _tls(conf: Turnserver) -> Iterator[AuditFinding]:
    if not has_tls(conf):
        off = [option for option in conf.all("no-tls") if option.truth]
        missing = [f"+ {name}={example}" for name, example in _FILES.items() if not conf.text(name)]
        yield _found(conf, "no-tls", off[0] if off else None, (*(f"- {o.name}" for o in off), *missing))
        return
    old = [name for name in _OLD_TLS if not conf.on(name)]
    if old:
        versions = ", ".join(_OLD_TLS[name] for name in old)
        yield _found(conf, "old-tls", None, tuple(f"+ {name}" for name in old), versions=versions)
    for name in ("dh566", "dh1066"):
        if conf.on(name):
            yield _found(conf, "weak-dh", conf.last(name), (f"- {name}",), setting=name)
    ciphers = conf.last("cipher-list")
    allowed = [part for part in conf.text("cipher-list").replace(",", ":").split(":") if part[:1] not in ("!", "-")]
    weak = [part for part in allowed if set(part.lstrip("+").upper().split("+")) & _WEAK_CIPHERS]
    if weak:
        yield _found(
            conf, "weak-ciphers", ciphers, (f"- cipher-list={conf.text('cipher-list')}",), list=", ".join(weak)
        )


_OLD_TLS = {"no-tlsv1": "TLS 1.0", "no-tlsv1_1": "TLS 1.1"}
_FILES = {"cert": "/etc/ssl/turn/fullchain.pem", "pkey": "/etc/ssl/turn/privkey.pem"}
_WEAK_CIPHERS = {"ALL", "NULL", "ANULL", "ENULL", "EXPORT", "EXP", "LOW", "RC4", "MD5", "DES", "3DES", "ADH", "AECDH"}


def _peers(conf: Turnserver) -> Iterator[AuditFinding]:
    if not relays(conf):
        return
    for name in ("denied-peer-ip", "allowed-peer-ip"):
        for option in conf.all(name):
            if parse_range(option.value) is None:
                yield _found(conf, "bad-peer-range", option, _as_range(option), setting=name, value=option.value)
    for option in conf.all("denied-peer-ip"):
        if is_any(option.value):
            yield _found(conf, "denies-all", option, (f"- {masked(option)}",), value=option.value)
    for option in conf.all("allowed-peer-ip"):
        if is_any(option.value):
            yield _found(conf, "peer-hole", option, (f"- {masked(option)}",), list=option.value)
    shut = any(is_any(option.value) for option in conf.all("denied-peer-ip"))
    denied = [parsed for _, parsed in ranges(conf, "denied-peer-ip")]
    families = _families(conf)
    for group, code in GROUP_CODE.items():
        # What coturn refuses by itself: loopback, and 0.0.0.0 and :: whatever the rules say.
        if group is Group.LOOPBACK and not conf.on("allow-loopback-peers"):
            continue
        if group is Group.MULTICAST and conf.on("no-multicast-peers"):
            continue
        left = [
            part
            for network in FORBIDDEN
            if network.group is group and network.range.first.version in families
            for part in reachable(network.range, denied, ())
        ]
        if left and not shut:
            change: tuple[str, ...] = tuple(f"+ denied-peer-ip={part}" for part in left)
            flag = None
            if group is Group.LOOPBACK:
                flag = conf.last("allow-loopback-peers")
                change = ("- allow-loopback-peers",)
            elif group is Group.MULTICAST:
                change = ("+ no-multicast-peers", *change)
            yield _found(conf, code, flag, change, list=", ".join(map(str, left)))
    for option, hole in ranges(conf, "allowed-peer-ip"):
        closed = [n for n in FORBIDDEN if n.group is not Group.LOOPBACK or conf.on("allow-loopback-peers")]
        opened = [str(part) for n in closed for part in reachable(n.range, (n.range,), (hole,))]
        if opened:
            yield _found(conf, "peer-hole", option, (f"- {masked(option)}",), list=", ".join(opened))
    if not conf.on("no-tcp-relay"):
        yield _found(conf, "tcp-relay", conf.last("no-tcp-relay"), ("+ no-tcp-relay",))
    if conf.on("server-relay"):
        yield _found(conf, "server-relay", conf.last("server-relay"), ("- server-relay",))


def _families(conf: Turnserver) -> set[int]:
    # Without addresses of its own choice coturn relays from every one that the host has.
    chosen = [parse_range(option.value) for option in conf.all("relay-ip") or conf.all("listening-ip")]
    return {parsed.first.version for parsed in chosen if parsed is not None} or {4, 6}


def _as_range(option: Option) -> tuple[str, ...]:
    try:
        network = ipaddress.ip_network(option.value.strip(), strict=False)
    except ValueError:
        return (f"- {masked(option)}",)
    meant = Range(network.network_address, network.broadcast_address)
    return f"- {masked(option)}", f"+ {option.name}={meant}"


def _limits(conf: Turnserver) -> Iterator[AuditFinding]:
    if not relays(conf):
        return
    quotas = {"user-quota": USER_QUOTA, "total-quota": TOTAL_QUOTA}
    unset = [name for name in quotas if conf.number(name, 0) <= 0]
    if unset:
        change = _instead(conf, {name: quotas[name] for name in unset})
        yield _found(conf, "no-user-quota", conf.last(*unset), change, list=", ".join(unset))
    limits = {"max-bps": MAX_BPS, "bps-capacity": BPS_CAPACITY}
    unset = [name for name in limits if conf.number(name, 0) <= 0]
    if unset == ["max-bps"]:
        change = _instead(conf, {"max-bps": MAX_BPS})
        yield _found(conf, "capacity-alone", conf.last("bps-capacity"), change)
    elif unset:
        change = _instead(conf, {name: limits[name] for name in unset})
        yield _found(conf, "no-bandwidth-limit", conf.last(*unset), change, list=", ".join(unset))
    first, last = conf.number("min-port", 49152), conf.number("max-port", 65535)
    option = conf.last("min-port", "max-port")
    if first > last:
        change = tuple(f"- {masked(o)}" for o in (*conf.all("min-port"), *conf.all("max-port")))
        values = {"first": str(first), "last": str(last)}
        yield _found(conf, "range-inverted", option, (*change, f"+ min-port={last}", f"+ max-port={first}"), **values)
        return
    if last - first + 1 < SMALL_RANGE:
        yield _found(conf, "range-small", option, (), first=str(first), last=str(last), count=str(last - first + 1))
    ports = {"listening-port": 3478, "tls-listening-port": 5349, "cli-port": 5766, "web-admin-port": 8080}
    for name, default in ports.items():
        port = conf.number(name, default)
        if first <= port <= last and (conf.last(name) is not None or name.endswith("listening-port")):
            values = {"setting": name, "port": str(port), "first": str(first), "last": str(last)}
            yield _found(conf, "range-overlap", conf.last(name) or option, (), **values)
    for name, standard in _LIFETIMES.items():
        if conf.number(name, standard) != standard:
            option = conf.last(name)
            gone = (f"- {masked(option)}",) if option else ()
            yield _found(conf, "odd-lifetime", option, gone, setting=name, standard=str(standard))


def _instead(conf: Turnserver, values: dict[str, int]) -> tuple[str, ...]:
    gone = [f"- {masked(option)}" for name in values for option in conf.all(name)]
    return (*gone, *(f"+ {name}={value}" for name, value in values.items()))


def _logs(conf: Turnserver) -> Iterator[AuditFinding]:
    log = conf.last("log-file")
    if conf.on("syslog"):
        pass
    elif log is None:
        yield _found(conf, "no-log", None, ("+ syslog",))
    elif log.value in ("/dev/null", "") or (log.value in ("stdout", "-") and conf.on("daemon")):
        yield _found(conf, "lost-log", log, (f"- {masked(log)}", "+ syslog"), value=log.value)
    if conf.on("Verbose"):
        yield _found(conf, "loud-log", conf.last("Verbose"), ("- Verbose", "+ verbose"))
    elif not conf.on("verbose"):
        yield _found(conf, "quiet-log", conf.last("verbose"), ("+ verbose",))


def _consoles(conf: Turnserver) -> Iterator[AuditFinding]:
    password = conf.last("cli-password")
    # Without a password coturn does not open it.
    if not conf.on("no-cli") and password is not None and password.secret and password.secret.reveal():
        change = (f"- {masked(password)}", "+ no-cli")
        address = conf.text("cli-ip") or _LOOPBACK[0]
        text = password.secret.reveal()
        if address not in _LOOPBACK:
            yield _found(conf, "cli-open", conf.last("cli-ip"), ("- cli-ip=" + address, "+ no-cli"), address=address)
        if text == DOCUMENTED_CLI_HASH:
            yield _found(conf, "cli-weak", password, change, reason="default")
        elif not text.startswith("$5$"):
            reason = weakness(password.secret)
            code = "cli-plain" if reason is None else "cli-weak"
            yield _found(conf, code, password, change, **({} if reason is None else {"reason": reason}))
    if conf.on("web-admin"):
        address = conf.text("web-admin-ip") or _LOOPBACK[0]
        workers = "web-admin-listen-on-workers"
        if conf.on(workers):
            yield _found(conf, "web-admin-open", conf.last(workers), (f"- {workers}",), address="*")
        elif address not in _LOOPBACK:
            line = conf.last("web-admin-ip")
            yield _found(conf, "web-admin-open", line, (f"- web-admin-ip={address}",), address=address)
        else:
            yield _found(conf, "web-admin", conf.last("web-admin"), ("- web-admin",))
    address = conf.text("prometheus-address")
    if conf.on("prometheus") and address not in _LOOPBACK:
        gone = (f"- prometheus-address={address}",) if address else ()
        change = (*gone, "+ prometheus-address=127.0.0.1")
        yield _found(conf, "metrics-open", conf.last("prometheus"), change)


def _addresses(conf: Turnserver) -> Iterator[AuditFinding]:
    if not relays(conf):
        return
    own = [*conf.all("relay-ip"), *conf.all("listening-ip")]
    plain = 0
    for option in conf.all("external-ip"):
        public, slash, private = option.value.partition("/")
        plain += not slash
        reason = _external_fault(public, private if slash else None, [o.value for o in own])
        if plain > 1 and not slash:
            reason = "twice"
        if reason is not None:
            change = (f"- {masked(option)}",)
            yield _found(conf, "wrong-external-ip", option, change, value=option.value, reason=reason)
    if conf.all("external-ip"):
        return
    relaying = conf.all("relay-ip") or conf.all("listening-ip")
    inside = [option for option in relaying if _is_inside(option.value)]
    if inside and len(inside) == len([o for o in relaying if not _is_local(o.value)]):
        example = f"+ external-ip=PUBLIC-ADDRESS/{inside[0].value}"
        yield _found(conf, "private-address", inside[0], (example,), address=inside[0].value)


def _external_fault(public: str, private: str | None, own: list[str]) -> str | None:
    try:
        outside = ipaddress.ip_address(public)
        inside = None if private is None else ipaddress.ip_address(private)
    except ValueError:
        return "malformed"
    if _is_inside(public) or outside.is_loopback or outside.is_unspecified or outside.is_multicast:
        return "not-public"
    if inside is not None and inside.version != outside.version:
        return "families"
    if inside is not None and own and str(inside) not in own:
        return "not-ours"
    return None


_INSIDE = [network.range for network in FORBIDDEN if network.group is Group.PRIVATE]


def _is_inside(text: str) -> bool:
    found = parse_range(text) if "-" not in text else None
    return found is not None and any(
        network.first.version == found.first.version and int(network.first) <= int(found.first) <= int(network.last)
        for network in _INSIDE
    )


def _is_local(text: str) -> bool:
    found = parse_range(text) if "-" not in text else None
    return found is not None and found.first.is_loopback


def _protocol(conf: Turnserver) -> Iterator[AuditFinding]:
    leaner = ("no-rfc5780", "no-stun-backward-compatibility", "response-origin-only-with-rfc5780")
    missing = [name for name in leaner if not conf.on(name)]
    if missing and not conf.on("no-stun") and not conf.on("secure-stun"):
        yield _found(conf, "amplification", None, tuple(f"+ {name}" for name in missing))
    if not conf.on("fingerprint"):
        yield _found(conf, "no-fingerprint", conf.last("fingerprint"), ("+ fingerprint",))
    if not conf.on("no-software-attribute", "prod"):
        yield _found(
            conf, "banner", conf.last("no-software-attribute", "prod"), ("+ no-software-attribute",), software=""
        )


def _form(conf: Turnserver) -> Iterator[AuditFinding]:
    for option in conf.options:
        if option.kind is Kind.GONE:
            yield _found(conf, "gone-option", option, (f"- {masked(option)}",), setting=option.name)
        elif (option.kind is Kind.FLAG and option.truth is None) or (
            # A bare stale-nonce is the standard time.
            option.kind is Kind.NUMBER
            and option.number is None
            and not (option.name == "stale-nonce" and not option.value)
        ):
            yield _found(conf, "bad-value", option, (f"- {masked(option)}",), setting=option.name)
    for number in conf.damaged:
        yield AuditFinding("damaged-line", f"{conf.name}:{number}", {"file": conf.name, "line": str(number)})


_RULES: tuple[Callable[[Turnserver], Iterator[AuditFinding]], ...] = (
    _access, _tls, _peers, _limits, _logs, _consoles, _addresses, _protocol, _form,
)  # fmt: skip


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
