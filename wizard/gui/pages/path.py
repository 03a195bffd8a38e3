"""Path: the hops from the internet to the service, drawn as they are described."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QPushButton, QWidget

from wizard.gui.context import Context
from wizard.gui.controls.field import Choice, Field
from wizard.gui.controls.frames import Card, Text
from wizard.gui.diagram.model import diagram_model
from wizard.gui.diagram.view import DiagramView
from wizard.gui.edits import with_hop, with_hop_moved, with_value, without_hop
from wizard.gui.flow import Step
from wizard.gui.pages.config_card import ConfigCard
from wizard.gui.pages.hop_words import HopWords
from wizard.gui.pages.page import Page
from wizard.gui.view_models.document import advices
from wizard.model.forward import router_of
from wizard.model.hop import HopKind


class PathPage(Page):
    """The hops: added, taken out, moved and described. Signal: `router_wanted`, to see the rules that it needs."""

    router_wanted = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._words = HopWords(self)
        self._selected = 0
        picture = Card()
        self.diagram = DiagramView(context.theme)
        picture.body.addWidget(self.diagram)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        self.add = QPushButton()
        self._menu = QMenu(self.add)
        self.add.setMenu(self._menu)
        self.outward = QPushButton()
        self.inward = QPushButton()
        self.remove = QPushButton()
        self.add.setObjectName("menu")
        buttons.addWidget(self.add)
        for button in (self.outward, self.inward, self.remove):
            button.setObjectName("small")
            buttons.addWidget(button)
        buttons.addStretch(1)
        picture.body.addLayout(buttons)
        self.column.addWidget(picture)

        card = Card()
        self._heading = Text("heading")
        self.kind = Choice()
        self._explained = Text("muted")
        self.label = Field()
        self.address = Field()
        fields = QGridLayout()
        fields.setHorizontalSpacing(18)
        fields.setVerticalSpacing(12)
        fields.addWidget(self.kind, 0, 0, Qt.AlignmentFlag.AlignTop)
        fields.addWidget(self.label, 0, 1, Qt.AlignmentFlag.AlignTop)
        fields.addWidget(self.address, 1, 0, Qt.AlignmentFlag.AlignTop)
        fields.addWidget(self._explained, 1, 1, Qt.AlignmentFlag.AlignTop)
        fields.setColumnStretch(0, 1)
        fields.setColumnStretch(1, 1)
        card.body.addWidget(self._heading)
        card.body.addLayout(fields)
        self.column.addWidget(card)
        self.form = card
        self.configs = ConfigCard(context)
        self.column.addWidget(self.configs)
        self.router = QPushButton()
        self.router.setObjectName("small")
        self.router.clicked.connect(self.router_wanted)
        card.body.addWidget(self.router, 0, Qt.AlignmentFlag.AlignLeft)
        self._faults = Text("problem")
        self.column.addWidget(self._faults)
        self.column.addStretch(1)

        self.diagram.chosen.connect(self._select_id)
        self.diagram.opened.connect(lambda _: self.label.line.setFocus(Qt.FocusReason.OtherFocusReason))
        self.outward.clicked.connect(lambda: self._move(-1))
        self.inward.clicked.connect(lambda: self._move(1))
        self.remove.clicked.connect(self._remove)
        QShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Delete), self, self.remove.click)
        self.kind.picked.connect(self._edit_kind)
        self.label.edited.connect(lambda text: self._edit("name", text))
        self.address.edited.connect(lambda text: self._edit("address", text.strip()))
        context.document.changed.connect(self.refresh)
        context.document.opened.connect(lambda: self._select(0))
        self.retranslate()

    def first(self) -> QWidget:
        return self.diagram

    def title(self) -> str:
        return self.tr("What does a packet pass on its way in?")

    def answer(self) -> str:
        return self.tr("From the internet on the left to your service on the right. Leave out what you do not have.")

    def primary_text(self) -> str:
        return self.tr("&Ports")

    def primary_enabled(self) -> bool:
        return Step.PATH not in self.context.document.known.faulty

    def on_primary(self) -> None:
        self.wanted.emit(Step.PORTS)

    def retranslate(self) -> None:
        self.diagram.setAccessibleName(self.tr("The path; arrow keys choose a hop"))
        self.add.setText(self.tr("&Add a hop before it"))
        self.outward.setText(self.tr("← Move &outward"))
        self.inward.setText(self.tr("Move &inward →"))
        self.remove.setText(self.tr("&Remove"))
        self.remove.setToolTip(self.tr("Take this hop out (Ctrl+Delete). Ctrl+Z brings it back."))
        self.router.setText(self.tr("What to en&ter in this router…"))
        self.kind.name(self.tr("&Kind of hop"))
        self.label.name(self.tr("&Name"))
        self.address.name(
            self.tr("A&ddress"), self.tr("Where it can be reached by itself. Leave it empty if it cannot.")
        )
        self.configs.retranslate()
        self._menu.clear()
        for kind in HopKind:
            if kind is not HopKind.SERVICE:
                action = self._menu.addAction(self._words.title(kind))
                action.setToolTip(self._words.explained(kind))
                action.triggered.connect(lambda _=False, kind=kind: self._add(kind))

    def refresh(self) -> None:
        document = self.context.document
        hops = document.table.get("hops", [])
        self._selected = max(0, min(self._selected, len(hops) - 1))
        self.diagram.show_model(diagram_model(document.sketch, None, self.context.language, states=False))
        here = ("hops", self._selected)
        self.form.setVisible(bool(hops))
        self.configs.setVisible(bool(hops))
        if hops:
            last = self._selected == len(hops) - 1
            self.diagram.show_highlight(document.text(*here, "id"))
            self.configs.show_hop(document.text(*here, "id"))
            self._heading.setText(self.tr("Hop {number} of {count}").format(number=self._selected + 1, count=len(hops)))
            kind = next((k for k in HopKind if k.value == document.text(*here, "kind")), None)
            self.kind.offer([(k, self._words.title(k)) for k in self._kinds(last)], kind)
            self.kind.box.setEnabled(not last)
            self._explained.say(self._words.explained(kind) if kind else "")
            self.label.show_text(document.text(*here, "name"))
            self.address.show_text(document.text(*here, "address"))
            language = self.context.language
            self.kind.show_problems(advices(document.problems_at((*here, "kind")), language))
            self.label.show_problems(advices(document.problems_at((*here, "name")), language))
            self.address.show_problems(advices(document.problems_at((*here, "address")), language))
            project = document.project
            self.router.setVisible(project is not None and router_of(project) == self._selected)
            self.outward.setEnabled(self._selected > 0 and not last)
            self.inward.setEnabled(self._selected < len(hops) - 2)
            self.remove.setEnabled(not last)
        shown = {(*here, key) for key in ("kind", "name", "address")}
        elsewhere = [p for p in document.problems if p.path[:1] == ("hops",) and p.path not in shown]
        self._faults.say("\n".join(f"✖ {problem.say(self.context.language)}" for problem in elsewhere))
        self.said.emit()

    def _kinds(self, last: bool) -> list[HopKind]:
        return [HopKind.SERVICE] if last else [kind for kind in HopKind if kind is not HopKind.SERVICE]

    def _select_id(self, hop: str) -> None:
        ids = [found.id for found in self.context.document.sketch.hops]
        if hop in ids:
            self._select(ids.index(hop))

    def _select(self, position: int) -> None:
        self._selected = position
        self.refresh()

    def _edit(self, key: str, value: object) -> None:
        document = self.context.document
        path = ("hops", self._selected, key)
        document.edit(with_value(document.table, path, value), path)

    def _edit_kind(self, kind: HopKind) -> None:
        document = self.context.document
        old = document.text("hops", self._selected, "kind")
        table = with_value(document.table, ("hops", self._selected, "kind"), kind.value)
        named = document.text("hops", self._selected, "name")
        if named in ("", *(self._words.title(k) for k in HopKind if k.value == old)):
            table = with_value(table, ("hops", self._selected, "name"), self._words.title(kind))
        document.edit(table)

    def _add(self, kind: HopKind) -> None:
        document = self.context.document
        document.edit(with_hop(document.table, self._selected, kind, self._words.title(kind)))
        self.address.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def _move(self, by: int) -> None:
        document = self.context.document
        position = self._selected
        self._selected = position + by
        document.edit(with_hop_moved(document.table, position, by))

    def _remove(self) -> None:
        document = self.context.document
        document.edit(without_hop(document.table, self._selected))
