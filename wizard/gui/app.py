"""The wizard as a program: one event loop for Qt and the network, one task group for everything that runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox
from qasync import QEventLoop  # type: ignore[import-untyped]

from wizard.gui.context import Context
from wizard.gui.jobs import Jobs
from wizard.gui.preferences import Preferences
from wizard.gui.speech import Speech
from wizard.gui.theme import Theme
from wizard.gui.view_models.configs import ConfigsModel
from wizard.gui.view_models.document import DocumentModel
from wizard.gui.view_models.passwords import PasswordModel
from wizard.gui.view_models.run import RunModel
from wizard.gui.window import Window
from wizard.model.resource import resource
from wizard.system.keyring import system_keyring
from wizard.system.recent import KeptServers, RecentFiles, Recovery, state_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Open the wizard, on the project file that `argv` names if it names one. Returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    app = QApplication(["hopwise"])
    app.setApplicationName("Hopwise")
    app.setDesktopFileName("hopwise")
    app.setWindowIcon(QIcon(str(resource("icons", "hopwise.svg"))))
    with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
        runner.run(live(app, state_folder(), Path(arguments[0]) if arguments else None))
    return 0


async def live(app: QApplication, folder: Path, project: Path | None) -> None:
    """Show the window, and return when it is closed and everything that it began has ended."""
    app.setQuitOnLastWindowClosed(False)
    closing = asyncio.Event()
    _close_on_signal(closing)
    preferences = Preferences(folder)
    async with asyncio.TaskGroup() as group:
        jobs = Jobs(group, lambda error: _tell(window, error))
        document = DocumentModel(jobs, RecentFiles(folder), Recovery(folder))
        context = Context(
            theme=Theme(app, preferences.look),
            speech=Speech(app, preferences.language),
            jobs=jobs,
            document=document,
            configs=ConfigsModel(jobs, document),
            run=RunModel(jobs),
            passwords=PasswordModel(jobs, system_keyring()),
            kept_servers=KeptServers(folder),
        )
        window = Window(context, preferences, closing.set)
        try:
            window.show()
            if project is not None:
                window.files.open(project)
            jobs.start(window.files.offer_rescued())
            await closing.wait()
        finally:
            jobs.cancel()
            window.bench.servers.keep()
            window.hide()
            context.speech.fall_silent()
    window.deleteLater()


def _close_on_signal(closing: asyncio.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no handlers of the loop; there the window is closed by the window only.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(number, closing.set)


def _tell(window: Window, error: Exception) -> None:
    """A fault of Hopwise itself, said without stopping anything."""
    box = QMessageBox(window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(QCoreApplication.translate("App", "Hopwise has met a fault of its own"))
    box.setText(f"{type(error).__name__}: {error}")
    box.open()
