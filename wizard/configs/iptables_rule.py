"""One line of iptables as a rule: its matches and its target (iptables(8), iptables-extensions(8))."""

from __future__ import annotations

from dataclasses import dataclass, field

from wizard.configs.iptables_match import MEANINGS, WITHOUT_MEANING, Given
from wizard.configs.packet_filter.rules import (
    Disguise,
    Doubt,
    Field,
    Jump,
    Match,
    SetMark,
    Step,
    Translate,
    Untrack,
    Verdict,
)
from wizard.configs.packet_filter.spans import Span
from wizard.configs.packet_filter.values import address, ports

_SILENT = frozenset(
    (
        *("LOG", "NFLOG", "ULOG", "AUDIT", "TRACE", "LED", "IDLETIMER", "RATEEST", "TEE", "SET"),
        *("CHECKSUM", "TCPMSS", "TOS", "DSCP", "ECN", "TTL", "HL", "TCPOPTSTRIP"),
        *("CLASSIFY", "SECMARK", "CONNSECMARK", "HMARK"),
    )
)
"""Targets after which the packet goes on to the next rule, changed in nothing that rules here look at."""
_VERDICTS: dict[str, Step] = {
    "ACCEPT": Verdict.ACCEPT,
    "DROP": Verdict.DROP,
    "REJECT": Verdict.REJECT,
    "RETURN": Verdict.RETURN,
    "SNAT": Disguise(),
    "MASQUERADE": Disguise(),
}
_SENT_AWAY = frozenset(
    (
        *("QUEUE", "NFQUEUE", "TPROXY", "TARPIT", "SYNPROXY", "NETMAP", "STEAL", "MIRROR"),
        *("CLUSTERIP", "DELUDE", "CHAOS"),
    )
)
"""Targets that end the packet's way here, nobody can tell how."""
_LONG = {
    "--protocol": "-p",
    "--source": "-s",
    "--src": "-s",
    "--destination": "-d",
    "--dst": "-d",
    "--in-interface": "-i",
    "--out-interface": "-o",
    "--jump": "-j",
    "--goto": "-g",
    "--match": "-m",
    "--fragment": "-f",
    "--table": "-t",
    "--source-port": "--sport",
    "--destination-port": "--dport",
    "--source-ports": "--sports",
    "--destination-ports": "--dports",
    "--set-counters": "-c",
}


@dataclass(slots=True)
class Parsed:
    """A rule's steps as they are gathered, and its target."""

    family: int
    steps: list[Step] = field(default_factory=list)
    target: str | None = None
    goto: bool = False
    understood: bool = True
    listed: bool = False
    """Whether the sender must be on a list of those seen lately."""
    modules: list[str] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)
    """Of the target."""

    def add(self, match: Match) -> None:
        """A match that the packet must pass."""
        self.steps.append(match)

    def doubt(self) -> None:
        """Something was not understood: the rule may match or not."""
        self.understood = False
        self.steps.append(Doubt())


def parse_rule(words: list[str], family: int, prefix: str) -> tuple[tuple[Step, ...], bool]:
    """Steps of the words behind `-A CHAIN`, and whether all was understood. Chains are named with `prefix`."""
    parsed = Parsed(family)
    position = 0
    while position < len(words):
        negated = words[position] == "!"
        position += negated
        if position >= len(words):
            parsed.doubt()
            break
        option, equals, inline = words[position].partition("=")
        if not option.startswith("--"):
            option, equals = words[position], ""
        option = _LONG.get(option, option)
        values: list[str] = [inline] if equals else []
        position += 1
        # `-s ! 192.0.2.1`, as old versions wrote it.
        if position < len(words) and words[position] == "!" and option.startswith("-") and not _takes_none(option):
            negated, position = not negated, position + 1
        while position < len(words) and words[position] != "!" and not _is_option(words[position]):
            values.append(words[position])
            position += 1
        _option(parsed, option, values, negated=negated)
    if parsed.listed:
        parsed.doubt()
    parsed.steps += _target(parsed, prefix)
    return tuple(parsed.steps), parsed.understood


def _is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not word[1].isdigit()


