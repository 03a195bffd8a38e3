"""What the gateways told, against the plan: their outer address, and the mappings that they list.

A gateway's word may explain a closed port and never opens one. It is a warning where it says something wrong, and a
note where it says nothing: rules made by hand are often not listed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from wizard.diagnosis.case import Case, spoken
from wizard.diagnosis.hairpin import CGNAT_RANGE, is_inside, parse_ip
from wizard.diagnosis.verdict import Finding, Severity, State
from wizard.model.forward import forwards, router_of
from wizard.model.gateway import Gateway
from wizard.model.hop import HopKind
from wizard.model.mapped import Held, Stretch, stretches
from wizard.model.port import merge
from wizard.observation import MappedSeen, NameResolved
from wizard.wire.pcp import restarted

_DS_LITE = ipaddress.ip_network("192.0.0.0/29")  # RFC 6333 section 5.7
CODES = (
    "gateway-no-address",
    "gateway-ds-lite",
    "gateway-cgnat",
    "gateway-double-nat",
    "gateway-seen-elsewhere",
    "gateway-not-planned",
    "gateway-restarted",
    "mapping-elsewhere",
    "mapping-renumbered",
    "mapping-disabled",
    "mapping-other-protocol",
    "mapping-missing",
)
"""Every finding that rests on a gateway's word."""

_SAYS_WRONG = {
    Held.ELSEWHERE: "mapping-elsewhere",
    Held.RENUMBERED: "mapping-renumbered",
    Held.DISABLED: "mapping-disabled",
    Held.OTHER_PROTOCOL: "mapping-other-protocol",
}


def gateway_findings(case: Case) -> list[Finding]:
    """Every warning and note that the gateways' words support."""
    found: list[Finding] = []
    for gateway in of_path(case):
        found += [*_restarted(case, gateway), *_outer_address(case, gateway), *_mappings(case, gateway)]
    return found


def of_path(case: Case) -> tuple[Gateway, ...]:
    """The gateways that answered and stand where the project's router is: those of the service's own network, or, if
    the path does not say which that is, those of this computer's default route. The latest word of each."""
    latest: dict[tuple[str, str], Gateway] = {}
    for fact in case.facts:
        if isinstance(fact, Gateway):
            held = latest.get((fact.interface, fact.address))
            if held is None or held.at <= fact.at:
                latest[fact.interface, fact.address] = fact
    answering = [gateway for gateway in latest.values() if gateway.answers]
    inner = _inner(case)
    if inner is None:
        return tuple(gateway for gateway in answering if gateway.default)
    return tuple(gateway for gateway in answering if inner in ipaddress.ip_interface(gateway.network).network)


def _inner(case: Case) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    router = router_of(case.project)
    return None if router is None else parse_ip(case.target(router) or "")


def _restarted(case: Case, gateway: Gateway) -> Iterator[Finding]:
    """Whether it has forgotten mappings since it was first asked (RFC 6887 section 8.5)."""
    same = [
        fact
        for fact in case.facts
        if isinstance(fact, Gateway)
        and (fact.interface, fact.address) == (gateway.interface, gateway.address)
        and fact.epoch_s is not None
    ]
    if len(same) < 2 or gateway.epoch_s is None:
        return
    first = min(same, key=lambda fact: fact.at)
    assert first.epoch_s is not None
    if restarted(first.epoch_s, gateway.epoch_s, (gateway.at - first.at).total_seconds()):
        values = {"gateway": gateway.title, "interface": gateway.interface, "at": gateway.address}
        yield _said("gateway-restarted", Severity.WARNING, (), values)


