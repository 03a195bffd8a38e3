"""A place in a list of tokens."""

from __future__ import annotations

from collections.abc import Sequence

from wizard.configs.nft_tokens import Token

END = Token("", 0)


class NotUnderstoodError(Exception):
    """A statement that is not known here; others may be."""


class Cursor:
    """Reads tokens one after the other. `variables` are what `define` gave."""

    def __init__(self, tokens: Sequence[Token], variables: dict[str, object] | None = None) -> None:
        self._tokens = tokens
        self._at = 0
        self.variables: dict[str, object] = {} if variables is None else variables

    @property
    def next(self) -> Token:
        """The token that comes, not taken."""
        return self._tokens[self._at] if self._at < len(self._tokens) else END

    @property
    def line(self) -> int:
        """Where the reading stands; at the end, the last line."""
        return self._tokens[min(self._at, len(self._tokens) - 1)].line if self._tokens else 0

    def ahead(self, steps: int) -> Token:
        """One further on."""
        at = self._at + steps
        return self._tokens[at] if at < len(self._tokens) else END

    @property
    def done(self) -> bool:
        """Whether none is left."""
        return self._at >= len(self._tokens)

    def take(self) -> Token:
        """The next token. Raises NotUnderstoodError at the end."""
        if self.done:
            raise NotUnderstoodError
        self._at += 1
        return self._tokens[self._at - 1]

    def word(self) -> str:
        """The next token's text."""
        return self.take().text

    def sees(self, *texts: str) -> bool:
        """Whether one of these comes, unquoted."""
        return not self.next.quoted and self.next.text in texts and not self.done

    def takes(self, *texts: str) -> bool:
        """Take the next token if it is one of these."""
        if self.sees(*texts):
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Raises NotUnderstoodError if something else comes."""
        if not self.takes(text):
            raise NotUnderstoodError

    def skip_ends(self) -> None:
        """Pass line ends and semicolons."""
        while not self.done and self.next.ends:
            self._at += 1

    def skip_lines(self) -> None:
        """Pass line ends: between braces they mean nothing."""
        while self.sees("\n"):
            self._at += 1

    def rest(self) -> list[Token]:
        """All up to the end of the statement, or the brace that closes what it stands in."""
        start, depth = self._at, 0
        while not self.done:
            token = self.next
            if not token.quoted:
                if depth == 0 and (token.ends or token.text == "}"):
                    break
                depth += (token.text == "{") - (token.text == "}")
            self._at += 1
        return list(self._tokens[start : self._at])
