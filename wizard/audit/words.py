"""The words of an audit: one catalogue for each language, in `resources/audit`."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from wizard.audit.finding import AuditFinding, NotChecked
from wizard.model.resource import resource
from wizard.model.said import said


@dataclass(frozen=True, slots=True)
class Words:
    """A finding, or what was not checked, as it is read."""

    title: str
    detail: str


def finding_words(finding: AuditFinding, language: str = "en") -> Words:
    """What is unsafe, and why it matters."""
    entry = _catalogue(language)["finding"][finding.code]
    values = _values(finding.values, language)
    return Words(_fill(entry["title"], values), _fill(entry["detail"], values))


def not_checked_words(missing: NotChecked, language: str = "en") -> Words:
    """What was not checked, and how to check it."""
    entry = _catalogue(language)["not-checked"][missing.code]
    values = _values(missing.values, language)
    return Words(_fill(entry["title"], values), _fill(entry["how"], values))


def phrase(key: str, language: str = "en", **values: object) -> str:
    """A sentence that reports have whatever was found."""
    return _fill(_catalogue(language)["phrase"][key], values)


def _values(values: Mapping[str, str], language: str) -> Mapping[str, str]:
    known = {"text": said(values["text"], language)} if "text" in values else {}
    if "reason" in values:
        known["reason"] = _catalogue(language)["reason"][values["reason"]]
    return {**values, **known}


def _fill(text: str, values: Mapping[str, object]) -> str:
    # Template, not format: values hold braces and percent signs that mean nothing here.
    return string.Template(text).substitute(values)


@cache
def _catalogue(language: str) -> dict[str, Any]:
    with resource("audit", f"{language}.toml").open("rb") as file:
        return tomllib.load(file)
