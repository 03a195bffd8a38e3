"""The rules to enter by hand, each with a button that probes its ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from wizard.diagnosis.verdict import State
from wizard.gui.controls.frames import Text
from wizard.gui.controls.mark import Mark
from wizard.gui.theme import Theme
from wizard.model.port import OutsidePort
from wizard.model.router_guide import Row
from wizard.report.wording import wording

MOST_ROWS = 24
"""Rows that are shown with a button each; of more only the text."""
_COLUMNS = 3
_LONG = 18
"""Characters of a value that one column holds."""


class RuleRow(QFrame):
    """One rule. Signal: `check_wanted` (Row)."""

    check_wanted = Signal(object)

    def __init__(self, theme: Theme, row: Row, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = row
        self.setObjectName("rule")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 8, 0, 8)
        line.setSpacing(14)
        self._mark = Mark(theme, None, 22)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        grid = QGridLayout()
        grid.setHorizontalSpacing(22)
        grid.setVerticalSpacing(6)
        at = 0
        for label, value in row.cells:
            # An IPv6 address cannot be broken, so it has the room of two.
            span = 2 if len(value) > _LONG else 1
            at += -at % _COLUMNS if at % _COLUMNS + span > _COLUMNS else 0
            cell = QVBoxLayout()
            cell.setSpacing(0)
            name, shown = Text("muted"), Text("value")
            name.setText(label)
            shown.setText(value)
            shown.setAccessibleName(f"{label}: {value}")
            cell.addWidget(name)
            cell.addWidget(shown)
            cell.addStretch(1)
            grid.addLayout(cell, at // _COLUMNS, at % _COLUMNS, 1, span)
            at += span
        for column in range(_COLUMNS):
            grid.setColumnStretch(column, 1)
        line.addLayout(grid, 1)
        side = QVBoxLayout()
        side.setSpacing(6)
        self.check = QPushButton(self.tr("Check"))
        self.check.setObjectName("small")
        self.check.setAccessibleDescription(row.text)
        self.check.clicked.connect(lambda: self.check_wanted.emit(self.row))
        self.word = Text("muted", wrap=False)
        self.word.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        side.addWidget(self.check)
        side.addWidget(self.word)
        side.addStretch(1)
        line.addLayout(side)

    def show_state(self, state: State | None, *, probing: bool, language: str) -> None:
        """How its ports fared."""
        self._mark.show_state(state)
        if probing:
            self.word.say(self.tr("Checking…"))
        else:
            self.word.say("" if state is None else wording(f"state-{state}", language))


class RuleRows(QWidget):
    """All rules. Signal: `check_wanted` (Row)."""

    check_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._shown: tuple[object, ...] = ()
        self.rows: list[RuleRow] = []
        self.more = Text("muted")
        self._column.addWidget(self.more)

    def show_rows(
        self,
        rows: Sequence[Row],
        marks: Mapping[tuple[OutsidePort, ...], State],
        probing: tuple[OutsidePort, ...],
        language: str,
    ) -> None:
        """Show these rules; widgets are made anew only if the rules have changed."""
        wanted = (tuple(rows), language)
        if wanted != self._shown:
            self._shown = wanted
            for old in self.rows:
                self._column.removeWidget(old)
                old.deleteLater()
            self.rows = [RuleRow(self._theme, row) for row in rows[:MOST_ROWS]]
            for number, shown in enumerate(self.rows):
                shown.check_wanted.connect(self.check_wanted)
                self._column.insertWidget(number, shown)
            rest = len(rows) - len(self.rows)
            self.more.say(self.tr("And {count} more, one for each port.").format(count=rest) if rest else "")
        for shown in self.rows:
            ports = shown.row.ports
            shown.show_state(marks.get(ports), probing=ports == probing, language=language)
