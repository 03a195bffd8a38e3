"""A project into the text of its present file: only what changed is touched, comments and unknown keys stay.

Each `[[…]]` table is a block of text with its comments. tomlkit edits inside a block; the order of blocks is ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from wizard.model.lines import Header, Layout
from wizard.model.load import parse, read_text
from wizard.model.port import PortRange
from wizard.model.problem import ProjectError
from wizard.model.project import Project
from wizard.model.table import KEYS, to_table
from wizard.model.text import LISTS, element_text, key_text
from wizard.model.validate import read

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the file: its lines, and the blank ones after them. `kind` is "" for all that is not ours."""

    kind: str
    body: str
    space: str


def merge(project: Project, target: Path) -> str | None:
    """The file's text for `project`; None if that cannot be made by touching only what changed.

    Raises ProjectError if the file cannot be read as TOML.
    """
    text = read_text(target)
    crlf = "\r\n" in text and not re.search(r"(?<!\r)\n", text)
    if crlf:
        text = text.replace("\r\n", "\n")
    table = parse(text, str(target))
    new = to_table(project)
    try:
        merged = _merge(text, table, new)
        same = read(parse(merged, "")) == read(new)
    except (TOMLKitError, ProjectError, RecursionError):
        return None
    # Also false if the file has secrets or faults of its own: they are not carried on.
    if not same:
        return None
    if crlf:
        merged = merged.replace("\n", "\r\n")
    return (_BOM if target.read_bytes().startswith(_BOM.encode()) else "") + merged


