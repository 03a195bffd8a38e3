"""The wizard with a person in front of it: real widgets, real events, one loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, SignalInstance
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QWidget,
)
from qasync import QEventLoop
from shiboken6 import isValid

from wizard.gui.app import live
from wizard.gui.preferences import Preferences
from wizard.gui.theme import Look
from wizard.gui.window import Window

PATIENCE_S = 20.0
"""After this a test that waits for an event has failed."""


def in_wizard(
    app: QApplication,
    folder: Path,
    scenario: Callable[[Window], Awaitable[None]],
    *,
    project: Path | None = None,
    language: str = "en",
    look: Look = Look.LIGHT,
) -> None:
    """Run `scenario` on a wizard whose state is kept in `folder`, and see that it ends without a trace."""
    preferences = Preferences(folder)
    preferences.language = language
    preferences.look = look
    del preferences

    async def session() -> None:
        before = asyncio.all_tasks()
        async with asyncio.timeout(3 * PATIENCE_S):
            task = asyncio.create_task(live(app, folder, project))
            try:
                window = await _window(app, task)
                await scenario(window)
                if isValid(window):
                    window.context.document.give_up()
                    window.force_close()
            except BaseException:
                task.cancel()
                await asyncio.wait([task])
                raise
            await task
        assert asyncio.all_tasks() == before

    with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
        runner.run(session())


async def _window(app: QApplication, task: asyncio.Task[None]) -> Window:
    while True:
        await asyncio.sleep(0)
        if task.done():
            task.result()
        for widget in app.topLevelWidgets():
            if isinstance(widget, Window) and widget.isVisible():
                return widget


async def until(signal: SignalInstance, condition: Callable[[], Any]) -> None:
    """Wait until `condition` holds; it is looked at each time that `signal` comes."""
    if condition():
        return
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def look(*_: object) -> None:
        if condition() and not future.done():
            future.set_result(None)

    signal.connect(look)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await future
    finally:
        signal.disconnect(look)


async def turn() -> None:
    """Let Qt and the loop do what they have to do."""
    # Not processEvents: it would run the loop inside the task that runs now.
    for _ in range(8):
        passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        QTimer.singleShot(0, lambda passed=passed: passed.set_result(None))
        await passed


def click(widget: QWidget) -> None:
    """Press a button as the mouse does."""
    assert widget.isVisible(), f"{widget.objectName()} cannot be seen"
    assert widget.isEnabled(), f"{widget.objectName()} is grey"
    # A check box is pressed on its box: to the right of its words there is nothing to press.
    where = QPoint(10, widget.height() // 2) if isinstance(widget, QCheckBox) else widget.rect().center()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)


def fill(line: QLineEdit, text: str) -> None:
    """Replace what is in a line by typing."""
    line.setFocus()
    line.selectAll()
    if text:
        QTest.keyClicks(line, text)
    else:
        QTest.keyClick(line, Qt.Key.Key_Delete)


async def dialog(kind: type[QDialog]) -> Any:
    """The dialog of that kind, once it is open."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for widget in QApplication.topLevelWidgets():
                if isinstance(widget, kind) and widget.isVisible():
                    return widget
            await asyncio.sleep(0)


async def answer(text: str) -> None:
    """Press the button of the open message box whose words hold `text`."""
    box = await dialog(QMessageBox)
    button = next(b for b in box.buttons() if text in b.text().replace("&", ""))
    click(button)
    await turn()


async def give_file(path: Path) -> None:
    """Put a path into the open file dialog and press its button."""
    opened = await dialog(QFileDialog)
    # Not typed: the offscreen platform has no grip on the list that typing would drop down.
    opened.selectFile(str(path))
    accept, save = QDialogButtonBox.StandardButton.Open, QDialogButtonBox.StandardButton.Save
    box = opened.findChild(QDialogButtonBox)
    button = box.button(accept) or box.button(save)
    click(button)
    await turn()


@contextlib.asynccontextmanager
async def practice(window: Window) -> AsyncIterator[None]:
    """The practice network, begun by its button."""
    click(window.service_page.ways[3].button)
    await until(window.practice.changed, lambda: window.practice.running)
    await turn()
    yield


async def flip(window: Window, fault: str) -> None:
    """Make a fault of the practice network, or mend it, and wait until it is so."""
    click(window.faults.switches[fault])
    await until(window.practice.changed, lambda: not window.practice.busy)
    await turn()


async def verdict(window: Window) -> None:
    """Press Test, and wait for the verdict."""
    click(window.primary)
    await until(window.context.run.ended, lambda: not window.context.run.busy)
    assert window.context.run.tested
    await turn()
