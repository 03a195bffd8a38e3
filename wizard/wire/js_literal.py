"""Object literals of JavaScript, read without running anything. JSON is among them.

Rules:
 1. What only a running page knows (names, calls, joined texts, spreads) is an Unknown, never a guess.
 2. Time and memory are in proportion to the text.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

DEEPEST = 32
"""Brackets within brackets at most."""


class LiteralError(ValueError):
    """The text is no literal. The message never repeats what stands in quotation marks."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


class Kind(enum.Enum):
    """What a token is."""

    TEXT = enum.auto()
    """A string; the token has its value."""
    TEMPLATE = enum.auto()
    """A template string with a substitution."""
    NAME = enum.auto()
    NUMBER = enum.auto()
    MARK = enum.auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text, and its line, counted from 1."""

    kind: Kind
    text: str
    line: int

    def marks(self, *marks: str) -> bool:
        """Whether it is one of these punctuators."""
        return self.kind is Kind.MARK and self.text in marks


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only a running page has. `name` is the name that stands there; empty for anything else."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its line."""

    line: int
    value: str | float | bool | Unknown | tuple[Node, ...] | dict[str, Node] | None


_NAME = re.compile(r"[\w$]+")
_NUMBER = re.compile(r"\d[\w.]*")
_MARKS = re.compile(r"\.\.\.|=>|===?|!==?|\?\.|\?\?|&&|\|\||.", re.DOTALL)
_QUOTED = {quote: re.compile(rf"{quote}((?:[^{quote}\\\n]|\\.)*+){quote}", re.DOTALL) for quote in "\"'"}
_TEMPLATE = re.compile(r"`((?:[^`\\]|\\.)*+)`", re.DOTALL)
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "undefined": None}
_OPEN, _CLOSE = ("{", "[", "("), ("}", "]", ")")


def tokens(text: str) -> list[Token]:
    """The words of a text, without comments. A quotation mark that does not end a string is punctuation."""
    found: list[Token] = []
    at, line = 0, 1
    open_until = {'"': 0, "'": 0, "`": 0}
    while at < len(text):
        char = text[at]
        end = at + 1
        if text.startswith("//", at):
            end = _or_end(text.find("\n", at), text)
        elif text.startswith("/*", at):
            stop = text.find("*/", at + 2)
            end = len(text) if stop < 0 else stop + 2
        elif char in open_until:
            string = (_TEMPLATE if char == "`" else _QUOTED[char]).match(text, at) if at >= open_until[char] else None
            if string is None:
                # Each such mark on the line would look for its end again.
                open_until[char] = len(text) if char == "`" else _or_end(text.find("\n", at), text)
                found.append(Token(Kind.MARK, char, line))
            else:
                end = string.end()
                computed = char == "`" and re.search(r"(?<!\\)(?:\\\\)*+\$\{", string[1]) is not None
                found.append(Token(Kind.TEMPLATE if computed else Kind.TEXT, _unescaped(string[1]), line))
        elif char.isalpha() or char in "_$":
            word = _NAME.match(text, at)
            assert word is not None
            end = word.end()
            found.append(Token(Kind.NAME, word[0], line))
        elif "0" <= char <= "9":
            number = _NUMBER.match(text, at)
            assert number is not None
            end = number.end()
            found.append(Token(Kind.NUMBER, number[0], line))
        elif not char.isspace() and char != "\ufeff":
            mark = _MARKS.match(text, at)
            assert mark is not None
            end = mark.end()
            found.append(Token(Kind.MARK, mark[0], line))
        line += text.count("\n", at, end)
        at = end
    return found


def read(words: Sequence[Token], at: int) -> Node:
    """The value that starts at that token. Raises LiteralError."""
    return _value(words, at, 0)[0]


def _or_end(position: int, text: str) -> int:
    return len(text) if position < 0 else position


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        body = match[1]
        if body[0] in "ux" and len(body) > 1:
            number = int(body[1:].strip("{}"), 16)
            return chr(number) if number <= 0x10FFFF else "\ufffd"
        return _ESCAPED.get(body, body)

    text = _ESCAPE.sub(plain, text)
    # JavaScript writes characters beyond the first 65536 as two escapes.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _value(words: Sequence[Token], at: int, depth: int) -> tuple[Node, int]:
    if at >= len(words):
        raise LiteralError(words[-1].line if words else 1, "the text ends too early; a bracket is not closed")
    if depth > DEEPEST:
        raise LiteralError(words[at].line, "nested too deeply")
    word = words[at]
    node, after = _primary(words, at, depth)
    if after < len(words):
        follower = words[after]
        if follower.kind is Kind.NAME and follower.text in ("as", "satisfies"):
            after = _skip(words, after)
        elif follower.kind is Kind.TEMPLATE or (
            follower.kind is Kind.MARK and follower.text not in (*_CLOSE, ",", ";", ":", "{", "`", "'", '"', "@", "#")
        ):
            # What follows goes on with the expression: a call, an access, an operator.
            name = _path(words, at)
            return Node(word.line, Unknown(name)), _skip(words, after)
    return node, after


