"""Cards, headings and labels, as the stylesheet knows them by their names."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget


class Card(QFrame):
    """A surface with room inside. `kind` is `card`, `error`, `warning` or `success`."""

    def __init__(self, kind: str = "card", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(kind)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(20, 16, 20, 16)
        self.body.setSpacing(10)


class Text(QLabel):
    """A label that wraps, is never read as markup, and whose words can be selected. `kind` names its style."""

    def __init__(self, kind: str = "", parent: QWidget | None = None, *, wrap: bool = True) -> None:
        super().__init__(parent)
        self.setObjectName(kind)
        self.setWordWrap(wrap)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def minimumSizeHint(self) -> QSize:
        # A wrapped label asks for a square; the page would then scroll though everything fits.
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), 60), self.fontMetrics().height()) if self.wordWrap() else hint

    def say(self, text: str) -> None:
        """Show `text`; with nothing to say take no room."""
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))
