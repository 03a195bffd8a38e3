"""The values of an audit. Their words are in `resources/audit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wizard.diagnosis.verdict import Severity

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

WEIGHT: Mapping[str, tuple[Severity, int]] = {
    "open-relay": (_E, 5),
    "auth-conflict": (_E, 5),
    "weak-password": (_E, 5),
    "weak-secret": (_E, 5),
    "login-refused": (_E, 10),
    "fixed-credentials": (_W, 30),
    "mixed-credentials": (_W, 5),
    "endless-credentials": (_W, 30),
    "long-credentials": (_W, 10),
    "no-realm": (_W, 2),
    "no-tls": (_W, 30),
    "old-tls": (_W, 2),
    "weak-dh": (_W, 2),
    "weak-ciphers": (_W, 5),
    "no-user-quota": (_W, 2),
    "no-bandwidth-limit": (_W, 5),
    "capacity-alone": (_E, 2),
    "private-peers": (_E, 5),
    "special-peers": (_W, 5),
    "loopback-peers": (_E, 2),
    "multicast-peers": (_W, 2),
    "mapped-peers": (_W, 2),
    "peer-hole": (_E, 5),
    "denies-all": (_E, 2),
    "bad-peer-range": (_E, 2),
    "tcp-relay": (_W, 2),
    "own-listener": (_E, 5),
    "server-relay": (_E, 2),
    "no-log": (_W, 5),
    "lost-log": (_W, 5),
    "quiet-log": (_I, 1),
    "loud-log": (_W, 1),
    "cli-open": (_E, 2),
    "cli-weak": (_E, 2),
    "cli-plain": (_W, 5),
    "web-admin-open": (_E, 5),
    "web-admin": (_I, 2),
    "metrics-open": (_W, 5),
    "private-address": (_W, 5),
    "wrong-external-ip": (_E, 5),
    "range-inverted": (_E, 2),
    "range-small": (_I, 5),
    "range-overlap": (_W, 5),
    "endless-nonce": (_W, 1),
    "odd-lifetime": (_W, 1),
    "amplification": (_I, 2),
    "no-fingerprint": (_I, 1),
    "banner": (_I, 1),
    "old-version": (_W, 30),
    "bad-value": (_E, 2),
    "gone-option": (_I, 1),
    "damaged-line": (_W, 5),
    "cert-expired": (_E, 15),
    "cert-not-yet-valid": (_E, 15),
    "cert-wrong-name": (_E, 15),
    "cert-unknown-issuer": (_W, 15),
    "cert-unfit": (_W, 15),
    "cert-soon": (_W, 15),
}
"""How bad each is, and the minutes that it takes to mend."""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing that is unsafe. `change` is for the server's configuration: lines after `-` go, lines after `+` come.

    No part of it holds a secret.
    """

    code: str
    where: str
    """The file, with the line if there is one; or the server's address."""
    values: Mapping[str, str] = field(default_factory=dict)
    change: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return WEIGHT[self.code][0]

    @property
    def minutes(self) -> int:
        """How long it takes to mend."""
        return WEIGHT[self.code][1]


@dataclass(frozen=True, slots=True)
class NotChecked:
    """What the audit says nothing about, and why."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnknownOption:
    """An option that coturn passes over. `name` is empty where even that may be a secret."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Audit:
    """All that was found, the worst first."""

    target: str
    findings: tuple[AuditFinding, ...]
    not_checked: tuple[NotChecked, ...] = ()
    unknown_options: tuple[UnknownOption, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there is nothing worse than a note."""
        return all(finding.severity is Severity.INFO for finding in self.findings)


def sorted_findings(findings: list[AuditFinding]) -> tuple[AuditFinding, ...]:
    """The worst first, then what is quickest to mend."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: (order.index(finding.severity), finding.minutes)))
