"""What the firewall rules of RouterOS mean: chains, jumps, lists of addresses and interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wizard.configs.filtering import BOTH, EVERY_PORT, ONE_PROTOCOL, Action, FilterRule
from wizard.configs.forwarding import Numbering, Passage, PortForward
from wizard.configs.routeros import Command
from wizard.configs.who import Network, Who, networks, who
from wizard.model.port import PortRange, Protocol

DEEPEST, MOST = 16, 5000


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEUTRAL = _words(
    "action chain comment log log-prefix disabled to-addresses to-ports jump-target reject-with place-before "
    "hw-offload randomise-ports"
)
"""What does not limit whose packets a rule takes."""
_UNDERSTOOD = _words(
    "protocol dst-port src-address dst-address src-address-list dst-address-list in-interface in-interface-list "
    "out-interface out-interface-list connection-state connection-nat-state dst-address-type"
)
_ACTIONS = {"accept": Action.ADMIT, "drop": Action.STOP, "reject": Action.STOP, "tarpit": Action.STOP}
_OPPOSITE = {Who.EVERYBODY: Who.FEW, Who.FEW: Who.EVERYBODY, Who.NOBODY: Who.EVERYBODY, Who.PART: Who.PART}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it applies once the jumps that lead to it are followed. `sure`: no jump or return makes it doubtful."""

    values: Mapping[str, str]
    line: int
    text: str
    sure: bool = True


