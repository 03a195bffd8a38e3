"""The report of the bench as files."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from wizard.gui.asking import file_to_save
from wizard.gui.bench.running import BenchModel
from wizard.gui.bench_pdf import write_bench_pdf
from wizard.gui.context import Context
from wizard.gui.view_models.report import ReportKind
from wizard.model.atomic import write_whole
from wizard.report.bench import BenchResult, dumps
from wizard.report.bench_markdown import to_markdown
from wizard.report.bench_redact import redact


class BenchReport(QObject):
    """Asks where to, and writes. `status` says what became of it."""

    def __init__(self, context: Context, bench: BenchModel, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._bench = bench
        self._page = page
        self._redacted = False
        self.status = ""

    def set_redacted(self, redacted: bool) -> None:
        """Leave out addresses and names, or keep them."""
        self._redacted = redacted

    def save(self, kind: ReportKind) -> None:
        """Save what was tested so far."""
        report = self._bench.report
        if report is not None:
            self._context.jobs.start(self._save(kind, report))

    async def _save(self, kind: ReportKind, report: BenchResult) -> None:
        kinds = {
            ReportKind.PDF: self.tr("PDF (*.pdf)"),
            ReportKind.JSON: self.tr("JSON (*.json)"),
            ReportKind.MARKDOWN: self.tr("Markdown (*.md)"),
        }
        path = await file_to_save(self._page, self.tr("Save the report"), kinds[kind], f"servers-report.{kind.value}")
        if path is None:
            return
        try:
            await self.write(kind, report, path)
            self.status = self.tr("Saved as {path}").format(path=path)
        except OSError as error:
            self.status = f"{path}: {error.strerror or error}"
        self._bench.changed.emit()

    async def write(self, kind: ReportKind, report: BenchResult, path: Path) -> None:
        """Write a file, whole or not at all. Raises OSError."""
        language = self._context.language
        if kind is ReportKind.PDF:
            # Setting type and mending the file take a moment; the window goes on meanwhile.
            await asyncio.to_thread(write_bench_pdf, report, path, language, redact=self._redacted)
            return
        if kind is ReportKind.JSON:
            text = dumps(redact(report) if self._redacted else report, language)
        else:
            text = to_markdown(report, language, redact=self._redacted)
        write_whole(path, (text if text.endswith("\n") else text + "\n").encode())
