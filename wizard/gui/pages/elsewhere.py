"""A test from outside with this very computer, or with somebody else's: what to do, step by step."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from wizard.gui.context import Context
from wizard.gui.controls.copied import Copied
from wizard.gui.controls.frames import Card, Text
from wizard.gui.edits import with_vantage
from wizard.gui.pages.answerers import quoted
from wizard.gui.view_models.network import NetworkModel
from wizard.model.project import Project
from wizard.model.vantage import VantageKind


class Elsewhere(Card):
    """Guides through a change of network. Signals: `save_wanted`, `leaving` when the person is about to change it."""

    save_wanted = Signal()
    leaving = Signal()

    def __init__(self, context: Context, network: NetworkModel, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._context = context
        self.network = network
        self._heading = Text("heading")
        self._text = Text()
        self.leave = QPushButton()
        self._state = Text()
        self._other = Text("muted")
        self.command = Copied()
        self.save = QPushButton()
        self.body.addWidget(self._heading)
        self.body.addWidget(self._text)
        self._add_row(self.leave)
        self.body.addWidget(self._state)
        self.body.addWidget(self._other)
        self.body.addWidget(self.command)
        self._add_row(self.save)
        self.leave.clicked.connect(self._leave)
        self.save.clicked.connect(self.save_wanted)
        network.changed.connect(self.refresh)
        context.document.opened.connect(network.stop)
        self.retranslate()

    def retranslate(self) -> None:
        """Put every fixed text into the present language."""
        self._heading.setText(self.tr("From outside, without a server: change the network"))
        self._text.setText(
            self.tr(
                "Put this computer on another network, such as a phone's hotspot (not the guest network of the same "
                "router), and test again. The responder must go on running on the service's host. What was seen "
                "before stays part of the verdict."
            )
        )
        self._other.setText(
            self.tr(
                "Or ask somebody elsewhere: send them this project's file. They run this, and send back result.json, "
                "which you drop onto this window."
            )
        )
        self.save.setText(self.tr("Save the pro&ject…"))
        self.refresh()

    def refresh(self) -> None:
        """Show which network it is by now, and what comes next."""
        document = self._context.document
        name = document.path.name if document.path else "project.toml"
        self.command.show_text(f"hopwise check {quoted(name)} --json > result.json")
        self.leave.setEnabled(document.valid)
        self.save.setEnabled(document.valid)
        network = self.network
        stay, leave = self.tr("Stay on this network"), self.tr("I change the network &now")
        self.leave.setText(stay if network.watching else leave)
        here = network.now.four or network.now.six
        if not network.watching:
            self._state.say("")
        elif network.moved:
            self._state.say(self.tr("✔ The network has changed: now {network}. Press Test.").format(network=here))
        elif not network.now.connected:
            self._state.say(self.tr("This computer is on no network now. Join the other one."))
        else:
            self._state.say(
                self.tr("Waiting for another network. Now it is {network}; join the other one.").format(network=here)
            )

    def _add_row(self, button: QPushButton) -> None:
        row = QHBoxLayout()
        button.setObjectName("small")
        row.addWidget(button)
        row.addStretch(1)
        self.body.addLayout(row)

    def _leave(self) -> None:
        if self.network.watching:
            self.network.stop()
            return
        document = self._context.document
        if document.project is not None and not _has_outside(document.project):
            document.edit(with_vantage(document.table, VantageKind.LOCAL))
        self.leaving.emit()
        self.network.watch()


def _has_outside(project: Project) -> bool:
    """Whether this computer may already be outside of everything."""
    return any(v.kind is VantageKind.LOCAL and v.beyond is None for v in project.vantages)
