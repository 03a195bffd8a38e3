"""The language of RouterOS: what `/export` prints, and commands as people type them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LONGEST = 4096
"""Characters of a command that is looked at."""
_WORD = re.compile(
    r'\s*(?:(?P<key>[a-z0-9.-]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<call>\[[^\]]*+\])|(?P<plain>[^\s"]*+))'
    r'|(?P<bare>"(?:[^"\\]|\\.)*+"|\[[^\]]*+\]|[^\s"]++))(?=\s|$)'
)
_ESCAPED = re.compile(r"((?:\\[0-9A-F]{2})+)|\\(.)")
_SPACES = {"n": "\n", "r": "\r", "t": "\t", "_": " "}
_VERBS = ("add", "set", "remove", "move", "enable", "disable", "print", "export", "edit", "unset", "reset", "find")


@dataclass(frozen=True, slots=True)
class Command:
    """One command in the menu `path`: `ip firewall nat`."""

    path: str
    verb: str
    values: Mapping[str, str]
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that is no command in this language."""

    line: int
    text: str


def commands(text: str) -> Iterator[Command | Unread]:
    """Every command in order. A line that ends in a backslash goes on in the next."""
    menu = ""
    for number, line in _whole_lines(text):
        if not line or line.startswith("#"):
            continue
        path: list[str] = []
        values: dict[str, str] = {}
        verb = ""
        at = 0
        rest = line
        if rest.startswith("/"):
            rest = rest[1:]
            path = [""]
        while at < len(rest.rstrip()):
            word = _WORD.match(rest, at)
            if word is None or len(line) > LONGEST:
                yield Unread(number, line[:200])
                break
            at = word.end()
            if word["key"]:
                quoted = word["quoted"]
                values[word["key"]] = word["call"] or word["plain"] or "" if quoted is None else _plain(quoted)
            elif not verb and word["bare"] in _VERBS:
                verb = word["bare"]
            elif not verb and path:
                path += word["bare"].split("/")
        else:
            place = " ".join(filter(None, path)) if path else menu
            if verb:
                yield Command(place, verb, values, number, line[:200])
            elif path:
                menu = place
            else:
                yield Unread(number, line[:200])


def _whole_lines(text: str) -> Iterator[tuple[int, str]]:
    held, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not held:
            first = number
        if len(held) <= LONGEST:
            held += line.lstrip() if held else line.strip(" \t")
        if held.endswith("\\") and not held.startswith("#"):
            held = held[:-1]
            # What is left may be empty, and still goes on.
            held = held or " "
            continue
        yield first, held.strip()
        held = ""
    if held:
        yield first, held.strip()


def _plain(quoted: str) -> str:
    def meant(match: re.Match[str]) -> str:
        if match[1]:
            return bytes.fromhex(match[1].replace("\\", "")).decode("utf-8", "replace")
        return _SPACES.get(match[2], match[2])

    return _ESCAPED.sub(meant, quoted)
