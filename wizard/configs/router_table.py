"""The port forwarding table of a router, as people copy it: Markdown, CSV, columns of text, or lines with an arrow."""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from wizard.configs.filtering import BOTH, EVERY_FAMILY, EVERY_PORT
from wizard.configs.forwarding import Numbering, PortForward
from wizard.configs.gateway_reading import GatewayReading
from wizard.configs.product import Likeness, Order, Product, Wanted, Written
from wizard.configs.reading import Note, Source, UnreadableError
from wizard.configs.who import Who, networks, who
from wizard.configs.words import say
from wizard.configs.writing import comment, targetless, written
from wizard.model.address import is_name
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol
from wizard.model.resource import resource

_LONGEST = 1000
"""Characters of a line that are looked at."""
_PORTS = r"\d+(?:\s*[-:~–—]\s*\d+)?"
_DOCKER = re.compile(r"\d+/(?:tcp|udp|sctp) -> ")
"""What `docker port` prints has the container first, and the outside behind the arrow."""
_ARROW = re.compile(
    rf"""(?:[-*•]\s+)?(?:(?P<name>[^|,;\t]*?)[:：]\s+)?
    (?:(?P<before>tcp/udp|udp/tcp|tcp\+udp|tcp|udp|both)\s+(?P<outer>{_PORTS})|(?P<first>{_PORTS})/(?P<after>tcp|udp))
    \s*(?:->|=>|→|⇒|➜)\s*
    (?:(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]*[A-Za-z_.][A-Za-z0-9_.-]*)\s*)?
    (?::?\s*(?P<inner>{_PORTS}))?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_ENTRY = re.compile(r"\b(?:tcp|udp)\b.*\d|\d.*\b(?:tcp|udp)\b|\b\d{1,3}(?:\.\d{1,3}){3}\b", re.IGNORECASE)
"""What a line of prose does not have."""
_COLUMNS = ("name", "outer", "inner", "protocol", "host")
"""What a new table has, in its order."""


@cache
def _vocabulary() -> Mapping[str, Mapping[str, list[str]]]:
    """The words for columns and cells."""
    with resource("router-table.toml").open("rb") as file:
        words: Mapping[str, Mapping[str, list[str]]] = tomllib.load(file)
    return words


@cache
def _headings() -> Mapping[str, str]:
    """The column that a heading means."""
    return {heading: column for column, headings in _vocabulary()["columns"].items() for heading in headings}


def _means(cell: str, what: str) -> bool:
    return cell.strip().lower() in _vocabulary()["cells"][what]


@dataclass(frozen=True, slots=True)
class _Row:
    """One entry as text, by column."""

    line: int
    text: str
    cells: Mapping[str, str]


def _recognise(text: str) -> Likeness:
    lines = [line.strip()[:_LONGEST] for line in text.split("\n")]
    lines = [line for line in lines if line and not line.startswith(("#", "//", "```"))]
    if any(_header(line) is not None for line in lines[:40]):
        return Likeness.SURE
    arrows = sum(_ARROW.fullmatch(line) is not None and _DOCKER.match(line) is None for line in lines)
    return Likeness.NO if not arrows else Likeness.SURE if arrows * 2 > len(lines) else Likeness.MAYBE


def _read(source: Source) -> GatewayReading:
    notes: list[Note] = []
    rules: list[PortForward] = []
    unread: list[PortForward] = []
    for row in _rows(source.text):
        try:
            rules.extend(_rules(row))
        except ValueError:
            notes.append(Note(Phrase("line-not-understood", {"text": row.text}), row.line))
            # A router takes each outer port once, so that a row cannot change what another says of it.
            unread.append(PortForward(row.line, row.text, BOTH, (EVERY_PORT,), families=EVERY_FAMILY, unread=True))
    if not rules and not unread and not notes:
        raise UnreadableError(Phrase("empty"))
    label = say(Phrase("table-router"))
    return GatewayReading(
        "router-table", source.name, HopKind.ROUTER, label, (*rules, *unread), notes=tuple(notes), every=False
    )


def _rows(text: str) -> Iterator[_Row]:
    header: list[str] | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()[:_LONGEST]
        if not line or line.startswith(("#", "//", "```")) or re.fullmatch(r"[-=+|:\s]+", line):
            continue
        arrow = _ARROW.fullmatch(line)
        if arrow is not None:
            yield _Row(number, line, _arrow_cells(arrow))
            continue
        found = _header(line)
        if found is not None:
            header = found
        elif header is not None and len(cells := _split(line)) > 1:
            yield _Row(number, line, dict(zip(header, cells, strict=False)))
        elif _ENTRY.search(line):
            yield _Row(number, line, {})


def _arrow_cells(arrow: re.Match[str]) -> dict[str, str]:
    outer = arrow["outer"] or arrow["first"]
    cells = {"name": arrow["name"], "outer": outer, "protocol": arrow["before"] or arrow["after"]}
    cells |= {"host": (arrow["host"] or "").strip("[]"), "inner": arrow["inner"]}
    return {column: cell or "" for column, cell in cells.items()}


def _header(line: str) -> list[str] | None:
    """The column of each cell, empty for one that is not known; None for a line that is no header."""
    cells = [re.sub(r"[\s_*`]+", " ", cell).strip().lower().rstrip(":：") for cell in _split(line)]
    columns = [_headings().get(re.sub(r"\s*[(（].*[)）]$", "", cell), "") for cell in cells]
    return columns if "outer" in columns and ("host" in columns or "inner" in columns) else None


def _split(line: str) -> list[str]:
    if "|" in line:
        return [cell.replace("`", "").strip() for cell in line.strip().strip("|").split("|")]
    delimiter = next((mark for mark in ("\t", ";", "，", ",") if mark in line), None)
    if delimiter is None:
        return re.split(r"\s{2,}", line.strip())
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return [line]


def _rules(row: _Row) -> Iterator[PortForward]:
    """What a row says; nothing for one that is switched off. Raises ValueError."""
    if _means(row.cells.get("enabled", ""), "off"):
        return
    outer = _ports(row.cells.get("outer", ""), row.cells.get("outer-last", ""))
    inner = _ports(row.cells.get("inner", ""), row.cells.get("inner-last", ""))
    host = row.cells.get("host", "").strip("[]") or None
    if not outer or (len(inner) != len(outer) and len(inner) > 1):
        raise ValueError(row.text)
    protocol = row.cells.get("protocol", "")
    sent = _senders(row.cells.get("senders", ""))
    for position, numbers in enumerate(outer):
        yield PortForward(
            row.line,
            row.text,
            _protocols(protocol),
            (numbers,),
            inner[position if len(inner) == len(outer) else 0] if inner else None,
            host,
            row.cells.get("name", ""),
            frozenset((_family(host),)),
            who=sent if protocol else min(sent, Who.PERHAPS),
            numbering=Numbering.UNSAID,
        )


def _family(host: str | None) -> int:
    if host is None or (not re.fullmatch(r"[0-9.]+", host) and is_name(host)):
        return 4
    return networks(host)[0].version


def _ports(text: str, last: str) -> list[PortRange]:
    text = unicodedata.normalize("NFKC", text).strip().lower()
    last = unicodedata.normalize("NFKC", last).strip()
    if last:
        text = f"{text}-{last}"
    if _means(text, "same"):
        return []
    return [
        PortRange.parse("-".join(part.strip() for part in re.split(r"\s*(?:[-:~–—]|\bto\b|至|到)\s*", numbers.strip())))
        for numbers in re.split(r"[,;、]\s*|\s+(?=\d+$)", text)
        if numbers.strip()
    ]


def _protocols(text: str) -> frozenset[Protocol]:
    word = "".join(unicodedata.normalize("NFKC", text).lower().split()).replace("and", "/").replace("、", ",")
    if not word or _means(word, "both"):
        return BOTH
    return frozenset((Protocol(word),))


def _senders(text: str) -> Who:
    if _means(text, "anyone"):
        return Who.EVERYBODY
    try:
        held = [network for part in re.split(r"[,;\s]+", text.strip()) for network in networks(part)]
    except ValueError:
        return Who.PERHAPS
    return who(held, held[0].version)


def _write(order: Order) -> Written:
    heads = [
        say(Phrase(f"table-{column}"), order.language) for column in ("name", "outer", "inner", "protocol", "host")
    ]
    rows = [_cells(each) for each in order.wanted]
    widths = [max(map(_width, column)) for column in zip(heads, *rows, strict=True)]
    table = [_line(heads, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    table += [_line(row, widths) for row in rows]
    arrows = [_arrow(each) for each in order.wanted]
    head = f"# {comment(order.project.name)}: {comment(order.hop.title)}"
    lines = [head, "", *table, "", "# " + say(Phrase("table-as-text"), order.language), *arrows]
    return written(order, lines, ["# " + say(Phrase("table-undo"), order.language), *arrows], *targetless(order))


def _cells(each: Wanted) -> list[str]:
    name = comment(each.name)
    return [name, str(each.arrives), str(each.leaves), each.protocol.value.upper(), each.host or ""]


def _arrow(each: Wanted) -> str:
    host = f"[{each.host}]" if each.host and ":" in each.host else each.host or ""
    return f"{each.protocol} {each.arrives} -> {host}:{each.leaves}"


def _line(cells: list[str], widths: list[int]) -> str:
    return (
        "| " + " | ".join(cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)) + " |"
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


PRODUCT = Product(
    id="router-table",
    title="port forwarding table",
    kinds=(HopKind.ROUTER, HopKind.CGNAT),
    recognise=_recognise,
    read=_read,
    write=_write,
)
