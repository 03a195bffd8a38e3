"""iptables: what iptables-save and ip6tables-save print, and command lines of iptables; written as such lines."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace

from wizard.configs.iptables_rule import parse_rule
from wizard.configs.iptables_write import write
from wizard.configs.packet_filter.reading import FilterReading, reading
from wizard.configs.packet_filter.rules import Base, Hook, Rate, Rule, RuleSet, Verdict
from wizard.configs.product import Likeness, Product
from wizard.configs.reading import Note, Source, UnreadableError
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase

_RAW, _MANGLE, _NAT, _FILTER, _SECURITY = -300, -150, -100, 0, 50
_TABLES = {
    "raw": (_RAW, (Hook.PREROUTING, Hook.OUTPUT)),
    "mangle": (_MANGLE, (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)),
    "nat": (_NAT, (Hook.PREROUTING, Hook.INPUT, Hook.OUTPUT, Hook.POSTROUTING)),
    "filter": (_FILTER, (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)),
    "security": (_SECURITY, (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)),
}
"""The built-in chains and their places (linux/netfilter_ipv4.h)."""
_POLICIES = {"ACCEPT": Verdict.ACCEPT, "DROP": Verdict.DROP, "REJECT": Verdict.REJECT, "QUEUE": Verdict.UNKNOWN}
_HEAD = re.compile(r"#.*\b(ip6?)tables.*-save")
_TABLE = re.compile(r"^\*(filter|nat|mangle|raw|security)\s*$", re.MULTILINE)
_COUNTERS = re.compile(r"\[\d+:\d+\]\s*")
_COMMAND = re.compile(r"(?:sudo\s+)?(?:\S*/)?(ip6?)tables(?:-legacy|-nft)?\s+(.*)")
_DISCARDED = re.compile(r"\s+[12]?>\s*\S+")
_SIX = re.compile(r"[0-9a-fA-F]*:[0-9a-fA-F:]*:|icmpv6|icmp6|ipv6-icmp")
_LONGEST = 160


@dataclass(slots=True)
class Tables:
    """Tables as they are gathered, line by line."""

    chains: dict[str, list[Rule]] = field(default_factory=dict)
    bases: dict[str, Base] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    families: set[int] = field(default_factory=set)

    def table(self, family: int, name: str) -> None:
        """Begin a table with its built-in chains; they let pass what no rule decides, until their line says else."""
        self.families.add(family)
        priority, hooks = _TABLES[name]
        for hook in hooks:
            chain = f"{family} {name} {hook.value.upper()}"
            if chain not in self.bases:
                self.chains[chain] = []
                self.bases[chain] = Base(chain, hook, priority, families=frozenset({family}), translates=name == "nat")

    def leave_open(self) -> None:
        """Lines that add to what is there do not say what becomes of packets that come to no rule."""
        for name, base in self.bases.items():
            if base.line == 0 and base.hook in (Hook.INPUT, Hook.FORWARD) and name.split()[1] == "filter":
                self.bases[name] = replace(base, policy=Verdict.UNKNOWN)

    def policy(self, chain: str, policy: str, line: int, text: str) -> None:
        """The line of a chain: with a policy where it is built in."""
        self.chains.setdefault(chain, [])
        if chain in self.bases and policy in _POLICIES:
            self.bases[chain] = replace(self.bases[chain], policy=_POLICIES[policy], line=line, text=text)

    def rule(self, family: int, table: str, words: list[str], line: int, text: str) -> None:
        """A line that adds, inserts or removes."""
        command, rest = words[0], words[1:]
        chain = f"{family} {table} {rest[0]}"
        rules = self.chains.setdefault(chain, [])
        place = len(rules)
        rest = rest[1:]
        if command in ("-I", "--insert"):
            place = int(rest.pop(0)) - 1 if rest and rest[0].isdigit() else 0
        steps, understood = parse_rule(rest, family, f"{family} {table} ")
        rules.insert(place, Rule(steps, line, text))
        if not understood:
            self.notes.append(Note(Phrase("line-not-understood", {"text": text}), line))
        if any(isinstance(step, Rate) for step in steps) and any(isinstance(s, Verdict) for s in steps):
            self.notes.append(Note(Phrase("rate-limited", {"text": text}), line))

    def rules(self, outward: tuple[str, ...] = ()) -> RuleSet:
        """What was gathered."""
        return RuleSet(
            {name: tuple(rules) for name, rules in self.chains.items()},
            tuple(self.bases.values()),
            frozenset(self.families),
            outward,
        )


def recognise(text: str) -> Likeness:
    """Tables in asterisks and rules of `-A`; or command lines."""
    head = text[:200_000]
    if re.search(r"^### tuple ###|^:ufw6?-(user|before)-", head, re.MULTILINE) and "*nat" not in head:
        return Likeness.MAYBE if re.search(r"^:INPUT", head, re.MULTILINE) else Likeness.NO
    if _TABLE.search(head):
        return Likeness.SURE
    if re.search(r"^\s*(sudo\s+)?(\S*/)?ip6?tables(-\w+)?\s+.*-[AIPN]\s", head, re.MULTILINE):
        return Likeness.SURE
    return Likeness.NO


def read(source: Source) -> FilterReading:
    """Raises UnreadableError for what iptables-restore would refuse."""
    tables = gather(source.text)
    if not tables.families:
        raise UnreadableError(Phrase("empty"))
    return reading("iptables", "iptables", source.name, tables.rules(source.outward), tables.notes)


def gather(text: str) -> Tables:
    """All tables of a file. Raises UnreadableError."""
    tables = Tables()
    told: int | None = None
    family, table = _spelt(text), ""
    saved = _TABLE.search(text) is not None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if line.startswith("#"):
            if found := _HEAD.match(line):
                told = 6 if found[1] == "ip6" else 4
            continue
        if not line:
            continue
        shown = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
        if line.startswith("*"):
            table, family = line[1:].strip(), told or family
            if table not in _TABLES:
                raise UnreadableError(Phrase("syntax", {"text": shown}), number)
            tables.table(family, table)
        elif line == "COMMIT":
            table = ""
        elif line.startswith(":") and table:
            words = line[1:].split()
            if not words:
                raise UnreadableError(Phrase("syntax", {"text": shown}), number)
            tables.policy(f"{family} {table} {words[0]}", words[1] if len(words) > 1 else "-", number, shown)
        elif table and (words := _words(_COUNTERS.sub("", line, count=1), number, shown)):
            _command(tables, family, table, words, number, shown)
        elif not table and (found := _COMMAND.search(line)):
            _typed(tables, found, number, shown)
        elif table or saved:
            raise UnreadableError(Phrase("syntax", {"text": shown}), number)
    if not saved:
        tables.leave_open()
    return tables


def _spelt(text: str) -> int:
    """The family by the addresses in it, where no line says it."""
    rules = (line for line in text.split("\n") if line.startswith(("-A", "[")))
    return 6 if any(_SIX.search(re.sub(r'"[^"]*"', "", line.partition("]")[2] or line)) for line in rules) else 4


def _words(line: str, number: int, shown: str, *, shell: bool = False) -> list[str]:
    try:
        if not shell:
            return shlex.split(line)
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&")
        lexer.whitespace_split = True
        return list(lexer)
    except ValueError:
        raise UnreadableError(Phrase("syntax", {"text": shown}), number) from None


def _command(tables: Tables, family: int, table: str, words: list[str], number: int, shown: str) -> None:
    if words[0] in ("-A", "-I", "--append", "--insert") and len(words) > 1:
        tables.rule(family, table, words, number, shown)
    elif words[0] in ("-P", "--policy") and len(words) > 2:
        tables.policy(f"{family} {table} {words[1]}", words[2], number, shown)
    elif words[0] in ("-N", "--new-chain") and len(words) > 1:
        tables.policy(f"{family} {table} {words[1]}", "-", number, shown)
    elif words[0] in ("-F", "--flush", "-X", "--delete-chain", "-Z", "--zero", "-C", "--check", "-D", "--delete"):
        _undone(tables, f"{family} {table} ", words, number, shown)
    else:
        raise UnreadableError(Phrase("syntax", {"text": shown}), number)


def _undone(tables: Tables, prefix: str, words: list[str], number: int, shown: str) -> None:
    if words[0] in ("-F", "--flush"):
        for name, rules in tables.chains.items():
            if name == prefix + words[1] if len(words) > 1 else name.startswith(prefix):
                rules.clear()
    elif words[0] in ("-D", "--delete"):
        tables.notes.append(Note(Phrase("line-not-understood", {"text": shown}), number))


def _typed(tables: Tables, found: re.Match[str], number: int, shown: str) -> None:
    """A command line. `-C …` beside it only asks whether the rule is there."""
    family = 6 if found[1] == "ip6" else 4
    words = _words(_DISCARDED.sub("", found[2]), number, shown, shell=True)
    end = next((i for i, word in enumerate(words) if word in ("||", "&&", ";", "|")), len(words))
    if words[end:] and set(words[:end]) & {"-C", "--check"}:
        rest = " ".join(map(shlex.quote, words[end + 1 :]))
        if again := _COMMAND.search(rest):
            _typed(tables, again, number, again[0])
        return
    words, table = words[:end], "filter"
    kept: list[str] = []
    position = 0
    while position < len(words):
        if words[position] in ("-t", "--table") and position + 1 < len(words):
            table = words[position + 1]
            position += 1
        elif words[position] not in ("-w", "--wait", "-n", "-v"):
            kept.append(words[position])
        position += 1
    if table not in _TABLES or not kept:
        raise UnreadableError(Phrase("syntax", {"text": shown}), number)
    for name in dict.fromkeys(("filter", table)):
        tables.table(family, name)
    if "$" in found[2]:
        # What a variable of the shell stands for, only the shell knows.
        tables.notes.append(Note(Phrase("line-not-understood", {"text": shown}), number))
    _command(tables, family, table, kept, number, shown)


PRODUCT = Product(
    id="iptables",
    title="iptables",
    kinds=(HopKind.FIREWALL, HopKind.ROUTER, HopKind.CONTAINER),
    recognise=recognise,
    read=read,
    write=write,
)
