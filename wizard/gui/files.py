"""What a person does with files: projects opened and saved, results brought in, reports written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog, QMessageBox, QWidget

from wizard.gui.asking import answered, choose, file_to_open, file_to_save
from wizard.gui.context import Context
from wizard.gui.pages.answerers import Answerers, script_name
from wizard.gui.pages.problems import ProblemsDialog
from wizard.gui.view_models.document import default_name
from wizard.gui.view_models.report import ReportKind, ReportModel
from wizard.model.atomic import write_whole
from wizard.model.problem import Problem
from wizard.model.project import Project
from wizard.report.earlier import EarlierError, read_observations
from wizard.report.responder import printed
from wizard.responder import DEFAULT_MINUTES

_LARGEST_RESULT = 64 * 1024 * 1024
"""Bytes of a result that is brought in: 10,000 ports from several places stay far below."""


class FileActions(QObject):
    """Each starts a job that asks what there is to ask, and does it."""

    def __init__(self, context: Context, report: ReportModel, answerers: Answerers, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._report = report
        self._answerers = answerers
        self._window = window
        self._asking = False
        self._opening: Path | None = None
        context.document.error.connect(self._tell)
        report.error.connect(self._tell)

    def begin(self, project: Project) -> None:
        """A new project in place of the present one."""
        self._context.jobs.start(self._begin(project))

    def open(self, path: Path | None = None) -> None:
        """Open a project file, asking which if none is given."""
        self._context.jobs.start(self._open(path))

    def save(self, *, elsewhere: bool = False) -> None:
        """Save the project, asking where if it has no file yet."""
        self._context.jobs.start(self._save(elsewhere=elsewhere))

    def save_script(self) -> None:
        """Save the responder as a script."""
        self._context.jobs.start(self._save_script())

    def bring_result(self, path: Path | None = None) -> None:
        """Add what another computer saw."""
        self._context.jobs.start(self._bring_result(path))

    def write_report(self, kind: ReportKind) -> None:
        """Save a report."""
        self._context.jobs.start(self._write_report(kind))

    async def may_discard(self) -> bool:
        """Whether the present project may go: it is saved, or the person says so."""
        document = self._context.document
        if not document.dirty:
            return True
        if self._asking:
            return False
        self._asking = True
        try:
            answer = await choose(
                self._window,
                self.tr("Unsaved project"),
                self.tr("Save “{name}” first?").format(name=document.text("name")),
                [
                    (self.tr("&Save"), QMessageBox.ButtonRole.AcceptRole),
                    (self.tr("&Do not save"), QMessageBox.ButtonRole.DestructiveRole),
                    (self.tr("&Cancel"), QMessageBox.ButtonRole.RejectRole),
                ],
            )
        finally:
            self._asking = False
        if answer == 0:
            return await self._save(elsewhere=False)
        if answer == 1:
            document.give_up()
        return answer == 1

    async def offer_rescued(self) -> None:
        """Offer the work that a crash left behind."""
        document = self._context.document
        for rescued in document.left_behind():
            name = str(rescued.table.get("name") or self.tr("a project without a name"))
            answer = await choose(
                self._window,
                self.tr("Unsaved work was found"),
                self.tr("Hopwise ended before “{name}” was saved.").format(name=name),
                [
                    (self.tr("&Go on with it"), QMessageBox.ButtonRole.AcceptRole),
                    (self.tr("&Throw it away"), QMessageBox.ButtonRole.DestructiveRole),
                    (self.tr("&Not now"), QMessageBox.ButtonRole.RejectRole),
                ],
            )
            if answer == 0:
                document.restore(rescued)
                return
            if answer == 1:
                rescued.file.unlink(missing_ok=True)

    async def _begin(self, project: Project) -> None:
        if await self.may_discard():
            self._context.document.start(project)

    async def _open(self, path: Path | None) -> None:
        if not await self.may_discard():
            return
        document = self._context.document
        if path is None:
            folder = document.path.parent if document.path else None
            path = await file_to_open(self._window, self.tr("Open a project"), self._project_files(), folder)
        if path is not None:
            self._opening = path
            document.open(path)

    async def _save(self, *, elsewhere: bool) -> bool:
        document = self._context.document
        if not document.valid:
            self._tell(list(document.problems))
            return False
        path = document.path
        if path is None or elsewhere:
            name = path.name if path else default_name(document.table)
            folder = path.parent if path else None
            path = await file_to_save(self._window, self.tr("Save the project"), self._project_files(), name, folder)
        return path is not None and document.save(path)

    async def _save_script(self) -> None:
        document = self._context.document
        project = document.project
        if project is None:
            return
        path = await file_to_save(
            self._window, self.tr("Save the responder"), self.tr("Python scripts (*.py)"), script_name(document.path)
        )
        if path is None:
            return
        try:
            write_whole(path, printed(project, None, DEFAULT_MINUTES).encode())
        except OSError as error:
            self._tell(f"{path}: {error.strerror or error}")
            return
        box = QMessageBox(self._window)
        box.setWindowTitle(self.tr("The responder is saved"))
        box.setText(self.tr("Copy it to the service's host and run it there:"))
        box.setInformativeText(f"python3 {path.name}")
        await answered(box)

    async def _bring_result(self, path: Path | None) -> None:
        project = self._context.document.project
        if project is None:
            return
        if path is None:
            path = await file_to_open(self._window, self.tr("Add a result"), self.tr("Results (*.json *.jsonl *.txt)"))
        if path is None:
            return
        try:
            if path.stat().st_size > _LARGEST_RESULT:
                self._tell(self.tr("{path}: the file is far too large to be a result").format(path=path))
                return
            observations, notes = read_observations(path.read_text(encoding="utf-8"), project)
        except (OSError, UnicodeDecodeError, EarlierError) as error:
            self._tell(f"{path}: {getattr(error, 'strerror', None) or error}")
            return
        self._answerers.bring(observations, notes)

    async def _write_report(self, kind: ReportKind) -> None:
        kinds = {
            ReportKind.PDF: self.tr("PDF (*.pdf)"),
            ReportKind.JSON: self.tr("JSON (*.json)"),
            ReportKind.MARKDOWN: self.tr("Markdown (*.md)"),
        }
        document = self._context.document
        stem = "hopwise" if self._report.redacted else Path(default_name(document.table)).stem
        folder = document.path.parent if document.path else None
        title = self.tr("Save the report")
        path = await file_to_save(self._window, title, kinds[kind], f"{stem}-report.{kind.value}", folder)
        if path is not None:
            self._report.write(kind, path, self._context.language)

    def _project_files(self) -> str:
        return self.tr("Hopwise projects (*.toml)")

    def _tell(self, what: Sequence[Problem] | str) -> None:
        self._context.jobs.start(self._say(what))

    async def _say(self, what: Sequence[Problem] | str) -> None:
        if isinstance(what, str):
            await choose(
                self._window,
                self.tr("That did not work"),
                what,
                [(self.tr("&Close"), QMessageBox.ButtonRole.RejectRole)],
            )
            return
        # Problems with a file are of one that was just opened; others are of what is on the pages already.
        opened = self._opening if any(problem.file for problem in what) else None
        dialog = ProblemsDialog(what, self._context.language, mendable=opened is not None, parent=self._window)
        code = await answered(dialog)
        wanted = opened if code == QDialog.DialogCode.Accepted else None
        if wanted is not None and not self._context.document.open_faulty(wanted):
            await self._say(self.tr("There is too little in {path} to go on with.").format(path=wanted))
