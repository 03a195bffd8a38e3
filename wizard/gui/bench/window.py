"""The bench as a window of its own."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from wizard.gui.bench.page import BenchPage
from wizard.gui.bench.running import BenchModel
from wizard.gui.context import Context
from wizard.gui.controls.frames import Text


class BenchWindow(QWidget):
    """The page of the bench with its title and buttons; what it knows is shared with the wizard's page."""

    def __init__(self, context: Context, bench: BenchModel, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._context = context
        self.setObjectName("ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumSize(640, 480)
        self.resize(980, 760)
        self.page = BenchPage(context, bench)
        self.title, self.answer, self.status = Text("title"), Text("answer"), Text("muted", wrap=False)
        self.primary = QPushButton()
        self.primary.setObjectName("primary")
        self.primary.clicked.connect(self.page.on_primary)
        self._extras: tuple[QPushButton, ...] = ()
        head = QVBoxLayout()
        head.setContentsMargins(28, 20, 28, 8)
        head.setSpacing(4)
        head.addWidget(self.title)
        head.addWidget(self.answer)
        self._foot = QHBoxLayout()
        self._foot.setContentsMargins(28, 10, 28, 16)
        self._foot.setSpacing(12)
        self._foot.addWidget(self.status)
        self._foot.addStretch(1)
        self._foot.addWidget(self.primary)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.page, 1)
        column.addLayout(self._foot)
        QShortcut(QKeySequence("Ctrl+Return"), self, self.primary.click)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)
        self.page.said.connect(self._show_bars)
        context.speech.changed.connect(self._show_bars)

    def open(self) -> None:
        """Show it, in front."""
        self.page.entered()
        self._show_bars()
        if self.isVisible():
            self.raise_()
        self.show()
        self.activateWindow()

    def _show_bars(self) -> None:
        self.setWindowTitle(self.tr("TURN bench — Hopwise"))
        self.title.setText(self.page.title())
        self.answer.say(self.page.answer())
        self.status.setText(self.page.status())
        extras = self.page.extra_buttons()
        if extras != self._extras:
            for button in self._extras:
                self._foot.removeWidget(button)
                button.hide()
            for button in extras:
                self._foot.insertWidget(self._foot.count() - 1, button)
                button.show()
            self._extras = extras
        self.primary.setText(self.page.primary_text())
        self.primary.setEnabled(self.page.primary_enabled())
