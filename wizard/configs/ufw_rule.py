"""One rule of ufw, as its status shows it or as a command says it (ufw(8))."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from wizard.configs.packet_filter.rules import (
    TCP,
    UDP,
    Among,
    Doubt,
    Field,
    Hook,
    Named,
    Step,
    Verdict,
    among,
)
from wizard.configs.packet_filter.spans import normal
from wizard.configs.packet_filter.values import network, ports, protocol

_ACTIONS = {"ALLOW": Verdict.ACCEPT, "LIMIT": Verdict.ACCEPT, "DENY": Verdict.DROP, "REJECT": Verdict.REJECT}
_HOOKS = {"IN": Hook.INPUT, "OUT": Hook.OUTPUT, "FWD": Hook.FORWARD}
_STATUS = re.compile(
    r"^\s*(?:\[\s*\d+\]\s*)?(?P<to>\S.*?)\s{2,}(?P<action>ALLOW|DENY|REJECT|LIMIT)(?: (?P<way>IN|OUT|FWD))?\s+"
    r"(?P<from>\S.*?)(?:\s+\((?:log|log-all|out)(?:, ?\w+)*\))*(?:\s+#.*)?\s*$"
)
_PORTS = re.compile(r"(?P<ports>\d+(?::\d+)?(?:,\d+(?::\d+)?)*)(?:/(?P<protocol>[a-z]+))?")


@dataclass(frozen=True, slots=True)
class Told:
    """A rule, and the hook that it is for. `first`: it goes before the others."""

    steps: tuple[Step, ...]
    hook: Hook
    understood: bool
    limited: bool
    first: bool = False


class _Gathered:
    """Matches as they are gathered. Without an address of IPv6 in it, a rule is for IPv4 alone where `both` is not."""

    def __init__(self, *, both: bool) -> None:
        self.steps: list[Step] = []
        self.family: int | None = None if both else 4
        self.understood = True

    def doubt(self) -> None:
        self.understood = False
        self.steps.append(Doubt())

    def port(self, field: Field, text: str, transport: str | None) -> None:
        found = protocol(transport) if transport else None
        self.steps.append(among(Field.PROTOCOL, *((TCP, UDP) if found is None else (found,))))
        self.steps.append(Among(field, normal(ports(part) for part in text.split(","))))

    def address(self, field: Field, text: str) -> None:
        family = 6 if ":" in text else 4
        self.family = family
        self.steps.append(network(text, field, family))

    def told(self, action: str, hook: Hook, *, first: bool = False) -> Told:
        family = [] if self.family is None else [among(Field.FAMILY, self.family)]
        steps = (*family, *self.steps, _ACTIONS[action.upper()])
        return Told(steps, hook, self.understood, action.upper() == "LIMIT", first)


def rule_of_status(line: str) -> Told | None:
    """A line of `ufw status`, of any kind. None for one that is no rule."""
    found = _STATUS.match(line)
    if found is None:
        return None
    hook = _HOOKS[found["way"] or "IN"]
    gathered = _Gathered(both=False)
    if "(v6)" in line:
        gathered.family = 6
    _side(gathered, found["to"], Field.DESTINATION, Field.PORT, Field.OUT if hook is not Hook.INPUT else Field.IN)
    _side(gathered, found["from"], Field.SOURCE, Field.SOURCE_PORT, Field.IN)
    return gathered.told(found["action"], hook)


def _side(gathered: _Gathered, text: str, address: Field, port: Field, interface: Field) -> None:
    text = text.replace("(v6)", "").replace("(out)", "")
    # `22/tcp (OpenSSH)`: the name beside the numbers says nothing more.
    text = re.sub(r"(?<=\S)\s*\([^()]*\)", "", text) if _PORTS.search(text) else text
    text, on, name = text.strip().partition(" on ")
    if not on and text.startswith("on "):
        text, name = "", text[3:]
    if name:
        gathered.steps.append(Named(interface, (name.strip().replace("+", "*"),)))
    try:
        for word in text.split():
            if word == "Anywhere":
                continue
            if word.startswith("Anywhere/"):
                found = protocol(word.partition("/")[2])
                gathered.steps += [] if found is None else [among(Field.PROTOCOL, found)]
            elif spelt := _PORTS.fullmatch(word):
                gathered.port(port, spelt["ports"], spelt["protocol"])
            elif re.fullmatch(r"[0-9a-fA-F.:]+(/\S+)?", word) and ("." in word or ":" in word):
                plain, slash, transport = word.rpartition("/")
                if slash and transport.isalpha():
                    gathered.steps.append(among(Field.PROTOCOL, protocol(transport) or 0))
                gathered.address(address, plain if slash and transport.isalpha() else word)
            else:
                raise ValueError(word)
    except ValueError:
        # The name of an application: which ports it has is in a file of its own.
        gathered.doubt()


def rule_of_command(text: str) -> Told | None:
    """The words behind `ufw`. None for a command that adds no rule."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        return None
    hook, first = Hook.INPUT, False
    if words[:1] == ["route"]:
        hook, words = Hook.FORWARD, words[1:]
    if words[:1] == ["prepend"]:
        first, words = True, words[1:]
    elif words[:1] == ["insert"]:
        first, words = True, words[2:]
    if not words or words[0].upper() not in _ACTIONS:
        return None
    action, words = words[0], words[1:]
    gathered = _Gathered(both=True)
    try:
        hook = _words(gathered, words, hook)
    except (ValueError, IndexError):
        gathered.doubt()
    return gathered.told(action, hook, first=first)


def _words(gathered: _Gathered, words: list[str], hook: Hook) -> Hook:
    side, transport = "to", None
    spelt: list[tuple[Field, str]] = []
    while words:
        word = words.pop(0)
        match word:
            case "in" | "out":
                if hook is not Hook.FORWARD:
                    hook = Hook.INPUT if word == "in" else Hook.OUTPUT
                if words[:1] == ["on"]:
                    gathered.steps.append(Named(Field.IN if word == "in" else Field.OUT, (words[1],)))
                    del words[:2]
            case "on":
                gathered.steps.append(Named(Field.IN, (words.pop(0),)))
            case "log" | "log-all":
                pass
            case "proto":
                transport = words.pop(0)
            case "from" | "to":
                side, address = word, words.pop(0)
                if address != "any":
                    gathered.address(Field.SOURCE if side == "from" else Field.DESTINATION, address)
            case "port":
                spelt.append((Field.SOURCE_PORT if side == "from" else Field.PORT, words.pop(0)))
            case "comment":
                words.pop(0)
            case _:
                found = _PORTS.fullmatch(word)
                if found is None:
                    raise ValueError(word)
                gathered.port(Field.PORT, found["ports"], found["protocol"])
    for field, text in spelt:
        gathered.port(field, text, transport)
    if transport and not spelt:
        gathered.steps.append(among(Field.PROTOCOL, protocol(transport) or 0))
    return hook
