"""A hop's configuration: its files, what they do with the planned ports, and what it lacks."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from wizard.configs.words import say
from wizard.diagnosis.verdict import State
from wizard.gui.context import Context
from wizard.gui.controls.copied import Copied
from wizard.gui.controls.field import Choice
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.mark import Mark
from wizard.model.config_file import ConfigFile
from wizard.model.said import said
from wizard.observation import Configured, Coverage
from wizard.report.coverage import row_text
from wizard.system.inspection import looks

_STATES = {Coverage.COVERED: State.OPEN, Coverage.UNKNOWN: State.UNKNOWN}


class ConfigCard(Card):
    """Of one hop at a time. Signals: `add_wanted`, `paste_wanted`, `look_wanted`, each with the hop's id."""

    add_wanted = Signal(str)
    paste_wanted = Signal(str)
    look_wanted = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._context = context
        self._hop = ""
        self._shown: object = None
        self._heading = Text("heading")
        self._hint = Text("muted")
        self.body.addWidget(self._heading)
        self.body.addWidget(self._hint)
        self._files = QVBoxLayout()
        self._files.setSpacing(6)
        self.body.addLayout(self._files)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self.body.addLayout(self._rows)
        self.notes = Text("muted")
        self.body.addWidget(self.notes)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        self.add = QPushButton()
        self.paste = QPushButton()
        self.look = QPushButton()
        signals = (self.add_wanted, self.paste_wanted, self.look_wanted)
        for button, signal in zip((self.add, self.paste, self.look), signals, strict=True):
            button.setObjectName("small")
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(self._hop))
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.body.addLayout(buttons)
        self.writer = Choice()
        self.writer.box.setMaximumWidth(360)
        self.body.addWidget(self.writer)
        self.written = Copied()
        self.body.addWidget(self.written)
        self.cautions = Text()
        self.body.addWidget(self.cautions)
        self._undo_heading = Text("muted")
        self.body.addWidget(self._undo_heading)
        self.undo = Copied()
        self.body.addWidget(self.undo)
        self.removes: list[QPushButton] = []
        self._chosen: str | None = None
        self.writer.picked.connect(self._choose)
        context.configs.changed.connect(self.refresh)
        self.retranslate()

    def show_hop(self, hop: str) -> None:
        """Show the configuration of a hop."""
        if hop != self._hop:
            self._hop = hop
            self._chosen = None
        self.refresh()

    def retranslate(self) -> None:
        """Put every fixed text into the present language."""
        self._heading.setText(self.tr("Its configuration"))
        self.add.setText(self.tr("Add a fi&le…"))
        self.paste.setText(self.tr("Pa&ste…"))
        self.look.setText(self.tr("Read this &computer's…"))
        self.writer.name(self.tr("&Write what it lacks for"))
        self._undo_heading.setText(self.tr("And this takes it back:"))
        self._shown = None

    def refresh(self) -> None:
        """Show what the model holds; nothing is laid out anew if it is the same."""
        model = self._context.configs
        project = self._context.document.sketch
        hop = next((found for found in project.hops if found.id == self._hop), None)
        self.setVisible(hop is not None)
        if hop is None:
            return
        rows = [row for row in model.rows if row.hop == self._hop]
        files = model.files(self._hop)
        notes = model.said(self._hop, self._context.language)
        saved = self._context.document.path is not None
        table = self._context.document.table
        held = (hop, files, rows, notes, self._context.language, self._chosen, saved, model.busy, table)
        if held == self._shown:
            return
        self._shown = held
        self._hint.say(self.tr("Add the file that this hop runs with, or what a command printed. Nothing is sent."))
        self._show_files(files)
        self._show_rows(rows)
        self.notes.say("\n".join(notes))
        self.look.setVisible(bool(looks(hop.kind)))
        self.look.setEnabled(saved and not model.busy)
        self.look.setToolTip("" if saved else self.tr("Save the project first: what is read is kept beside it."))
        self._show_writers()

    def _show_files(self, files: tuple[ConfigFile, ...]) -> None:
        _clear(self._files)
        self.removes = []
        for config in files:
            row = QHBoxLayout()
            name = Text("", wrap=True)
            name.setText(config.file)
            remove = QPushButton(self.tr("Take off"))
            remove.setObjectName("small")
            remove.setAccessibleName(self.tr("Take {file} off this hop").format(file=config.file))
            remove.clicked.connect(partial(self._context.configs.remove, config))
            row.addWidget(name, 1)
            row.addWidget(remove)
            holder = QWidget()
            row.setContentsMargins(0, 0, 0, 0)
            holder.setLayout(row)
            self._files.addWidget(holder)
            self.removes.append(remove)

    def _show_rows(self, rows: list[Configured]) -> None:
        _clear(self._rows)
        if not rows:
            return
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        for line, row in enumerate(rows):
            mark = Mark(self._context.theme, _STATES.get(row.coverage, State.BLOCKED), 18)
            numbers = Text("numbers", wrap=False)
            numbers.setText(f"{row.protocol} {row.outside}".replace("-", "–"))
            told = Text()
            # The whole path of the file stands above already.
            told.setText(row_text(replace(row, file=Path(row.file).name), self._context.language))
            for column, widget in enumerate((mark, numbers, told)):
                grid.addWidget(widget, line, column)
        self._rows.addWidget(holder)

    def _show_writers(self) -> None:
        model = self._context.configs
        writers = model.writers(self._hop)
        self.writer.setVisible(bool(writers) and self._context.document.valid)
        choices: list[tuple[object, str]] = [("", self.tr("choose a product"))]
        choices += [(known.id, said(known.title, self._context.language)) for known in writers]
        self.writer.offer(choices, self._chosen or "")
        chosen = next((known for known in writers if known.id == self._chosen), None)
        written = model.written(self._hop, chosen, self._context.language) if chosen is not None else None
        nothing = chosen is not None and written is None
        self.written.setVisible(written is not None)
        self.undo.setVisible(written is not None and bool(written.undo.strip()))
        self._undo_heading.setVisible(self.undo.isVisibleTo(self))
        if written is not None:
            self.written.show_text(written.text.rstrip("\n"))
            self.undo.show_text(written.undo.rstrip("\n"))
        cautions = [f"▲ {say(caution, self._context.language)}" for caution in (written.cautions if written else ())]
        self.cautions.say(self.tr("It lacks nothing.") if nothing else "\n".join(cautions))

    def _choose(self, product: object) -> None:
        self._chosen = str(product) or None
        self._show_writers()


def _clear(layout: QVBoxLayout) -> None:
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.deleteLater()
