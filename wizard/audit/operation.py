"""Limits, logs and consoles of a coturn, and what its file says that it cannot read."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.audit.evidence import found, masked, relays
from wizard.audit.finding import AuditFinding
from wizard.audit.strength import DOCUMENTED_CLI_HASH, weakness
from wizard.configs.turnserver import Kind, Turnserver

USER_QUOTA, TOTAL_QUOTA = 12, 250
MAX_BPS, BPS_CAPACITY = 500_000, 125_000_000
"""In bytes a second: 4 Mbit/s for a session and 1 Gbit/s for all."""
SMALL_RANGE = 50
_LIFETIMES = {"channel-lifetime": 600, "permission-lifetime": 300}
_LOOPBACK = ("127.0.0.1", "::1")


def limits_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """How much a client may take."""
    if not relays(conf):
        return
    quotas = {"user-quota": USER_QUOTA, "total-quota": TOTAL_QUOTA}
    unset = [name for name in quotas if conf.number(name, 0) <= 0]
    if unset:
        change = _instead(conf, {name: quotas[name] for name in unset})
        yield found(conf, "no-user-quota", conf.last(*unset), change, list=", ".join(unset))
    limits = {"max-bps": MAX_BPS, "bps-capacity": BPS_CAPACITY}
    unset = [name for name in limits if conf.number(name, 0) <= 0]
    if unset == ["max-bps"]:
        change = _instead(conf, {"max-bps": MAX_BPS})
        yield found(conf, "capacity-alone", conf.last("bps-capacity"), change)
    elif unset:
        change = _instead(conf, {name: limits[name] for name in unset})
        yield found(conf, "no-bandwidth-limit", conf.last(*unset), change, list=", ".join(unset))
    first, last = conf.number("min-port", 49152), conf.number("max-port", 65535)
    option = conf.last("min-port", "max-port")
    if first > last:
        change = tuple(f"- {masked(o)}" for o in (*conf.all("min-port"), *conf.all("max-port")))
        values = {"first": str(first), "last": str(last)}
        yield found(conf, "range-inverted", option, (*change, f"+ min-port={last}", f"+ max-port={first}"), **values)
        return
    if last - first + 1 < SMALL_RANGE:
        yield found(conf, "range-small", option, (), first=str(first), last=str(last), count=str(last - first + 1))
    ports = {"listening-port": 3478, "tls-listening-port": 5349, "cli-port": 5766, "web-admin-port": 8080}
    for name, default in ports.items():
        port = conf.number(name, default)
        if first <= port <= last and (conf.last(name) is not None or name.endswith("listening-port")):
            values = {"setting": name, "port": str(port), "first": str(first), "last": str(last)}
            yield found(conf, "range-overlap", conf.last(name) or option, (), **values)
    for name, standard in _LIFETIMES.items():
        if conf.number(name, standard) != standard:
            option = conf.last(name)
            gone = (f"- {masked(option)}",) if option else ()
            yield found(conf, "odd-lifetime", option, gone, setting=name, standard=str(standard))


def _instead(conf: Turnserver, values: dict[str, int]) -> tuple[str, ...]:
    gone = [f"- {masked(option)}" for name in values for option in conf.all(name)]
    return (*gone, *(f"+ {name}={value}" for name, value in values.items()))


def logs_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """What is left to see afterwards."""
    log = conf.last("log-file")
    if conf.on("syslog"):
        pass
    elif log is None:
        yield found(conf, "no-log", None, ("+ syslog",))
    elif log.value in ("/dev/null", "") or (log.value in ("stdout", "-") and conf.on("daemon")):
        yield found(conf, "lost-log", log, (f"- {masked(log)}", "+ syslog"), value=log.value)
    if conf.on("Verbose"):
        yield found(conf, "loud-log", conf.last("Verbose"), ("- Verbose", "+ verbose"))
    elif not conf.on("verbose"):
        yield found(conf, "quiet-log", conf.last("verbose"), ("+ verbose",))


def consoles_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """Who may control or watch the server."""
    password = conf.last("cli-password")
    # Without a password coturn does not open it.
    if not conf.on("no-cli") and password is not None and password.secret and password.secret.reveal():
        change = (f"- {masked(password)}", "+ no-cli")
        address = conf.text("cli-ip") or _LOOPBACK[0]
        text = password.secret.reveal()
        if address not in _LOOPBACK:
            yield found(conf, "cli-open", conf.last("cli-ip"), ("- cli-ip=" + address, "+ no-cli"), address=address)
        if text == DOCUMENTED_CLI_HASH:
            yield found(conf, "cli-weak", password, change, reason="default")
        elif not text.startswith("$5$"):
            reason = weakness(password.secret)
            code = "cli-plain" if reason is None else "cli-weak"
            yield found(conf, code, password, change, **({} if reason is None else {"reason": reason}))
    if conf.on("web-admin"):
        address = conf.text("web-admin-ip") or _LOOPBACK[0]
        workers = "web-admin-listen-on-workers"
        if conf.on(workers):
            yield found(conf, "web-admin-open", conf.last(workers), (f"- {workers}",), address="*")
        elif address not in _LOOPBACK:
            line = conf.last("web-admin-ip")
            yield found(conf, "web-admin-open", line, (f"- web-admin-ip={address}",), address=address)
        else:
            yield found(conf, "web-admin", conf.last("web-admin"), ("- web-admin",))
    address = conf.text("prometheus-address")
    if conf.on("prometheus") and address not in _LOOPBACK:
        gone = (f"- prometheus-address={address}",) if address else ()
        change = (*gone, "+ prometheus-address=127.0.0.1")
        yield found(conf, "metrics-open", conf.last("prometheus"), change)


def protocol_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """What answers tell, and how long they are."""
    leaner = ("no-rfc5780", "no-stun-backward-compatibility", "response-origin-only-with-rfc5780")
    missing = [name for name in leaner if not conf.on(name)]
    if missing and not conf.on("no-stun") and not conf.on("secure-stun"):
        yield found(conf, "amplification", None, tuple(f"+ {name}" for name in missing))
    if not conf.on("fingerprint"):
        yield found(conf, "no-fingerprint", conf.last("fingerprint"), ("+ fingerprint",))
    if not conf.on("no-software-attribute", "prod"):
        yield found(
            conf, "banner", conf.last("no-software-attribute", "prod"), ("+ no-software-attribute",), software=""
        )


def form_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """What coturn cannot read."""
    for option in conf.options:
        if option.kind is Kind.GONE:
            yield found(conf, "gone-option", option, (f"- {masked(option)}",), setting=option.name)
        elif (option.kind is Kind.FLAG and option.truth is None) or (
            # A bare stale-nonce is the standard time.
            option.kind is Kind.NUMBER
            and option.number is None
            and not (option.name == "stale-nonce" and not option.value)
        ):
            yield found(conf, "bad-value", option, (f"- {masked(option)}",), setting=option.name)
    for number in conf.damaged:
        yield AuditFinding("damaged-line", f"{conf.name}:{number}", {"file": conf.name, "line": str(number)})
