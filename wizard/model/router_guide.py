"""Where a router's port forwarding is and what its fields are called: one file each in `resources/router-guides`."""

from __future__ import annotations

import enum
import re
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from wizard.model.forward import Forward
from wizard.model.gateway import Gateway
from wizard.model.port import OutsidePort, PortRange, Protocol
from wizard.model.presets import Wording
from wizard.model.resource import resource

GENERIC = "generic"
"""The guide for a router that none of the others is for."""


class GuideError(ValueError):
    """A guide's file cannot be used; the message says which, where, and what is wrong."""


class Cell(enum.StrEnum):
    """What goes into a field of a port forwarding rule."""

    NAME = "name"
    PROTOCOL = "protocol"
    EXTERNAL = "external"
    EXTERNAL_FIRST = "external-first"
    EXTERNAL_LAST = "external-last"
    EXTERNAL_END = "external-end"
    """The last port of a range; empty for a single port."""
    INTERNAL = "internal"
    INTERNAL_FIRST = "internal-first"
    INTERNAL_LAST = "internal-last"
    INTERNAL_ALONE = "internal-alone"
    """The port of a rule for a single port; empty for a range, whose numbers stay as they are."""
    HOST = "host"
    FIXED = "fixed"
    """The same in every rule: the guide says what."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the router's page names it. `value` only for what is the same in every rule."""

    cell: Cell
    label: Wording
    value: Wording | None = None


@dataclass(frozen=True, slots=True)
class Guide:
    """One maker's routers. Names differ between models and versions, and so are near, not exact."""

    id: str
    title: Wording
    source: str
    """Where the facts come from."""
    manufacturers: tuple[str, ...]
    """How the maker writes itself in UPnP, in small letters: parts of it."""
    models: tuple[str, ...]
    """The same of the model."""
    addresses: tuple[str, ...]
    """Where its pages are usually opened."""
    page: tuple[Wording, ...]
    """The menu entries that lead to the page."""
    called: Wording
    """What port forwarding is called there."""
    separator: str
    """Between the first and the last port of a range; empty where each port takes a rule of its own."""
    shifts: bool
    """Whether a range can arrive inside on other numbers, each on its own."""
    fields: tuple[Field, ...]
    quirks: tuple[Wording, ...]
    before: tuple[str, ...] = ()
    """Commands before those of the rules; empty where it has no command line for this."""
    command: str = ""
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One rule to enter: each field by its label, and the planned ports that it is for."""

    cells: tuple[tuple[str, str], ...]
    forward: Forward
    outside: PortRange

    @property
    def ports(self) -> tuple[OutsidePort, ...]:
        """The planned ports that the row is for."""
        return tuple(OutsidePort(self.forward.protocol, number) for number in self.outside)

    @property
    def text(self) -> str:
        """The row on one line."""
        return ", ".join(f"{label}: {value}" for label, value in self.cells)


@cache
def guides() -> tuple[Guide, ...]:
    """Every guide that comes with Hopwise, in the order to show them."""
    return read_folder(resource("router-guides"))


def read_folder(folder: Path) -> tuple[Guide, ...]:
    """The guides in a folder, one `.toml` file each. Raises GuideError for one that is not whole."""
    loaded = [_load(path) for path in sorted(folder.glob("*.toml"))]
    return tuple(guide for _, guide in sorted(loaded, key=lambda entry: (entry[0], entry[1].id)))


def guide(guide_id: str) -> Guide:
    """The guide of that id. Raises KeyError for an unknown one."""
    for candidate in guides():
        if candidate.id == guide_id:
            return candidate
    raise KeyError(guide_id)


def guide_for(gateway: Gateway | None) -> Guide:
    """The guide for a router as it names itself: by its model first, for some makers sell under many names."""
    maker, model = (gateway.manufacturer.lower(), f"{gateway.model} {gateway.name}".lower()) if gateway else ("", "")
    for candidate in guides():
        if any(part in model for part in candidate.models):
            return candidate
    for candidate in guides():
        if any(part in maker for part in candidate.manufacturers):
            return candidate
    return guide(GENERIC)


def rows(guide: Guide, forwards: Iterable[Forward], language: str = "en") -> tuple[Row, ...]:
    """What to enter, rule by rule; a range takes a row for each port where the router knows no ranges."""
    found: list[Row] = []
    empty = _EMPTY.say(language)
    for forward in forwards:
        for outside in _pieces(guide, forward):
            values = _values(guide, forward, outside)
            cells = tuple(
                (field.label.say(language), field.value.say(language) if field.value else values[field.cell] or empty)
                for field in guide.fields
            )
            found.append(Row(cells, forward, outside))
    return tuple(found)


def commands(guide: Guide, forwards: Iterable[Forward]) -> str:
    """The same rules for the router's command line; empty where the guide has none."""
    if not guide.command:
        return ""
    lines = [*guide.before]
    for forward in forwards:
        for outside in _pieces(guide, forward):
            told = _values(guide, forward, outside)
            slug = re.sub(r"[^A-Za-z0-9]+", "-", forward.name).strip("-") or "ports"
            lines.append(
                string.Template(guide.command).substitute(
                    slug=slug,
                    transport=forward.protocol.value,
                    external=told[Cell.EXTERNAL],
                    internal=told[Cell.INTERNAL],
                    host=told[Cell.HOST],
                )
            )
    return "\n".join(line.strip("\n") for line in (*lines, *guide.after))


def _pieces(guide: Guide, forward: Forward) -> list[PortRange]:
    """The parts of a rule that one rule of this router can do."""
    moved = forward.external != forward.internal
    if guide.separator and (guide.shifts or not moved):
        return [forward.outside]
    return [PortRange(number, number) for number in forward.outside]


