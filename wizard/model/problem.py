"""What is wrong with a project file: where, and what to write instead."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from wizard.model.resource import resource

if TYPE_CHECKING:
    from wizard.model.project import Project

KeyPath = tuple[str | int, ...]
"""Where a value stands in the file: `("hops", 0, "kind")`, list positions counted from 0."""

_LONGEST_VALUE = 60


class Term(str):
    """A gap of a sentence that is itself a word of the catalogue."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Its words are in `resources/problems`, one catalogue for each language."""

    path: KeyPath
    code: str
    value: str | None = None
    """The value as it is written, shortened; None where there is none or where it may be a secret."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    line: int | None = None

    @property
    def key(self) -> str:
        """The key for people: `hops[1].kind`, list positions counted from 1. Empty for the whole file."""
        return key_text(self.path)

    @property
    def message(self) -> str:
        """What is wrong and what to do, in English, without the place."""
        return self.advice("en")

    def advice(self, language: str) -> str:
        """What is wrong and what to do, without the place. Languages: `en`, `zh_CN`."""
        words = _catalogue(language)
        gaps = {name: words[text] if isinstance(text, Term) else text for name, text in self.gaps.items()}
        return words[self.code].format(**gaps)

    def say(self, language: str = "en") -> str:
        """The whole sentence: file, line, key and value, then what is wrong and what to do."""
        words = _catalogue(language)
        place = [printable(self.file)] if self.file else []
        if self.line is not None:
            place.append(words["at-line"].format(line=self.line))
        if self.path:
            place.append(self.key if self.value is None else f"{self.key} = {self.value}")
        colon = words["colon"] if place else ""
        return words["comma"].join(place) + colon + self.advice(language) + words["stop"]

    def __str__(self) -> str:
        return self.say()


class ProjectError(Exception):
    """A project that cannot be used: all its problems, in the order of the file.

    `project` is what the file says in spite of them, to be mended in the wizard; None where part of it has no meaning.
    """

    def __init__(self, problems: tuple[Problem, ...], project: Project | None = None) -> None:
        super().__init__("\n".join(problem.say() for problem in problems))
        self.problems = problems
        self.project = project


def key_text(path: KeyPath) -> str:
    """A path as people read it, list positions counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += ("." if text else "") + printable(part)
    return text


def value_text(value: object) -> str:
    """A value as the file would have it, shortened to 60 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        text = "…"
    text = printable(text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def printable(text: str) -> str:
    """`text` with what a terminal would obey, or not show, written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    words: Mapping[str, str] = tomllib.loads(resource("problems", f"{language}.toml").read_text("utf-8"))
    return words
