"""Report: what to keep, and what to show to those who can help."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextFrameFormat,
    QTextTableFormat,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTextBrowser, QWidget

from wizard.gui.context import Context
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.switch import Switch
from wizard.gui.pages.page import Page
from wizard.gui.view_models.report import ReportKind, ReportModel

_PLAIN_SIGNS = (("✅", "✔"), ("❌", "✖"), ("⚠️", "▲"), ("❔", "?"))


class ReportPage(Page):
    """A preview, and the files. Signal: `file_wanted` (ReportKind)."""

    file_wanted = Signal(ReportKind)

    def __init__(self, context: Context, report: ReportModel, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.report = report
        self._written: Path | None = None
        card = Card()
        self.redact = Switch(context.theme)
        self._redact_hint = Text("muted")
        card.body.addWidget(self.redact)
        card.body.addWidget(self._redact_hint)
        row = QHBoxLayout()
        row.setSpacing(10)
        self.saves = {kind: QPushButton() for kind in ReportKind}
        self.copy = QPushButton()
        for button in (*self.saves.values(), self.copy):
            button.setObjectName("small")
            row.addWidget(button)
        row.addStretch(1)
        card.body.addLayout(row)
        self._said = Text("muted")
        card.body.addWidget(self._said)
        self.column.addWidget(card)
        self.preview = QTextBrowser()
        self.preview.setOpenLinks(False)
        self.preview.setMinimumHeight(360)
        self.column.addWidget(self.preview, 1)
        self.redact.toggled.connect(report.set_redacted)
        for kind, button in self.saves.items():
            button.clicked.connect(lambda _=False, kind=kind: self.file_wanted.emit(kind))
        self.copy.clicked.connect(self._copy)
        report.changed.connect(self._follow)
        report.written.connect(self._note_written)
        context.run.changed.connect(self._forget)
        context.theme.changed.connect(self._follow)
        self.retranslate()

    def first(self) -> QWidget:
        return self.redact

    def title(self) -> str:
        return self.tr("What can I keep, or show to others?")

    def answer(self) -> str:
        return self.tr("The verdict with its evidence. Names and addresses can be left out.")

    def retranslate(self) -> None:
        self.redact.setText(self.tr("&Leave out addresses and names"))
        self.redact.updateGeometry()
        self._redact_hint.setText(
            self.tr("Each is replaced by a word that stays the same throughout, so that others can still follow.")
        )
        texts = {
            ReportKind.PDF: self.tr("Save as &PDF…"),
            ReportKind.JSON: self.tr("Save as &JSON…"),
            ReportKind.MARKDOWN: self.tr("Save as &Markdown…"),
        }
        for kind, button in self.saves.items():
            button.setText(texts[kind])
        self.copy.setText(self.tr("&Copy for a forum post"))
        self.preview.setAccessibleName(self.tr("Preview of the report"))

    def refresh(self) -> None:
        for button in (*self.saves.values(), self.copy):
            button.setEnabled(not self.report.busy and self.report.result is not None)
        self._show_preview(self.report.markdown(self.context.language))
        self._said.say(self.tr("Saved as {path}").format(path=self._written) if self._written else "")
        self.said.emit()

    def _show_preview(self, markdown: str) -> None:
        # Not every system has the coloured signs that forums show; the plain ones are in every font.
        for sign, plain in _PLAIN_SIGNS:
            markdown = markdown.replace(sign, plain)
        self.preview.setMarkdown(markdown)
        cursor = QTextCursor(self.preview.document())
        while True:
            block = cursor.block().blockFormat()
            block.setTopMargin(14 if block.headingLevel() else 2)
            block.setBottomMargin(8 if block.headingLevel() else 4)
            cursor.setBlockFormat(block)
            if block.headingLevel():
                self._calm(cursor, block.headingLevel())
            if (table := cursor.currentTable()) is not None and table.format() != self._table_format():
                table.setFormat(self._table_format())
            if not cursor.movePosition(QTextCursor.MoveOperation.NextBlock):
                break

    def _calm(self, cursor: QTextCursor, level: int) -> None:
        """A heading of the report is no bigger than the page's own."""
        size = QTextCharFormat()
        size.setProperty(QTextFormat.Property.FontSizeAdjustment, max(0, 3 - level))
        cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
        cursor.mergeCharFormat(size)
        cursor.clearSelection()

    def _table_format(self) -> QTextTableFormat:
        form = QTextTableFormat()
        form.setBorder(1)
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBorderBrush(QColor(self.context.theme.palette.line))
        form.setBorderCollapse(True)
        form.setCellPadding(5)
        form.setCellSpacing(0)
        form.setHeaderRowCount(1)
        return form

    def _follow(self) -> None:
        if self.isVisible():
            self.refresh()

    def _forget(self) -> None:
        self._written = None

    def _note_written(self, path: Path) -> None:
        self._written = path
        self.refresh()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report.markdown(self.context.language))
        self._said.say(self.tr("Copied."))