def _values(guide: Guide, forward: Forward, outside: PortRange) -> Mapping[Cell, str]:
    offset = outside.first - forward.outside.first
    length = len(outside) - 1
    external, internal = forward.external.first + offset, forward.internal.first + offset

    def ranged(first: int) -> str:
        return f"{first}{guide.separator or '-'}{first + length}" if length else str(first)

    return {
        Cell.NAME: forward.name,
        Cell.PROTOCOL: "UDP" if forward.protocol is Protocol.UDP else "TCP",
        Cell.EXTERNAL: ranged(external),
        Cell.EXTERNAL_FIRST: str(external),
        Cell.EXTERNAL_LAST: str(external + length),
        Cell.EXTERNAL_END: str(external + length) if length else "",
        Cell.INTERNAL_ALONE: "" if length else str(internal),
        Cell.INTERNAL: ranged(internal),
        Cell.INTERNAL_FIRST: str(internal),
        Cell.INTERNAL_LAST: str(internal + length),
        Cell.HOST: forward.host or "…",
        Cell.FIXED: "",
    }


_EMPTY = Wording("(leave empty)", "（留空）")
_KEYS = {"order", "title", "source", "recognise", "page", "rule", "quirks", "commands"}
_OPTIONAL = {"recognise", "commands"}


def _load(path: Path) -> tuple[int, Guide]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GuideError(f"{path.name}: {error}") from error
    reader = _Reader(path.name)
    reader.keys(table, "", _KEYS, _OPTIONAL)
    recognise = reader.keys(
        table.get("recognise", {}), "recognise", {"manufacturer", "model"}, {"manufacturer", "model"}
    )
    page = reader.keys(table["page"], "page", {"addresses", "path", "called"})
    rule = reader.keys(table["rule"], "rule", {"range", "shifts", "fields"})
    told = reader.keys(table.get("commands", {}), "commands", {"before", "each", "after"}, {"before", "each", "after"})
    separator = reader.text(rule["range"], "rule.range", empty=True)
    fields = tuple(
        _field(reader, entry, f"rule.fields[{number}]")
        for number, entry in enumerate(reader.list(rule["fields"], "rule.fields"), start=1)
    )
    _complete(path.name, fields)
    order = table["order"]
    if not isinstance(order, int):
        raise GuideError(f"{path.name}: order is no whole number")
    return order, Guide(
        id=path.stem,
        title=reader.wording(table["title"], "title"),
        source=reader.text(table["source"], "source"),
        manufacturers=reader.texts(recognise.get("manufacturer", []), "recognise.manufacturer"),
        models=reader.texts(recognise.get("model", []), "recognise.model"),
        addresses=reader.texts(page["addresses"], "page.addresses"),
        page=tuple(reader.wording(entry, f"page.path[{n}]") for n, entry in enumerate(page["path"], start=1)),
        called=reader.wording(page["called"], "page.called"),
        separator=separator,
        shifts=rule["shifts"] is True,
        fields=fields,
        quirks=tuple(reader.wording(entry, f"quirks[{n}]") for n, entry in enumerate(table["quirks"], start=1)),
        before=reader.texts(told.get("before", []), "commands.before"),
        command=reader.text(told.get("each", ""), "commands.each", empty=True),
        after=reader.texts(told.get("after", []), "commands.after"),
    )


def _field(reader: _Reader, entry: Any, at: str) -> Field:
    reader.keys(entry, at, {"cell", "label", "value"}, {"value"})
    try:
        cell = Cell(entry["cell"])
    except ValueError:
        raise GuideError(f"{reader.file}: {at}.cell: {entry['cell']!r} is none of {', '.join(Cell)}") from None
    if (cell is Cell.FIXED) is not ("value" in entry):
        raise GuideError(f"{reader.file}: {at}: a value belongs to a fixed field, and only there")
    value = reader.wording(entry["value"], f"{at}.value") if "value" in entry else None
    return Field(cell, reader.wording(entry["label"], f"{at}.label"), value)


def _complete(file: str, fields: tuple[Field, ...]) -> None:
    cells = {field.cell for field in fields}
    external = Cell.EXTERNAL in cells or Cell.EXTERNAL_FIRST in cells
    if not external or not {Cell.PROTOCOL, Cell.HOST} <= cells:
        raise GuideError(f"{file}: rule.fields: a rule needs a protocol, a host and outer ports")


class _Reader:
    """Values of a file, with the file and the key in every complaint."""

    def __init__(self, file: str) -> None:
        self.file = file

    def keys(self, value: Any, at: str, known: set[str], optional: Iterable[str] = ()) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise GuideError(f"{self.file}: {at} is no table")
        where = f"{at}." if at else ""
        if unknown := set(value) - known:
            raise GuideError(f"{self.file}: {where}{min(unknown)}: no such key; there are {', '.join(sorted(known))}")
        if missing := known - set(optional) - set(value):
            raise GuideError(f"{self.file}: {where}{min(missing)} is missing")
        return value

    def text(self, value: Any, at: str, *, empty: bool = False) -> str:
        if not isinstance(value, str) or not (empty or value.strip()):
            raise GuideError(f"{self.file}: {at} is no text")
        return value

    def list(self, value: Any, at: str) -> list[Any]:
        if not isinstance(value, list):
            raise GuideError(f"{self.file}: {at} is no list")
        return value

    def texts(self, value: Any, at: str) -> tuple[str, ...]:
        return tuple(self.text(entry, f"{at}[{n}]") for n, entry in enumerate(self.list(value, at), start=1))

    def wording(self, value: Any, at: str) -> Wording:
        self.keys(value, at, {"en", "zh"})
        return Wording(self.text(value["en"], f"{at}.en"), self.text(value["zh"], f"{at}.zh"))
