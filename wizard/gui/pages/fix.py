"""Fix: what was found, how it is known, and what to enter where."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from wizard.diagnosis.verdict import Finding, Severity, State
from wizard.diagnosis.words import words
from wizard.gui.context import Context
from wizard.gui.controls.copied import Copied
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.mark import Mark
from wizard.gui.flow import Step
from wizard.gui.pages.page import Page
from wizard.model.forward import router_of
from wizard.model.project import Project
from wizard.report.summary import sentence

_COPIED = "    "
"""A line of a remedy that begins so is to be copied as it is."""


class FixPage(Page):
    """The findings in order. Signals: `show_wanted` (hop id), `again_wanted`, `router_wanted` (a finding, or None)."""

    show_wanted = Signal(str)
    again_wanted = Signal()
    router_wanted = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.cards: list[FindingCard] = []
        self._shown: tuple[Project, tuple[Finding, ...], str] | None = None
        self._empty = Card("success")
        self._empty_text = Text()
        self._empty.body.addWidget(self._empty_text)
        self.column.addWidget(self._empty)
        self._list = QVBoxLayout()
        self._list.setSpacing(14)
        self.column.addLayout(self._list)
        self.column.addStretch(1)
        self.again = QPushButton()
        self.again.clicked.connect(self.again_wanted)
        self.router = QPushButton()
        self.router.clicked.connect(lambda: self.router_wanted.emit(None))
        context.run.ended.connect(self._follow)
        context.run.watched.connect(self._follow)
        self.retranslate()

    def title(self) -> str:
        return self.tr("What is wrong, and how do I mend it?")

    def answer(self) -> str:
        run = self.context.run
        if run.project is None or run.diagnosis is None:
            return ""
        return sentence(run.project, run.diagnosis, self.context.language)

    def extra_buttons(self) -> tuple[QPushButton, ...]:
        run = self.context.run
        has_router = run.project is not None and router_of(run.project) is not None
        return (self.router, self.again) if has_router else (self.again,)

    def primary_text(self) -> str:
        return self.tr("&Report")

    def on_primary(self) -> None:
        self.wanted.emit(Step.REPORT)

    def retranslate(self) -> None:
        self.again.setText(self.tr("Test a&gain"))
        self.router.setText(self.tr("&Ask the router…"))
        self._empty_text.setText(self.tr("Nothing was found that needs mending."))

    def refresh(self) -> None:
        run = self.context.run
        if run.project is None or run.diagnosis is None:
            return
        wanted = (run.project, run.diagnosis.findings, self.context.language)
        if wanted != self._shown:
            self._shown = wanted
            self._rebuild(*wanted)
        self.said.emit()

    def _rebuild(self, project: Project, findings: Sequence[Finding], language: str) -> None:
        for card in self.cards:
            self._list.removeWidget(card)
            card.deleteLater()
        self.cards = [FindingCard(self.context, finding, project, language) for finding in findings]
        for card in self.cards:
            card.show_wanted.connect(self.show_wanted)
            card.router_wanted.connect(self.router_wanted)
            self._list.addWidget(card)
        self._empty.setVisible(not findings)

    def _follow(self) -> None:
        if self.isVisible():
            self.refresh()


class FindingCard(Card):
    """One finding; `brief` has a sentence for how it is known, and only what is to be entered first.

    Signals: `show_wanted` (hop id), `router_wanted` (Finding), to be shown what to enter there.
    """

    show_wanted = Signal(str)
    router_wanted = Signal(object)

    def __init__(
        self, context: Context, finding: Finding, project: Project, language: str, *, brief: bool = False
    ) -> None:
        kinds = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "card"}
        super().__init__(kinds[finding.severity])
        self.finding = finding
        said = words(finding, language)
        states = {Severity.ERROR: State.BLOCKED, Severity.WARNING: State.SUSPECT, Severity.INFO: State.UNKNOWN}
        row = QHBoxLayout()
        row.setSpacing(12)
        state = State.OPEN if finding.code == _PROVEN else states[finding.severity]
        row.addWidget(Mark(context.theme, state, 24), 0, Qt.AlignmentFlag.AlignTop)
        self.title = Text("finding")
        self.title.setText(said.title)
        row.addWidget(self.title, 1)
        self.body.addLayout(row)
        inner = QVBoxLayout()
        inner.setContentsMargins(36, 0, 0, 0)
        inner.setSpacing(8)
        self.body.addLayout(inner)
        _add(inner, next(iter(said.evidence), said.detail) if brief else said.detail)
        if said.evidence and not brief:
            _add(inner, self.tr("How we know"), "heading")
            _add(inner, "\n".join(f"• {line}" for line in said.evidence))
        self.copied: list[Copied] = []
        if said.remedy:
            steps = [(copied, list(lines)) for copied, lines in groupby(said.remedy, key=_is_copied)]
            if brief:
                steps = [step for step in steps if step[0]][:1] or steps[:1]
            else:
                _add(inner, self.tr("What to do"), "heading")
            for is_copied, lines in steps:
                if is_copied:
                    block = Copied("\n".join(line.removeprefix(_COPIED) for line in lines))
                    self.copied.append(block)
                    inner.addWidget(block)
                else:
                    _add(inner, "\n".join(lines))
        if said.next_test and not brief:
            _add(inner, self.tr("What would tell more"), "heading")
            _add(inner, said.next_test)
        self.shows: list[QPushButton] = []
        if finding.suspects:
            buttons = QGridLayout()
            buttons.setSpacing(10)
            buttons.setColumnStretch(_IN_A_ROW, 1)
            for hop in finding.suspects:
                button = QPushButton(self.tr("Show me where"))
                if len(finding.suspects) > 1:
                    title = project.hop(hop).title
                    short = button.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, _WIDEST_TITLE)
                    button.setText(self.tr("Show {hop}").format(hop=short.replace("&", "&&")))
                    button.setAccessibleName(self.tr("Show {hop}").format(hop=title))
                button.setAccessibleDescription(said.title)
                button.clicked.connect(lambda _=False, hop=hop: self.show_wanted.emit(hop))
                _append(buttons, button)
                self.shows.append(button)
            position = router_of(project)
            if position is not None and project.hops[position].id in finding.suspects and not brief:
                self.router = QPushButton(self.tr("What to enter in the router"))
                self.router.setAccessibleDescription(said.title)
                self.router.clicked.connect(lambda: self.router_wanted.emit(finding))
                _append(buttons, self.router)
            inner.addLayout(buttons)


_PROVEN = "path-proven"
_IN_A_ROW = 2
_WIDEST_TITLE = 150
"""Pixels of a hop's title on a button: two of them fit beside one another into the smallest window."""


def _append(grid: QGridLayout, button: QPushButton) -> None:
    grid.addWidget(button, grid.count() // _IN_A_ROW, grid.count() % _IN_A_ROW)


def _is_copied(line: str) -> bool:
    return line.startswith(_COPIED)


def _add(column: QVBoxLayout, text: str, kind: str = "") -> None:
    label = Text(kind)
    label.setText(text)
    column.addWidget(label)
