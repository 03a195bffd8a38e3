"""A structured file (YAML, TOML, JSON, INI) as one kind of value, each part with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wizard.configs.reading import UnreadableError
from wizard.model.phrase import Phrase

DEEPEST = 48
"""Lists and tables within each other at most."""
MOST_OPEN = 256
"""Brackets open at once at most, counted before the parser of YAML takes quadratic time over them."""
LARGEST = 256 * 1024
"""Characters of a structured file at most: reading one takes time."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A value and its line, counted from 1. Plain values are text as it is written, without its quotes."""

    value: str | tuple[Tree, ...] | dict[str, Tree] | None
    line: int
    tag: str = ""
    """YAML's own, as `!reset`."""
    source: str = ""
    """A plain value as the file has it; the same as `value` where nothing was filled in."""

    def get(self, *path: str) -> Tree | None:
        """What stands under these keys, one within the other; None where there is nothing."""
        found: Tree | None = self
        for key in path:
            if found is None or not isinstance(found.value, dict):
                return None
            found = found.value.get(key)
        return None if found is None or found.value is None else found

    def text(self, *path: str) -> str | None:
        """The plain value under these keys."""
        found = self.get(*path)
        return found.value if found is not None and isinstance(found.value, str) else None

    def items(self, *path: str) -> Iterator[tuple[str, Tree]]:
        """The keys and values of the table under these keys; nothing where it is none."""
        found = self.get(*path)
        if found is not None and isinstance(found.value, dict):
            yield from found.value.items()

    def elements(self, *path: str) -> tuple[Tree, ...]:
        """The elements of the list under these keys; nothing where it is none."""
        found = self.get(*path)
        return found.value if found is not None and isinstance(found.value, tuple) else ()

    @property
    def shown(self) -> str:
        """A plain value as the file has it."""
        return self.source or (self.value if isinstance(self.value, str) else "")


def check_size(text: str, most: int = LARGEST) -> None:
    """Raises UnreadableError for a text of more than `most` characters, or with nothing in it."""
    if len(text) > most:
        raise UnreadableError(Phrase("too-large", {"most": f"{most // 1024} kB"}))
    if not text.strip():
        raise UnreadableError(Phrase("empty"))


def check_brackets(text: str) -> None:
    """Raises UnreadableError where too many brackets are open at once."""
    open_ = 0
    for found in re.finditer(r"[\[{]|[\]}]", text):
        open_ += 1 if found[0] in "[{" else -1 if open_ else 0
        if open_ > MOST_OPEN:
            raise too_deep(text.count("\n", 0, found.start()) + 1)


def too_deep(line: int | None = None) -> UnreadableError:
    """The refusal of a file that is nested without end, or beyond reason."""
    return UnreadableError(Phrase("nested-beyond-reason"), line)
