"""What a person does with configuration files: a path built of them, a hop given one, rules read from this computer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog, QMessageBox, QWidget

from wizard.configs.placing import Given, Unplaced
from wizard.configs.reading import UnreadableError
from wizard.configs.words import say, say_of
from wizard.gui.asking import answered, choose, file_to_save, files_to_open
from wizard.gui.context import Context
from wizard.gui.pages.paste import PasteDialog
from wizard.model.atomic import write_whole
from wizard.model.project import Project
from wizard.system.inspection import Seen, looks

_LOOKED_AT = 64 * 1024
"""Bytes of a file that tell a project and a result from a configuration."""


class ConfigActions(QObject):
    """Each starts a job that asks what there is to ask, and does it."""

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        context.configs.inspected.connect(self._inspected)

    def import_files(self, paths: Sequence[Path] = ()) -> None:
        """Build a path of files, or extend the open one; asks which files if none are given."""
        self._context.jobs.start(self._import(paths))

    def add(self, hop: str, paths: Sequence[Path] = ()) -> None:
        """Give a hop its files."""
        self._context.jobs.start(self._add(hop, paths))

    def paste(self, hop: str) -> None:
        """Give a hop what is pasted, kept in a file that the person names."""
        self._context.jobs.start(self._paste(hop))

    def look(self, hop: str) -> None:
        """Read the rules of this computer for a hop, when the person has seen the commands and agrees."""
        self._context.jobs.start(self._look(hop))

    async def _import(self, paths: Sequence[Path]) -> None:
        chosen = paths or await files_to_open(self._window, self.tr("Configuration files"), self.tr("All files (*)"))
        try:
            given = self._context.configs.given(chosen)
        except UnreadableError as error:
            await self._tell(self._named(chosen, error))
            return
        project = await self._assembled(given) if given else None
        if project is None:
            return
        if self._context.document.chosen:
            self._context.configs.take(project)
        else:
            self._context.document.start(project)

    async def _assembled(self, given: list[Given]) -> Project | None:
        """The project, once each file has its hop; None if the person gave up."""
        while True:
            try:
                return self._context.configs.assembled(given, self.tr("My service"))
            except Unplaced as question:
                titles = {hop.id: hop.title for hop in self._context.document.sketch.hops}
                answer = await choose(
                    self._window,
                    self.tr("Which hop is it of?"),
                    self.tr("{file} could configure several hops.").format(file=question.file),
                    [
                        *((titles.get(hop, hop), QMessageBox.ButtonRole.AcceptRole) for hop in question.hops),
                        (self.tr("&Cancel"), QMessageBox.ButtonRole.RejectRole),
                    ],
                )
                if answer == len(question.hops):
                    return None
                told = question.hops[answer]
                given = [replace(file, hop=told) if file.reading.file == question.file else file for file in given]

    async def _add(self, hop: str, paths: Sequence[Path]) -> None:
        chosen = paths or await files_to_open(self._window, self.tr("Configuration files"), self.tr("All files (*)"))
        for path in chosen:
            try:
                self._context.configs.add(hop, path)
            except UnreadableError as error:
                await self._tell(say_of(str(path), error, self._context.language))

    async def _paste(self, hop: str) -> None:
        dialog = PasteDialog(self._context.language, self._window)
        accepted = await answered(dialog) == QDialog.DialogCode.Accepted
        if not accepted:
            return
        folder = self._context.document.path.parent if self._context.document.path else None
        name = f"{hop}-{dialog.product}.txt"
        path = await file_to_save(self._window, self.tr("Keep it in a file"), self.tr("All files (*)"), name, folder)
        if path is None:
            return
        try:
            write_whole(path, dialog.text.encode("utf-8"))
        except OSError as error:
            await self._tell(f"{path}: {error.strerror or error}")
            return
        await self._add(hop, [path])

    async def _look(self, hop: str) -> None:
        kind = next(found.kind for found in self._context.document.sketch.hops if found.id == hop)
        wanted = looks(kind)
        answer = await choose(
            self._window,
            self.tr("Read this computer's rules"),
            self.tr("Is it this hop? These commands change nothing. What they print is kept beside the project."),
            [
                (self.tr("&Run them"), QMessageBox.ButtonRole.AcceptRole),
                (self.tr("&Cancel"), QMessageBox.ButtonRole.RejectRole),
            ],
            "\n".join(look.shown for look in wanted),
        )
        if answer == 0:
            self._context.configs.look(hop, wanted)

    def _inspected(self, seen: Sequence[Seen]) -> None:
        language = self._context.language
        lines = [say(one.why, language) for one in seen if one.why is not None]
        if not seen:
            lines = [self.tr("This computer has none of these commands.")]
        if lines:
            self._context.jobs.start(self._tell("\n".join(lines)))

    def _named(self, paths: Sequence[Path], error: UnreadableError) -> str:
        for path in paths:
            try:
                self._context.configs.given([path])
            except UnreadableError:
                return say_of(str(path), error, self._context.language)
        return say(error.phrase, self._context.language)

    async def _tell(self, what: str) -> None:
        title = self.tr("That did not work")
        await choose(self._window, title, what, [(self.tr("&Close"), QMessageBox.ButtonRole.RejectRole)])


def is_project(path: Path) -> bool:
    """Whether a file is a project of Hopwise, as far as its beginning tells."""
    return path.suffix == ".toml" and "[[hops]]" in _beginning(path)


def is_result(path: Path) -> bool:
    """Whether a file is what another computer saw."""
    if path.suffix not in (".json", ".jsonl"):
        return False
    text = _beginning(path)
    if '"observations"' in text:
        return True
    try:
        return "outcome" in json.loads(text.partition("\n")[0])
    except (ValueError, TypeError):
        return False


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LOOKED_AT).decode("utf-8", "replace")
    except OSError:
        return ""
