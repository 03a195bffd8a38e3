"""The project that is open: its table as it is being edited, what is wrong with it, and its file."""

from __future__ import annotations

import asyncio
import copy
import shutil
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from wizard.gui.edits import Table, value_at
from wizard.gui.flow import Known, Step
from wizard.gui.jobs import Jobs
from wizard.gui.sketch import sketch
from wizard.model.load import load
from wizard.model.problem import KeyPath, Problem, ProjectError
from wizard.model.project import Project
from wizard.model.save import save
from wizard.model.table import to_table
from wizard.model.validate import read
from wizard.plan import entries
from wizard.system.recent import RecentFiles, Recovery, Rescued

_MOST_UNDONE = 200
_REST_S = 0.6
"""Quiet after an edit before it is written to the recovery file: a word, not a letter."""

_STEPS = {
    "hops": Step.PATH,
    "configs": Step.PATH,
    "ports": Step.PORTS,
    "vantages": Step.ORIGIN,
    "ice_servers": Step.ORIGIN,
}
_STEPS_BY_CODE = {"no-hops": Step.PATH, "too-many-hops": Step.PATH, "no-ports": Step.PORTS}


class _Contents:
    """One state of the table, with what follows from it, worked out when first asked for."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @cached_property
    def judged(self) -> tuple[Project | None, tuple[Problem, ...]]:
        return read(self.table)

    @cached_property
    def probes(self) -> int:
        project, problems = self.judged
        if project is None or problems:
            return 0
        ports = sum(len(plan.outside) for plan in project.ports)
        return ports * sum(len(entries(project, vantage)) for vantage in project.places())

    @cached_property
    def sketch(self) -> Project:
        return sketch(self.table)


class DocumentModel(QObject):
    """The open project.

    Signals: `changed` after every edit, `opened` when another project has taken its place, `error` (list of
    Problem or str) when a file could not be read or written.
    """

    changed = Signal()
    opened = Signal()
    error = Signal(object)

    def __init__(self, jobs: Jobs, recent: RecentFiles, recovery: Recovery, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.recent = recent
        self._recovery = recovery
        self._contents = _Contents({})
        self._saved: Table = {}
        self._undo: list[Table] = []
        self._redo: list[Table] = []
        self._last_edit: KeyPath | None = None
        self._keeping: asyncio.Future[None] | None = None
        self.path: Path | None = None
        self.chosen = False

    @property
    def table(self) -> Table:
        """The project in the shape of its file. Not to be changed in place."""
        return self._contents.table

    @property
    def sketch(self) -> Project:
        """The project as far as it can be read."""
        return self._contents.sketch

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with it."""
        return self._contents.judged[1] if self.chosen else ()

    @property
    def project(self) -> Project | None:
        """The project, if nothing is wrong with it."""
        found, problems = self._contents.judged
        return found if self.chosen and not problems else None

    @property
    def valid(self) -> bool:
        """Whether it can be saved and tested."""
        return self.project is not None

    @property
    def probes(self) -> int:
        """How many probes a test would send, if every place could send its own."""
        return self._contents.probes if self.valid else 0

    @property
    def dirty(self) -> bool:
        """Whether closing would lose something."""
        return self.chosen and self.table != self._saved

    @property
    def known(self) -> Known:
        """What decides which pages can be opened; tests are not known here."""
        return Known(self.chosen, frozenset(step_of(problem) for problem in self.problems))

    def problems_at(self, path: KeyPath) -> tuple[Problem, ...]:
        """What is wrong at `path` and below it."""
        return tuple(problem for problem in self.problems if problem.path[: len(path)] == path)

    def text(self, *path: str | int) -> str:
        """A text of the table; empty if it is not there."""
        value = value_at(self.table, path)
        return str(value) if isinstance(value, str | int) else ""

    def edit(self, table: Table, what: KeyPath | None = None) -> None:
        """Put an edited table in place. Edits of the same `what` in a row are undone together."""
        if table == self.table:
            return
        if what is None or what != self._last_edit:
            self._undo = [*self._undo, self.table][-_MOST_UNDONE:]
        self._redo.clear()
        self._last_edit = what
        self._show(table)

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit to make again."""
        return bool(self._redo)

    def undo(self) -> None:
        """Take the last edit back."""
        if self._undo:
            self._redo.append(self.table)
            self._last_edit = None
            self._show(self._undo.pop())

    def redo(self) -> None:
        """Make the edit again that was taken back."""
        if self._redo:
            self._undo.append(self.table)
            self._last_edit = None
            self._show(self._redo.pop())

    def start(self, project: Project, *, kept: bool = False) -> None:
        """Begin with a project that has no file yet. `kept`: there is nothing in it to lose."""
        table = to_table(project)
        self._replace(table, None, table if kept else {})

    def open(self, path: Path) -> None:
        """Open a file. With faults in it the present project stays, and `error` tells all of them."""
        try:
            project = load(path)
        except ProjectError as error:
            self.error.emit(list(error.problems))
            return
        self._opened(project, path)

    def open_faulty(self, path: Path) -> bool:
        """Open a file in spite of its faults, to mend them here. False if there is too little to show."""
        try:
            self._opened(load(path), path)
        except ProjectError as error:
            if error.project is None:
                return False
            self._opened(error.project, path)
        return True

    def _opened(self, project: Project, path: Path) -> None:
        table = to_table(project)
        self._replace(table, path, table)
        self._remember(path)

    def restore(self, rescued: Rescued) -> None:
        """Go on with the work that a crash left behind."""
        self._replace(copy.deepcopy(dict(rescued.table)), rescued.path, {})
        rescued.file.unlink(missing_ok=True)
        self._keep_soon()

    def save(self, path: Path | None = None) -> bool:
        """Write the project to its file, or to another. Returns whether it is written; `error` says why not."""
        target = path or self.path
        if target is None:
            raise ValueError("a new project needs a path to be saved to")
        if self.project is None:
            self.error.emit(list(self.problems))
            return False
        try:
            if self.path is not None and target != self.path and self.path.is_file():
                # The comments of the old file belong to its copy too.
                shutil.copyfile(self.path, target)
            save(self.project, target)
        except OSError as error:
            self.error.emit(f"{target}: {error.strerror or error}")
            return False
        self.path = target
        self._saved = self.table
        self.give_up()
        self._remember(target)
        self.changed.emit()
        return True

    def give_up(self) -> None:
        """Nothing unsaved is worth keeping any more."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
        self._recovery.drop()

    def left_behind(self) -> tuple[Rescued, ...]:
        """Work of earlier wizards that a crash ended."""
        return self._recovery.left_behind()

    def _replace(self, table: Table, path: Path | None, saved: Table) -> None:
        self.give_up()
        self._undo.clear()
        self._redo.clear()
        self._last_edit = None
        self.path = path
        self.chosen = True
        self._saved = saved
        self._contents = _Contents(table)
        self.opened.emit()
        self.changed.emit()

    def _show(self, table: Table) -> None:
        self._contents = _Contents(table)
        self._keep_soon()
        self.changed.emit()

    def _keep_soon(self) -> None:
        if self._keeping is None or self._keeping.done():
            self._keeping = self._jobs.start(self._keep())

    async def _keep(self) -> None:
        kept: Table | None = None
        while kept is not self.table:
            await asyncio.sleep(_REST_S)
            kept = self.table
            try:
                if self.dirty:
                    self._recovery.keep(self.path, kept)
                else:
                    self._recovery.drop()
            except OSError as error:
                self.error.emit(f"{error.filename}: {error.strerror}")
                return

    def _remember(self, path: Path) -> None:
        try:
            self.recent.add(path)
        except OSError as error:
            self.error.emit(f"{error.filename}: {error.strerror}")


def step_of(problem: Problem) -> Step:
    """The page on which a problem is mended."""
    if problem.path:
        return _STEPS.get(str(problem.path[0]), Step.SERVICE)
    return _STEPS_BY_CODE.get(problem.code, Step.SERVICE)


def advices(problems: Iterable[Problem], language: str) -> list[str]:
    """Each problem's words, once."""
    return list(dict.fromkeys(problem.advice(language) for problem in problems))


def default_name(table: dict[str, Any]) -> str:
    """A file name for a project that has none yet."""
    kept = "".join(c if c.isalnum() else "-" for c in str(table.get("name", "")).lower())
    return "-".join(part for part in kept.split("-") if part) + ".toml" if kept.strip("-") else "project.toml"
