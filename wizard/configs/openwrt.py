"""The firewall of OpenWrt: /etc/config/firewall or what `uci show firewall` prints, and commands that add to it."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterator

from wizard.configs.filtering import BOTH, EVERY_FAMILY, EVERY_PORT, Action, Chain, FilterRule
from wizard.configs.forwarding import Numbering, Passage, PortForward
from wizard.configs.gateway_reading import GatewayReading
from wizard.configs.product import Likeness, Order, Product, Wanted, Written
from wizard.configs.reading import Note, Source, UnreadableError
from wizard.configs.uci import Section, Sections, parse
from wizard.configs.who import Network, Who, networks, who
from wizard.configs.writing import comment, is_ip, named, one_by_one, shadowed, spoken_ports, targetless, written
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol

_OWN = re.compile(
    r"^\s*config\s+['\"]?(?:redirect|zone|forwarding|defaults)\b|^(?:uci set )?firewall\.[^=\s]+=", re.MULTILINE
)
_LIKE = re.compile(r"^\s*config\s+['\"]?rule\b", re.MULTILINE)
_OFF = ("0", "no", "off", "false", "disabled")
_FAMILIES = {"ipv4": frozenset((4,)), "4": frozenset((4,)), "ipv6": frozenset((6,)), "6": frozenset((6,))}
_LIMITS = frozenset(
    ("src_mac", "src_port", "ipset", "mark", "start_date", "stop_date", "start_time", "stop_time", "weekdays")
) | frozenset(
    ("monthdays", "utc_time", "limit", "limit_burst", "helper", "extra", "device", "direction", "icmp_type", "dscp")
)
"""Options that narrow a rule in ways that the plan says nothing about."""
_ACTIONS = {"ACCEPT": Action.ADMIT, "DROP": Action.STOP, "REJECT": Action.STOP}
_GOES_ON = frozenset(("MARK", "NOTRACK", "DSCP", "HELPER", "LOG"))


def _recognise(text: str) -> Likeness:
    return Likeness.SURE if _OWN.search(text) else Likeness.MAYBE if _LIKE.search(text) else Likeness.NO


def _read(source: Source) -> GatewayReading:
    read = parse(source.text)
    if not read.sections:
        first = next(iter(read.unread), None)
        raise UnreadableError(
            Phrase("empty") if first is None else Phrase("syntax", {"text": first[1]}), first[0] if first else None
        )
    notes = [Note(Phrase("line-not-understood", {"text": text}), line) for line, text in read.unread]
    firewall = _Firewall(read, notes)
    whole = bool(read.of("zone"))
    if not whole:
        notes.append(Note(Phrase("sections-cut")))
    for include in read.of("include"):
        if include.text("enabled", "1") not in _OFF:
            notes.append(Note(Phrase("include-not-read", {"text": include.text("path", "?")}), include.line))
    through = Chain(tuple(firewall.rules(through=True)), firewall.otherwise("forward") if whole else Action.EITHER)
    own = Chain(tuple(firewall.rules(through=False)), firewall.otherwise("input") if whole else Action.EITHER)
    return GatewayReading(
        "openwrt",
        source.name,
        HopKind.ROUTER,
        "OpenWrt",
        tuple(firewall.redirects()),
        dict.fromkeys((4, 6), through),
        dict.fromkeys((4, 6), own),
        notes=tuple(sorted(notes, key=lambda note: note.line or 0)),
        every=False,
    )


class _Firewall:
    """The sections with what they mean to each other."""

    def __init__(self, read: Sections, notes: list[Note]) -> None:
        self._read = read
        self._notes = notes
        zones = {zone.text("name"): zone for zone in read.of("zone")}
        self._outside = {name: zone for name, zone in zones.items() if _is_outside(name, zone)}
        self._inside = [name for name in zones if name not in self._outside]
        self._from = {*self._outside, "*"} if zones else {"wan", "*"}

    def otherwise(self, policy: str) -> Action:
        """What becomes of packets that no rule takes."""
        defaults = next(iter(self._read.of("defaults")), Section("defaults", 0))
        held = [zone.text(policy) for zone in self._outside.values()] if policy == "input" else []
        return _ACTIONS.get(next(filter(None, held), defaults.text(policy, "REJECT")).upper(), Action.EITHER)

    def redirects(self) -> Iterator[PortForward]:
        """The port forwards."""
        for section in self._read.of("redirect"):
            if section.text("enabled", "1").lower() in _OFF or section.text("target", "DNAT").upper() != "DNAT":
                continue
            text = _shown(section)
            try:
                yield self._redirect(section, text)
            except ValueError:
                self._unread(section, text)
                yield PortForward(
                    section.line, text, BOTH, (EVERY_PORT,), families=EVERY_FAMILY, who=Who.PERHAPS, unread=True
                )

    def _redirect(self, section: Section, text: str) -> PortForward:
        host = section.text("dest_ip") or None
        version = networks(host)[0].version if host else 4
        inner = _ports(section, "dest_port")
        if inner is not None and len(inner) != 1:
            raise ValueError(text)
        families = _FAMILIES.get(section.text("family").lower(), frozenset((version,)))
        narrowed = Who.PERHAPS if _LIMITS & set(section.options) else Who.EVERYBODY
        return PortForward(
            section.line,
            text,
            _protocols(section),
            _ports(section, "src_dport") or (EVERY_PORT,),
            inner[0] if inner else None,
            host,
            section.text("name", section.name),
            families,
            tuple(section.words("src_dip")),
            min(narrowed, self._senders(section, version)),
            Numbering.LINUX,
            Passage.UNLESS_STOPPED,
            itself=host is None,
        )

    def rules(self, *, through: bool) -> Iterator[FilterRule]:
        """The rules about what comes from outside and goes through, or stays on the router."""
        for section in self._read.of("rule"):
            disabled = section.text("enabled", "1").lower() in _OFF
            if disabled or not section.text("src") or bool(section.text("dest")) is not through:
                continue
            target = section.text("target", "DROP").upper()
            if target in _GOES_ON:
                continue
            text = _shown(section)
            try:
                yield from self._rule(section, text, _ACTIONS.get(target, Action.EITHER))
            except ValueError:
                self._unread(section, text)
                yield FilterRule(Action.EITHER, section.line, text)
        for section in self._read.of("forwarding") if through else ():
            leads_in = section.text("src") in self._from and section.text("dest") not in self._outside
            if leads_in and section.text("enabled", "1").lower() not in _OFF:
                families = _FAMILIES.get(section.text("family").lower(), EVERY_FAMILY)
                yield FilterRule(Action.ADMIT, section.line, _shown(section), families=families)

    def _rule(self, section: Section, text: str, action: Action) -> Iterator[FilterRule]:
        hosts: list[Network] = []
        for word in section.words("dest_ip"):
            if word.startswith("!"):
                raise ValueError(word)
            hosts.extend(networks(word))
        zone = section.text("dest")
        if zone in self._outside:
            return
        sure = not zone or zone == "*" or len(self._inside) < 2 or zone == "lan" or bool(hosts)
        narrowed = Who.PERHAPS if _LIMITS & set(section.options) or not sure else Who.EVERYBODY
        for version in _FAMILIES.get(section.text("family").lower(), EVERY_FAMILY):
            yield FilterRule(
                action,
                section.line,
                text,
                _protocols(section),
                _ports(section, "dest_port"),
                tuple(hosts) or None,
                frozenset((version,)),
                min(narrowed, self._senders(section, version)),
            )

    def _senders(self, section: Section, version: int) -> Who:
        zone = Who.EVERYBODY if section.text("src") in self._from else Who.FEW
        words = section.words("src_ip")
        if not words:
            return zone
        negated = {word.startswith("!") for word in words}
        if len(negated) > 1:
            raise ValueError(" ".join(words))
        held = [network for word in words for network in networks(word.removeprefix("!"))]
        if not any(network.version == version for network in held):
            return Who.NOBODY
        return min(zone, who(held, version, negated=True in negated))

    def _unread(self, section: Section, text: str) -> None:
        self._notes.append(Note(Phrase("line-not-understood", {"text": text}), section.line))


def _is_outside(name: str, zone: Section) -> bool:
    from_outside = any(word.lower().startswith("wan") for word in zone.words("network"))
    return name.lower().startswith("wan") or from_outside or zone.text("masq") == "1"


def _protocols(section: Section) -> frozenset[Protocol]:
    found: set[Protocol] = set()
    for word in section.words("proto") or ["tcp", "udp"]:
        match word.lower():
            case "all" | "any" | "tcpudp" | "*" | "0":
                found |= BOTH
            case "tcp" | "6":
                found.add(Protocol.TCP)
            case "udp" | "17":
                found.add(Protocol.UDP)
            case other if other.startswith("!"):
                raise ValueError(other)
    return frozenset(found)


def _ports(section: Section, option: str) -> tuple[PortRange, ...] | None:
    """Raises ValueError."""
    return tuple(PortRange.parse(word.replace(":", "-")) for word in section.words(option)) or None


def _shown(section: Section) -> str:
    return " ".join([section.kind, *(f"{key}={' '.join(values)}" for key, values in section.options.items())])[:200]


def _write(order: Order) -> Written:
    head = f"# {comment(order.project.name)}: {spoken_ports(order.wanted)}"
    lines, undo = [head], [head]
    for each in order.wanted:
        for part in one_by_one(each):
            section = f"firewall.{named(part, '_')}"
            commands = [f"uci -q delete {section}", *_commands(section, part), f"uci reorder {section}=0"]
            lines += commands if is_ip(each.host) else [f"# {command}" for command in commands]
            if is_ip(each.host):
                undo.append(f"uci -q delete {section}")
    end = ["uci commit firewall", "/etc/init.d/firewall reload"]
    return written(order, [*lines, *end], [*undo, *end], *targetless(order), *shadowed(order))


def _commands(section: str, wanted: Wanted) -> Iterator[str]:
    host = wanted.host or "ADDRESS"
    options = {"name": f"Hopwise {comment(wanted.name)}", "src": "wan", "dest": "lan", "proto": wanted.protocol.value}
    is_v6 = is_ip(host) and ipaddress.ip_address(host).version == 6
    if is_v6 and wanted.arrives == wanted.leaves:
        kind = "rule"
        options |= {"family": "ipv6", "dest_ip": host, "dest_port": str(wanted.leaves), "target": "ACCEPT"}
    else:
        kind = "redirect"
        options |= {
            "src_dport": str(wanted.arrives),
            "dest_ip": host,
            "dest_port": str(wanted.leaves),
            "target": "DNAT",
        }
        if is_v6:
            options["family"] = "ipv6"
    yield f"uci set {section}={kind}"
    for key, value in options.items():
        yield f"uci set {section}.{key}={shlex.quote(value)}"


PRODUCT = Product(
    id="openwrt",
    title="OpenWrt",
    kinds=(HopKind.ROUTER, HopKind.FIREWALL),
    recognise=_recognise,
    read=_read,
    write=_write,
)