def _primary(words: Sequence[Token], at: int, depth: int) -> tuple[Node, int]:
    word = words[at]
    if word.kind is Kind.TEXT:
        return Node(word.line, word.text), at + 1
    if word.marks("["):
        return _array(words, at, depth)
    if word.marks("{"):
        return _object(words, at, depth)
    if word.kind is Kind.NUMBER:
        try:
            return Node(word.line, float(word.text)), at + 1
        except ValueError:
            return Node(word.line, Unknown()), at + 1
    if word.kind is Kind.NAME and word.text in _CONSTANTS:
        return Node(word.line, _CONSTANTS[word.text]), at + 1
    if word.marks(*_CLOSE, ",", ";", ":"):
        raise LiteralError(word.line, f"a value is missing before {word.text}")
    name = _path(words, at)
    return Node(word.line, Unknown(name)), _skip(words, at)


def _path(words: Sequence[Token], at: int) -> str:
    """The name at that token, with its members: `process.env.TURN_USER`; empty if it is more than that."""
    parts: list[str] = []
    while at < len(words) and words[at].kind is Kind.NAME:
        parts.append(words[at].text)
        at += 1
        if at < len(words) and words[at].marks(".", "?."):
            at += 1
        else:
            break
    over = at >= len(words) or words[at].marks(*_CLOSE, ",", ";", "!")
    return ".".join(parts) if over else ""


def _skip(words: Sequence[Token], at: int) -> int:
    """Position of the comma, semicolon or bracket that ends the expression."""
    inside = 0
    while at < len(words):
        if words[at].marks(*_OPEN):
            inside += 1
        elif words[at].marks(*_CLOSE):
            if not inside:
                break
            inside -= 1
        elif not inside and words[at].marks(",", ";"):
            break
        at += 1
    return at


def _array(words: Sequence[Token], at: int, depth: int) -> tuple[Node, int]:
    line, found = words[at].line, list[Node]()
    at += 1
    while at < len(words):
        word = words[at]
        if word.marks("]"):
            return Node(line, tuple(found)), at + 1
        if word.marks("..."):
            found.append(Node(word.line, Unknown(_path(words, at + 1))))
            at = _skip(words, at)
        else:
            node, at = _value(words, at, depth + 1)
            found.append(node)
        at = _comma(words, at, "]")
    raise LiteralError(line, "[ is not closed")


def _object(words: Sequence[Token], at: int, depth: int) -> tuple[Node, int]:
    line, found = words[at].line, dict[str, Node]()
    at += 1
    while at < len(words):
        word = words[at]
        if word.marks("}"):
            return Node(line, found), at + 1
        if word.marks("...", "["):
            # A spread or a computed key may set any key, and replaces those before it.
            unknown = Node(word.line, Unknown(_path(words, at + 1) if word.text == "..." else ""))
            found = {**dict.fromkeys(found, unknown), "...": unknown}
            at = _skip(words, at)
        elif word.kind is Kind.MARK or word.kind is Kind.TEMPLATE:
            raise LiteralError(
                word.line, f"{word.text if word.kind is Kind.MARK else 'a template'} where a key belongs"
            )
        elif at + 1 < len(words) and words[at + 1].marks(":"):
            found[word.text], at = _value(words, at + 2, depth + 1)
        else:
            short = at + 1 < len(words) and words[at + 1].marks(",", "}")
            if not short and not (word.kind is Kind.NAME and at + 1 < len(words) and words[at + 1].line == word.line):
                raise LiteralError(word.line, "a colon is missing after a key")
            found[word.text] = Node(word.line, Unknown(word.text if word.kind is Kind.NAME and short else ""))
            at = _skip(words, at)
        at = _comma(words, at, "}")
    raise LiteralError(line, "{ is not closed")


def _comma(words: Sequence[Token], at: int, closing: str) -> int:
    if at < len(words) and words[at].marks(","):
        return at + 1
    if at < len(words) and not words[at].marks(closing):
        raise LiteralError(words[at].line, f"a comma or {closing} is missing")
    return at
