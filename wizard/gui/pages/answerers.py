"""Who answers the probes, and who else has looked: what a test needs beside this computer."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from wizard.gui.context import Context
from wizard.gui.controls.copied import Copied
from wizard.gui.controls.field import Field
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.switch import Switch
from wizard.gui.view_models.answering import AnsweringModel
from wizard.gui.view_models.waiting import WaitingModel
from wizard.model import ssh_destination
from wizard.observation import Observation, Outcome
from wizard.report.responder import one_line
from wizard.responder import DEFAULT_MINUTES
from wizard.system.interfaces import networks
from wizard.vantage.here import is_service_host

_REFRESH_MS = 250
_PATIENT_ROUNDS = 10
_KEPT = 20_000
"""Probes of others that are remembered while this computer answers."""


class Answerers(Card):
    """How the responder is started, and results of other computers. Signals: `add_result_wanted`, `script_wanted`."""

    add_result_wanted = Signal()
    script_wanted = Signal()

    def __init__(
        self, context: Context, answering: AnsweringModel, waiting: WaitingModel, parent: QWidget | None = None
    ) -> None:
        super().__init__("card", parent)
        self._context = context
        self.answering = answering
        self.waiting = waiting
        self._came: dict[Observation, None] = {}
        self._for_this_run = False
        self.brought: tuple[Observation, ...] = ()
        """What other computers saw."""
        self._notes: tuple[str, ...] = ()
        self._heading = Text("heading")
        self._text = Text()
        self.command = Copied()
        self._same_file = Text("muted")
        self.line = QPushButton()
        self.wait = QPushButton()
        self._waited = Text("muted")
        self.script = QPushButton()
        self.add_result = QPushButton()
        self.answer_here = Switch(context.theme)
        self._tick = QTimer(self, singleShot=True, interval=_REFRESH_MS)
        self._tick.timeout.connect(self.refresh)
        self._answering = Text("muted")
        self.answer_there = Switch(context.theme)
        self.there = Field()
        self._results = Text("muted")
        lines, row = QHBoxLayout(), QHBoxLayout()
        lines.setSpacing(10)
        row.setSpacing(10)
        for button in (self.line, self.wait):
            button.setObjectName("small")
            lines.addWidget(button)
        lines.addStretch(1)
        for button in (self.script, self.add_result):
            button.setObjectName("small")
            row.addWidget(button)
        row.addStretch(1)
        for widget in (self._heading, self._text, self.command, self._same_file):
            self.body.addWidget(widget)
        self.body.addLayout(lines)
        self.body.addWidget(self._waited)
        self.body.addLayout(row)
        self.body.addWidget(self.answer_here)
        self.body.addWidget(self._answering)
        self.body.addWidget(self.answer_there)
        self.body.addWidget(self.there)
        self.body.addWidget(self._results)
        self.line.clicked.connect(self._copy_line)
        self.wait.clicked.connect(self._wait)
        self.script.clicked.connect(self.script_wanted)
        self.add_result.clicked.connect(self.add_result_wanted)
        self.answer_here.toggled.connect(self._answer_here)
        self.answer_there.toggled.connect(self._answer_there)
        self.there.edited.connect(lambda _: self.refresh())
        context.document.opened.connect(self._opened)
        answering.changed.connect(self.refresh)
        answering.heard.connect(self._came_in)
        context.run.ended.connect(self._run_ended)
        waiting.changed.connect(self.refresh)
        self.retranslate()

    @property
    def respond_on(self) -> str | None:
        """Where the responder is to be started over SSH for the time of each test, if it is."""
        return self.there.text.strip() if self.answer_there.isChecked() else None

    @property
    def seen(self) -> tuple[Observation, ...]:
        """What other computers saw, and what this one saw of them; it counts from the next test on."""
        return (*self.brought, *self._came)

    @property
    def answers_by_itself(self) -> bool:
        """Whether this computer is the service's host, and nobody has switched answering on."""
        project = self._context.document.project
        free = not self.answering.busy and self.respond_on is None
        return project is not None and free and is_service_host(project, networks())

    async def answer_for_this_run(self) -> None:
        """Have the probes answered here until the run has ended; returns when they are, or cannot be."""
        project = self._context.document.project
        if project is not None:
            self._for_this_run = True
            self.answering.start(project)
            await self.answering.ready()

    def bring(self, observations: tuple[Observation, ...], notes: tuple[str, ...]) -> None:
        """Add what another computer saw."""
        self.brought = (*self.brought, *observations)
        self._notes = (*self._notes, *notes)
        self.refresh()

    def retranslate(self) -> None:
        """Put every fixed text into the present language."""
        self._heading.setText(self.tr("Before the test: somebody must answer"))
        self._text.setText(
            self.tr(
                "A port can only be proven open by an answer. On the service's host, start the responder: it answers "
                "this project's signed probes on every planned port that your service does not hold itself."
            )
        )
        self._same_file.setText(
            self.tr("The host needs this project's file as it is now: copy it there again when hops or ports change.")
        )
        self.line.setText(self.tr("Copy as &one line for its shell"))
        self.line.setToolTip(
            self.tr(
                "One long line to paste into a shell on the service's host. It needs Python 3.8 or newer and nothing "
                "else. With sudo in front it also sees what the host's own firewall stops."
            )
        )
        self.script.setText(self.tr("&Save as a script for a bare host…"))
        self.script.setToolTip(self.tr("One Python file. Nothing has to be installed on the host."))
        self.add_result.setText(self.tr("Add a result from &another computer…"))
        self.add_result.setToolTip(self.tr("The JSON that hopwise check --json or hopwise respond --json printed."))
        self.answer_here.setText(self.tr("This computer is the service's host: answer &here"))
        self.answer_here.updateGeometry()
        self.answer_there.setText(self.tr("Log in to the service's host o&ver SSH and answer there during each test"))
        self.answer_there.updateGeometry()
        self.there.name(
            self.tr("SSH &destination of the service's host"),
            self.tr(
                "user@host, user@host:port, or a Host of your SSH configuration. Nothing is installed there and "
                "nothing stays. As root, the responder also sees which tests reach the host and are stopped by its "
                "firewall."
            ),
        )

    def refresh(self) -> None:
        """Show the command for the open project, and what answers here."""
        document = self._context.document
        self.command.show_text(f"hopwise respond {quoted(document.path.name if document.path else 'project.toml')}")
        self.script.setEnabled(document.valid)
        self.add_result.setEnabled(document.valid)
        self.there.setVisible(self.answer_there.isChecked())
        self.there.show_problems([self.tr("Write user@host")] if self.there.text and not self._is_destination() else [])
        self.line.setEnabled(document.valid)
        self.wait.setEnabled(document.valid and not self.answering.busy)
        self.wait.setText(self.tr("Stop wa&iting") if self.waiting.busy else self.tr("Wa&it until it answers"))
        self._show_waiting()
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
            self._answering.say(" ".join([said, *self._of_others()]))
        elif self.answers_by_itself:
            self._answering.say(self.tr("This computer is the service's host: during each test it answers by itself."))
        else:
            self._answering.say("")
        count = len(self.brought)
        notes = [self.tr("%n observation(s) of other computers count from the next test on.", "", count)]
        self._results.say("\n".join([*(notes if count else []), *self._notes]))

    def _is_destination(self) -> bool:
        try:
            ssh_destination.parse(self.there.text.strip())
        except ValueError:
            return False
        return True

    def _answer_there(self, wanted: bool) -> None:
        self.refresh()
        if wanted:
            self.there.control.setFocus(Qt.FocusReason.OtherFocusReason)

    def _of_others(self) -> list[str]:
        """What has reached this computer by now, and how far it got."""
        ports = {
            outcome: {(o.protocol, o.port) for o in self._came if o.outcome is outcome}
            for outcome in (Outcome.ANSWERED, Outcome.ARRIVED)
        }
        if not self._came:
            return [] if self.answering.watches_card else [self.tr("Without root, only what gets in is seen.")]
        found = [self.tr("Probes of %n port(s) were answered.", "", len(ports[Outcome.ANSWERED]))]
        stopped = ports[Outcome.ARRIVED] - ports[Outcome.ANSWERED]
        if stopped:
            found.append(
                self.tr("Probes of %n port(s) got as far as the network card and no further.", "", len(stopped))
            )
        return found

    def _show_waiting(self) -> None:
        waiting = self.waiting
        if waiting.answer is not None:
            port = f"{waiting.answer.protocol} {waiting.answer.port}"
            self._waited.say(self.tr("✔ The responder answers ({port}). Press Test.").format(port=port))
        elif waiting.busy:
            said = self.tr("Waiting for the responder; asked %n time(s).", "", waiting.rounds)
            if waiting.rounds > _PATIENT_ROUNDS:
                said += " " + self.tr(
                    "If it says “ready” there, press Test: something on the way stops what is asked, and the test "
                    "finds it."
                )
            self._waited.say(said)
        else:
            self._waited.say("")

    def _copy_line(self) -> None:
        project = self._context.document.project
        if project is not None:
            QGuiApplication.clipboard().setText(one_line(project, DEFAULT_MINUTES))
            self._wait()

    def _wait(self) -> None:
        project = self._context.document.project
        if self.waiting.busy and self.sender() is self.wait:
            self.waiting.stop()
        elif project is not None and not self.answering.busy:
            self.waiting.start(project)

    def _came_in(self, seen: Observation) -> None:
        self._came[seen] = None
        if len(self._came) > _KEPT:
            del self._came[next(iter(self._came))]
        self._context.run.hear(seen)
        if not self._tick.isActive():
            self._tick.start()

    def _run_ended(self) -> None:
        if self._for_this_run and not self._context.run.goes_on:
            self._for_this_run = False
            self.answering.stop()

    def _opened(self) -> None:
        self.waiting.forget()
        self._came = {}
        self.brought = ()
        self.answer_there.setChecked(False)
        self.there.show_text("")
        self._notes = ()
        self.answering.stop()
        self.refresh()

    def _answer_here(self, wanted: bool) -> None:
        project = self._context.document.project
        if wanted and project is not None:
            self.answering.start(project)
        else:
            self.answering.stop()


def script_name(path: Path | None) -> str:
    """What the printed responder is called."""
    return f"{path.stem if path else 'hopwise'}-responder.py"


def quoted(name: str) -> str:
    """A file name as a shell takes it."""
    return f'"{name}"' if " " in name else name
