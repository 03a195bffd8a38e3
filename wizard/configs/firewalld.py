"""firewalld: what `firewall-cmd --list-all` prints, zones in XML, and command lines; written as such lines."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from wizard.configs.firewalld_write import write
from wizard.configs.firewalld_zone import Entry, Rich, Zone, ZoneRules
from wizard.configs.packet_filter.reading import FilterReading, reading
from wizard.configs.packet_filter.rules import (
    Base,
    Doubt,
    Field,
    Hook,
    Jump,
    Named,
    Rule,
    RuleSet,
    State,
    Step,
    Verdict,
    among,
)
from wizard.configs.packet_filter.values import network
from wizard.configs.product import Likeness, Product
from wizard.configs.reading import Note, Source, UnreadableError
from wizard.configs.xml_lines import Element, parsed
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase

_HEAD = re.compile(r"^(\S+)(?: \(([\w, ]+)\))?\s*$")
_FIELD = re.compile(r"^\s+([a-z][a-z -]*):\s*(.*)$")
_COMMAND = re.compile(r"^\s*(?:sudo\s+)?firewall-(?:offline-)?cmd\s+(.+)$")
_RICH_WORD = re.compile(r'([\w-]+)(?:="([^"]*)"|=(\S+))?')
_UNDERWAY = (among(Field.STATE, State.ESTABLISHED, State.RELATED), Verdict.ACCEPT)
_LED = (among(Field.TRANSLATED, 1), Verdict.ACCEPT)
_ELEMENTS = frozenset(
    (
        *("source", "destination", "service", "port", "protocol", "source-port", "forward-port", "masquerade"),
        *("icmp-block", "icmp-type", "log", "nflog", "audit", "limit", "mark"),
    )
)


def recognise(text: str) -> Likeness:
    """A zone's listing, its XML, or its commands."""
    head = text[:200_000]
    if re.match(r"\s*(<\?xml[^>]*\?>\s*)?((<!--.*?-->|<!DOCTYPE zone\b[^\n]*)\s*)*<zone\b", head, re.DOTALL):
        return Likeness.SURE
    if re.search(r"^\s+target: ", head, re.MULTILINE) and re.search(r"^\s+rich rules:", head, re.MULTILINE):
        return Likeness.SURE
    return Likeness.SURE if re.search(_COMMAND.pattern, head, re.MULTILINE) else Likeness.NO


def read(source: Source) -> FilterReading:
    """Raises UnreadableError."""
    if source.text.lstrip().startswith("<"):
        zones = [_from_xml(source)]
    elif _COMMAND.search(source.text) or re.search(_COMMAND.pattern, source.text, re.MULTILINE):
        zones = _from_commands(source.text)
    else:
        zones = _from_listing(source.text)
    if not zones:
        raise UnreadableError(Phrase("empty"))
    rules, notes = _rules(zones, source.outward)
    return replace(reading("firewalld", "firewalld", source.name, rules, notes), bypassed=True)


def _rules(zones: list[Zone], outward: tuple[str, ...]) -> tuple[RuleSet, list[Note]]:
    chains: dict[str, tuple[Rule, ...]] = {}
    notes: list[Note] = []
    if len(zones) == 1 and not zones[0].sources:
        zones[0].chosen = True
        zones[0].interfaces = []
    for zone in zones:
        told = ZoneRules(zone)
        notes += told.notes
        chains[zone.name], chains[f"{zone.name} led"] = tuple(told.inward), tuple(told.led)
    order = [step for zone in zones for step in _by_source(zone)]
    order += [(zone, (Named(Field.IN, (name.replace("+", "*"),)),)) for zone in zones for name in zone.interfaces]
    order += [(zone, ()) for zone in zones if zone.chosen]
    ways = [Rule((*steps, Jump(zone.name, goto=True)), zone.line) for zone, steps in order]
    leads = [Rule((*steps, Jump(f"{zone.name} led", goto=True)), zone.line) for zone, steps in order]
    # What no zone of the file takes comes to the default zone, which is not in it.
    rest = [] if any(zone.chosen for zone in zones) else [Rule((Verdict.UNKNOWN,), 0)]
    chains["input"] = (Rule(_UNDERWAY, 0), Rule(_LED, 0), *ways, *rest)
    chains["forward"] = (Rule(_UNDERWAY, 0), Rule(_LED, 0))
    chains["prerouting"] = tuple(leads)
    bases = (
        Base("prerouting", Hook.PREROUTING, -100, translates=True),
        Base("input", Hook.INPUT, policy=Verdict.REJECT),
        Base("forward", Hook.FORWARD, policy=Verdict.REJECT),
    )
    return RuleSet(chains, bases, outward=outward), notes


def _by_source(zone: Zone) -> list[tuple[Zone, tuple[Step, ...]]]:
    found: list[tuple[Zone, tuple[Step, ...]]] = []
    for entry in zone.sources:
        text = entry.told.get("address", "")
        try:
            family = 6 if ":" in text else 4
            found.append((zone, (among(Field.FAMILY, family), network(text, Field.SOURCE, family))))
        except ValueError:
            # A MAC address, or the name of a set.
            found.append((zone, (Doubt(),)))
    return found


