"""Test: probes go out, and every hop takes on the state that they prove."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QProgressBar, QPushButton, QVBoxLayout, QWidget

from wizard.diagnosis.verdict import Diagnosis, Finding, Severity
from wizard.gui.context import Context
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.switch import Switch
from wizard.gui.diagram.model import diagram_model, strips_model
from wizard.gui.diagram.view import DiagramView, StripsView
from wizard.gui.flow import Step
from wizard.gui.pages.answerers import Answerers
from wizard.gui.pages.changes import Changes, time_of_day
from wizard.gui.pages.elsewhere import Elsewhere
from wizard.gui.pages.fix import FindingCard
from wizard.gui.pages.log_words import LogWords
from wizard.gui.pages.page import Page
from wizard.gui.view_models.answering import AnsweringModel
from wizard.gui.view_models.network import NetworkModel
from wizard.gui.view_models.run import RunState
from wizard.gui.view_models.waiting import WaitingModel
from wizard.model.project import Project
from wizard.report.summary import sentence
from wizard.system.interfaces import ways_out

_REPAINT_MS = 60
"""Between two repaints during a run: under 20 in a second."""
_LOG_LINES = 4000


class TestPage(Page):
    """The run, live; what it needs; and what was heard."""

    __test__ = False  # for pytest, which takes it for a test by its name

    def __init__(self, context: Context, answering: AnsweringModel, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._log_words = LogWords(context, self)
        self._logged = 0

        self.watch = Switch(context.theme, words_first=True)
        self.watch.toggled.connect(self._watch)
        self._corner = QFrame()
        self._corner.setObjectName("card")
        corner = QHBoxLayout(self._corner)
        corner.setContentsMargins(12, 3, 8, 3)
        corner.addWidget(self.watch)
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
        self.finding: FindingCard | None = None
        self._finding_shown: tuple[Finding, Project, str] | None = None
        self._finding_place = QVBoxLayout()
        self.column.addLayout(self._finding_place)
        self.nowhere = Text("problem")
        self.column.addWidget(self.nowhere)
        self.changes = Changes(context)
        self.column.addWidget(self.changes)
        self._practice: QWidget | None = None
        self.answerers = Answerers(context, answering, WaitingModel(context.jobs, self))
        self.elsewhere = Elsewhere(context, NetworkModel(ways_out, self))
        self.elsewhere.leaving.connect(self._keep_result)
        self._starting = False
        self.column.addWidget(self.answerers)
        self.column.addWidget(self.elsewhere)
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
        context.run.ended.connect(self._ended)
        context.document.changed.connect(self._edited)
        context.document.opened.connect(self._opened)
        self.retranslate()

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

    def corner(self) -> QWidget:
        return self._corner

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
        if run.watching:
            return self.tr("{verdict} Each change shows at once.").format(verdict=said)
        return self.tr("{verdict} The test was stopped early.").format(verdict=said) if self._stopped else said

    def status(self) -> str:
        run = self.context.run
        if run.busy or run.result is None or not run.tested:
            return ""
        if run.watching and run.result.past is not None:
            return self.tr("Watched since {time}").format(time=time_of_day(run.result.past.began))
        said = self.tr("{seconds} s · {probes} probes").format(seconds=f"{run.result.seconds:.1f}", probes=run.done)
        return " · ".join((said, self.tr("%n place(s)", "", len(run.places))))

    def extra_buttons(self) -> tuple[QPushButton, ...]:
        if self.context.run.busy:
            return (self.stop,)
        return (self.again,) if self.context.run.tested and not self.context.run.watching else ()

    def primary_text(self) -> str:
        run = self.context.run
        if run.tested:
            return self.tr("Fi&x") if self._has_findings else self.tr("&Report")
        return self.tr("&Test")

    def primary_enabled(self) -> bool:
        ready = self.context.run.tested or self.context.document.probes > 0
        return ready and not self.context.run.busy and not self._starting

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
        self.column.insertWidget(4, faults)

    def start(self) -> None:
        """Test now; on the service's host once the probes are answered there."""
        if self._starting or self.context.run.goes_on:
            return
        if self.answerers.answers_by_itself:
            self._starting = True
            self.context.jobs.start(self._answer_and_run())
            self.said.emit()
        else:
            self._run()

    async def _answer_and_run(self) -> None:
        try:
            await self.answerers.answer_for_this_run()
        finally:
            self._starting = False
        self._run()

    def _watch(self, on: bool) -> None:
        """Watch what was tested; what was not, or by a responder that has gone, is tested first."""
        run = self.context.run
        stands = run.state is RunState.DONE and not self.stale and not self.answerers.answers_by_itself
        run.watch(on, again=not stands)
        if on and not run.goes_on:
            self.start()
        self.refresh()

    def _ended(self) -> None:
        # What was stopped, or could not be carried out, is watched no longer.
        if self.context.run.state in (RunState.STOPPED, RunState.FAILED):
            self.watch.setChecked(False)
        self.refresh()

    def _keep_result(self) -> None:
        """What was seen from here counts in the next test, which comes from somewhere else."""
        result = self.context.run.result
        if result is not None and self.context.run.tested:
            self.answerers.bring(result.observations, ())

    def _run(self) -> None:
        project = self.context.document.project
        if project is None:
            return
        self.answerers.waiting.stop()
        self.elsewhere.network.stop()
        self.log.clear()
        self._logged = 0
        self.context.configs.reread()
        passwords = self.context.passwords.by_vantage(project.vantages)
        answerers = self.answerers
        self.context.run.run(project, passwords, answerers.seen, self.context.configs.rows, answerers.respond_on)
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
        self.watch.setText(self.tr("&Watch while I fix it"))
        self.watch.updateGeometry()
        self.answerers.retranslate()
        self.elsewhere.retranslate()
        self.log_switch.setText(self.tr("&Log of every probe"))
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
        self.changes.show_past(run.result.past if run.result is not None and diagnosis is not None else None, project)
        self.watch.setEnabled(run.goes_on or run.tested or document.probes > 0)
        self._show_finding(diagnosis, project)
        self.nowhere.say(
            self.tr(
                "✖ As it stands, nothing can be sent: from the places that are named no hop has an address that can be "
                "reached. Give the first hop behind such a place an address, or name another place."
            )
            if document.valid and document.probes == 0
            else ""
        )
        for card in (self.answerers, self.elsewhere):
            card.setVisible(not run.busy and (self._practice is None or self._practice.isHidden()))
            card.refresh()
        self._skipped.say("\n".join(self._log_words.skipped(each) for each in run.skipped))
        if self.log_switch.isChecked():
            self._write_log()
        self.said.emit()

    def _show_finding(self, diagnosis: Diagnosis | None, project: Project) -> None:
        """The first thing to mend, once the test has ended."""
        found = None
        if diagnosis is not None and not self.context.run.busy:
            found = next((one for one in diagnosis.findings if one.severity is Severity.ERROR), None)
        wanted = None if found is None else (found, project, self.context.language)
        if wanted == self._finding_shown:
            return
        self._finding_shown = wanted
        if self.finding is not None:
            self._finding_place.removeWidget(self.finding)
            self.finding.hide()
            self.finding.deleteLater()
            self.finding = None
        if wanted is not None:
            self.finding = FindingCard(self.context, *wanted, brief=True)
            self.finding.show_wanted.connect(self.show_hop)
            self._finding_place.addWidget(self.finding)

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
        if self.stale:
            self.watch.setChecked(False)
        if self.isVisible():
            self.refresh()

    def _opened(self) -> None:
        self.watch.setChecked(False)
        self.diagram.show_highlight(None)
