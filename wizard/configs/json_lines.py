"""JSON of which each value knows its line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from wizard.configs.reading import UnreadableError
from wizard.model.phrase import Phrase
from wizard.wire.js_literal import LiteralError, Node, read, tokens

NOTHING = Node(0, None)


def parsed(text: str) -> Node:
    """The value that a text is. Raises UnreadableError."""
    if not text.strip():
        raise UnreadableError(Phrase("empty"))
    try:
        json.loads(text)
        return read(tokens(text), 0)
    except json.JSONDecodeError as fault:
        raise UnreadableError(Phrase("syntax", {"text": fault.msg}), fault.lineno) from None
    except RecursionError:
        raise UnreadableError(Phrase("too-deep")) from None
    except LiteralError as fault:
        raise UnreadableError(Phrase("too-deep"), fault.line) from None
    except ValueError as fault:
        raise UnreadableError(Phrase("syntax", {"text": str(fault)})) from None


def member(node: Node, *names: str) -> Node:
    """What an object has under the first of these names that it has; `NOTHING` otherwise."""
    if isinstance(node.value, dict):
        for name in names:
            if name in node.value:
                return node.value[name]
    return NOTHING


def elements(node: Node) -> tuple[Node, ...]:
    """What is in a list; a value that is none stands for a list of itself, and null for an empty one."""
    if isinstance(node.value, tuple):
        return node.value
    return () if node.value is None else (node,)


def words(node: Node) -> Iterator[str]:
    """The texts and whole numbers of a list, as texts."""
    for element in elements(node):
        yield word(element)


def word(node: Node) -> str:
    """A text, a whole number or a truth, as a text; empty for anything else."""
    value = node.value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else ""