class Firewall:
    """The firewall's menus, and what its rules refer to."""

    def __init__(self, read: Sequence[Command], outward: Sequence[str]) -> None:
        self._read = [command for command in read if command.verb == "add" and command.values.get("disabled") != "yes"]
        self.unread: dict[int, str] = {}
        self._lists: dict[tuple[str, str], list[Network]] = {}
        self._named: set[str] = set()
        self._vague: set[str] = set()
        self._members: dict[str, set[str]] = {}
        self._outside = {"WAN", *outward}
        self._inside = {"LAN"}
        for command in self._read:
            self._learn(command)

    def _learn(self, command: Command) -> None:
        values = command.values
        match command.path:
            case "ip firewall address-list" | "ipv6 firewall address-list":
                self._named.add(values.get("list", ""))
                held = self._lists.setdefault((command.path.partition(" ")[0], values.get("list", "")), [])
                try:
                    held.extend(networks(values.get("address", "")))
                except ValueError:
                    # A name, whose addresses are not in the file.
                    self._vague.add(values.get("list", ""))
                    self.unread[command.line] = command.text
            case "interface list member":
                self._members.setdefault(values.get("list", ""), set()).add(values.get("interface", ""))
                side = {"WAN": self._outside, "LAN": self._inside}.get(values.get("list", ""))
                if side is not None:
                    side.add(values.get("interface", ""))
            case "interface bridge":
                self._inside.add(values.get("name", ""))
            case "interface pppoe-client" | "interface lte" | "interface pptp-client" | "interface l2tp-client":
                self._outside.add(values.get("name", ""))
            case "ip dhcp-client":
                self._outside.add(values.get("interface", ""))
            case "ip firewall nat" if values.get("action") in ("masquerade", "src-nat"):
                self._outside.add(values.get("out-interface", "WAN"))
            case path if path.endswith(("firewall filter", "firewall nat", "firewall raw", "firewall mangle")):
                if values.get("action", "").startswith("add-"):
                    self._named.add(values.get("address-list", ""))

    def rules(self, path: str, chain: str) -> Iterator[Rule]:
        """The rules of a chain in the order in which they are tried."""
        held: dict[str, list[Rule]] = {}
        for command in self._read:
            if command.path == path:
                rule = Rule(command.values, command.line, command.text)
                held.setdefault(command.values.get("chain", ""), []).append(rule)
        for count, rule in enumerate(self._followed(held, chain, {}, (), sure=True)):
            if count >= MOST:
                yield Rule({"action": "?"}, rule.line, rule.text)
                return
            yield rule

    def _followed(
        self, held: Mapping[str, list[Rule]], chain: str, before: Mapping[str, str], way: tuple[str, ...], *, sure: bool
    ) -> Iterator[Rule]:
        for rule in held.get(chain, ()):
            values = {**before, **rule.values}
            same = all(before[key] == rule.values[key] for key in before.keys() & rule.values.keys() - _NEUTRAL)
            found = Rule(values, rule.line, rule.text, sure and same)
            match rule.values.get("action", "accept"):
                case "jump":
                    target = rule.values.get("jump-target", "")
                    if target in way or len(way) >= DEEPEST:
                        yield Rule({**values, "action": "?"}, rule.line, rule.text)
                    else:
                        matchers = {key: value for key, value in values.items() if key not in _NEUTRAL}
                        yield from self._followed(held, target, matchers, (*way, chain), sure=found.sure)
                case "return":
                    # What follows in this chain is met by the packets that did not return, and which those are is a
                    # question of its own.
                    sure = False
                case _:
                    yield found

    def takes(self, rule: Rule, family: int, *, handed: bool) -> Who:
        """Whose packets a rule takes, its ports and destination aside. Raises ValueError."""
        found = [Who.EVERYBODY if rule.sure else Who.PERHAPS]
        for key, value in rule.values.items():
            if key in _NEUTRAL:
                continue
            negated, plain = value.startswith("!"), value.removeprefix("!")
            match key:
                case "src-address":
                    found.append(who(networks(plain), family, negated=negated))
                case "src-address-list":
                    found.append(self._listed(plain, family, negated=negated))
                case "in-interface" | "in-interface-list":
                    found.append(_turned(self._by(plain), negated))
                case "out-interface" | "out-interface-list":
                    side = self._by(plain)
                    side = {Who.EVERYBODY: Who.NOBODY, Who.FEW: Who.EVERYBODY}.get(side, side)
                    found.append(_turned(side, negated) if side is not Who.NOBODY or negated else side)
                case "connection-state":
                    found.append(Who.EVERYBODY if ("new" in plain.split(",")) is not negated else Who.NOBODY)
                case "connection-nat-state":
                    found.append(Who.EVERYBODY if (handed and "dstnat" in plain) is not negated else Who.NOBODY)
                case "dst-address-type":
                    found.append(Who.EVERYBODY if plain == "local" and not negated else Who.PERHAPS)
                case _ if key not in _UNDERSTOOD:
                    found.append(Who.PERHAPS)
        return min(found)

    def _listed(self, name: str, family: int, *, negated: bool) -> Who:
        held = self._lists.get(("ip" if family == 4 else "ipv6", name), [])
        if name not in self._named or name in self._vague:
            return Who.PERHAPS
        if not held and not negated:
            # Only the router itself puts addresses there, one by one.
            return Who.FEW
        return who(held, family, negated=negated)

    def _by(self, interface: str) -> Who:
        if interface in self._outside or interface == "all":
            return Who.EVERYBODY
        if interface in self._inside:
            return Who.FEW
        sides = {self._by(member) for member in self._members.get(interface, ()) if member not in self._members}
        return sides.pop() if len(sides) == 1 else Who.PERHAPS

    def destinations(self, rule: Rule, family: int) -> tuple[Network, ...] | None:
        """The addresses that a rule is about; None for any. Raises ValueError for what cannot be told."""
        address, listed = rule.values.get("dst-address"), rule.values.get("dst-address-list")
        if address is not None and not address.startswith("!") and listed is None:
            return networks(address)
        if listed is not None and address is None and not listed.startswith("!"):
            found = self._lists.get(("ip" if family == 4 else "ipv6", listed))
            if found and listed not in self._vague:
                return tuple(found)
        if address is None and listed is None:
            return None
        raise ValueError(rule.text)


def _turned(side: Who, negated: bool) -> Who:
    return _OPPOSITE.get(side, side) if negated else side


