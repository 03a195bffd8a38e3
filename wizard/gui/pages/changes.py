"""What is watched: since when each hop is as it is, and what has changed."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QGridLayout, QWidget

from wizard.diagnosis.history import Past
from wizard.gui.context import Context
from wizard.gui.controls.frames import Card, Text
from wizard.gui.controls.mark import Mark
from wizard.model.project import Project
from wizard.report.changes import change_text
from wizard.report.wording import wording

_SHOWN = 8
"""The latest changes; all of them are in the report."""


class Changes(Card):
    """Hops with their states and times on top, the latest changes beneath, newest first."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._context = context
        self._heading = Text("heading")
        self._rows = QGridLayout()
        self._rows.setColumnStretch(1, 1)
        self._rows.setHorizontalSpacing(10)
        self._rows.setVerticalSpacing(6)
        self._hops: dict[str, tuple[Mark, Text]] = {}
        self._list = [(Text("muted", wrap=False), Text()) for _ in range(_SHOWN)]
        self._changes = QGridLayout()
        self._changes.setColumnStretch(1, 1)
        self._changes.setHorizontalSpacing(14)
        self._changes.setVerticalSpacing(4)
        for row, (when, said) in enumerate(self._list):
            self._changes.addWidget(when, row, 0)
            self._changes.addWidget(said, row, 1)
        self._latest = Text("heading")
        self.body.addWidget(self._heading)
        self.body.addLayout(self._rows)
        self.body.addWidget(self._latest)
        self.body.addLayout(self._changes)

    @property
    def said(self) -> list[str]:
        """The changes that are shown, newest first."""
        return [said.text() for _, said in self._list if said.text()]

    @property
    def since(self) -> list[str]:
        """What is shown of each hop."""
        return [said.text() for _, said in self._hops.values()]

    def show_past(self, past: Past | None, project: Project) -> None:
        """Show a history; none takes no room."""
        self.setVisible(past is not None)
        if past is None:
            return
        language = self._context.language
        self._heading.setText(self.tr("Since when"))
        if list(self._hops) != [hop.id for hop in project.hops]:
            self._build(project)
        for hop in project.hops:
            standing = past.hops[hop.id]
            mark, said = self._hops[hop.id]
            mark.show_state(standing.state)
            said.say(
                self.tr("{hop}: {state} since {time}").format(
                    hop=hop.title, state=wording(f"state-{standing.state}", language), time=time_of_day(standing.since)
                )
            )
        latest = past.changes[: -_SHOWN - 1 : -1]
        self._latest.say(self.tr("What has changed") if latest else "")
        for number, (when, said) in enumerate(self._list):
            change = latest[number] if number < len(latest) else None
            when.say(time_of_day(change.at) if change else "")
            said.say(change_text(project, change, language) if change else "")

    def _build(self, project: Project) -> None:
        for mark, said in self._hops.values():
            for widget in (mark, said):
                self._rows.removeWidget(widget)
                widget.deleteLater()
        self._hops = {hop.id: (Mark(self._context.theme, size=18), Text()) for hop in project.hops}
        for row, (mark, said) in enumerate(self._hops.values()):
            self._rows.addWidget(mark, row, 0)
            self._rows.addWidget(said, row, 1)


def time_of_day(moment: datetime) -> str:
    """`14:03:22`, as it is here."""
    return f"{moment.astimezone():%H:%M:%S}"
