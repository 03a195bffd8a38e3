"""JSON as a tree."""

from __future__ import annotations

import json

from wizard.configs.reading import UnreadableError
from wizard.configs.tree import Tree, check_brackets, check_size, too_deep
from wizard.model.phrase import Phrase
from wizard.wire.js_literal import LiteralError, Node, Unknown, read, tokens

LARGEST = 1024 * 1024
"""Characters at most: what Docker tells of many containers is long."""


def json_tree(text: str) -> Tree:
    """The text's only value. Raises UnreadableError."""
    check_size(text, LARGEST)
    check_brackets(text)
    try:
        # The reader of literals takes more than JSON.
        json.loads(text)
        return _grown(read(tokens(text), 0))
    except json.JSONDecodeError as fault:
        raise UnreadableError(Phrase("syntax", {"text": fault.msg}), fault.lineno) from None
    except RecursionError:
        raise too_deep() from None
    except ValueError as fault:
        raise _refused(fault) from None


def _refused(fault: ValueError) -> UnreadableError:
    if isinstance(fault, LiteralError):
        return UnreadableError(Phrase("syntax", {"text": str(fault).partition(": ")[2]}), fault.line)
    return UnreadableError(Phrase("syntax", {"text": str(fault)}))


def _grown(node: Node) -> Tree:
    match node.value:
        case dict():
            return Tree({key: _grown(part) for key, part in node.value.items()}, node.line)
        case tuple():
            return Tree(tuple(_grown(part) for part in node.value), node.line)
        case bool():
            return Tree(str(node.value).lower(), node.line)
        case float():
            return Tree(f"{node.value:.0f}" if node.value.is_integer() else str(node.value), node.line)
        case Unknown():
            raise UnreadableError(Phrase("syntax", {"text": "a value without quotes"}), node.line)
    return Tree(node.value, node.line)