def _takes_none(option: str) -> bool:
    return option in ("-f", "--syn", "--update", "--set", "--rcheck", "--remove", "--random", "--invert")


def _option(parsed: Parsed, option: str, values: list[str], *, negated: bool) -> None:
    if parsed.target is not None:
        parsed.options[option] = values
        return
    if option in ("-j", "-g") and len(values) == 1:
        parsed.target, parsed.goto = values[0], option == "-g"
        return
    if option == "-m" and len(values) == 1:
        parsed.modules.append(values[0])
        if values[0] == "socket":
            parsed.doubt()
        return
    if option in ("--rcheck", "--update"):
        parsed.listed = True
        return
    if option in ("-c", "-4", "-6", "-w") or any(option in WITHOUT_MEANING.get(m, ()) for m in parsed.modules):
        return
    names = ((module, option) for module in ("", *reversed(parsed.modules)))
    meaning = next((MEANINGS[name] for name in names if name in MEANINGS), None)
    try:
        match = None if meaning is None else meaning(Given(values, parsed.family, negated))
    except (ValueError, IndexError, KeyError):
        match = None
    if option == "--hitcount" and match is not None:
        parsed.listed = False
    if match is None:
        parsed.doubt()
    else:
        parsed.add(match)


def _target(parsed: Parsed, prefix: str) -> list[Step]:
    name, options = parsed.target, parsed.options
    if name is None or name in _SILENT:
        return []
    if name in _VERDICTS:
        return [_VERDICTS[name]]
    if name == "NOTRACK" or (name == "CT" and "--notrack" in options):
        return [Untrack()]
    if name == "CT":
        return []
    if name in ("MARK", "CONNMARK"):
        return [_set_mark(name, options)]
    if name in ("DNAT", "REDIRECT"):
        return [_translate(parsed, name, options)]
    if name in _SENT_AWAY:
        parsed.understood = False
        return [Verdict.UNKNOWN]
    return [Jump(prefix + name, parsed.goto)]


def _set_mark(name: str, options: dict[str, list[str]]) -> SetMark:
    where = Field.MARK if name == "MARK" or "--restore-mark" in options else Field.CONNECTION_MARK
    try:
        for option, values in options.items():
            value, _, masked = (values or [""])[0].partition("/")
            mask = int(masked, 0) if masked else 0xFFFFFFFF
            number = int(value, 0) if value else 0
            if option == "--set-xmark":
                return SetMark(where, ~mask & 0xFFFFFFFF, number)
            if option == "--set-mark":
                return SetMark(where, ~(mask | number) & 0xFFFFFFFF, number)
            if option == "--and-mark":
                return SetMark(where, number, 0)
            if option == "--or-mark":
                return SetMark(where, ~number & 0xFFFFFFFF, number)
            if option == "--xor-mark":
                return SetMark(where, 0xFFFFFFFF, number)
    except ValueError:
        pass
    return SetMark(where)


def _translate(parsed: Parsed, name: str, options: dict[str, list[str]]) -> Step:
    vague = bool({"--random", "--random-fully"} & set(options))
    try:
        if name == "REDIRECT":
            given = options.get("--to-ports")
            return Translate(None, ports(given[0], "-") if given else None, vague=vague)
        host, span, base, several = _destination(options["--to-destination"][0], parsed.family)
    except (KeyError, IndexError, ValueError):
        parsed.understood = False
        return Verdict.UNKNOWN
    return Translate(host, span, base, keeps_host=host is None, vague=vague or several)


def _destination(text: str, family: int) -> tuple[int | None, Span | None, int | None, bool]:
    """Host, ports, the number that becomes the first of them, and whether there are several hosts."""
    hosts, numbers = text, ""
    if text.startswith("["):
        hosts, _, numbers = text[1:].partition("]")
        numbers = numbers.removeprefix(":")
    elif family == 4 or text.startswith(":"):
        hosts, _, numbers = text.partition(":")
    span, base = None, None
    if numbers:
        spelt, slash, shifted = numbers.partition("/")
        span = ports(spelt, "-")
        base = int(shifted) if slash else None
    first, dash, last = hosts.strip("[]").partition("-")
    return (address(first, family) if first else None), span, base, bool(dash) and first != last
