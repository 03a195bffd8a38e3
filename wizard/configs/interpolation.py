"""`${NAME}` in a compose file, as Docker Compose fills it in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

DEEPEST = 8
"""Defaults within defaults at most."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A text with its variables filled in. `unset` are those without a value and without a default."""

    text: str
    unset: tuple[str, ...] = ()


def interpolate(text: str, variables: Mapping[str, str], depth: int = 0) -> Interpolated:
    """Fill in `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?error}`, `${NAME:+other}`; `$$` is a
    dollar sign."""
    out: list[str] = []
    unset: list[str] = []
    at = 0
    while at < len(text):
        dollar = text.find("$", at)
        if dollar < 0 or dollar + 1 >= len(text):
            out.append(text[at:])
            break
        out.append(text[at:dollar])
        following = text[dollar + 1]
        if following == "$":
            out.append("$")
            at = dollar + 2
        elif following == "{":
            end = _closing(text, dollar + 2)
            if end < 0 or depth >= DEEPEST:
                return Interpolated(text, (text[dollar : dollar + 20],))
            filled = _braced(text[dollar + 2 : end], variables, depth)
            out.append(filled.text)
            unset += filled.unset
            at = end + 1
        else:
            name = _NAME.match(text, dollar + 1)
            if name is None:
                out.append("$")
                at = dollar + 1
                continue
            if name[0] not in variables:
                unset.append(name[0])
            out.append(variables.get(name[0], ""))
            at = name.end()
    return Interpolated("".join(out), tuple(unset))


def _closing(text: str, start: int) -> int:
    depth = 1
    for at in range(start, len(text)):
        if text.startswith("${", at):
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at
    return -1


def _braced(body: str, variables: Mapping[str, str], depth: int) -> Interpolated:
    name = _NAME.match(body)
    if name is None:
        return Interpolated("", (body[:20],))
    mark = re.match(r":?[-?+]|$", body[name.end() :])
    if mark is None:
        return Interpolated("", (name[0],))
    rest = body[name.end() + mark.end() :]
    value = variables.get(name[0])
    there = value is not None and (value != "" or not mark[0].startswith(":"))
    match mark[0][-1:]:
        case "-":
            return Interpolated(value or "") if there else interpolate(rest, variables, depth + 1)
        case "+":
            return interpolate(rest, variables, depth + 1) if there else Interpolated("")
        case _:
            return Interpolated(value or "") if there else Interpolated("", (name[0],))
