"""The switches of the practice network's faults."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from wizard.gui.context import Context
from wizard.gui.controls.frames import Card, Text
from wizard.gui.view_models.practice import PracticeModel


class PracticeFaults(Card):
    """Break something, test, and mend it again."""

    def __init__(self, context: Context, practice: PracticeModel, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._context = context
        self._practice = practice
        self._heading = Text("heading")
        self._text = Text("muted")
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self.body.addWidget(self._heading)
        self.body.addWidget(self._text)
        self.body.addLayout(self._list)
        self.switches: dict[str, QCheckBox] = {}
        self._remedies = Text()
        self.body.addWidget(self._remedies)
        practice.changed.connect(self.refresh)
        context.run.changed.connect(self._enable)
        context.speech.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show which faults there are and which are made."""
        self.setVisible(self._practice.running)
        self._heading.setText(self.tr("Practice: break something"))
        self._text.setText(
            self.tr("Nothing leaves this computer. Make a fault, test, see which hop is named, and mend it again.")
        )
        language = self._context.language
        faults = self._practice.faults
        if [fault.id for fault in faults] != list(self.switches):
            for box in self.switches.values():
                box.deleteLater()
            self.switches = {}
            for fault in faults:
                box = QCheckBox()
                box.toggled.connect(lambda on, fault=fault: self._practice.set_broken(fault, on))
                self.switches[fault.id] = box
                self._list.addWidget(box)
        for fault in faults:
            box = self.switches[fault.id]
            box.setText(fault.title.say(language))
            box.blockSignals(True)
            box.setChecked(fault.id in self._practice.broken)
            box.blockSignals(False)
        broken = [fault for fault in faults if fault.id in self._practice.broken]
        self._remedies.say("\n".join(fault.remedy.say(language) for fault in broken))
        self._enable()

    def _enable(self) -> None:
        for box in self.switches.values():
            box.setEnabled(not self._context.run.busy)