def _from_listing(text: str) -> list[Zone]:
    zones: list[Zone] = []
    field = ""
    for number, line in enumerate(text.split("\n"), 1):
        if head := _HEAD.match(line):
            zones.append(Zone(head[1], line=number, chosen="default" in (head[2] or "")))
            field = ""
        elif zones and (found := _FIELD.match(line)) and not line.startswith(("\t", "    ")):
            field = found[1]
            _field(zones[-1], field, found[2].strip(), number)
        elif zones and line.strip():
            _field(zones[-1], field, line.strip(), number)
    # A zone that nothing leads to takes no packets.
    used = [zone for zone in zones if zone.interfaces or zone.sources or zone.chosen]
    return used if len(zones) > 1 and used else zones


def _field(zone: Zone, field: str, text: str, line: int) -> None:
    if not text:
        return
    match field:
        case "target":
            zone.target = text
        case "interfaces":
            zone.interfaces += text.split()
        case "sources":
            zone.sources += [Entry("source", {"address": each}, line, text) for each in text.split()]
        case "services":
            zone.entries += [Entry("service", {"name": each}, line, f"services: {each}") for each in text.split()]
        case "ports" | "source-ports":
            for each in text.split():
                numbers, _, transport = each.partition("/")
                told = {"port": numbers, "protocol": transport}
                zone.entries.append(Entry(field.removesuffix("s"), told, line, f"{field}: {each}"))
        case "protocols":
            zone.entries += [Entry("protocol", {"value": each}, line, text) for each in text.split()]
        case "forward-ports":
            zone.entries += [_forward(each, line) for each in text.split()]
        case "rich rules":
            zone.rich.append(rich_rule(text, line))
        case _:
            pass


def _forward(text: str, line: int) -> Entry:
    told = dict(part.partition("=")[::2] for part in text.split(":", 3))
    names = {"port": "port", "proto": "protocol", "toport": "to-port", "toaddr": "to-addr"}
    return Entry("forward-port", {names[k]: v for k, v in told.items() if k in names}, line, f"forward-ports: {text}")


def rich_rule(text: str, line: int) -> Rich:
    """A rule in firewalld's rich language."""
    elements: list[Entry] = []
    told: dict[str, str] = {}
    head: dict[str, str] = told
    end = ""
    for found in _RICH_WORD.finditer(text):
        name, value = found[1], found[2] if found[2] is not None else found[3]
        if value is not None:
            told[name] = value
        elif name.lower() == "not":
            told["invert"] = "yes"
        elif name in ("accept", "drop", "reject", "mark") and not (name == "mark" and end):
            end = name
            told = {}
        elif name in _ELEMENTS:
            told = {}
            elements.append(Entry(name, told, line, text))
    family = {"ipv4": 4, "ipv6": 6}.get(head.get("family", ""))
    return Rich(tuple(elements), end, line, text, family, _priority(head))


def _priority(told: dict[str, str]) -> int:
    text = told.get("priority", "0")
    return int(text) if re.fullmatch(r"-?\d{1,5}", text) else 0


def _from_xml(source: Source) -> Zone:
    root = parsed(source.text)
    if root.name != "zone":
        raise UnreadableError(Phrase("syntax", {"text": f"<{root.name}>"}), root.line)
    name = re.sub(r"\.xml$", "", source.name.replace("\\", "/").rpartition("/")[2]) or "zone"
    zone = Zone(name, root.attributes.get("target", "default"), root.line)
    for each in root.children:
        entry = Entry(each.name, each.attributes, each.line, _shown(each))
        match each.name:
            case "interface":
                zone.interfaces.append(each.attributes.get("name", ""))
            case "source":
                zone.sources.append(entry)
            case "rule":
                zone.rich.append(_rich_of(each))
            case "short" | "description" | "forward" | "icmp-block-inversion" | "masquerade":
                pass
            case _:
                zone.entries.append(entry)
    return zone


def _rich_of(rule: Element) -> Rich:
    elements = tuple(Entry(e.name, e.attributes, e.line, _shown(e)) for e in rule.children if e.name in _ELEMENTS)
    end = next((e.name for e in rule.children if e.name in ("accept", "drop", "reject")), "")
    family = {"ipv4": 4, "ipv6": 6}.get(rule.attributes.get("family", ""))
    return Rich(elements, end, rule.line, _shown(rule), family, _priority(rule.attributes))


def _shown(element: Element) -> str:
    words = [element.name, *(f'{name}="{value}"' for name, value in element.attributes.items())]
    inner = [_shown(child) for child in element.children]
    return f"<{' '.join(words)}>{' '.join(inner)}"[:160]


def _from_commands(text: str) -> list[Zone]:
    """What commands add; of the zone before them nothing is known, and firewalld's own lets in little."""
    zones: dict[str, Zone] = {}
    for number, line in enumerate(text.split("\n"), 1):
        command = _COMMAND.match(line)
        if command is None:
            continue
        try:
            words = shlex.split(command[1], comments=True)
        except ValueError:
            raise UnreadableError(Phrase("syntax", {"text": line.strip()[:80]}), number) from None
        options = dict(word.partition("=")[::2] for word in words if "=" in word)
        name = options.get("--zone", "public")
        zone = zones.setdefault(name, Zone(name, line=number))
        for option, value in options.items():
            kind = option.removeprefix("--add-")
            fields = {"rich-rule": "rich rules", "interface": "interfaces", "source": "sources"}
            if option.startswith("--add-"):
                _field(zone, fields.get(kind, f"{kind}s"), value, number)
            elif option in ("--set-target", "--permanent --set-target"):
                zone.target = value
    return list(zones.values())


PRODUCT = Product(
    id="firewalld",
    title="firewalld",
    kinds=(HopKind.FIREWALL, HopKind.ROUTER),
    recognise=recognise,
    read=read,
    write=write,
)
