"""Text fitted to a terminal: columns counted as terminals do, lines broken where a reader would."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_NEVER_FIRST = frozenset("，。、；：！？）］｝】」』》〉”’％…")
_NEVER_LAST = frozenset("（［｛【「『《〈“‘")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """`text` on one line, without anything that steers a terminal or turns the direction of writing.

    A banner from the network or a label from somebody's file must not repaint the screen.
    """
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in "\t\n\r\u2028\u2029":
        return " "
    if character in _DIRECTION or unicodedata.category(character) in ("Cc", "Cs", "Cn"):
        return "\ufffd"
    return character


def columns(text: str) -> int:
    """Columns that a terminal gives `text`: two for each wide character, none for a combining one."""
    return len(text) if text.isascii() else sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def pad(text: str, width: int) -> str:
    """`text` followed by spaces up to `width` columns."""
    return text + " " * (width - columns(text))


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of `width` columns at most; only one wide character in a single column is more."""
    lines: list[str] = []
    line = ""
    for piece, spaced in _pieces(text):
        gap = " " if spaced and line else ""
        if columns(line) + len(gap) + columns(piece) <= width:
            line += gap + piece
            continue
        if line:
            lines.append(line)
        *full, line = _cut(piece, width)
        lines += full
    return [*lines, line] if line or not lines else lines


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """What no line break may part, each with whether a space stood before it."""
    for word in text.split():
        if word.isascii():
            yield word, True
            continue
        piece, spaced = "", True
        for character in word:
            if piece and _may_break(piece[-1], character):
                yield piece, spaced
                piece, spaced = "", False
            piece += character
        yield piece, spaced


def _may_break(before: str, after: str) -> bool:
    if before in _NEVER_LAST or after in _NEVER_FIRST or not _columns(after):
        return False
    return _columns(before) == 2 or _columns(after) == 2


def _cut(piece: str, width: int) -> list[str]:
    lines, line = [], ""
    for character in piece:
        if line and columns(line) + _columns(character) > width:
            lines.append(line)
            line = ""
        line += character
    return [*lines, line]