def _outer_address(case: Case, gateway: Gateway) -> Iterator[Finding]:
    router = router_of(case.project)
    outermost = router is not None and all(hop.kind is HopKind.CGNAT for hop in case.project.hops[:router])
    suspects = (case.project.hops[router].id,) if router is not None else ()
    values = {"gateway": gateway.title, "interface": gateway.interface, "at": gateway.address, "wan": gateway.wan or ""}
    wan = parse_ip(gateway.wan or "")
    if wan is None:
        if gateway.withheld:
            yield _said("gateway-no-address", Severity.WARNING, suspects, values)
        return
    if wan in _DS_LITE:
        yield _said("gateway-ds-lite", Severity.WARNING, suspects, values)
    elif wan in CGNAT_RANGE:
        yield _said("gateway-cgnat", Severity.WARNING, suspects, values)
    elif is_inside(wan):
        yield _said("gateway-double-nat", Severity.WARNING, suspects, values)
    else:
        yield from _public(case, gateway, values, outermost=outermost)


def _public(case: Case, gateway: Gateway, values: dict[str, str], *, outermost: bool) -> Iterator[Finding]:
    """A public outer address, against what STUN sees and what the plan says."""
    wan = parse_ip(gateway.wan or "")
    assert wan is not None
    seen = [fact for fact in case.facts if isinstance(fact, MappedSeen)]
    for fact in seen[-1:]:
        mapped = parse_ip(fact.address)
        if gateway.default and mapped is not None and mapped.version == wan.version and mapped != wan:
            told = {**values, "seen": str(mapped), "server": fact.server}
            yield _said("gateway-seen-elsewhere", Severity.WARNING, (), told)
    planned = _planned(case, wan.version)
    if outermost and planned and wan not in planned:
        told = {**values, "planned": ", ".join(map(str, planned))}
        yield _said("gateway-not-planned", Severity.WARNING, (), told)


def _planned(case: Case, version: int) -> Sequence[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The public addresses of the plan in that family; none for a plan that is for one's own network only."""
    texts = [case.project.public_address]
    for fact in case.facts:
        if isinstance(fact, NameResolved) and fact.name == case.project.public_address:
            texts += fact.addresses
    found = [ip for text in texts if (ip := parse_ip(text)) is not None and ip.version == version]
    return [] if any(is_inside(ip) for ip in found) else found


def _mappings(case: Case, gateway: Gateway) -> Iterator[Finding]:
    router = router_of(case.project)
    if router is None or not gateway.listed:
        return
    for stretch in stretches(gateway, forwards(case.project, router)):
        closed = [port.number for port in stretch.ports if case.verdicts[port].state is not State.OPEN]
        for outside in merge(closed):
            blocked = any(
                case.verdicts[port].state is State.BLOCKED for port in stretch.ports if port.number in outside
            )
            values = _values(gateway, stretch) | {"ports": f"{stretch.forward.protocol} {spoken(outside)}"}
            code = _SAYS_WRONG.get(stretch.held)
            if code is not None:
                suspects = (case.project.hops[router].id,) if blocked else ()
                yield Finding(code, Severity.WARNING, suspects, stretch.forward.protocol, outside, values)
            elif stretch.held is Held.MISSING:
                yield Finding("mapping-missing", Severity.INFO, (), stretch.forward.protocol, outside, values)


def _values(gateway: Gateway, stretch: Stretch) -> dict[str, str]:
    forward, example = stretch.forward, stretch.example
    offset = stretch.outside.first - forward.outside.first
    internal = forward.internal.first + offset
    return {
        "gateway": gateway.title,
        "interface": gateway.interface,
        "at": gateway.address,
        "name": forward.name,
        "protocol": forward.protocol.value,
        "other": forward.protocol.other.value,
        "arrives": f"{forward.external.first + offset}",
        "target": forward.host or "?",
        "leaves": f"{internal}",
        "host": example.host if example else "",
        "internal": str(example.internal) if example else "",
        "description": (example.description or "-") if example else "-",
    }


def _said(code: str, severity: Severity, suspects: tuple[str, ...], values: dict[str, str]) -> Finding:
    return Finding(code, severity, suspects, None, None, values)
