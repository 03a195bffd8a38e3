"""A labelled line to type into, with what is wrong with it said beneath."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from wizard.gui.controls.frames import Text


class Labelled(QWidget):
    """A label above a control, a hint or a problem below. The label's mnemonic leads to the control."""

    def __init__(self, control: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.control = control
        self._label = QLabel(self)
        self._label.setBuddy(control)
        self._hint = Text("muted")
        self._problem = Text("problem")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._label)
        column.addWidget(control)
        column.addWidget(self._hint)
        column.addWidget(self._problem)
        self._hint.say("")
        self._problem.say("")

    @property
    def problem(self) -> str:
        """What is said to be wrong."""
        return self._problem.text()

    def name(self, label: str, hint: str = "") -> None:
        """Say what the control is for."""
        self._label.setText(label)
        self._hint.say(hint)
        self.control.setAccessibleName(label.replace("&", ""))
        self.control.setAccessibleDescription(hint)

    def show_problems(self, problems: Sequence[str]) -> None:
        """Say what is wrong; nothing if all is well. The cross goes with the colour."""
        self._problem.say("\n".join(f"✖ {_sentence(problem)}" for problem in problems))
        faulty = bool(problems)
        if bool(self.control.property("faulty")) != faulty:
            self.control.setProperty("faulty", faulty)
            self.control.style().unpolish(self.control)
            self.control.style().polish(self.control)


class Field(Labelled):
    """A line of text. Signal: `edited` (str) as the person types."""

    edited = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, secret: bool = False) -> None:
        self.line = QLineEdit()
        super().__init__(self.line, parent)
        if secret:
            self.line.setEchoMode(QLineEdit.EchoMode.Password)
            self.line.setInputMethodHints(Qt.InputMethodHint.ImhHiddenText | Qt.InputMethodHint.ImhNoPredictiveText)
        self.line.textEdited.connect(self.edited)

    @property
    def text(self) -> str:
        """What is in it."""
        return self.line.text()

    def show_text(self, text: str) -> None:
        """Put a text in; the cursor stays if it is there already."""
        if text != self.line.text():
            self.line.setText(text)
            if not self.line.hasFocus():
                # Of what is too long for it, the beginning is seen.
                self.line.setCursorPosition(0)


class Choice(Labelled):
    """One of several. Signal: `picked` (object), the value that the person took."""

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.box = QComboBox()
        super().__init__(self.box, parent)
        self.box.activated.connect(lambda index: self.picked.emit(self.box.itemData(index)))

    def offer(self, choices: Sequence[tuple[object, str]], value: object) -> None:
        """Show the choices, and which of them is taken."""
        present = [(self.box.itemData(i), self.box.itemText(i)) for i in range(self.box.count())]
        if present != list(choices):
            self.box.clear()
            for data, text in choices:
                self.box.addItem(text, data)
        index = next((i for i, (data, _) in enumerate(choices) if data == value), -1)
        self.box.setCurrentIndex(index)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "。", "?", "？")) else ".")
