"""What the routers answered, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from wizard.diagnosis.verdict import State
from wizard.gui.controls.frames import Text
from wizard.gui.controls.mark import Mark
from wizard.gui.theme import Theme
from wizard.model.forward import Forward
from wizard.model.gateway import Gateway, Took
from wizard.model.mapped import Held, stretches
from wizard.probes.gateway_change import Change
from wizard.report.gateway_words import changed, found, held, mapping, pinholes

_Line = tuple[State | None, str]
"""None: it is neither good nor bad."""
_MOST_LINES = 24


class RouterAnswers(QWidget):
    """Lines with a mark each; a heading for each router."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._shown: object = None
        self.lines: list[str] = []

    def show_answers(
        self,
        gateways: Sequence[Gateway] | None,
        changes: Sequence[Change],
        rules: Sequence[Forward],
        asked: Gateway | None,
        language: str,
    ) -> None:
        """`asked` is the router that the plan is about; `gateways` is None before anybody was asked."""
        wanted = (gateways, changes, rules, asked, language)
        if wanted == self._shown:
            return
        self._shown = wanted
        self.lines = []
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if gateways is not None and not gateways:
            self._add(State.UNKNOWN, self.tr("No router was found on any network of this computer."))
        for gateway in gateways or ():
            self._heading(gateway)
            for state, text in self._told(gateway, rules if gateway is asked else (), language):
                self._add(state, text)
        if changes:
            made = sum(one.done for one in changes)
            self._title(self.tr("{made} of {count} mappings made").format(made=made, count=len(changes)))
            failed = [one for one in changes if not one.done]
            for one in failed[:_MOST_LINES]:
                self._add(State.BLOCKED, f"{mapping(one.mapping)}  {changed(one.spoken, language)}")
        self.setVisible(self._column.count() > 0)

    def _heading(self, gateway: Gateway) -> None:
        place = self.tr("{address} on {interface}").format(address=gateway.address, interface=gateway.interface)
        title = place if gateway.title == gateway.address else f"{gateway.title} ({place})"
        self._title(self.tr("{router}, on the default route").format(router=title) if gateway.default else title)

    def _told(self, gateway: Gateway, rules: Sequence[Forward], language: str) -> Iterator[_Line]:
        for spoken in gateway.spoken:
            fine = spoken.took is Took.GRANTED
            yield (State.OPEN if fine else State.UNKNOWN), found(spoken, language)
        if gateway.wan is not None:
            yield None, self.tr("Outer (WAN) address: {address}").format(address=gateway.wan)
        if said := pinholes(gateway, language):
            yield None, said
        for stretch in stretches(gateway, rules) if gateway.answers else ():
            if stretch.held is Held.UNTOLD:
                continue
            state = {Held.MAPPED: State.OPEN, Held.MISSING: State.UNKNOWN}.get(stretch.held, State.SUSPECT)
            yield (
                state,
                f"{stretch.forward.protocol} {stretch.outside} ({stretch.forward.name})  {held(stretch, language)}",
            )

    def _title(self, text: str) -> None:
        label = Text("heading")
        label.setText(text)
        label.setContentsMargins(0, 8, 0, 0)
        self._column.addWidget(label)
        self.lines.append(text)

    def _add(self, state: State | None, text: str) -> None:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        if state is None:
            row.addSpacing(28)
        else:
            row.addWidget(Mark(self._theme, state, 18), 0, Qt.AlignmentFlag.AlignTop)
        label = Text()
        label.setText(text)
        row.addWidget(label, 1)
        self._column.addWidget(line)
        self.lines.append(text)
