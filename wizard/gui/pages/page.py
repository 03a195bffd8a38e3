"""What all pages have: a question, an answer, and a button that goes on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from wizard.gui.context import Context
from wizard.gui.flow import Step


class Page(QScrollArea):
    """A page. Signals: `said` when title, answer, status or buttons have changed, `wanted` (Step) to open a page."""

    said = Signal()
    wanted = Signal(Step)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        # The page is no stop of its own: Tab goes to what is on it, and that is scrolled into view.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content = QWidget()
        content.setObjectName("content")
        self.column = QVBoxLayout(content)
        self.column.setSpacing(14)
        self.setWidget(content)
        self._keep_width(0, 0)
        self.verticalScrollBar().rangeChanged.connect(self._keep_width)
        context.speech.changed.connect(self._respoken)

    def title(self) -> str:
        """The person's question."""
        raise NotImplementedError

    def answer(self) -> str:
        """One sentence under it."""
        return ""

    def status(self) -> str:
        """What stands at the bottom."""
        return ""

    def corner(self) -> QWidget | None:
        """What stands beside the title."""
        return None

    def extra_buttons(self) -> tuple[QPushButton, ...]:
        """Buttons between Back and the primary one."""
        return ()

    def primary_text(self) -> str:
        """What the primary button says; empty: there is none."""
        return ""

    def primary_enabled(self) -> bool:
        """Whether it can be pressed."""
        return True

    def on_primary(self) -> None:
        """What it does."""

    def retranslate(self) -> None:
        """Put every fixed text into the present language."""

    def refresh(self) -> None:
        """Show what the view models hold."""

    def first(self) -> QWidget | None:
        """What has the focus when the page comes into view."""
        return None

    def entered(self) -> None:
        """The page has come into view."""
        self.refresh()

    def left(self) -> None:
        """The page has gone out of view."""

    def _keep_width(self, first: int, last: int) -> None:
        """What is on the page ends above the primary button, whether or not it has to scroll."""
        bar = self.verticalScrollBar().sizeHint().width() if last > first else 0
        self.column.setContentsMargins(28, 4, max(6, 28 - bar), 16)

    def _respoken(self) -> None:
        self.retranslate()
        self.refresh()
