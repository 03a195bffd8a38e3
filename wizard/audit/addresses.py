"""Which address a coturn tells peers to send to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from wizard.audit.evidence import found, masked, relays
from wizard.audit.finding import AuditFinding
from wizard.configs.peers import FORBIDDEN, Group, parse_range
from wizard.configs.turnserver import Turnserver


def addresses_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """Which address peers are told."""
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
            yield found(conf, "wrong-external-ip", option, change, value=option.value, reason=reason)
    if conf.all("external-ip"):
        return
    relaying = conf.all("relay-ip") or conf.all("listening-ip")
    inside = [option for option in relaying if _is_inside(option.value)]
    if inside and len(inside) == len([o for o in relaying if not _is_local(o.value)]):
        example = f"+ external-ip=PUBLIC-ADDRESS/{inside[0].value}"
        yield found(conf, "private-address", inside[0], (example,), address=inside[0].value)


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
