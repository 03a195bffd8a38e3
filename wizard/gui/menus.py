"""The menu bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from wizard.gui.context import Context
from wizard.gui.files import FileActions
from wizard.gui.preferences import Preferences
from wizard.gui.theme import Look
from wizard.report.sdp import words

LANGUAGE_NAMES = (("en", "English"), ("zh_CN", "简体中文"))


class Menus(QObject):
    """Signals: `new_wanted`, `bench_wanted`, `sdp_wanted`."""

    new_wanted = Signal()
    bench_wanted = Signal()
    sdp_wanted = Signal()

    def __init__(self, context: Context, files: FileActions, preferences: Preferences, window: QMainWindow) -> None:
        super().__init__(window)
        self._context = context
        self._files = files
        self._preferences = preferences
        bar = window.menuBar()
        document = context.document
        self._file = bar.addMenu("")
        self.new = self._action(self._file, QKeySequence.StandardKey.New, self.new_wanted.emit)
        self.open = self._action(self._file, QKeySequence.StandardKey.Open, files.open)
        self.recent = self._file.addMenu("")
        self.recent.aboutToShow.connect(self._list_recent)
        self._file.addSeparator()
        self.save = self._action(self._file, QKeySequence.StandardKey.Save, files.save)
        self.save_as = self._action(self._file, "Ctrl+Shift+S", lambda: files.save(elsewhere=True))
        self._file.addSeparator()
        self.bench = self._action(self._file, "Ctrl+T", self.bench_wanted.emit)
        self.sdp = self._action(self._file, "Ctrl+D", self.sdp_wanted.emit)
        self._file.addSeparator()
        self.quit = self._action(self._file, "Ctrl+Q", window.close)
        self._edit = bar.addMenu("")
        self.undo = self._action(self._edit, QKeySequence.StandardKey.Undo, document.undo)
        self.redo = self._action(self._edit, QKeySequence.StandardKey.Redo, document.redo)
        self._view = bar.addMenu("")
        self._language = self._view.addMenu("")
        self.languages = self._choices(self._language, context.speech.language, LANGUAGE_NAMES)
        self.languages.triggered.connect(lambda action: self._speak(action.data()))
        self._look = self._view.addMenu("")
        self.looks = self._choices(self._look, context.theme.look.value, [(look.value, "") for look in Look])
        self.looks.triggered.connect(lambda action: self._choose_look(Look(action.data())))
        document.changed.connect(self.refresh)
        context.speech.changed.connect(self.retranslate)
        self.retranslate()
        self.refresh()

    def retranslate(self) -> None:
        """Name everything."""
        self._file.setTitle(self.tr("&File"))
        self.new.setText(self.tr("&New…"))
        self.open.setText(self.tr("&Open…"))
        self.recent.setTitle(self.tr("Open &recent"))
        self.save.setText(self.tr("&Save"))
        self.save_as.setText(self.tr("Save &as…"))
        self.bench.setText(self.tr("&TURN bench"))
        self.sdp.setText(words("menu", self._context.speech.language))
        self.quit.setText(self.tr("&Quit"))
        self._edit.setTitle(self.tr("&Edit"))
        self.undo.setText(self.tr("&Undo"))
        self.redo.setText(self.tr("&Redo"))
        self._view.setTitle(self.tr("&View"))
        # Whoever cannot read the present language must find the way out of it.
        self._language.setTitle("&Language / 语言")
        self._look.setTitle(self.tr("Loo&k"))
        names = {
            Look.SYSTEM.value: self.tr("As the system"),
            Look.LIGHT.value: self.tr("Light"),
            Look.DARK.value: self.tr("Dark"),
        }
        for action in self.looks.actions():
            action.setText(names[action.data()])

    def refresh(self) -> None:
        """Offer what can be done."""
        document = self._context.document
        self.save.setEnabled(document.chosen)
        self.save_as.setEnabled(document.chosen)
        self.undo.setEnabled(document.can_undo)
        self.redo.setEnabled(document.can_redo)

    def _action(self, menu: QMenu, keys: QKeySequence.StandardKey | str, call: Callable[[], object]) -> QAction:
        action = menu.addAction("")
        action.setShortcuts(QKeySequence.keyBindings(keys) if not isinstance(keys, str) else [QKeySequence(keys)])
        action.triggered.connect(lambda _=False: call())
        return action

    def _choices(self, menu: QMenu, chosen: str, choices: Iterable[tuple[str, str]]) -> QActionGroup:
        group = QActionGroup(self)
        for value, text in choices:
            action = menu.addAction(text)
            action.setData(value)
            action.setCheckable(True)
            action.setChecked(value == chosen)
            group.addAction(action)
        return group

    def _list_recent(self) -> None:
        self.recent.clear()
        paths = self._context.document.recent.paths()
        for path in paths:
            action = self.recent.addAction(f"{path.name} — {_short(path.parent)}".replace("&", "&&"))
            action.triggered.connect(lambda _=False, path=path: self._files.open(path))
        if not paths:
            self.recent.addAction(self.tr("None yet")).setEnabled(False)

    def _speak(self, language: str) -> None:
        self._preferences.language = language
        self._context.speech.speak(language)

    def _choose_look(self, look: Look) -> None:
        self._preferences.look = look
        self._context.theme.choose(look)


def _short(folder: Path) -> str:
    try:
        return f"~/{folder.relative_to(Path.home())}"
    except ValueError:
        return str(folder)
