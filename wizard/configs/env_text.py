"""Env files: `NAME=value` lines, as shells and Docker Compose read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from wizard.configs.interpolation import interpolate

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)\s*=[ \t]*(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Setting:
    """One line. `value` None: it takes a shell to know it."""

    value: str | None
    line: int


def settings(text: str) -> Mapping[str, Setting]:
    """What the file sets; of two lines for one name the last counts. Lines that set nothing are passed over."""
    found: dict[str, Setting] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = _LINE.fullmatch(line)
        if match is not None:
            found[match["name"]] = Setting(_value(match["rest"].strip(), found), number)
    return found


def variables(text: str) -> Mapping[str, str]:
    """The names that have a value."""
    return {name: setting.value for name, setting in settings(text).items() if setting.value is not None}


def _value(rest: str, known: Mapping[str, Setting]) -> str | None:
    quote = rest[:1]
    if quote and quote in "\"'":
        end = rest.find(quote, 1)
        after = rest[end + 1 :].strip()
        if end < 0 or (after and not after.startswith("#")):
            return None
        inner = rest[1:end]
        return inner if quote == "'" else _filled(inner, known)
    # A hash within a word is part of it.
    return _filled(re.split(r"(?:^|\s)#", rest)[0].strip(), known)


def _filled(text: str, known: Mapping[str, Setting]) -> str | None:
    """With the variables that lines above have set, and with the defaults of others."""
    if "`" in text or "$(" in text:
        return None
    set_before = {name: setting.value for name, setting in known.items() if setting.value is not None}
    filled = interpolate(text, set_before)
    return None if filled.unset else filled.text
