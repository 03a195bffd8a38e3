"""The words of findings, states and outcomes: one catalogue for each language, in `resources/findings`."""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from wizard.diagnosis.verdict import Finding
from wizard.model.chinese import closed
from wizard.model.phrase import Phrase
from wizard.model.resource import resource

LANGUAGES = ("en", "zh_CN")


@dataclass(frozen=True, slots=True)
class Words:
    """A finding as it is read. `remedy` holds lines to follow; a line that starts with four spaces is to be copied."""

    title: str
    detail: str
    evidence: tuple[str, ...]
    remedy: tuple[str, ...]
    next_test: str | None


def words(finding: Finding, language: str = "en") -> Words:
    """The words of a finding. A variant for the kind of hop goes before the general entry."""
    entries = _catalogue(language)["finding"]
    entry = dict(entries[finding.code])
    entry |= entry.get(_variant(finding), {})
    values = dict(finding.values)
    if finding.outside is not None:
        values |= {"first": str(finding.outside.first), "last": str(finding.outside.last)}
        values["arrives_colon"] = values.get("arrives", "").replace("-", ":")
    return Words(
        title=_fill(entry["title"], values, language),
        detail=_fill(entry["detail"], values, language),
        evidence=tuple(say(phrase, language) for phrase in finding.evidence),
        remedy=tuple(_fill(line, values, language) for line in entry.get("remedy", ())),
        next_test=say(finding.next_test, language) if finding.next_test else None,
    )


def say(phrase: Phrase, language: str = "en") -> str:
    """One sentence of the catalogue with its gaps filled."""
    return _fill(_catalogue(language)["phrase"][phrase.key], phrase.values, language)


def _variant(finding: Finding) -> str:
    return "several" if len(finding.suspects) > 1 else finding.values.get("kind", "")


def _fill(text: str, values: Any, language: str) -> str:
    # Template, not format: values hold braces and percent signs that mean nothing here.
    filled = string.Template(text).substitute(values)
    # What is to be copied stays as it is.
    return closed(filled) if language == "zh_CN" and not filled.startswith("    ") else filled


@cache
def _catalogue(language: str) -> dict[str, Any]:
    with resource("findings", f"{language}.toml").open("rb") as file:
        return tomllib.load(file)
