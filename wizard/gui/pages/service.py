"""Your service: what it is, where people reach it, or another way to begin."""

from __future__ import annotations

import secrets
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from wizard.gui.context import Context
from wizard.gui.controls.field import Field, Labelled
from wizard.gui.controls.frames import Card, Text
from wizard.gui.edits import value_at, with_public_address, with_value
from wizard.gui.flow import Step
from wizard.gui.pages.page import Page
from wizard.gui.view_models.document import advices
from wizard.model.address import address_fault
from wizard.model.presets import Preset, new_project, presets


class ServicePage(Page):
    """Signals: `open_wanted`, `server_test_wanted`, `practice_wanted`, `import_wanted`, `new_wanted` (Project)."""

    open_wanted = Signal()
    server_test_wanted = Signal()
    practice_wanted = Signal()
    import_wanted = Signal()
    new_wanted = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._build_present()
        self._build_presets()
        self._build_other_ways()
        self.column.addStretch(1)
        self.retranslate()
        context.document.changed.connect(self.refresh)
        self.presets.setCurrentRow(0)

    def _build_present(self) -> None:
        self.present = Card()
        self._present_heading = Text("heading")
        self.name = Field()
        self.address = Field()
        self._announced_edit = QPlainTextEdit()
        self._announced_edit.setTabChangesFocus(True)
        self._announced_edit.setFixedHeight(58)
        self.announced = Labelled(self._announced_edit)
        fields = QGridLayout()
        fields.setHorizontalSpacing(18)
        fields.setVerticalSpacing(10)
        fields.addWidget(self.name, 0, 0, Qt.AlignmentFlag.AlignTop)
        fields.addWidget(self.address, 0, 1, Qt.AlignmentFlag.AlignTop)
        fields.addWidget(self.announced, 1, 0, 1, 2)
        self.present.body.addWidget(self._present_heading)
        self.present.body.addLayout(fields)
        self.column.addWidget(self.present)
        self.name.edited.connect(lambda text: self._edit(("name",), text))
        self.address.edited.connect(self._edit_address)
        self._announced_edit.textChanged.connect(self._edit_announced)

    def _build_presets(self) -> None:
        card = Card()
        self._presets_heading = Text("heading")
        self.presets = QListWidget()
        self.presets.setMinimumHeight(252)
        self.presets.setMinimumWidth(258)
        self.presets.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.presets.setTextElideMode(Qt.TextElideMode.ElideRight)
        for preset in presets():
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, preset)
            self.presets.addItem(item)
        self._summary = Text()
        self._notes = Text("muted")
        self._source = Text("muted")
        self._source.setTextFormat(Qt.TextFormat.RichText)
        self._source.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)
        self._source.setOpenExternalLinks(True)
        self.new_address = Field()
        self.begin = QPushButton()
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self._summary)
        right.addWidget(self._notes)
        right.addWidget(self._source)
        right.addStretch(1)
        right.addWidget(self.new_address)
        right.addWidget(self.begin, 0, Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(self.presets, 2)
        row.addLayout(right, 3)
        card.body.addWidget(self._presets_heading)
        card.body.addLayout(row)
        self.column.addWidget(card)
        self.presets.currentItemChanged.connect(self._show_preset)
        self.presets.itemActivated.connect(self._begin)
        self.begin.clicked.connect(self._begin)
        self.new_address.line.returnPressed.connect(self._begin)
        self.new_address.edited.connect(lambda _: self.new_address.show_problems(()))

    def _build_other_ways(self) -> None:
        self._other_heading = Text("heading")
        self.column.addWidget(self._other_heading)
        grid = QGridLayout()
        grid.setSpacing(14)
        self.ways = tuple(_Way() for _ in range(4))
        signals = (self.open_wanted, self.import_wanted, self.server_test_wanted, self.practice_wanted)
        for place, (way, signal) in enumerate(zip(self.ways, signals, strict=True)):
            way.button.clicked.connect(lambda _=False, signal=signal: signal.emit())
            grid.addWidget(way, place // 2, place % 2, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.column.addLayout(grid)

    def first(self) -> QWidget:
        return self.presets

    def title(self) -> str:
        return self.tr("What do you host?")

    def answer(self) -> str:
        if self.context.document.chosen:
            return self.tr("Check the name and the address, or begin with something else below.")
        return self.tr("Choose your service, and Hopwise knows its ports and a usual path to it.")

    def primary_text(self) -> str:
        return self.tr("&Path") if self.context.document.chosen else ""

    def primary_enabled(self) -> bool:
        return Step.SERVICE not in self.context.document.known.faulty

    def on_primary(self) -> None:
        self.wanted.emit(Step.PATH)

    def retranslate(self) -> None:
        self._present_heading.setText(self.tr("The project that is open"))
        self.name.name(self.tr("&Name"))
        self.address.name(self.tr("&Address that people outside use"), self.tr("The public IP address, or a DNS name."))
        self.announced.name(
            self.tr("Addresses that the service announces, one on each line"),
            self.tr("Leave it empty if your service has no such setting."),
        )
        self._other_heading.setText(self.tr("Or begin in another way"))
        self.new_address.name(self.tr("Address that people ou&tside use"))
        self.new_address.line.setPlaceholderText(self.tr("for example chat.example.org or 203.0.113.20"))
        self.begin.setText(self.tr("&Use this service"))
        self.presets.setAccessibleName(self.tr("Services"))
        for row in range(self.presets.count()):
            item = self.presets.item(row)
            item.setText(_preset(item).title.say(self.context.language))
            item.setToolTip(item.text())
        opening, importing, server, practice = self.ways
        opening.say(self.tr("&Open a project file…"), self.tr("A .toml file that you saved or were given."))
        importing.say(
            self.tr("From confi&guration files…"),
            self.tr("Compose files, frpc.toml, firewall rules: the path is built of what they say."),
        )
        server.say(self.tr("&Just test a STUN or TURN server"), self.tr("Does it answer, and if not, why?"))
        practice.say(self.tr("P&ractice network"), self.tr("On this computer only, with faults to find."))
        self._show_preset()

    def refresh(self) -> None:
        document = self.context.document
        self.present.setVisible(document.chosen)
        style = "" if document.chosen else "primary"
        if self.begin.objectName() != style:
            self.begin.setObjectName(style)
            self.begin.style().unpolish(self.begin)
            self.begin.style().polish(self.begin)
        self._presets_heading.setText(
            self.tr("Begin with another service") if document.chosen else self.tr("Services that Hopwise knows")
        )
        language = self.context.language
        self.name.show_text(document.text("name"))
        self.name.show_problems(advices(document.problems_at(("name",)), language))
        self.address.show_text(document.text("public_address"))
        self.address.show_problems(advices(document.problems_at(("public_address",)), language))
        announced = value_at(document.table, ("announced",))
        lines = [str(each) for each in announced] if isinstance(announced, list) else []
        if lines != self._announced_lines():
            self._announced_edit.setPlainText("\n".join(lines))
        self.announced.show_problems(advices(document.problems_at(("announced",)), language))
        self.said.emit()

    def _edit(self, path: tuple[str, ...], value: object) -> None:
        document = self.context.document
        document.edit(with_value(document.table, path, value), path)

    def _edit_address(self, text: str) -> None:
        document = self.context.document
        document.edit(with_public_address(document.table, text.strip()), ("public_address",))

    def _announced_lines(self) -> list[str]:
        return [line.strip() for line in self._announced_edit.toPlainText().splitlines() if line.strip()]

    def _edit_announced(self) -> None:
        if self.context.document.chosen:
            self._edit(("announced",), self._announced_lines())

    def _show_preset(self) -> None:
        item = self.presets.currentItem()
        if item is None:
            return
        preset = _preset(item)
        language = self.context.language
        self._summary.say(preset.summary.say(language))
        self._notes.say(preset.notes.say(language))
        link = f'<a href="{preset.source}">{preset.source.partition("//")[2].partition("/")[0]}</a>'
        self._source.say(self.tr("Where its ports are documented: {link}").format(link=link))

    def _begin(self) -> None:
        address = self.new_address.text.strip()
        if not address or address_fault(address) is not None:
            self.new_address.show_problems(
                [self.tr("Enter the public IP address or the DNS name, without a port and without https://")]
            )
            self.new_address.line.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        project = new_project(_preset(self.presets.currentItem()), address, self.context.language)
        # A key of its own outlives edits of the path: a responder that runs already goes on answering.
        self.new_wanted.emit(replace(project, probe_key=secrets.token_urlsafe(24)))


class _Way(QWidget):
    """A button with a line that explains it."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton()
        self.button.setObjectName("choice")
        self._line = Text("muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.button)
        column.addWidget(self._line)

    def say(self, text: str, line: str) -> None:
        """Its words."""
        self.button.setText(text)
        self.button.setAccessibleDescription(line)
        self._line.setText(line)


def _preset(item: QListWidgetItem) -> Preset:
    found = item.data(Qt.ItemDataRole.UserRole)
    assert isinstance(found, Preset)
    return found
