"""The report of the latest run: as text to look at, and as files."""

from __future__ import annotations

import asyncio
import enum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from wizard.gui.jobs import Jobs
from wizard.gui.pdf import write_pdf
from wizard.gui.view_models.run import RunModel
from wizard.model.atomic import write_whole
from wizard.progress import Result
from wizard.report.json import dumps
from wizard.report.markdown import to_markdown
from wizard.report.redact import redact


class ReportKind(enum.Enum):
    """What a report is written as; the value is the file's ending."""

    PDF = "pdf"
    JSON = "json"
    MARKDOWN = "md"


class ReportModel(QObject):
    """Signals: `changed`, `written` (Path), `error` (str)."""

    changed = Signal()
    written = Signal(object)
    error = Signal(str)

    def __init__(self, jobs: Jobs, run: RunModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._run = run
        self.busy = False
        self.redacted = False

    def set_redacted(self, redacted: bool) -> None:
        """Leave out addresses and names, or keep them."""
        self.redacted = redacted
        self.changed.emit()

    @property
    def result(self) -> Result | None:
        """What is reported: the latest run, without addresses and names if these are to be left out."""
        result = self._run.result if self._run.tested else None
        return redact(result) if result is not None and self.redacted else result

    def markdown(self, language: str) -> str:
        """The report as a document; empty before a test."""
        result = self.result
        return to_markdown(result, language) if result is not None else ""

    def write(self, kind: ReportKind, path: Path, language: str) -> None:
        """Write a file, whole or not at all. `written` or `error` tells the end."""
        if self.result is not None and not self.busy:
            self.busy = True
            self.changed.emit()
            self._jobs.start(self._write(kind, path, language, self.result))

    async def _write(self, kind: ReportKind, path: Path, language: str, result: Result) -> None:
        try:
            if kind is ReportKind.PDF:
                # Setting type and mending the file take a moment; the window goes on meanwhile.
                await asyncio.to_thread(write_pdf, result, path, language)
            else:
                text = dumps(result, language) if kind is ReportKind.JSON else to_markdown(result, language)
                write_whole(path, (text if text.endswith("\n") else text + "\n").encode())
            self.written.emit(path)
        except OSError as error:
            self.error.emit(f"{path}: {error.strerror or error}")
        finally:
            self.busy = False
            self.changed.emit()
