"""Text to be copied as it is."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFontDatabase, QFontMetrics, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QPushButton, QWidget

_MOST_LINES = 14
_FRAME = 24
"""Border, padding and margin of the field, in pixels, either way."""


class Copied(QFrame):
    """A few lines in a fixed-width face, and a button that copies them."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field = QPlainTextEdit(self)
        self._field.setReadOnly(True)
        self._field.setTabChangesFocus(True)
        self._field.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._field.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(12)
        # The application's stylesheet sets a size for every widget; only a sheet of its own outranks it.
        self._field.setStyleSheet(f"font-family: '{font.family()}'; font-size: 12px;")
        self._metrics = QFontMetrics(font)
        self._button = QPushButton(self)
        self._button.clicked.connect(self._copy)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._field, 1)
        row.addWidget(self._button, 0, Qt.AlignmentFlag.AlignTop)
        self._retranslate()
        self.show_text(text)

    @property
    def text(self) -> str:
        """What would be copied."""
        return self._field.toPlainText()

    def show_text(self, text: str) -> None:
        """Show other lines."""
        if text == self.text:
            return
        self._field.setPlainText(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Every line in full height, with room for the bar where one is too long."""
        lines = self.text.split("\n")
        document, line = self._field.document(), self._metrics.lineSpacing()
        # A line of Chinese is higher than one of Latin letters.
        blocks = [document.findBlockByNumber(number) for number in range(min(len(lines), _MOST_LINES))]
        heights = [document.documentLayout().blockBoundingRect(block).height() for block in blocks]
        room = math.ceil(sum(max(line, height) for height in heights))
        wide = max(self._metrics.horizontalAdvance(line) for line in lines) > self._field.width() - _FRAME
        bar = self._field.horizontalScrollBar().sizeHint().height() + 4 if wide else 0
        self._field.setFixedHeight(room + _FRAME + bar)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self._button.setText(self.tr("Copy"))
        self._button.setAccessibleName(self.tr("Copy these lines"))
        self._field.setAccessibleName(self.tr("Lines to copy"))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self._button.setText(self.tr("Copied"))
