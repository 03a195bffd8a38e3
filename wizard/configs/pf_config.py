"""The `config.xml` of pfSense and OPNsense: aliases, port forwards, and the filter behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.configs.filtering import BOTH, EVERY_FAMILY, EVERY_PORT, Action, Chain, FilterRule
from wizard.configs.forwarding import Passage, PortForward
from wizard.configs.gateway_reading import GatewayReading
from wizard.configs.reading import Note, Source, UnreadableError
from wizard.configs.who import Network, Who, networks, who
from wizard.configs.xml_lines import Element, parsed
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol

_FAMILIES = {"inet": frozenset((4,)), "inet6": frozenset((6,)), "inet46": EVERY_FAMILY}
_ACTIONS = {"pass": Action.ADMIT, "block": Action.STOP, "reject": Action.STOP}
_LIMITS = ("os", "sched", "tag", "tagged", "set-prio", "tcpflags1", "tcpflags2", "dscp", "vlanprio")
"""What narrows a rule in ways that the plan says nothing about."""
_DEEPEST = 8
_AREAS = ("nat", "filter", "aliases")


class _UnreadError(ValueError):
    """Part of a rule that was not understood, or is not in the file."""


def read(source: Source, product: str, title: str) -> GatewayReading:
    """The whole file, or the part of it that holds rules. Raises UnreadableError."""
    root = parsed(source.text)
    if root.name in _AREAS:
        holder = Element("", 0)
        holder.children.append(root)
        root = holder
    config = _Config(root)
    if not (root.has("nat") or root.has("filter") or root.has("OPNsense", "Firewall")):
        raise UnreadableError(Phrase("pf-no-rules"), root.line or None)
    forwards = tuple(config.forwards())
    filtered = root.has("filter") or root.has("OPNsense", "Firewall", "Filter", "rules")
    chain = Chain(tuple(config.rules())) if filtered else None
    if chain is None:
        config.notes.append(Note(Phrase("pf-no-filter")))
    return GatewayReading(
        product,
        source.name,
        HopKind.ROUTER,
        title,
        forwards,
        dict.fromkeys((4, 6), chain) if chain is not None else {4: Chain((), Action.EITHER)},
        notes=tuple(sorted(config.notes, key=lambda note: note.line or 0)),
        every=False,
    )


class _Config:
    """The parts of the file that its rules refer to."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self.notes: list[Note] = []
        self._aliases: dict[str, tuple[str, list[str]]] = {}
        for held in (root.child("aliases"), root.child("OPNsense", "Firewall", "Alias", "aliases")):
            for alias in held.all("alias") if held else ():
                words = re.split(r"[\s,|]+", alias.value("address") or alias.value("content"))
                self._aliases[alias.value("name")] = (alias.value("type"), [word for word in words if word])

    def _content(self, name: str, kinds: tuple[str, ...], depth: int = 0) -> list[str]:
        """What an alias stands for, aliases in it resolved. Raises _UnreadError."""
        kind, words = self._aliases.get(name, ("", []))
        if kind not in kinds or depth > _DEEPEST:
            raise _UnreadError(name)
        return [
            one
            for word in words
            for one in (self._content(word, kinds, depth + 1) if word in self._aliases else [word])
        ]

    def _ports(self, text: str) -> tuple[PortRange, ...]:
        words = self._content(text, ("port",)) if text in self._aliases else [text]
        try:
            return tuple(PortRange.parse(word.replace(":", "-")) for word in words)
        except ValueError:
            raise _UnreadError(text) from None

    def _networks(self, text: str) -> tuple[Network, ...]:
        words = self._content(text, ("host", "network")) if text in self._aliases else [text]
        try:
            return tuple(network for word in words for network in networks(word))
        except ValueError:
            raise _UnreadError(text) from None

    def forwards(self) -> Iterator[PortForward]:
        """The port forwards, in their order."""
        for held in self._root.all("nat"):
            for rule in held.all("rule"):
                if rule.has("disabled") and rule.value("disabled") != "0":
                    continue
                try:
                    yield self._forward(rule)
                except _UnreadError:
                    self._unread(rule)
                    yield _doubtful(rule)
            for rule in held.all("onetoone"):
                if not rule.has("disabled") and not rule.has("nobinat"):
                    yield self._whole_host(rule)
        newer = self._root.child("OPNsense", "Firewall", "DNat")
        for rule in (newer.child("rules") or newer).all("rule") if newer else ():
            self._unread(rule)
            yield _doubtful(rule)

    def _forward(self, rule: Element) -> PortForward:
        text = _shown(rule)
        port = rule.value("destination", "port")
        outer = self._ports(port) if port else (EVERY_PORT,)
        local = rule.value("local-port")
        host = rule.value("target") or None
        if host in self._aliases:
            (network,) = self._networks(host) or (None,)
            host = str(network.network_address) if network is not None and network.num_addresses == 1 else host
        inner: PortRange | None = None
        if local and local != port:
            inside = self._ports(local)
            if len(outer) != 1 or len(inside) != 1:
                raise _UnreadError(local)
            # The first port of the inner range is given; the others follow in step.
            first = inside[0].first
            if first + len(outer[0]) - 1 > EVERY_PORT.last:
                raise _UnreadError(local)
            inner = PortRange(first, first + len(outer[0]) - 1)
        families = _FAMILIES.get(rule.value("ipprotocol") or "inet", EVERY_FAMILY)
        at_once = rule.value("associated-rule-id") == "pass"
        return PortForward(
            rule.line,
            text,
            _protocols(rule),
            outer,
            inner,
            host,
            rule.value("descr"),
            families,
            self._destinations(rule),
            self._who(rule, min(families)),
            passage=Passage.AT_ONCE if at_once else Passage.FILTERED,
            exempts=rule.has("nordr"),
        )

    def _whole_host(self, rule: Element) -> PortForward:
        """1:1 NAT: every port of an outer address goes to one host."""
        host, outer = rule.value("source", "address"), rule.value("external")
        try:
            (inside,), (outside,) = self._networks(host), self._networks(outer)
        except ValueError:
            self._unread(rule)
            return _doubtful(rule)
        sure = inside.num_addresses == outside.num_addresses == 1 and not rule.value("destination", "address")
        return PortForward(
            rule.line,
            _shown(rule),
            BOTH,
            (EVERY_PORT,),
            host=str(inside.network_address),
            destinations=(str(outside.network_address),),
            who=_by(rule.value("interface").lower()) if sure else Who.PERHAPS,
            passage=Passage.FILTERED,
        )

    def _destinations(self, rule: Element) -> tuple[str, ...]:
        address = rule.value("destination", "address")
        if rule.has("destination", "not"):
            raise _UnreadError(address)
        return tuple(str(network) for network in self._networks(address)) if address else ()

    def rules(self) -> Iterator[FilterRule]:
        """The filter, in the order in which its rules decide: floating ones that are quick, those of an interface,
        and at last, the last first, those that are not quick."""
        held = [rule for filters in self._root.all("filter") for rule in filters.all("rule")]
        newer = self._root.child("OPNsense", "Firewall", "Filter", "rules")
        quick = [rule for rule in held if rule.has("floating") and _is_quick(rule, default=False)]
        own = [rule for rule in held if not rule.has("floating") and _is_quick(rule, default=True)]
        slow = [rule for rule in held if not _is_quick(rule, default=not rule.has("floating"))]
        for rule in newer.all("rule") if newer else ():
            yield from self._newer(rule)
        for rule in (*quick, *own, *reversed(slow)):
            off = rule.has("disabled") and rule.value("disabled") != "0"
            if off or rule.value("direction") == "out" or rule.value("type") == "match":
                continue
            action = _ACTIONS.get(rule.value("type"), Action.EITHER)
            try:
                yield from self._rule(rule, action)
            except _UnreadError:
                self._unread(rule)
                yield FilterRule(Action.EITHER, rule.line, _shown(rule))

    def _rule(self, rule: Element, action: Action) -> Iterator[FilterRule]:
        port, address = rule.value("destination", "port"), rule.value("destination", "address")
        network = rule.value("destination", "network")
        if rule.has("destination", "not"):
            raise _UnreadError(address)
        hosts = self._networks(address) if address else None
        # The network of an interface is not in every file, and what is handed on goes inside in any case.
        sure = not network
        for family in _FAMILIES.get(rule.value("ipprotocol") or "inet", EVERY_FAMILY):
            yield FilterRule(
                action,
                rule.line,
                _shown(rule),
                _protocols(rule),
                self._ports(port) if port else None,
                hosts,
                frozenset((family,)),
                min(self._who(rule, family), Who.EVERYBODY if sure else Who.PERHAPS),
            )

    def _newer(self, rule: Element) -> Iterator[FilterRule]:
        """A rule of OPNsense's newer filter, which has other names for its parts."""
        if rule.value("enabled") == "0" or rule.value("direction") == "out":
            return
        old = Element("rule", rule.line)
        for name in ("interface", "ipprotocol", "protocol"):
            old.children.append(Element(name, rule.line, text=rule.value(name)))
        for side, end in (("source", "source_net"), ("destination", "destination_net")):
            part = Element(side, rule.line)
            value, port = rule.value(end) or "any", rule.value(f"{side}_port")
            kind = "any" if value == "any" else "network" if value in ("lan", "wan", "wanip", "lanip") else "address"
            part.children.append(Element(kind, rule.line, text=value))
            if port:
                part.children.append(Element("port", rule.line, text=port))
            if rule.value(f"{side}_not") == "1":
                part.children.append(Element("not", rule.line))
            old.children.append(part)
        action = _ACTIONS.get(rule.value("action"), Action.EITHER)
        try:
            yield from self._rule(old, action if rule.value("quick") != "0" else Action.EITHER)
        except _UnreadError:
            self._unread(rule)
            yield FilterRule(Action.EITHER, rule.line, _shown(rule))

    def _who(self, rule: Element, family: int) -> Who:
        interfaces = rule.value("interface").split(",")
        by = max(_by(interface.strip().lower()) for interface in interfaces)
        if any(rule.value(limit) for limit in _LIMITS) or rule.value("source", "port"):
            by = min(by, Who.PERHAPS)
        negated = rule.has("source", "not")
        if rule.value("source", "network"):
            return min(by, Who.EVERYBODY if negated else Who.FEW)
        address = rule.value("source", "address")
        if not address or address == "any":
            return by
        try:
            held = self._networks(address)
        except _UnreadError:
            # A list that is fetched, or a part of the world.
            return min(by, Who.PERHAPS)
        return min(by, who(held, family, negated=negated))

    def _unread(self, rule: Element) -> None:
        self.notes.append(Note(Phrase("line-not-understood", {"text": _shown(rule)}), rule.line))


def _by(interface: str) -> Who:
    if interface in ("", "wan", "any"):
        return Who.EVERYBODY
    return Who.FEW if interface in ("lan", "lo0", "openvpn", "wireguard") else Who.PERHAPS


def _is_quick(rule: Element, *, default: bool) -> bool:
    return rule.value("quick") not in ("0", "no") if rule.has("quick") else default


def _protocols(rule: Element) -> frozenset[Protocol]:
    name = rule.value("protocol").lower()
    if name in ("", "any", "tcp/udp"):
        return BOTH
    return frozenset((Protocol(name),)) if name in ("tcp", "udp") else frozenset()


def _doubtful(rule: Element) -> PortForward:
    families = _FAMILIES.get(rule.value("ipprotocol") or "inet", EVERY_FAMILY)
    return PortForward(
        rule.line, _shown(rule), _protocols(rule), (EVERY_PORT,), families=families, who=Who.PERHAPS, unread=True
    )


def _shown(rule: Element) -> str:
    said = [rule.value(*path) for path in (("protocol",), ("destination", "port"), ("target",), ("local-port",))]
    return " ".join([rule.value("type") or rule.value("action") or "forward", *filter(None, said)])[:200]