def protocols_of(rule: Rule) -> frozenset[Protocol]:
    """The protocols that it is about, of ours."""
    text = rule.values.get("protocol", "")
    plain = ONE_PROTOCOL.get(text.removeprefix("!"), frozenset())
    return BOTH if not text else BOTH - plain if text.startswith("!") else plain


def ports_of(rule: Rule) -> tuple[PortRange, ...] | None:
    """The destination ports; None for any. Raises ValueError."""
    text = rule.values.get("dst-port")
    if text is None:
        return None
    found = tuple(PortRange.parse(part) for part in text.removeprefix("!").split(","))
    return tuple(_others(found)) if text.startswith("!") else found


def _others(numbers: Sequence[PortRange]) -> Iterator[PortRange]:
    """The stretches between these."""
    first = EVERY_PORT.first
    for held in sorted(numbers):
        if first < held.first:
            yield PortRange(first, held.first - 1)
        first = max(first, held.last + 1)
    if first <= EVERY_PORT.last:
        yield PortRange(first, EVERY_PORT.last)


def chain_rules(firewall: Firewall, path: str, chain: str, family: int, *, handed: bool) -> Iterator[FilterRule]:
    """A filter chain as rules of any product. `handed`: for packets that were handed on before."""
    for rule in firewall.rules(path, chain):
        name = rule.values.get("action", "accept")
        if name in ("passthrough", "log", "fasttrack-connection", "notrack") or name.startswith("add-"):
            continue
        try:
            takes = firewall.takes(rule, family, handed=handed)
            if takes is Who.NOBODY:
                continue
            protocols, ports = protocols_of(rule), ports_of(rule)
        except ValueError:
            firewall.unread[rule.line] = rule.text
            yield FilterRule(Action.EITHER, rule.line, rule.text)
            continue
        try:
            hosts = firewall.destinations(rule, family)
        except ValueError:
            hosts, takes = None, Who.PERHAPS
        action = _ACTIONS.get(name, Action.EITHER)
        yield FilterRule(action, rule.line, rule.text, protocols, ports, hosts, frozenset((family,)), takes)


def forwards_of(firewall: Firewall) -> Iterator[PortForward]:
    """The rules of the dstnat chain."""
    for rule in firewall.rules("ip firewall nat", "dstnat"):
        name = rule.values.get("action", "accept")
        if name in ("passthrough", "log") or name.startswith("add-"):
            continue
        try:
            yield _forward(firewall, rule, name)
        except ValueError:
            firewall.unread[rule.line] = rule.text
            yield PortForward(rule.line, rule.text, BOTH, (EVERY_PORT,), who=Who.PERHAPS, unread=True)


def _forward(firewall: Firewall, rule: Rule, name: str) -> PortForward:
    takes = firewall.takes(rule, 4, handed=False)
    to_ports = rule.values.get("to-ports")
    host = rule.values.get("to-addresses") or None
    if host is not None and "/" in host:
        host = host.removesuffix("/32")
    if host is not None:
        networks(host) if "-" not in host else _refuse(host)
    if name not in ("dst-nat", "netmap", "redirect", "accept"):
        raise ValueError(rule.text)
    address = rule.values.get("dst-address", "")
    if address.startswith("!") or "dst-address-list" in rule.values:
        # A list of the router's own addresses, most often, or one that is spared.
        takes = min(takes, Who.PERHAPS)
    return PortForward(
        rule.line,
        rule.text,
        protocols_of(rule),
        ports_of(rule) or (EVERY_PORT,),
        PortRange.parse(to_ports) if to_ports else None,
        host,
        rule.values.get("comment", ""),
        destinations=() if not address or address.startswith("!") else (address,),
        who=takes,
        numbering=Numbering.LINUX,
        passage=Passage.FILTERED,
        exempts=name == "accept",
        itself=name != "accept" and host is None,
    )


def _refuse(text: str) -> None:
    raise ValueError(text)
