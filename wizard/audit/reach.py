"""Which peers a coturn permits, as its file says."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from wizard.audit.evidence import found, masked, relays
from wizard.audit.finding import AuditFinding
from wizard.configs.peers import FORBIDDEN, Group, Range, is_any, parse_range, reachable
from wizard.configs.turnserver import Option, Turnserver

GROUP_CODE = {
    Group.PRIVATE: "private-peers",
    Group.SPECIAL: "special-peers",
    Group.LOOPBACK: "loopback-peers",
    Group.MULTICAST: "multicast-peers",
    Group.MAPPED: "mapped-peers",
}


def ranges(conf: Turnserver, name: str) -> list[tuple[Option, Range]]:
    """The ranges of `denied-peer-ip` or `allowed-peer-ip` that coturn can read and does not take for everything."""
    found = [(option, parse_range(option.value)) for option in conf.all(name) if not is_any(option.value)]
    return [(option, parsed) for option, parsed in found if parsed is not None]


def peers_rule(conf: Turnserver) -> Iterator[AuditFinding]:
    """Which peers a client may reach, and how."""
    if not relays(conf):
        return
    for name in ("denied-peer-ip", "allowed-peer-ip"):
        for option in conf.all(name):
            if parse_range(option.value) is None:
                yield found(conf, "bad-peer-range", option, _as_range(option), setting=name, value=option.value)
    for option in conf.all("denied-peer-ip"):
        if is_any(option.value):
            yield found(conf, "denies-all", option, (f"- {masked(option)}",), value=option.value)
    for option in conf.all("allowed-peer-ip"):
        if is_any(option.value):
            yield found(conf, "peer-hole", option, (f"- {masked(option)}",), list=option.value)
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
            yield found(conf, code, flag, change, list=", ".join(map(str, left)))
    for option, hole in ranges(conf, "allowed-peer-ip"):
        closed = [n for n in FORBIDDEN if n.group is not Group.LOOPBACK or conf.on("allow-loopback-peers")]
        opened = [str(part) for n in closed for part in reachable(n.range, (n.range,), (hole,))]
        if opened:
            yield found(conf, "peer-hole", option, (f"- {masked(option)}",), list=", ".join(opened))
    if not conf.on("no-tcp-relay"):
        yield found(conf, "tcp-relay", conf.last("no-tcp-relay"), ("+ no-tcp-relay",))
    if conf.on("server-relay"):
        yield found(conf, "server-relay", conf.last("server-relay"), ("- server-relay",))


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
