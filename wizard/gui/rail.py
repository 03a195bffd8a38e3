"""The steps on the left: where one is, what is done, what can be opened."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from wizard.gui.controls.frames import Text
from wizard.gui.flow import ORDER, Known, Step, is_complete, is_open
from wizard.gui.speech import Speech
from wizard.gui.theme import Theme


class Rail(QWidget):
    """Signal: `wanted` (Step)."""

    wanted = Signal(Step)

    def __init__(self, theme: Theme, speech: Speech, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(184)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 18, 10, 18)
        column.setSpacing(4)
        brand = Text("brand")
        brand.setText("Hopwise")
        brand.setContentsMargins(14, 0, 0, 14)
        column.addWidget(brand)
        self.buttons: dict[Step, _StepButton] = {}
        for step in ORDER:
            button = _StepButton(theme)
            button.clicked.connect(lambda _=False, step=step: self.wanted.emit(step))
            self.buttons[step] = button
            column.addWidget(button)
        column.addStretch(1)
        self._project = Text("muted")
        self._project.setContentsMargins(14, 0, 4, 0)
        column.addWidget(self._project)
        self._saved = Text("muted")
        self._saved.setContentsMargins(14, 0, 4, 0)
        column.addWidget(self._saved)
        speech.changed.connect(self.retranslate)
        self.retranslate()

    def retranslate(self) -> None:
        """Name the steps."""
        names = {
            Step.SERVICE: self.tr("Your service"),
            Step.PATH: self.tr("Path"),
            Step.PORTS: self.tr("Ports"),
            Step.ORIGIN: self.tr("From where"),
            Step.TEST: self.tr("Test"),
            Step.FIX: self.tr("Fix"),
            Step.REPORT: self.tr("Report"),
        }
        for number, (step, button) in enumerate(self.buttons.items(), 1):
            button.setText(names[step])
            # After the text, which takes every shortcut but its own mnemonic away.
            button.setShortcut(QKeySequence(Qt.Modifier.ALT | Qt.Key(Qt.Key.Key_0.value + number)))
            button.setToolTip(self.tr("Alt+{number}").format(number=number))

    def show_steps(self, current: Step, known: Known) -> None:
        """Mark where one is and what is done."""
        done, faulty = self.tr("done"), self.tr("needs mending")
        for step, button in self.buttons.items():
            complete = is_complete(step, known) and not (step in (Step.TEST, Step.FIX, Step.REPORT) and step is current)
            broken = known.chosen and step in known.faulty
            button.show_state(current=step is current, complete=complete, faulty=broken)
            button.setEnabled(is_open(step, known))
            state = faulty if broken else done if complete else ""
            button.setAccessibleName(f"{button.text()}, {state}" if state else button.text())

    def show_project(self, name: str, saved: str) -> None:
        """Name the project, and say whether it is saved."""
        self._project.say(name)
        self._saved.say(saved)


class _StepButton(QPushButton):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("step")
        self.setCheckable(True)
        self._theme = theme
        self._complete = self._faulty = False
        theme.changed.connect(self.update)

    def show_state(self, *, current: bool, complete: bool, faulty: bool) -> None:
        """Where one is is checked; done has a tick, faulty a bang."""
        self.setChecked(current)
        self._complete, self._faulty = complete, faulty
        self.update()

    def nextCheckState(self) -> None:
        # What is checked says where one is, and a click alone does not go there.
        pass

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        palette = self._theme.palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(18, self.height() / 2)
        width = 2.1
        if self._faulty:
            painter.setPen(QPen(QColor(palette.blocked), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(0, -6), QPointF(0, 1.5))
            painter.drawPoint(QPointF(0, 5.5))
        elif self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(palette.accent))
            painter.drawEllipse(QPointF(0, 0), 5, 5)
        elif self._complete:
            pen = QPen(QColor(palette.open), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF([QPointF(-5, 0), QPointF(-1.4, 4), QPointF(5.4, -4.4)]))
        else:
            painter.setPen(QPen(QColor(palette.muted), 1.6))
            painter.drawEllipse(QPointF(0, 0), 4.5, 4.5)
