"""Test: probes go out, and every hop takes on the state that they prove."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QProgressBar, QPushButton, QWidget

from wizard.gui.context import Context
from wizard.gui.controls.copied import Copied
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.switch import Switch
from wizard.gui.diagram.model import diagram_model, strips_model
from wizard.gui.diagram.view import DiagramView, StripsView
from wizard.gui.flow import Step
from wizard.gui.pages.log_words import LogWords
from wizard.gui.pages.page import Page
from wizard.gui.view_models.answering import AnsweringModel
from wizard.gui.view_models.run import RunState
from wizard.observation import Observation
from wizard.report.summary import sentence

_REPAINT_MS = 60
"""Between two repaints during a run: under 20 in a second."""
_LOG_LINES = 4000


class TestPage(Page):
    """The run. Signals: `add_result_wanted`, `script_wanted`."""

    __test__ = False  # for pytest, which takes it for a test by its name

    add_result_wanted = Signal()
    script_wanted = Signal()

    def __init__(self, context: Context, answering: AnsweringModel, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.answering = answering
        self._log_words = LogWords(context, self)
        self._logged = 0
        self._brought: tuple[Observation, ...] = ()
        self._notes: tuple[str, ...] = ()

        picture = Card()
        self.diagram = DiagramView(context.theme)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        # It keeps its room: what is below must not jump when a test begins.
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        picture.body.addWidget(self.diagram)
        picture.body.addWidget(self.progress)
        self.column.addWidget(picture)
        self._strips_card = Card()
        self._strips_heading = Text("heading")
        self.strips = StripsView(context.theme)
        self._strips_card.body.addWidget(self._strips_heading)
        self._strips_card.body.addWidget(self.strips)
        self.column.addWidget(self._strips_card)
        self.nowhere = Text("problem")
        self.column.addWidget(self.nowhere)
        self._practice: QWidget | None = None
        self._build_before()
        self._skipped = Text("muted")
        self.column.addWidget(self._skipped)
        self._build_log()
        self.column.addStretch(1)

        self.again = QPushButton()
        self.stop = QPushButton()
        self.again.clicked.connect(self.start)
        self.stop.clicked.connect(context.run.stop)
        self._tick = QTimer(self, singleShot=True, interval=_REPAINT_MS)
        self._tick.timeout.connect(self.refresh)
        context.run.changed.connect(self._soon)
        context.run.ended.connect(self.refresh)
        context.document.changed.connect(self._edited)
        context.document.opened.connect(self._opened)
        answering.changed.connect(self.refresh)
        self.retranslate()

    def _build_before(self) -> None:
        self.before = Card()
        self._before_heading = Text("heading")
        self._before_text = Text()
        self.command = Copied()
        self.script = QPushButton()
        self.add_result = QPushButton()
        self.answer_here = Switch(self.context.theme)
        self._answering = Text("muted")
        row = QHBoxLayout()
        row.setSpacing(10)
        for button in (self.script, self.add_result):
            button.setObjectName("small")
            row.addWidget(button)
        row.addStretch(1)
        self.before.body.addWidget(self._before_heading)
        self.before.body.addWidget(self._before_text)
        self.before.body.addWidget(self.command)
        self.before.body.addLayout(row)
        self.before.body.addWidget(self.answer_here)
        self.before.body.addWidget(self._answering)
        self._result_notes = Text("muted")
        self.before.body.addWidget(self._result_notes)
        self.column.addWidget(self.before)
        self.script.clicked.connect(self.script_wanted)
        self.add_result.clicked.connect(self.add_result_wanted)
        self.answer_here.toggled.connect(self._answer_here)

    def _build_log(self) -> None:
        self.log_switch = Switch(self.context.theme)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setTabChangesFocus(True)
        self.log.setMaximumBlockCount(_LOG_LINES)
        self.log.setFixedHeight(200)
        self.log.setStyleSheet("font-family: monospace; font-size: 12px;")
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.log.setVisible(False)
        self.column.addWidget(self.log_switch)
        self.column.addWidget(self.log)
        self.log_switch.toggled.connect(self._show_log)

    def title(self) -> str:
        return self.tr("Can people outside reach it?")

    def answer(self) -> str:
        run = self.context.run
        if run.state is RunState.FAILED:
            return self.tr("The test could not be carried out: {reason}").format(reason=run.error)
        if run.state is RunState.NONE or run.project is None or run.diagnosis is None:
            ports = sum(len(plan.outside) for plan in self.context.document.sketch.ports)
            if run.busy:
                return self.tr("Testing…")
            return self.tr("Not tested yet. %n port(s) will be probed.", "", ports)
        if run.busy:
            return self.tr("Testing… {done} of {planned} probes are decided.").format(
                done=run.done, planned=run.planned
            )
        said = sentence(run.project, run.diagnosis, self.context.language)
        if self.stale:
            return self.tr("{verdict} The project has been edited since: test again.").format(verdict=said)
        return self.tr("{verdict} The test was stopped early.").format(verdict=said) if self._stopped else said

    def status(self) -> str:
        run = self.context.run
        if run.busy or run.result is None or not run.tested:
            return ""
        said = self.tr("{seconds} s · {probes} probes").format(seconds=f"{run.result.seconds:.1f}", probes=run.done)
        return " · ".join((said, self.tr("%n place(s)", "", len(run.places))))

    def extra_buttons(self) -> tuple[QPushButton, ...]:
        if self.context.run.busy:
            return (self.stop,)
        return (self.again,) if self.context.run.tested else ()

    def primary_text(self) -> str:
        run = self.context.run
        if run.tested:
            return self.tr("Fi&x") if self._has_findings else self.tr("&Report")
        return self.tr("&Test")

    def primary_enabled(self) -> bool:
        return not self.context.run.busy and (self.context.run.tested or self.context.document.probes > 0)

    def on_primary(self) -> None:
        if not self.context.run.tested:
            self.start()
        else:
            self.wanted.emit(Step.FIX if self._has_findings else Step.REPORT)

    @property
    def stale(self) -> bool:
        """Whether what is shown was measured on another version of the project."""
        run = self.context.run
        return run.tested and run.project != self.context.document.project

    @property
    def _stopped(self) -> bool:
        return self.context.run.state is RunState.STOPPED

    @property
    def _has_findings(self) -> bool:
        diagnosis = self.context.run.diagnosis
        return diagnosis is not None and bool(diagnosis.findings)

    def show_practice(self, faults: QWidget) -> None:
        """Put the switches of the practice network under the path."""
        self._practice = faults
        self.column.insertWidget(3, faults)

    def start(self) -> None:
        """Test now."""
        project = self.context.document.project
        if project is None:
            return
        self.log.clear()
        self._logged = 0
        self.context.run.run(project, self.context.passwords.by_vantage(project.vantages), self._brought)
        self.refresh()

    def bring(self, observations: tuple[Observation, ...], notes: tuple[str, ...]) -> None:
        """Add what another computer saw; it counts from the next test on."""
        self._brought = (*self._brought, *observations)
        self._notes = (*self._notes, *notes)
        self.refresh()

    def show_hop(self, hop: str) -> None:
        """Put the ring around a hop, and bring it into view."""
        self.diagram.show_highlight(hop)
        self.ensureWidgetVisible(self.diagram)
        self.diagram.setFocus()

    def retranslate(self) -> None:
        self.diagram.setAccessibleName(self.tr("The path; arrow keys choose a hop"))
        self.strips.setAccessibleName(self.tr("Ports at each hop"))
        self.progress.setAccessibleName(self.tr("Progress of the test"))
        self._strips_heading.setText(self.tr("Ports at each hop"))
        self._before_heading.setText(self.tr("Before the test: somebody must answer"))
        self._before_text.setText(
            self.tr(
                "A port can only be proven open by an answer. On the service's host, start the responder: it answers "
                "this project's signed probes on every planned port that your service does not hold itself."
            )
        )
        self.script.setText(self.tr("&Save as a script for a bare host…"))
        self.script.setToolTip(self.tr("One Python file. Nothing has to be installed on the host."))
        self.add_result.setText(self.tr("Add a result from &another computer…"))
        self.add_result.setToolTip(self.tr("The JSON that hopwise check --json or hopwise respond --json printed."))
        self.answer_here.setText(self.tr("This computer is the service's host: answer &here"))
        self.answer_here.updateGeometry()
        self.log_switch.setText(self.tr("Show the &log"))
        self.log_switch.updateGeometry()
        self.log.setAccessibleName(self.tr("Log"))
        self.again.setText(self.tr("Test a&gain"))
        self.stop.setText(self.tr("Sto&p"))
        self.log.clear()
        self._logged = 0

    def refresh(self) -> None:
        run = self.context.run
        document = self.context.document
        current = run.project if run.project is not None and not self.stale else None
        project = current or document.sketch
        diagnosis = run.diagnosis if current is not None else None
        language = self.context.language
        self.diagram.show_model(diagram_model(project, diagnosis, language))
        self.strips.show_model(strips_model(project, diagnosis, language))
        self.progress.setRange(0, max(1, run.planned))
        self.progress.setValue(run.done)
        self.progress.setVisible(run.busy)
        # Before a test the strips would say nothing.
        self._strips_card.setVisible(diagnosis is not None)
        self.nowhere.say(
            self.tr(
                "✖ As it stands, nothing can be sent: from the places that are named no hop has an address that can be "
                "reached. Give the first hop behind such a place an address, or name another place."
            )
            if document.valid and document.probes == 0
            else ""
        )
        self._show_before()
        self._skipped.say("\n".join(self._log_words.skipped(each) for each in run.skipped))
        if self.log_switch.isChecked():
            self._write_log()
        self.said.emit()

    def _show_before(self) -> None:
        document = self.context.document
        self.before.setVisible(not self.context.run.busy and (self._practice is None or self._practice.isHidden()))
        file = document.path.name if document.path else "project.toml"
        self.command.show_text(f"hopwise respond {_quoted(file)}")
        self.script.setEnabled(document.valid)
        self.add_result.setEnabled(document.valid)
        self.answer_here.setEnabled(document.valid or self.answering.busy)
        if self.answer_here.isChecked() != self.answering.busy:
            self.answer_here.blockSignals(True)
            self.answer_here.setChecked(self.answering.busy)
            self.answer_here.blockSignals(False)
        bound = self.answering.bound
        if self.answering.error:
            self._answering.say(f"✖ {self.answering.error}")
        elif bound is not None:
            said = self.tr("Answers on %n port(s) here.", "", len(bound.ports))
            if bound.held:
                said += " " + self.tr("%n port(s) are held by a program, which is left alone.", "", len(bound.held))
            self._answering.say(said)
        else:
            self._answering.say("")
        brought = len(self._brought)
        notes = [self.tr("%n observation(s) of other computers count from the next test on.", "", brought)]
        self._result_notes.say("\n".join([*(notes if brought else []), *self._notes]))

    def _show_log(self, shown: bool) -> None:
        self.log.setVisible(shown)
        if shown:
            self._write_log()

    def _write_log(self) -> None:
        heard = self.context.run.heard
        if self._logged > len(heard):
            self.log.clear()
            self._logged = 0
        lines = [self._log_words.line(each) for each in heard[self._logged :][-_LOG_LINES:]]
        self._logged = len(heard)
        if lines:
            self.log.appendPlainText("\n".join(lines))

    def _soon(self) -> None:
        if not self._tick.isActive():
            self._tick.start()

    def _edited(self) -> None:
        if self.isVisible():
            self.refresh()

    def _opened(self) -> None:
        self._brought = ()
        self._notes = ()
        self.answering.stop()
        self.diagram.show_highlight(None)

    def _answer_here(self, wanted: bool) -> None:
        project = self.context.document.project
        if wanted and project is not None:
            self.answering.start(project)
        else:
            self.answering.stop()


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def script_name(path: Path | None) -> str:
    """What the printed responder is called."""
    return f"{path.stem if path else 'hopwise'}-responder.py"
