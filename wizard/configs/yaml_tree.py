"""YAML as a tree. Aliases and merge keys are followed, within bounds: a few lines of YAML can stand for billions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wizard.configs.reading import UnreadableError
from wizard.configs.tree import DEEPEST, Tree, check_brackets, check_size, too_deep
from wizard.model.phrase import Phrase

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

MOST_PARTS = 50_000
"""Values that a file stands for at most, each alias counted with all that it stands for."""
_NULLS = ("", "~", "null", "Null", "NULL")


def yaml_tree(text: str) -> Tree:
    """The only document of a text. Raises UnreadableError."""
    # 30 ms to import, and few commands read YAML.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    check_size(text)
    check_brackets(text)
    parser = YAML(pure=True)
    try:
        node = parser.compose(text)
    except MarkedYAMLError as fault:
        mark: Any = fault.problem_mark
        raise _syntax(str(fault.problem), None if mark is None else mark.line + 1) from None
    except YAMLError as fault:
        raise _syntax(str(fault).partition("\n")[0], None) from None
    except RecursionError:
        raise too_deep() from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError) as fault:
        # The parser's own slips over directives and characters that make no YAML.
        raise _syntax(str(fault).partition("\n")[0], None) from None
    if node is None:
        raise UnreadableError(Phrase("empty"))
    return _Grower().grown(node, 0)


def _syntax(why: str, line: int | None) -> UnreadableError:
    return UnreadableError(Phrase("syntax", {"text": why}), line)


class _Grower:
    def __init__(self) -> None:
        self.parts = 0

    def grown(self, node: Node, depth: int) -> Tree:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        self.parts += 1
        line = node.start_mark.line + 1
        if depth > DEEPEST or self.parts > MOST_PARTS:
            raise too_deep(line)
        tag = _own_tag(node)
        if isinstance(node, MappingNode):
            return Tree(self._table(node, depth), line, tag)
        if isinstance(node, SequenceNode):
            return Tree(tuple(self.grown(item, depth + 1) for item in node.value), line, tag)
        plain = getattr(node, "style", None) in (None, "")
        return Tree(None if plain and node.value in _NULLS else str(node.value), line, tag, str(node.value))

    def _table(self, node: Node, depth: int) -> dict[str, Tree]:
        own: dict[str, Tree] = {}
        merged: dict[str, Tree] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key.value, str):
                raise _syntax("a list or a table as a key", line)
            if key.value == "<<" and key.style in (None, ""):
                for name, tree in self._merged(value, depth):
                    merged.setdefault(name, tree)
            elif key.value in own:
                raise UnreadableError(Phrase("twice", {"name": key.value}), line)
            else:
                grown = self.grown(value, depth + 1)
                # An empty value stands on the line of its key, and YAML's parser puts it behind what follows.
                own[key.value] = Tree(None, line, grown.tag) if grown.value is None else grown
        return {**merged, **own}

    def _merged(self, node: Node, depth: int) -> list[tuple[str, Tree]]:
        grown = self.grown(node, depth + 1)
        tables = grown.value if isinstance(grown.value, tuple) else (grown,)
        return [pair for table in tables for pair in table.items()]


def _own_tag(node: Node) -> str:
    tag = str(node.tag or "")
    return tag if tag.startswith("!") and tag != "!" else ""