def _merge(text: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    blocks = _blocks(text)
    ours = {kind: [block for block in blocks if block.kind == kind] for kind in LISTS}
    # A list that is not written as [[…]] tables stands at the top of the file, as one value.
    inline = {kind for kind in LISTS if kind in old and not ours[kind]}
    changed = {kind for kind in inline if not _same_items(kind, old[kind], new[kind])}
    pieces: list[str] = []
    waiting = {kind: _elements(kind, ours[kind], old, new) for kind in LISTS if kind not in inline - changed}
    for position, block in enumerate(blocks):
        if position == 0:
            _append(pieces, _edit_top(block.body, old, new, drop=changed) + block.space)
        elif not block.kind:
            _append(pieces, block.body + block.space)
        else:
            elements = waiting[block.kind]
            last = block is ours[block.kind][-1]
            count = len(elements) if last else min(1, len(elements))
            bodies = [elements.pop(0) for _ in range(count)]
            if bodies:
                _append(pieces, "\n".join(bodies) + block.space)
    for elements in waiting.values():
        for body in elements:
            if pieces and not pieces[-1].endswith("\n\n"):
                pieces.append("\n")
            pieces.append(body)
    return "".join(pieces)


def _append(pieces: list[str], text: str) -> None:
    if pieces and text and pieces[-1] and not pieces[-1].endswith("\n"):
        pieces.append("\n")
    pieces.append(text)


def _blocks(text: str) -> list[Block]:
    """The file cut before the comment above each table; the first block is what stands before all tables."""
    headers = [header for header in Layout(text).headers if not _nested(header)]
    cuts = [0]
    kinds = [""]
    seen: set[str] = set()
    for header in headers:
        kind = header.key[0] if header.array and header.key[0] in LISTS else ""
        start = text.rfind("\n", 0, header.start) + 1
        if kind and kind not in seen:
            # The comment above the first table of a kind is about all of them, and stays where it is.
            cuts.append(_above(text, start, cuts[-1], blank=True))
            kinds.append("")
        else:
            start = _above(text, start, cuts[-1], blank=False)
        seen.add(kind)
        cuts.append(start)
        kinds.append(kind)
    blocks: list[Block] = []
    for kind, start, end in zip(kinds, cuts, [*cuts[1:], len(text)], strict=True):
        piece = text[start:end]
        body = piece.rstrip()
        blocks.append(Block(kind, body + "\n" if body else "", piece[len(body) :].partition("\n")[2]))
    return blocks


def _nested(header: Header) -> bool:
    """Whether the table belongs to an element of one of our lists, as `[ports.inside]`."""
    return len(header.key) > 1 and header.key[0] in LISTS


def _above(text: str, start: int, floor: int, *, blank: bool) -> int:
    """Start of the comment lines, and `blank` lines if wanted, directly above position `start`."""
    while start > floor:
        before = max(floor, text.rfind("\n", 0, start - 1) + 1)
        line = text[before:start].strip()
        if not (line.startswith("#") or (blank and not line)):
            break
        start = before
    return start


def _edit_top(body: str, old: Mapping[str, Any], new: Mapping[str, Any], *, drop: set[str]) -> str:
    document = tomlkit.parse(body)
    for kind in drop:
        document.remove(kind)
    _edit(document, "", old, new)
    return tomlkit.dumps(document)


def _elements(kind: str, blocks: list[Block], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The text of each element of a list, in the new order, made from the old element that it comes from."""
    before: list[Mapping[str, Any]] = list(old.get(kind, ()))
    texts: list[str] = []
    for item, origin in zip(new[kind], _origins(kind, before, new[kind]), strict=True):
        if origin is None:
            texts.append(element_text(kind, item))
        elif not blocks:
            extra = {key: value for key, value in before[origin].items() if key not in KEYS[kind]}
            lines = (f"{key_text(key)} = {tomlkit.item(_item(value)).as_string()}\n" for key, value in extra.items())
            texts.append(element_text(kind, item) + "".join(lines))
        else:
            body = blocks[origin].body
            if not _same(kind, before[origin], item):
                document = tomlkit.parse(body)
                tables: Any = document[kind]
                _edit(tables[0], kind, before[origin], item)
                body = tomlkit.dumps(document)
            texts.append(body)
    return texts


def _edit(container: Any, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Set what differs, remove what is gone, in a tomlkit table."""
    for key in KEYS[kind]:
        if kind == "" and key in LISTS:
            continue
        if key not in new:
            if key in old:
                container.remove(key)
        elif key not in old:
            container.append(key, _item(new[key]))
        elif not _same_value(key, old[key], new[key]):
            if key == "inside" and isinstance(old[key], Mapping):
                _edit_inside(container[key], old[key], new[key])
            else:
                container[key] = _item(new[key])


def _edit_inside(container: Any, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for hop in old:
        if hop not in new:
            container.remove(hop)
    for hop, numbers in new.items():
        if hop not in old or not _same_numbers(old[hop], numbers):
            container[hop] = numbers


def _item(value: Any) -> Any:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return table
    return value


def _origins(kind: str, old: list[Mapping[str, Any]], new: list[Mapping[str, Any]]) -> list[int | None]:
    """For each new element the old one that it comes from: the same, of the same name, or in the same place."""
    origins: list[int | None] = [None] * len(new)
    free = set(range(len(old)))

    def match(name: Callable[[Mapping[str, Any]], Hashable]) -> None:
        for position, item in enumerate(new):
            if origins[position] is None and name(item) is not None:
                found = next((i for i in sorted(free) if name(old[i]) == name(item)), None)
                if found is not None:
                    origins[position] = found
                    free.discard(found)

    for position, item in enumerate(new):
        # Its own place first: mostly nothing has moved.
        places = [position, *sorted(free)] if position in free else sorted(free)
        found = next((i for i in places if _same(kind, old[i], item)), None)
        if found is not None:
            origins[position] = found
            free.discard(found)
    if kind == "ports":
        match(lambda item: (item.get("protocol"), str(item.get("outside"))))
        match(lambda item: (item.get("protocol"), item.get("name")))
    else:
        match(lambda item: item.get("id"))
    for position in range(len(new)):
        if origins[position] is None and position in free:
            origins[position] = position
            free.discard(position)
    return origins


def _same_items(kind: str, old: Any, new: list[Mapping[str, Any]]) -> bool:
    return (
        isinstance(old, list)
        and len(old) == len(new)
        and all(isinstance(a, Mapping) and _same(kind, a, b) for a, b in zip(old, new, strict=True))
    )


def _same(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the known keys of two elements say the same."""
    return all(
        (key in old) == (key in new) and (key not in old or _same_value(key, old[key], new[key])) for key in KEYS[kind]
    )


def _same_value(key: str, old: Any, new: Any) -> bool:
    if key == "outside":
        return _same_numbers(old, new)
    if key == "inside":
        return (
            isinstance(old, Mapping)
            and old.keys() == new.keys()
            and all(_same_numbers(old[hop], new[hop]) for hop in new)
        )
    if key == "urls" and isinstance(old, str):
        return bool(new == [old])
    return type(old) is type(new) and bool(old == new)


def _same_numbers(old: Any, new: Any) -> bool:
    """Whether two texts, or a text and a number, are the same range: 8172 is "8172"."""
    try:
        return PortRange.parse(str(old)) == PortRange.parse(str(new))
    except ValueError:
        return False
