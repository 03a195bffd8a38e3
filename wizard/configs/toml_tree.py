"""TOML as a tree."""

from __future__ import annotations

from typing import Any

from wizard.configs.reading import UnreadableError
from wizard.configs.tree import DEEPEST, Tree, check_size, too_deep
from wizard.model.lines import Layout
from wizard.model.load import LARGEST, parse
from wizard.model.phrase import Phrase
from wizard.model.problem import KeyPath, ProjectError


def toml_tree(text: str) -> Tree:
    """The text's tables. Raises UnreadableError."""
    check_size(text, LARGEST)
    try:
        table = parse(text, "")
        layout = Layout(text)
    except ProjectError as fault:
        (problem,) = fault.problems
        if problem.code == "too-deep":
            raise too_deep() from None
        raise UnreadableError(Phrase("syntax", {"text": problem.gaps.get("why", "")}), problem.line) from None
    except RecursionError:
        raise too_deep() from None
    return _grown(table, (), layout)


def _grown(value: Any, path: KeyPath, layout: Layout) -> Tree:
    line = layout.line(path) or 1
    if len(path) > DEEPEST:
        raise too_deep(line)
    if isinstance(value, dict):
        return Tree({key: _grown(part, (*path, key), layout) for key, part in value.items()}, line)
    if isinstance(value, list):
        return Tree(tuple(_grown(part, (*path, at), layout) for at, part in enumerate(value)), line)
    if isinstance(value, bool):
        return Tree(str(value).lower(), line)
    return Tree(str(value), line)
