"""The tables of an nft script or listing as they are gathered: chains, rules, sets, in the form of its JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from wizard.configs.reading import Note

Key = tuple[str, str, str]
"""Family, table and name."""


@dataclass(slots=True)
class NftChain:
    """`told` holds type, hook, prio, policy and dev where it is a base chain."""

    told: dict[str, Any]
    line: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class NftRule:
    """A rule's statements. `text` is what is shown of it."""

    statements: list[dict[str, Any]]
    line: int
    text: str


@dataclass(slots=True)
class NftTables:
    """Everything that was declared, in order."""

    chains: dict[Key, NftChain] = field(default_factory=dict)
    rules: dict[Key, list[NftRule]] = field(default_factory=dict)
    sets: dict[Key, dict[str, Any]] = field(default_factory=dict)
    """Sets and maps."""
    limits: dict[Key, dict[str, Any]] = field(default_factory=dict)
    dormant: set[tuple[str, str]] = field(default_factory=set)
    families: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)

    def table(self, family: str) -> None:
        """A table of this family was declared."""
        self.families.add(family)

    def chain(self, key: Key, told: dict[str, Any], line: int, text: str) -> None:
        """Declare a chain, or say more of it."""
        chain = self.chains.setdefault(key, NftChain({}, line, text))
        chain.told.update(told)
        if "policy" in told or "hook" in told:
            chain.line, chain.text = line, text
        self.rules.setdefault(key, [])

    def leave_open(self) -> None:
        """Commands that add to what is there do not say what becomes of packets that come to no rule, nor where a chain
        hangs that they find there: by its name, if that is a usual one."""
        for key, rules in self.rules.items():
            told = self.chains.setdefault(key, NftChain({})).told
            hook = key[2].lower()
            if "hook" not in told and rules and hook in ("input", "forward", "prerouting"):
                kind = "nat" if hook == "prerouting" else "filter"
                told.update({"hook": hook, "type": kind, "prio": -100 if kind == "nat" else 0})
            if told.get("hook") in ("input", "forward"):
                told.setdefault("policy", "unknown")

    def rule(self, key: Key, rule: NftRule, place: int | None = None) -> None:
        """Add a rule at the end, or insert it."""
        rules = self.rules.setdefault(key, [])
        rules.insert(len(rules) if place is None else place, rule)

    def set_(self, key: Key, told: dict[str, Any]) -> None:
        """Declare a set or map, or add elements to it."""
        known = self.sets.setdefault(key, {"elem": [], "flags": []})
        for name, value in told.items():
            if name in ("elem", "flags"):
                known[name] = [*known[name], *(value if isinstance(value, list) else [value])]
            else:
                known[name] = value

    def flush(self, family: str | None = None, table: str | None = None, chain: str | None = None) -> None:
        """Take rules away: of a chain, a table, or everything."""
        if family is None:
            self.chains.clear()
            self.rules.clear()
            self.sets.clear()
            return
        for key in self._of(family, table):
            if chain in (None, key[2]):
                self.rules[key].clear()

    def delete(self, family: str, table: str, chain: str | None = None) -> None:
        """Take a table away, or one chain."""
        for key in list(self._of(family, table)):
            if chain in (None, key[2]):
                self.rules.pop(key)
                self.chains.pop(key, None)

    def _of(self, family: str, table: str | None) -> Iterator[Key]:
        return (key for key in list(self.rules) if key[:2] == (family, table))
