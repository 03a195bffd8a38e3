"""The words of commands that were copied from a shell, with their lines."""

from __future__ import annotations

from dataclasses import dataclass

_SEPARATORS = ";&|\n"
_CONTINUES = ("\\\n", "^\n", "`\n")
"""A character before the end of a line, in the shells of Unix and of Windows."""

_ESCAPED = ('\\"', "\\\\", "\\$", "\\`")
"""In double quotes, only these."""


@dataclass(frozen=True, slots=True)
class Word:
    """`text` is without its quotes, and a dollar sign that is none of the shell's is doubled."""

    text: str
    line: int


def commands(text: str) -> list[list[Word]]:
    """Each command of a text as its words."""
    scanner = _Scanner(text)
    scanner.run()
    return [words for words in scanner.commands if words]


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.commands: list[list[Word]] = [[]]

    def run(self) -> None:
        while self.at < len(self.text):
            char = self.text[self.at]
            if self.text.startswith(_CONTINUES, self.at):
                self._take(2)
            elif char in " \t\r":
                self._take(1)
            elif char == "#":
                end = self.text.find("\n", self.at)
                self._take((len(self.text) if end < 0 else end) - self.at)
            elif char in _SEPARATORS:
                self._take(1)
                self.commands.append([])
            else:
                line = self.line
                self.commands[-1].append(Word(self._word(), line))

    def _take(self, count: int) -> str:
        taken = self.text[self.at : self.at + count]
        self.line += taken.count("\n")
        self.at += count
        return taken

    def _word(self) -> str:
        parts: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if self.text.startswith(_CONTINUES, self.at):
                self._take(2)
            elif char in " \t\r" or char in _SEPARATORS:
                break
            elif char == "\\":
                parts.append(self._take(2)[1:].replace("$", "$$"))
            elif char in "'\"":
                parts.append(self._quoted(char))
            else:
                parts.append(self._take(1))
        return "".join(parts)

    def _quoted(self, quote: str) -> str:
        self._take(1)
        parts: list[str] = []
        while self.at < len(self.text) and self.text[self.at] != quote:
            if (
                quote == '"'
                and self.text[self.at] == "\\"
                and self.text[self.at + 1 : self.at + 2] in ('"', "\\", "$", "`")
            ):
                parts.append(self._take(2)[1:].replace("$", "$$"))
            else:
                char = self._take(1)
                parts.append("$$" if char == "$" and quote == "'" else char)
        self._take(1)
        return "".join(parts)
