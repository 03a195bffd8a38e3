"""The words of nft's language, with the lines that they stand on (nft(8), "Lexical conventions")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wizard.configs.reading import UnreadableError
from wizard.model.phrase import Phrase

_SIX = r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?:/\d+)?"
_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\f\v]+ | \\\n | \#[^\n]*)
    | (?P<text>"[^"\n]*")
    | (?P<six>{_SIX}(?:-{_SIX})?)
    | (?P<word>[\w$@*][\w.$@*+/\\-]*(?<![-.]) | [\w$@*])
    | (?P<sign>== | != | <= | >= | << | >> | [{{}}()\[\],;:=<>&|^!.+/-] | \n)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, sign or quoted text. `quoted`: it stood in quotation marks, which `text` is without."""

    text: str
    line: int
    quoted: bool = False

    @property
    def ends(self) -> bool:
        """Whether a statement ends here."""
        return not self.quoted and self.text in ("\n", ";")


def tokens(text: str) -> list[Token]:
    """All of a script. Raises UnreadableError at what no word begins with."""
    found: list[Token] = []
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            rest = text[position:].partition("\n")[0][:60]
            raise UnreadableError(Phrase("syntax", {"text": rest}), line)
        position = match.end()
        part = match[0]
        if match.lastgroup == "text":
            found.append(Token(part[1:-1], line, quoted=True))
        elif match.lastgroup != "space":
            found.append(Token(part, line))
        line += part.count("\n")
    return found
