"""A project file that cannot be used: everything that is wrong with it, in a list."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QListWidget, QVBoxLayout, QWidget

from wizard.gui.controls.frames import Text
from wizard.model.problem import Problem


class ProblemsDialog(QDialog):
    """Accepted: the person wants to open the file all the same, to mend it here."""

    def __init__(self, problems: Sequence[Problem], language: str, *, mendable: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("This file cannot be used as it is"))
        self.resize(640, 360)
        heading = Text("heading")
        heading.setText(self.tr("%n thing(s) are wrong with this file", "", len(problems)))
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setAccessibleName(heading.text())
        self.list.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        for problem in problems:
            self.list.addItem(f"✖ {problem.say(language)}")
        buttons = QDialogButtonBox()
        if mendable:
            mend = buttons.addButton(self.tr("&Open it and mend it here"), QDialogButtonBox.ButtonRole.AcceptRole)
            mend.setObjectName("primary")
        buttons.addButton(self.tr("&Close"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addWidget(self.list, 1)
        column.addWidget(buttons)
