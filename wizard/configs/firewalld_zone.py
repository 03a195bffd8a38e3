"""A zone of firewalld as a value, and its rules in the order in which they are asked (firewalld.zone(5),
firewalld.richlanguage(5))."""

from __future__ import annotations

from dataclasses import dataclass, field

from wizard.configs.firewalld_services import SERVICES
from wizard.configs.packet_filter.rules import Among, Doubt, Field, Rule, Step, Translate, Verdict, among
from wizard.configs.packet_filter.spans import normal
from wizard.configs.packet_filter.values import address, network, port, ports, protocol
from wizard.configs.reading import Note
from wizard.model.phrase import Phrase

TARGETS = {"default": Verdict.REJECT, "%%REJECT%%": Verdict.REJECT, "REJECT": Verdict.REJECT, "DROP": Verdict.DROP}
"""What becomes of a packet that no rule of a zone decides; with ACCEPT it is let in."""
_ENDS = {"accept": Verdict.ACCEPT, "drop": Verdict.DROP, "reject": Verdict.REJECT}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a zone lists: `kind` as the XML calls it, with its attributes."""

    kind: str
    told: dict[str, str]
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Rich:
    """A rich rule: its elements by name, and `end`, what becomes of a packet."""

    elements: tuple[Entry, ...]
    end: str
    line: int
    text: str
    family: int | None = None
    priority: int = 0


@dataclass(slots=True)
class Zone:
    """`chosen`: packets that no source or interface leads elsewhere come here."""

    name: str
    target: str = "default"
    line: int = 0
    interfaces: list[str] = field(default_factory=list)
    sources: list[Entry] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    rich: list[Rich] = field(default_factory=list)
    chosen: bool = False


class ZoneRules:
    """The rules of a zone for packets to the machine, and those that lead packets elsewhere."""

    def __init__(self, zone: Zone) -> None:
        self.notes: list[Note] = []
        self.inward: list[Rule] = []
        self.led: list[Rule] = []
        rich = sorted((r for r in zone.rich), key=lambda r: (r.priority, r.end == "accept"))
        for each in rich:
            if each.priority < 0 or (each.priority == 0 and each.end != "accept"):
                self._rich(each)
        for entry in zone.entries:
            self._entry(entry)
        for each in rich:
            if each.priority > 0 or (each.priority == 0 and each.end == "accept"):
                self._rich(each)
        end = TARGETS.get(zone.target, Verdict.ACCEPT if zone.target == "ACCEPT" else Verdict.UNKNOWN)
        text = f"{zone.name}: target {zone.target}"
        self.inward.append(Rule((end,), zone.line, text, policy=True))

    def _note(self, key: str, line: int, text: str) -> None:
        self.notes.append(Note(Phrase(key, {"text": text}), line))

    def _entry(self, entry: Entry, before: tuple[Step, ...] = (), end: Verdict = Verdict.ACCEPT) -> None:
        try:
            for steps in matches(entry):
                if entry.kind == "forward-port":
                    target = _led(entry.told)
                    family = [among(Field.FAMILY, 6 if ":" in entry.told.get("to-addr", "") else 4)]
                    about = family if target.host is not None else []
                    self.led.append(Rule((*before, *about, *steps, target), entry.line, entry.text))
                else:
                    self.inward.append(Rule((*before, *steps, end), entry.line, entry.text))
        except ValueError:
            self._note("line-not-understood", entry.line, entry.text)
            self.inward.append(Rule((*before, Doubt(), end), entry.line, entry.text))

    def _rich(self, rule: Rich) -> None:
        before: list[Step] = [] if rule.family is None else [among(Field.FAMILY, rule.family)]
        about = [each for each in rule.elements if each.kind not in ("source", "destination", "limit", "log", "audit")]
        end = _ENDS.get(rule.end)
        try:
            for each in rule.elements:
                if each.kind in ("source", "destination"):
                    before.append(_address(each))
        except ValueError:
            self._note("line-not-understood", rule.line, rule.text)
            before.append(Doubt())
        if any(each.kind == "limit" for each in rule.elements):
            self._note("rate-limited", rule.line, rule.text)
        if end is None and not any(each.kind == "forward-port" for each in about):
            return
        for each in about:
            self._entry(Entry(each.kind, each.told, rule.line, rule.text), tuple(before), end or Verdict.ACCEPT)
        if not about and end is not None:
            self.inward.append(Rule((*before, end), rule.line, rule.text))


def matches(entry: Entry) -> list[tuple[Step, ...]]:
    """What of a packet an entry is about, each way in which it can match. Raises ValueError."""
    told = entry.told
    match entry.kind:
        case "service":
            if told["name"] not in SERVICES:
                raise ValueError(told["name"])
            return [_ports(Field.PORT, numbers, transport) for transport, numbers in SERVICES[told["name"]]]
        case "port" | "forward-port":
            return [_ports(Field.PORT, told.get("port", ""), told.get("protocol", ""))]
        case "source-port":
            return [_ports(Field.SOURCE_PORT, told.get("port", ""), told.get("protocol", ""))]
        case "protocol":
            number = protocol(told.get("value", ""))
            return [() if number is None else (among(Field.PROTOCOL, number),)]
        case "icmp-block" | "icmp-type" | "masquerade" | "mark":
            return []
        case _:
            raise ValueError(entry.kind)


def _ports(field: Field, numbers: str, transport: str) -> tuple[Step, ...]:
    number = protocol(transport)
    if number is None:
        raise ValueError(transport)
    return among(Field.PROTOCOL, number), Among(field, normal([ports(numbers, "-")]))


def _address(entry: Entry) -> Step:
    told = entry.told
    text = told.get("address", "")
    if not text:
        raise ValueError(entry.kind)
    negated = told.get("invert", "").lower() in ("yes", "true", "1")
    where = Field.SOURCE if entry.kind == "source" else Field.DESTINATION
    return network(text, where, 6 if ":" in text else 4, negated=negated)


def _led(told: dict[str, str]) -> Translate:
    host, numbers = told.get("to-addr", ""), told.get("to-port", "")
    span = None
    if numbers:
        first, dash, last = numbers.partition("-")
        span = (port(first), port(last if dash else first))
    return Translate(address(host, 6 if ":" in host else 4) if host else None, span)
