"""The Go templates that frp fills in before it reads a file: the two ranges of ports, and the environment.

What else such a template can do is refused with its line: the file cannot be known without running it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from wizard.configs.reading import UnreadableError
from wizard.configs.tree import too_deep
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange

LONGEST = 4 * 1024 * 1024
"""Characters of a filled-in text at most."""
_DEEPEST = 4
_ACTION = re.compile(
    r"\{\{(?P<left>-(?=\s))?(?P<body>(?:\"[^\"\n]*\"|/\*(?:[^*]|\*(?!/))*+\*/|[^\"{}/])*+)\}\}",
)
_RANGE = re.compile(
    r"range\s+(?:(?P<names>\$\w+(?:\s*,\s*\$\w+)?)\s*:=\s*)?"
    r"(?P<call>parseNumberRange|parseNumberRangePair)\s+(?P<arguments>\"[^\"]*\"(?:\s+\"[^\"]*\")?)"
)
_FIELD = re.compile(r"(?P<name>\$\w*)?(?P<path>(?:\.\w+)*|\.)")


@dataclass(frozen=True, slots=True)
class Filled:
    """The text as frp reads it. `lines` are, for each of its lines, the line of the file that it comes from."""

    text: str
    lines: tuple[int, ...]
    unset: Mapping[int, str] = field(default_factory=dict)
    """By line of the file, the variable that has no value here."""

    def line(self, number: int) -> int:
        """The line of the file behind a line of the text."""
        return self.lines[min(number, len(self.lines)) - 1] if number >= 1 else number


@dataclass(frozen=True, slots=True)
class _Piece:
    """Plain text where `action` is None."""

    text: str
    line: int
    action: str | None = None


_Dot = int | tuple[int, int] | None


def fill(text: str, variables: Mapping[str, str]) -> Filled:
    """The text with its templates filled in. Raises UnreadableError for one that cannot be."""
    if "{{" not in text:
        return Filled(text, tuple(range(1, text.count("\n") + 2)))
    filler = _Filler(_pieces(text), variables)
    filler.run(0, len(filler.pieces), None, {}, 0)
    whole = "".join(part for part, _ in filler.out)
    return Filled(whole, _origins(filler.out), filler.unset)


def _pieces(text: str) -> list[_Piece]:
    found: list[_Piece] = []
    at, line, trim = 0, 1, False
    for action in _ACTION.finditer(text):
        plain = text[at : action.start()]
        _add(found, plain, line, trim, bool(action["left"]))
        line += plain.count("\n")
        body = action["body"]
        trim = re.search(r"\s-$", body) is not None
        found.append(_Piece("", line, body.removesuffix("-").strip() if trim else body.strip()))
        line += action[0].count("\n")
        at = action.end()
    _add(found, text[at:], line, trim, False)
    for piece in found:
        if piece.action is None and "{{" in piece.text:
            start = piece.text.index("{{")
            raise _unknown(piece.text[start:].partition("\n")[0], piece.line + piece.text.count("\n", 0, start))
    return found


def _add(found: list[_Piece], plain: str, line: int, trim_left: bool, trim_right: bool) -> None:
    if trim_left:
        kept = plain.lstrip()
        line += plain.count("\n", 0, len(plain) - len(kept))
        plain = kept
    found.append(_Piece(plain.rstrip() if trim_right else plain, line))


class _Filler:
    def __init__(self, pieces: list[_Piece], variables: Mapping[str, str]) -> None:
        self.pieces = pieces
        self.variables = variables
        self.out: list[tuple[str, int]] = []
        self.unset: dict[int, str] = {}
        self.length = 0

    def run(self, at: int, end: int, dot: _Dot, names: Mapping[str, _Dot], depth: int) -> None:
        while at < end:
            piece = self.pieces[at]
            if piece.action is None:
                self._write(piece.text, piece.line)
            elif (looped := _RANGE.fullmatch(piece.action)) is not None:
                close = self._close(at)
                if depth >= _DEEPEST:
                    raise too_deep(piece.line)
                for position, item in enumerate(_items(looped, piece.line)):
                    self.run(at + 1, close, item, {**names, **_bound(looped["names"], position, item)}, depth + 1)
                at = close
            elif not (piece.action.startswith("/*") and piece.action.endswith("*/")):
                self._write(self._value(piece, dot, names), piece.line)
            at += 1

    def _write(self, text: str, line: int) -> None:
        self.length += len(text)
        if self.length > LONGEST:
            raise UnreadableError(Phrase("too-large", {"most": f"{LONGEST // 1024 // 1024} MB"}), line)
        self.out.append((text, line))

    def _close(self, at: int) -> int:
        depth = 0
        for position in range(at, len(self.pieces)):
            action = self.pieces[position].action or ""
            if re.match(r"(range|if|with|block|define)\b", action):
                depth += 1
            elif action == "end":
                depth -= 1
                if not depth:
                    return position
        raise UnreadableError(Phrase("template-open"), self.pieces[at].line)

    def _value(self, piece: _Piece, dot: _Dot, names: Mapping[str, _Dot]) -> str:
        action = piece.action or ""
        found = _FIELD.fullmatch(action)
        if found is None or not action:
            raise _unknown(action, piece.line)
        path = tuple(part for part in found["path"].split(".") if part)
        at_root = found["name"] == "$" or (found["name"] is None and dot is None)
        if at_root and len(path) == 2 and path[0] == "Envs":
            if path[1] not in self.variables:
                self.unset[piece.line] = path[1]
                # A number that no port has; in quotes it is text like any other.
                return "0"
            return self.variables[path[1]]
        value = dot if found["name"] is None else names.get(found["name"])
        if isinstance(value, tuple) and path in (("First",), ("Second",)):
            return str(value[0 if path == ("First",) else 1])
        if isinstance(value, int) and not path:
            return str(value)
        raise _unknown(action, piece.line)


def _bound(names: str | None, position: int, item: _Dot) -> dict[str, _Dot]:
    if names is None:
        return {}
    each = [name.strip() for name in names.split(",")]
    return {each[0]: item} if len(each) == 1 else {each[0]: position, each[1]: item}


def _items(looped: re.Match[str], line: int) -> list[_Dot]:
    arguments = re.findall(r'"([^"]*)"', looped["arguments"])
    pair = looped["call"] == "parseNumberRangePair"
    if len(arguments) != (2 if pair else 1):
        raise _unknown(looped[0], line)
    try:
        lists = [numbers(text) for text in arguments]
    except ValueError:
        raise UnreadableError(Phrase("bad-port", {"text": " ".join(arguments)}), line) from None
    if pair and len(lists[0]) != len(lists[1]):
        raise UnreadableError(Phrase("uneven", {"one": arguments[0], "other": arguments[1]}), line)
    return [*zip(lists[0], lists[1], strict=True)] if pair else [*lists[0]]


def numbers(text: str) -> list[int]:
    """The ports of `6010-6020,6022`, in order. Raises ValueError."""
    ranges = [PortRange.parse(part) for part in text.split(",")]
    if sum(len(each) for each in ranges) > 65535:
        raise ValueError(text)
    return [number for each in ranges for number in each]


def _unknown(action: str, line: int) -> UnreadableError:
    return UnreadableError(Phrase("template-unknown", {"text": action}), line)


def _origins(out: list[tuple[str, int]]) -> tuple[int, ...]:
    """For each line of the whole, the line of the first piece that has more than space on it."""
    lines: list[int] = []
    current: int | None = None
    for text, start in out:
        for offset, part in enumerate(text.split("\n")):
            if offset:
                lines.append(current if current is not None else start + offset - 1)
                current = None
            if current is None and part.strip():
                current = start + offset
    lines.append(current if current is not None else out[-1][1] if out else 1)
    return tuple(lines)
