"""TLS, as the file of a coturn sets it up."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.audit.evidence import found
from wizard.audit.finding import AuditFinding
from wizard.configs.turnserver import Turnserver


def has_tls(conf: Turnserver) -> bool:
    """Whether TLS can come up."""
    return bool(conf.text("cert") and conf.text("pkey")) and not conf.on("no-tls")


def tls_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """Whether what is said to the server can be read on the way."""
    if not has_tls(conf):
        off = [option for option in conf.all("no-tls") if option.truth]
        missing = [f"+ {name}={example}" for name, example in _FILES.items() if not conf.text(name)]
        yield found(conf, "no-tls", off[0] if off else None, (*(f"- {o.name}" for o in off), *missing))
        return
    old = [name for name in _OLD_TLS if not conf.on(name)]
    if old:
        versions = ", ".join(_OLD_TLS[name] for name in old)
        yield found(conf, "old-tls", None, tuple(f"+ {name}" for name in old), versions=versions)
    for name in ("dh566", "dh1066"):
        if conf.on(name):
            yield found(conf, "weak-dh", conf.last(name), (f"- {name}",), setting=name)
    ciphers = conf.last("cipher-list")
    allowed = [part for part in conf.text("cipher-list").replace(",", ":").split(":") if part[:1] not in ("!", "-")]
    weak = [part for part in allowed if set(part.lstrip("+").upper().split("+")) & _WEAK_CIPHERS]
    if weak:
        yield found(conf, "weak-ciphers", ciphers, (f"- cipher-list={conf.text('cipher-list')}",), list=", ".join(weak))


_OLD_TLS = {"no-tlsv1": "TLS 1.0", "no-tlsv1_1": "TLS 1.1"}
_FILES = {"cert": "/etc/ssl/turn/fullchain.pem", "pkey": "/etc/ssl/turn/privkey.pem"}
_WEAK_CIPHERS = {"ALL", "NULL", "ANULL", "ENULL", "EXPORT", "EXP", "LOW", "RC4", "MD5", "DES", "3DES", "ADH", "AECDH"}
