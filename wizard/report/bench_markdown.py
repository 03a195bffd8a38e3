"""What was tested of STUN and TURN servers as a Markdown document (CommonMark with tables)."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.report.bench import BenchResult
from wizard.report.bench_content import (
    Block,
    Chapter,
    Field,
    Grid,
    Item,
    Listed,
    Marked,
    Plot,
    Prose,
    Section,
    blocks,
    tested,
    title_of,
)
from wizard.report.bench_redact import redact as redacted
from wizard.report.markdown import MARKS, code, code_block, escape, table
from wizard.report.wording import ENGLISH, wording


def to_markdown(bench: BenchResult, language: str = ENGLISH, *, redact: bool = False) -> str:
    """All of it; `redact` leaves out addresses and names."""
    shown = redacted(bench) if redact else bench
    parts = [[f"# {escape(title_of(language))}"], [tested(shown, language)]]
    for block in blocks(shown, language):
        parts += _block(block, language)
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _block(block: Block, language: str) -> Iterator[list[str]]:
    match block:
        case Chapter(title):
            yield [f"## {escape(title)}"]
        case Section(title):
            yield [f"### {escape(title)}"]
        case Prose(text):
            yield [escape(text)]
        case Marked(text, state):
            yield [f"{MARKS[state]} **{escape(text)}**"]
        case Listed(lines):
            yield [f"- {escape(line)}" for line in lines]
        case Grid(head, _, rows):
            yield list(table([escape(cell) for cell in head], ([_field(cell) for cell in row] for row in rows)))
        case Item():
            yield from _item(block, language)
        case Plot():
            # A picture; the table before it has the figures.
            return


def _field(field: Field) -> str:
    text = code(field.text) if field.literal else escape(field.text)
    return text if field.state is None else f"{MARKS[field.state]} {text}"


def _item(item: Item, language: str) -> Iterator[list[str]]:
    severity = wording(f"severity-{item.severity}", language)
    yield [f"#### {item.number}. {severity}{wording('colon', language)}{escape(item.title)}"]
    for text in item.texts:
        yield [escape(text)]
    if item.remedy or item.copied:
        yield [f"**{wording('remedy', language)}**"]
    if item.remedy:
        yield [escape(item.remedy)]
    if item.copied:
        yield code_block(item.copied)
