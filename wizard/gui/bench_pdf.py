"""What was tested of STUN and TURN servers as a PDF."""

from __future__ import annotations

from pathlib import Path

from wizard.diagnosis.verdict import Severity, State
from wizard.gui.bench_plot import PLOT_HEIGHT, paint_plot, plot_words
from wizard.gui.diagram.letters import sans
from wizard.gui.palette import LIGHT
from wizard.gui.pdf_flow import Cell
from wizard.gui.pdf_sheet import INDENT, Sheet, typesetter
from wizard.model.atomic import write_whole
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
    say,
    tested,
    title_of,
)
from wizard.report.bench_redact import redact as redacted
from wizard.report.wording import ENGLISH, wording

# A tick would say of a note that all is well.
_STATE_OF = {Severity.ERROR: State.BLOCKED, Severity.WARNING: State.SUSPECT, Severity.INFO: None}


def write_bench_pdf(bench: BenchResult, path: Path, language: str = ENGLISH, *, redact: bool = False) -> None:
    """Write the report to `path`, whole or not at all; `redact` leaves out addresses and names.

    Raises OSError if the file cannot be written.
    """
    write_whole(path, bench_pdf_bytes(bench, language, redact=redact))


def bench_pdf_bytes(bench: BenchResult, language: str = ENGLISH, *, redact: bool = False) -> bytes:
    """The report as the bytes of a PDF."""
    application = typesetter()
    assert application is not None
    return _Report(redacted(bench) if redact else bench, language).document()


class _Report:
    """One report in one language."""

    def __init__(self, bench: BenchResult, language: str) -> None:
        self._bench = bench
        self._language = language
        self._sheet = Sheet(language)

    def document(self) -> bytes:
        title = title_of(self._language)
        self._sheet.opening(title, tested(self._bench, self._language))
        for block in blocks(self._bench, self._language):
            self._block(block)
        return self._sheet.document(
            f"{title} – {say('phrase', 'report', self._language)}", self._bench.started, [sans(11)]
        )

    def _block(self, block: Block) -> None:
        sheet = self._sheet
        match block:
            case Chapter(title):
                sheet.chapter(title)
            case Section(title):
                sheet.section(title)
            case Prose(text):
                sheet.flow.gap(4)
                sheet.flow.text(text, sheet.body)
            case Marked(text, state):
                sheet.verdict(text, state)
            case Listed(lines):
                for line in lines:
                    sheet.flow.listed(line, sheet.body, 0)
            case Grid(head, shares, rows):
                sheet.table(head, shares, [[self._cell(field) for field in row] for row in rows])
            case Item():
                self._item(block)
            case Plot():
                self._plot(block)

    def _cell(self, field: Field) -> Cell:
        if field.state is not None:
            return self._sheet.state(field.text, field.state)
        return Cell(field.text, self._sheet.numbers if field.literal else self._sheet.cell)

    def _item(self, item: Item) -> None:
        sheet = self._sheet
        sheet.finding(item.number, item.severity, item.title, _STATE_OF[item.severity])
        for text in item.texts:
            sheet.flow.text(text, sheet.body, INDENT)
        if item.remedy or item.copied:
            sheet.labelled(wording("remedy", self._language), () if item.remedy else item.copied)
        if item.remedy:
            sheet.flow.text(item.remedy, sheet.body, INDENT)
        if item.copied:
            sheet.copied(item.copied)

    def _plot(self, plot: Plot) -> None:
        sheet, words = self._sheet, plot_words(plot.moments, self._language)
        sheet.section(plot.title, PLOT_HEIGHT)
        sheet.flow.written.update("".join(words.all()))
        sheet.flow.picture(PLOT_HEIGHT, lambda painter, rect: paint_plot(painter, rect, plot.moments, words, LIGHT))
