"""Questions to the person, awaited: a dialog is opened beside the loop, never run inside it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QDir
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QWidget


async def answered(dialog: QDialog) -> int:
    """Open a dialog and wait until it is closed. Returns its result code."""
    closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    dialog.finished.connect(lambda code: None if closed.done() else closed.set_result(code))
    dialog.open()
    try:
        return await closed
    finally:
        dialog.close()
        dialog.deleteLater()


async def choose(
    parent: QWidget, title: str, text: str, choices: Sequence[tuple[str, QMessageBox.ButtonRole]], details: str = ""
) -> int:
    """Ask which of the choices it shall be. Returns its position; the last is also what Escape means."""
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(text)
    box.setInformativeText(details)
    buttons = [box.addButton(words, role) for words, role in choices]
    box.setDefaultButton(buttons[0])
    box.setEscapeButton(buttons[-1])
    await answered(box)
    clicked = box.clickedButton()
    return next((i for i, button in enumerate(buttons) if button is clicked), len(buttons) - 1)


async def file_to_open(parent: QWidget, title: str, kinds: str, folder: Path | None = None) -> Path | None:
    """Ask for an existing file."""
    dialog = QFileDialog(parent, title, str(folder or QDir.homePath()), kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return await _file(dialog)


async def files_to_open(parent: QWidget, title: str, kinds: str) -> tuple[Path, ...]:
    """Ask for existing files, one or more."""
    dialog = QFileDialog(parent, title, QDir.homePath(), kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    return await _files(dialog)


async def file_to_save(parent: QWidget, title: str, kinds: str, name: str, folder: Path | None = None) -> Path | None:
    """Ask where to save. The ending of `name` is put to a name without one."""
    dialog = QFileDialog(parent, title, str(folder or QDir.homePath()), kinds)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix.removeprefix("."))
    dialog.selectFile(name)
    # Asked here and not by the dialog, which would hold up everything else until it is answered.
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    path = await _file(dialog)
    if path is None or not path.exists():
        return path
    answer = await choose(
        parent,
        title,
        QCoreApplication.translate("Asking", "There is a file {name} already. Replace it?").format(name=path.name),
        [
            (QCoreApplication.translate("Asking", "&Replace"), QMessageBox.ButtonRole.AcceptRole),
            (QCoreApplication.translate("Asking", "&Cancel"), QMessageBox.ButtonRole.RejectRole),
        ],
    )
    return path if answer == 0 else None


async def _file(dialog: QFileDialog) -> Path | None:
    return next(iter(await _files(dialog)), None)


async def _files(dialog: QFileDialog) -> tuple[Path, ...]:
    accepted = await answered(dialog)
    return tuple(Path(file) for file in dialog.selectedFiles()) if accepted else ()
