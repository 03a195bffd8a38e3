"""nftables rules of one hop, healthy or with faults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .address import host_in, is_six, network_of, whole
from .faults import Fault, Kind
from .path import LabHop, Path, spell

_VERDICTS = {
    Kind.DROP: "drop",
    Kind.REJECT: "reject with icmp type admin-prohibited",
    Kind.PORT_UNREACHABLE: "reject with icmp type port-unreachable",
    Kind.RESET: "reject with tcp reset",
}
_VERDICTS6 = {
    **_VERDICTS,
    Kind.REJECT: "reject with icmpv6 type admin-prohibited",
    Kind.PORT_UNREACHABLE: "reject with icmpv6 type port-unreachable",
    Kind.NO_ROUTE: "reject with icmpv6 type no-route",
}


@dataclass(frozen=True, slots=True)
class Mapping:
    """One port of a translation: what comes in on `number` goes to `host` on `inner`."""

    protocol: str
    number: int
    host: str
    inner: int


def mappings(path: Path, position: int, target: str, faults: Iterable[Fault]) -> list[Mapping]:
    """What a translating hop maps, as its faults leave it."""
    hop = path.hops[position]
    mine = [fault for fault in faults if fault.hop == hop.id]
    network = network_of(target)
    found: list[Mapping] = []
    for ports in path.ports:
        first_inner = path.numbers(ports, ports.first)[position + 1]
        for outside in range(ports.first, ports.last + 1):
            numbers = path.numbers(ports, outside)
            protocol, host, inner = ports.protocol, target, numbers[position + 1]
            kinds = {fault.kind for fault in mine if fault.hits(protocol, outside)}
            if kinds & {Kind.NOT_FORWARDED, Kind.OWN_PAGE}:
                continue
            if Kind.OTHER_PROTOCOL in kinds:
                protocol = "tcp" if protocol == "udp" else "udp"
            if Kind.UNUSED_HOST in kinds:
                host = host_in(network, "99")
            if Kind.IDLE_HOST in kinds:
                host = host_in(network, "98")
            if Kind.OFF_BY_ONE in kinds:
                inner += 1
            if Kind.ONE_PORT in kinds:
                inner = first_inner
            found.append(Mapping(protocol, numbers[position], host, inner))
    return found


def table(path: Path, position: int, target: str | None, own: str, control: int, faults: Iterable[Fault]) -> str:
    """The whole table of one hop, to replace the one before. `own` is its machine's address, `target` what it maps to,
    `control` the port on which a tunnel's client calls in.

    Planned ports are let in at a filter, everything else is dropped; the machine's own traffic, and what comes from
    behind it, passes.
    """
    hop = path.hops[position]
    mine = [fault for fault in faults if fault.hop == hop.id]
    name = f"hop_{position}"
    family = "ip6" if is_six(own) else "ip"
    chains = [_losses(control, mine), _filter(path, position, own, control, mine)]
    if target is not None and not hop.userland and family == "ip":
        chains.append(_translation(path, hop, own, target, mappings(path, position, target, mine), mine))
    name = f"{family} {name}"
    return f"table {name} {{}}\ndelete table {name}\ntable {name} {{\n" + "\n".join(chains) + "\n}\n"


def _losses(control: int, mine: list[Fault]) -> str:
    if not any(fault.kind is Kind.LOSS for fault in mine):
        return ""
    # The tunnel's own connection comes another way: with a third lost, TCP would all but stand still.
    spared = f"tcp dport {control} accept\ntcp sport {control} accept"
    return f"chain losses {{ type filter hook prerouting priority -300;\n{spared}\nnumgen inc mod 3 0 drop\n}}"


def _filter(path: Path, position: int, own: str, control: int, mine: list[Fault]) -> str:
    hop = path.hops[position]
    lines = ["chain filter_in { type filter hook prerouting priority -150;"]
    lines += ['iifname != "wan" accept', "ct state established,related accept"]
    family, verdicts = ("ip6", _VERDICTS6) if is_six(own) else ("ip", _VERDICTS)
    for fault in mine:
        if fault.kind in verdicts:
            lines += [f"{ports} {verdicts[fault.kind]}" for ports in _touched(path, position, fault)]
        if fault.kind is Kind.WORLD_DROPPED:
            network = whole(network_of(own))
            lines += [f"{family} saddr != {network} {ports} drop" for ports in _touched(path, position, fault)]
    filters = hop.kind in ("security-group", "firewall")
    if filters or (family == "ip6" and hop.kind == "router"):
        # Over IPv6 a home router forwards nothing: it has pinholes, and drops the rest.
        closed = [fault for fault in mine if fault.kind is Kind.NOT_FORWARDED]
        lines += [f"{ports} drop" for fault in closed for ports in _touched(path, position, fault)]
        lines += [f"{ports} accept" for ports in _touched(path, position, Fault(hop.id, Kind.DROP))]
        if any(inner.kind == "tunnel-server" for inner in path.hops[position:]):
            lines += [f"tcp dport {control} accept"]
        lines += ["meta l4proto { tcp, udp } drop"]
    return "\n".join([*lines, "}"])


def _touched(path: Path, position: int, fault: Fault) -> list[str]:
    """Matches for the ports that a fault hits, by the numbers at this hop."""
    matches = []
    for ports in path.ports:
        numbers = [
            path.numbers(ports, n)[position]
            for n in range(ports.first, ports.last + 1)
            if fault.hits(ports.protocol, n)
        ]
        if numbers:
            matches.append(f"{ports.protocol} dport {spell(numbers[0], numbers[-1])}")
    return matches


def _translation(path: Path, hop: LabHop, own: str, target: str, mapped: list[Mapping], mine: list[Fault]) -> str:
    kinds = {fault.kind for fault in mine}
    rules = _dnat(mapped)
    # Docker's rule matches any local destination, and the host's own connections as well.
    where = 'iifname "wan" ' if Kind.NO_HAIRPIN in kinds else ""
    lines = ["chain inward { type nat hook prerouting priority -100;"]
    lines += [f"{where}ip daddr {own} {rule}" for rule in rules]
    lines += ["}"]
    if hop.kind == "container":
        lines += [
            "chain local { type nat hook output priority -100;",
            *(f"ip daddr {own} {rule}" for rule in rules),
            "}",
        ]
    else:
        # A consumer router is stealthy: what it does not map, it drops.
        lines += ["chain closed { type filter hook input priority 0;"]
        shown = [fault for fault in mine if fault.kind is Kind.OWN_PAGE]
        lines += [f"{ports} accept" for fault in shown for ports in _touched(path, path.index(hop.id), fault)]
        lines += ['iifname "wan" ct state new meta l4proto { tcp, udp } drop', "}"]
    lines += ["chain outward { type nat hook postrouting priority 100;", 'oifname "wan" masquerade']
    if Kind.SOURCE_REWRITTEN in kinds:
        lines += ['oifname "lan" masquerade']
    if hop.kind != "container":
        lines += [f'ip saddr {target.rpartition(".")[0]}.0/24 oifname "lan" ct status dnat masquerade']
    return "\n".join([*lines, "}"])


def _dnat(mapped: list[Mapping]) -> list[str]:
    """The fewest rules: a range where the numbers stay, a map where they change."""
    rules: list[str] = []
    changed: dict[str, list[str]] = {}
    runs: list[list[Mapping]] = []
    for one in sorted(mapped, key=lambda m: (m.protocol, m.host, m.number)):
        if one.inner != one.number:
            changed.setdefault(one.protocol, []).append(f"{one.number} : {one.host} . {one.inner}")
        elif runs and (runs[-1][-1].protocol, runs[-1][-1].host, runs[-1][-1].number + 1) == (
            one.protocol,
            one.host,
            one.number,
        ):
            runs[-1].append(one)
        else:
            runs.append([one])
    rules += [f"{r[0].protocol} dport {spell(r[0].number, r[-1].number)} dnat to {r[0].host}" for r in runs]
    rules += [f"dnat ip to {protocol} dport map {{ {', '.join(items)} }}" for protocol, items in changed.items()]
    return rules
