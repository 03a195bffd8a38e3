"""STUN and TURN servers on their own: does each answer, and if not, why."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from wizard.diagnosis.verdict import State
from wizard.gui.context import Context
from wizard.gui.controls.field import Field, Labelled
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.mark import Mark
from wizard.gui.pages.page import Page
from wizard.gui.view_models.servers import ServerTestModel
from wizard.model.secret import Secret
from wizard.probes.ice import CandidateType, ServerTried
from wizard.probes.server_verdict import Verdict
from wizard.report.ice import IceResult, explained


class ServersPage(Page):
    """Signal: `back_wanted`."""

    back_wanted = Signal()

    def __init__(self, context: Context, servers: ServerTestModel, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.servers = servers
        card = Card()
        self._urls_edit = QPlainTextEdit()
        self._urls_edit.setTabChangesFocus(True)
        self._urls_edit.setFixedHeight(84)
        self.urls = Labelled(self._urls_edit)
        self.username = Field()
        self.password = Field(secret=True)
        fields = QGridLayout()
        fields.setHorizontalSpacing(18)
        fields.setVerticalSpacing(10)
        fields.addWidget(self.urls, 0, 0, 1, 2)
        fields.addWidget(self.username, 1, 0, Qt.AlignmentFlag.AlignTop)
        fields.addWidget(self.password, 1, 1, Qt.AlignmentFlag.AlignTop)
        card.body.addLayout(fields)
        self.column.addWidget(card)
        self._results = QVBoxLayout()
        self._results.setSpacing(10)
        self.column.addLayout(self._results)
        self.found = Card()
        self._found_heading = Text("heading")
        self.candidates = QTableWidget(0, 6)
        self.candidates.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.candidates.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.candidates.setTabKeyNavigation(False)
        self.candidates.verticalHeader().setVisible(False)
        self.candidates.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.candidates.horizontalHeader().setStretchLastSection(True)
        self.candidates.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self._types = Text("muted")
        self.found.body.addWidget(self._found_heading)
        self.found.body.addWidget(self.candidates)
        self.found.body.addWidget(self._types)
        self.column.addWidget(self.found)
        self.column.addStretch(1)
        self.stop = QPushButton()
        self.stop.clicked.connect(servers.stop)
        servers.changed.connect(self.refresh)
        self._urls_edit.textChanged.connect(self.said)
        self.retranslate()
        self.refresh()

    def first(self) -> QWidget:
        return self._urls_edit

    def title(self) -> str:
        return self.tr("Does my STUN or TURN server work?")

    def answer(self) -> str:
        result = self.servers.result
        if self.servers.busy:
            return self.tr("Asking…")
        if result is None or not result.servers:
            return self.tr("It helps callers to find a way to each other. Hopwise asks it as a browser would.")
        working = sum(1 for tried in result.servers if tried.verdict is Verdict.OK)
        if working == len(result.servers):
            return self.tr("Every server answers as it should.")
        return self.tr("{working} of {count} tries got what they asked for.").format(
            working=working, count=len(result.servers)
        )

    def extra_buttons(self) -> tuple[QPushButton, ...]:
        return (self.stop,) if self.servers.busy else ()

    def primary_text(self) -> str:
        return self.tr("&Test")

    def primary_enabled(self) -> bool:
        return not self.servers.busy and bool(self._urls_edit.toPlainText().strip())

    def on_primary(self) -> None:
        self.servers.run(self._urls_edit.toPlainText(), self.username.text.strip(), Secret(self.password.text))

    def retranslate(self) -> None:
        self.urls.name(
            self.tr("&Servers, one on each line"),
            self.tr("For example stun:198.51.100.7:3478 or turn:198.51.100.7:3478?transport=tcp"),
        )
        self.username.name(self.tr("&User name"), self.tr("For TURN only."))
        self.password.name(self.tr("Pass&word"), self.tr("It is sent to no one but the server, and not kept."))
        self.stop.setText(self.tr("Sto&p"))
        self._found_heading.setText(self.tr("Addresses that were found (candidates)"))
        self.candidates.setAccessibleName(self._found_heading.text())
        self.candidates.setHorizontalHeaderLabels(
            [
                self.tr("Time"),
                self.tr("Type"),
                self.tr("Address"),
                self.tr("Port"),
                self.tr("Priority"),
                self.tr("Server"),
            ]
        )
        self._types.setText(
            self.tr(
                "srflx is your own address as the server sees it; relay is an address on the server that passes "
                "everything on. Callers prefer host to srflx, and srflx to relay."
            )
        )

    def refresh(self) -> None:
        result = self.servers.result
        self.urls.show_problems([self.servers.error] if self.servers.error else [])
        while (item := self._results.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for tried in result.servers if result else ():
            assert result is not None
            self._results.addWidget(_TriedCard(self.context, result, tried))
        found = sorted(result.candidates, key=lambda c: -c.priority) if result else []
        found = [candidate for candidate in found if candidate.type is not CandidateType.HOST]
        self.found.setVisible(bool(found))
        self.candidates.setRowCount(len(found))
        for row, candidate in enumerate(found):
            texts = (
                f"{candidate.time_ms:.0f} ms",
                candidate.type.value,
                candidate.address,
                str(candidate.port),
                str(candidate.priority),
                candidate.url or "",
            )
            for column, text in enumerate(texts):
                self.candidates.setItem(row, column, QTableWidgetItem(text))
        rows = min(len(found), 8)
        self.candidates.setFixedHeight(
            self.candidates.horizontalHeader().sizeHint().height()
            + rows * self.candidates.verticalHeader().defaultSectionSize()
            + 8
        )
        self.said.emit()


class _TriedCard(Card):
    """The verdict on one server over one address family, with cause and remedy where it failed."""

    def __init__(self, context: Context, result: IceResult, tried: ServerTried) -> None:
        good = tried.verdict is Verdict.OK
        super().__init__("card" if good else "error")
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(Mark(context.theme, State.OPEN if good else State.BLOCKED), 0, Qt.AlignmentFlag.AlignTop)
        head = Text("heading")
        words = {
            Verdict.OK: self.tr("works"),
            Verdict.UNRESOLVED: self.tr("name not found"),
            Verdict.UNREACHABLE: self.tr("no answer"),
            Verdict.REFUSED: self.tr("refused"),
            Verdict.TLS_FAILED: self.tr("TLS failed"),
            Verdict.AUTH_FAILED: self.tr("user name or password rejected"),
            Verdict.FORBIDDEN: self.tr("forbidden"),
            Verdict.QUOTA: self.tr("quota reached"),
            Verdict.NO_CAPACITY: self.tr("no capacity left"),
            Verdict.REDIRECTED: self.tr("sends clients elsewhere"),
            Verdict.PROTOCOL_ERROR: self.tr("does not speak the protocol"),
        }
        rtt = f" · {tried.rtt_ms:.1f} ms" if tried.rtt_ms is not None else ""
        transport = tried.transport.value.upper()
        head.setText(f"{tried.url}: {words[tried.verdict]} · {transport}, IPv{tried.family}{rtt}")
        row.addWidget(head, 1)
        self.body.addLayout(row)
        for error in result.errors:
            if not good and error.url == tried.url and error.family == tried.family:
                said = explained(result, error, context.language)
                label = Text()
                code = f"{error.sentence.code}: " if error.sentence.code else ""
                label.setText(f"{code}{said.cause}\n{said.remedy}")
                label.setContentsMargins(34, 0, 0, 0)
                self.body.addWidget(label)
