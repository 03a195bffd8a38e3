"""The words about configuration files: one catalogue for each language, in `resources/configs`."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from functools import cache

from wizard.configs.reading import Note, UnreadableError
from wizard.model.phrase import Phrase
from wizard.model.problem import printable
from wizard.model.resource import resource
from wizard.model.said import said

_SENTENCES = frozenset(("why", "what"))
"""Gaps that a sentence of ours fills."""
_LINE = {"en": "$file, line $line: $text", "zh_CN": "$file，第 $line 行：$text"}
_FILE = {"en": "$file: $text", "zh_CN": "$file：$text"}


def say(phrase: Phrase, language: str = "en") -> str:
    """One sentence of the catalogue with its gaps filled."""
    values = {
        name: printable(said(value, language) if name in _SENTENCES else value) for name, value in phrase.values.items()
    }
    return string.Template(_catalogue(language)[phrase.key]).substitute(values)


def say_of(file: str, told: Note | UnreadableError, language: str = "en") -> str:
    """A note or a refusal, behind the file's name and the line."""
    values = {"file": printable(file), "line": str(told.line), "text": say(told.phrase, language)}
    return string.Template((_FILE if told.line is None else _LINE)[language]).substitute(values)


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    with resource("configs", f"{language}.toml").open("rb") as file:
        words: Mapping[str, str] = tomllib.load(file)["phrase"]
    return words
