"""OpenWrt's configuration syntax: sections of a file in /etc/config, what `uci show` prints, and `uci set` commands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SET = re.compile(r"(?:uci\s+(?:-q\s+)?(?P<verb>set|add_list)\s+)?(?P<place>firewall\.[^=\s]+)=(?P<value>.*)")
_PASSED_OVER = re.compile(
    r"(?:uci\s+(?:-q\s+)?(?:delete|commit|reorder|show)\b|package\s|/etc/init\.d/|service\s|reload_config).*"
)
_WORD = re.compile(r"""\s*(?:'([^']*+)'|"((?:[^"\\]|\\.)*+)"|([^\s'"#]++))(?=\s|$)""")
LONGEST = 4096
"""Characters of a line that is looked at."""


@dataclass(slots=True)
class Section:
    """A section, with each option's values and line."""

    kind: str
    line: int
    name: str = ""
    options: dict[str, list[str]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def words(self, option: str) -> list[str]:
        """The values of an option, which may stand in one string."""
        return [word for value in self.options.get(option, ()) for word in value.split()]

    def text(self, option: str, default: str = "") -> str:
        """The value of an option that has one."""
        return " ".join(self.options.get(option, ())).strip() or default

    def set(self, option: str, values: list[str], line: int, *, more: bool = False) -> None:
        """Set an option, or with `more` add to its list."""
        if not more:
            self.options[option] = []
        self.options.setdefault(option, []).extend(values)
        self.lines[option] = line


@dataclass(frozen=True, slots=True)
class Sections:
    """A file's sections in their order, and the lines that are none of its syntax, with their text."""

    sections: tuple[Section, ...]
    unread: tuple[tuple[int, str], ...]

    def of(self, kind: str) -> list[Section]:
        """The sections of one kind."""
        return [section for section in self.sections if section.kind == kind]


def parse(text: str) -> Sections:
    """Read either syntax. There is nothing it refuses."""
    found: dict[str, Section] = {}
    unread: list[tuple[int, str]] = []
    current: Section | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#") or _PASSED_OVER.fullmatch(line):
            continue
        try:
            if len(line) > LONGEST:
                raise ValueError("too long")
            if (setting := _SET.fullmatch(line)) is not None:
                _set(found, setting, number)
                continue
            words = _words(line)
        except ValueError:
            unread.append((number, line[:200]))
            continue
        if words and words[0] == "config" and 2 <= len(words) <= 3:
            current = Section(words[1], number, words[2] if len(words) == 3 else "")
            found[current.name or f" {number}"] = current
        elif current is not None and len(words) == 3 and words[0] in ("option", "list"):
            current.set(words[1], [words[2]], number, more=words[0] == "list")
        else:
            unread.append((number, line))
    return Sections(tuple(found.values()), tuple(unread))


def _words(line: str) -> list[str]:
    """The words of a line, without their quotation marks and what follows a `#`. Raises ValueError."""
    found: list[str] = []
    at = 0
    while (word := _WORD.match(line, at)) is not None:
        at = word.end()
        single, double, plain = word.groups()
        found.append(plain or single or re.sub(r"\\(.)", r"\1", double or ""))
    rest = line[at:].strip()
    if rest and not rest.startswith("#"):
        raise ValueError(rest)
    return found


def _set(found: dict[str, Section], setting: re.Match[str], line: int) -> None:
    """One `firewall.SECTION=KIND` or `firewall.SECTION.OPTION=VALUES`. Raises ValueError."""
    _, section, *option = setting["place"].split(".")
    values = _words(setting["value"])
    if not option:
        kind = values[0] if values else ""
        if section in found and found[section].kind == kind:
            return
        found[section] = Section(kind, line, "" if section.startswith("@") else section)
    elif section in found and len(option) == 1:
        found[section].set(option[0], values, line, more=setting["verb"] == "add_list")
    else:
        raise ValueError(setting["place"])
