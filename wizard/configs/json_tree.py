"""JSON as a tree."""

from __future__ import annotations

from wizard.configs.json_lines import parsed, word
from wizard.configs.tree import Tree, check_brackets, check_size
from wizard.wire.js_literal import Node

LARGEST = 1024 * 1024
"""Characters at most: what Docker tells of many containers is long."""


def json_tree(text: str) -> Tree:
    """The text's only value. Raises UnreadableError."""
    check_size(text, LARGEST)
    check_brackets(text)
    return _grown(parsed(text))


def _grown(node: Node) -> Tree:
    match node.value:
        case dict():
            return Tree({key: _grown(part) for key, part in node.value.items()}, node.line)
        case tuple():
            return Tree(tuple(_grown(part) for part in node.value), node.line)
        case None:
            return Tree(None, node.line)
        case bool():
            return Tree(str(node.value).lower(), node.line)
    return Tree(word(node), node.line)
