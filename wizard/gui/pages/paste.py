"""A configuration pasted as text; what it is, is said as soon as it is there."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from wizard.configs.products import product as product_of
from wizard.configs.products import read
from wizard.configs.reading import UnreadableError
from wizard.configs.words import say_of
from wizard.gui.controls.frames import Text
from wizard.model.said import said as in_words


class PasteDialog(QDialog):
    """Accepted: the text in `text` is the configuration of `product`."""

    def __init__(self, language: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._language = language
        self.product = ""
        self.text = ""
        self.setWindowTitle(self.tr("Paste a configuration"))
        self.resize(640, 420)
        heading = Text("heading")
        heading.setText(self.tr("A file, or what a command printed"))
        self.edit = QPlainTextEdit()
        self.edit.setTabChangesFocus(True)
        self.edit.setStyleSheet("font-family: monospace; font-size: 12px;")
        self.edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.edit.setAccessibleName(heading.text())
        self.told = Text()
        buttons = QDialogButtonBox()
        self.take = buttons.addButton(self.tr("&Keep it…"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.take.setObjectName("primary")
        buttons.addButton(self.tr("&Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addWidget(self.edit, 1)
        column.addWidget(self.told)
        column.addWidget(buttons)
        self.edit.textChanged.connect(self._look)
        self._look()

    def _look(self) -> None:
        # Kept here: when the dialog has been answered, its widgets are gone.
        self.text = self.edit.toPlainText()
        self.product = ""
        said = ""
        if self.text.strip():
            try:
                self.product = read(self.text.encode("utf-8"), self.tr("this text")).product
                said = f"✔ {in_words(product_of(self.product).title, self._language)}"
            except UnreadableError as error:
                said = f"✖ {say_of(self.tr('this text'), error, self._language)}"
        self.told.say(said)
        self.take.setEnabled(bool(self.product))
