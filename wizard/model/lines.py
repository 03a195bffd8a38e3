"""On which line of a TOML text each key stands: `tomllib` does not say.

The text has been read by `tomllib` before, so that only its layout is followed here, not its correctness.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass

from wizard.model.problem import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


@dataclass(frozen=True, slots=True)
class Header:
    """A `[table]` or `[[array of tables]]` line. `start` is the position of its bracket in the text."""

    start: int
    key: tuple[str, ...]
    array: bool


class Layout:
    """Where things stand in a valid TOML text. Raises RecursionError for values nested too deeply."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts: dict[KeyPath, int] = {}
        self._elements: dict[KeyPath, int] = {}
        self.headers: list[Header] = []
        self._document()
        self._newlines = [m.start() for m in re.finditer("\n", text)]

    def line(self, path: KeyPath) -> int | None:
        """Line of a key or a list element, from 1; for one that is not there, the line of what should hold it."""
        while path:
            if path in self._starts:
                return bisect_right(self._newlines, self._starts[path]) + 1
            path = path[:-1]
        return None

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return match.group()

    def _seen(self, path: KeyPath, start: int) -> None:
        self._starts.setdefault(path, start)

    def _document(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return
            start = self._at
            if self._text[start] != "[":
                self._pair(table)
                continue
            array = self._text.startswith("[[", start)
            self._at += 2 if array else 1
            key = self._key()
            self._at += 2 if array else 1
            self.headers.append(Header(start, key, array))
            table = self._resolve(key, array=array)
            self._seen(table, start)

    def _resolve(self, key: tuple[str, ...], *, array: bool) -> KeyPath:
        """The path of a header's table: each list on the way stands for its latest element."""
        path: KeyPath = ()
        for position, part in enumerate(key):
            path = (*path, part)
            if array and position == len(key) - 1:
                self._elements[path] = self._elements.get(path, -1) + 1
            if path in self._elements:
                path = (*path, self._elements[path])
        return path

    def _key(self) -> tuple[str, ...]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            if self._text[self._at] in "\"'":
                quoted = self._skip(_STRING)
                parts.append(tomllib.loads(f"key = {quoted}")["key"])
            else:
                parts.append(self._skip(_BARE_KEY))
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return tuple(parts)
            self._at += 1

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = table
        for part in self._key():
            path = (*path, part)
            self._seen(path, start)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._skip(_STRING)
        elif first in "[{":
            self._at += 1
            self._skip(_BLANK)
            position = 0
            while self._text[self._at] not in "]}":
                if first == "[":
                    self._seen((*path, position), self._at)
                    self._value((*path, position))
                else:
                    self._pair(path)
                position += 1
                self._skip(_BLANK)
                if self._text[self._at] == ",":
                    self._at += 1
                    self._skip(_BLANK)
            self._at += 1
        else:
            self._skip(_SCALAR)
