"""A script of nft's language, and what `nft list ruleset` prints (nft(8))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wizard.configs.nft_cursor import Cursor, NotUnderstoodError
from wizard.configs.nft_expression import elements, expression, joined, mapping, value
from wizard.configs.nft_statement import statements, verdict
from wizard.configs.nft_tables import Key, NftRule, NftTables
from wizard.configs.nft_tokens import Token, tokens
from wizard.configs.reading import Note, UnreadableError
from wizard.model.phrase import Phrase

_FAMILIES = ("ip", "ip6", "inet", "arp", "bridge", "netdev")
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_BRIDGE_PRIORITIES = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}
_OBJECTS = frozenset(("counter", "quota", "ct", "secmark", "synproxy", "flowtable"))
_LONGEST = 160


def gather(text: str) -> NftTables:
    """All of a script. Raises UnreadableError for what nft would refuse."""
    script = _Script(text)
    script.run()
    return script.tables


class _Script:
    def __init__(self, text: str) -> None:
        self.tables = NftTables()
        self._lines = text.split("\n")
        self._cursor = Cursor(tokens(text))

    def run(self) -> None:
        cursor = self._cursor
        while not cursor.done:
            cursor.skip_ends()
            if cursor.done:
                return
            try:
                self._command()
                fine = cursor.done or cursor.next.ends
            except (NotUnderstoodError, ValueError):
                fine = False
            if not fine:
                raise UnreadableError(Phrase("syntax", {"text": self._shown(cursor.line)}), cursor.line)

    def _shown(self, line: int) -> str:
        text = self._lines[line - 1].strip() if line else ""
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

    def _command(self) -> None:
        cursor = self._cursor
        token = cursor.take()
        match token.text:
            case "table":
                self._table()
            case "define" | "redefine":
                self._define()
            case "undefine":
                cursor.rest()
            case "include":
                path = cursor.take()
                self.tables.notes.append(Note(Phrase("include-not-read", {"text": path.text}), token.line))
            case "add" | "create":
                self._add(token)
            case "insert":
                cursor.expect("rule")
                self._added_rule(token, first=True)
            case "flush" | "delete" | "destroy":
                self._remove(token)
            case "list" | "reset":
                cursor.rest()
            case "chain" | "rule" | "set" | "map" | "element":
                self._declared(token.text, token)
            case _:
                raise NotUnderstoodError

    def _define(self) -> None:
        cursor = self._cursor
        name = cursor.word()
        cursor.expect("=")
        cursor.variables[name] = {"set": elements(cursor)} if cursor.sees("{") else value(cursor)

    def _name(self) -> tuple[str, str]:
        """Family and table."""
        cursor = self._cursor
        family = cursor.word() if cursor.sees(*_FAMILIES) else "ip"
        return family, cursor.word()

    def _add(self, token: Token) -> None:
        if self._cursor.takes("table"):
            self._table()
        elif self._cursor.sees("rule", "chain", "set", "map", "element"):
            self._declared(self._cursor.word(), token)
        elif self._cursor.sees("counter", "quota", "limit", "flowtable", "ct", "secmark", "synproxy"):
            self._cursor.rest()
        else:
            # `add filter input …`: the word rule may be left out.
            self._added_rule(token)

    def _declared(self, kind: str, token: Token) -> None:
        cursor = self._cursor
        if kind == "rule":
            self._added_rule(token)
            return
        family, table = self._name()
        key = (family, table, cursor.word())
        self.tables.table(family)
        if kind == "chain":
            self.tables.chain(key, {}, token.line, "")
            if cursor.takes("{"):
                self._chain(key)
        elif kind == "element":
            self._elements(key)
        elif cursor.takes("{"):
            self._set(key)

    def _added_rule(self, token: Token, *, first: bool = False) -> None:
        cursor = self._cursor
        family, table = self._name()
        key = (family, table, cursor.word())
        place: int | None = 0 if first else None
        if cursor.takes("index"):
            place = int(cursor.word()) + (not first)
        elif cursor.sees("handle", "position"):
            raise NotUnderstoodError
        self.tables.table(family)
        self._rule(key, token.line, place)

    def _elements(self, key: Key) -> None:
        known = self.tables.sets.get(key, {})
        self.tables.set_(key, {"elem": self._pairs_or_elements(known)})

    def _pairs_or_elements(self, known: dict[str, Any]) -> list[Any]:
        cursor = self._cursor
        if known.get("map") is None:
            return elements(cursor)
        data: Callable[[Cursor], Any] = verdict if known["map"] == "verdict" else joined
        return list(mapping(cursor, data)["set"])

    def _remove(self, token: Token) -> None:
        cursor = self._cursor
        what = cursor.word()
        if what == "ruleset":
            if cursor.sees(*_FAMILIES):
                cursor.take()
            self.tables.flush()
            return
        if what == "rule":
            cursor.rest()
            self.tables.notes.append(Note(Phrase("line-not-understood", {"text": self._shown(token.line)}), token.line))
            return
        family, table = self._name()
        chain = cursor.word() if what == "chain" else None
        if what in ("table", "chain"):
            if token.text == "flush":
                self.tables.flush(family, table, chain)
            else:
                self.tables.delete(family, table, chain)
        else:
            cursor.rest()

    def _table(self) -> None:
        cursor = self._cursor
        family, table = self._name()
        self.tables.table(family)
        if not cursor.takes("{"):
            return
        cursor.skip_ends()
        while not cursor.takes("}"):
            self._in_table(family, table)
            cursor.skip_ends()

    def _in_table(self, family: str, table: str) -> None:
        cursor = self._cursor
        token = cursor.take()
        match token.text:
            case "chain":
                key = (family, table, cursor.word())
                cursor.skip_lines()
                cursor.expect("{")
                self.tables.chain(key, {}, token.line, "")
                self._chain(key)
            case "set" | "map":
                key = (family, table, cursor.word())
                cursor.skip_lines()
                cursor.expect("{")
                self._set(key)
            case "limit":
                key = (family, table, cursor.word())
                told = self._block()
                self.tables.limits[key] = {"inv": any(each.text == "over" for each in told)}
            case "flags":
                if any(each.text == "dormant" for each in cursor.rest()):
                    self.tables.dormant.add((family, table))
            case "comment":
                cursor.take()
            case word if word in _OBJECTS:
                while not cursor.sees("{"):
                    cursor.take()
                self._block()
            case _:
                raise NotUnderstoodError

    def _block(self) -> list[Token]:
        """What stands between the braces that come, whatever it is."""
        cursor = self._cursor
        cursor.skip_lines()
        cursor.expect("{")
        found: list[Token] = []
        depth = 1
        while depth:
            token = cursor.take()
            found.append(token)
            if not token.quoted:
                depth += (token.text == "{") - (token.text == "}")
        return found

    def _set(self, key: Key) -> None:
        cursor = self._cursor
        told: dict[str, Any] = {}
        cursor.skip_ends()
        while not cursor.takes("}"):
            word = cursor.word()
            if word in ("type", "typeof"):
                told |= self._type(word)
            elif word == "flags":
                told["flags"] = [token.text for token in cursor.rest() if token.text != ","]
            elif word == "elements":
                cursor.expect("=")
                self.tables.set_(key, told)
                told["elem"] = self._pairs_or_elements(told)
            else:
                cursor.rest()
            cursor.skip_ends()
        known = self.tables.sets.get(key)
        if known is not None:
            known["elem"] = []
        self.tables.set_(key, told)

    def _type(self, word: str) -> dict[str, Any]:
        rest = self._cursor.rest()
        colon = next((i for i, token in enumerate(rest) if token.text == ":" and not token.quoted), None)
        told: dict[str, Any] = {"map": " ".join(t.text for t in rest[colon + 1 :])} if colon is not None else {}
        if word == "typeof":
            told["typeof"] = expression(Cursor(rest[:colon]))
        return told

    def _chain(self, key: Key) -> None:
        cursor = self._cursor
        cursor.skip_ends()
        while not cursor.takes("}"):
            token = cursor.next
            if cursor.takes("type"):
                self.tables.chain(key, self._hook(key[0]), token.line, self._shown(token.line))
            elif cursor.takes("policy"):
                self.tables.chain(key, {"policy": cursor.word()}, token.line, self._shown(token.line))
            elif cursor.sees("comment") and cursor.ahead(2).ends:
                cursor.take()
                cursor.take()
            else:
                self._rule(key, token.line)
            cursor.skip_ends()

    def _hook(self, family: str) -> dict[str, Any]:
        cursor = self._cursor
        told: dict[str, Any] = {"type": cursor.word()}
        cursor.expect("hook")
        told["hook"] = cursor.word()
        if cursor.takes("device"):
            told["dev"] = [value(cursor)]
        elif cursor.takes("devices"):
            cursor.expect("=")
            found = value(cursor)
            told["dev"] = found["set"] if isinstance(found, dict) else [found]
        cursor.expect("priority")
        told["prio"] = self._priority(family)
        return told

    def _priority(self, family: str) -> int:
        cursor = self._cursor
        sign = -1 if cursor.takes("-") else 1
        names = _BRIDGE_PRIORITIES if family == "bridge" else _PRIORITIES
        word = cursor.word()
        if word.startswith("$"):
            word = str(cursor.variables.get(word[1:], ""))
        # "filter-10", as one word
        name, dash, less = word.partition("-")
        if dash and name in names:
            return names[name] - int(less)
        name, plus, more = word.partition("+")
        if plus and name in names:
            return names[name] + int(more)
        number = names[word] if word in names else sign * int(word)
        if cursor.takes("-"):
            number -= int(cursor.word())
        elif cursor.takes("+"):
            number += int(cursor.word())
        return number

    def _rule(self, key: Key, line: int, place: int | None = None) -> None:
        taken = self._cursor.rest()
        if not taken:
            raise NotUnderstoodError
        found = statements(Cursor(taken, self._cursor.variables))
        self.tables.rule(key, NftRule(found, line, self._shown(line)), place)
