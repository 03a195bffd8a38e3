"""From where: the places that probes are sent from, and the passwords of relays."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QListWidget, QMenu, QPushButton, QWidget

from wizard.gui.context import Context
from wizard.gui.controls.field import Choice, Field
from wizard.gui.controls.frames import Card, Text
from wizard.gui.diagram.model import diagram_model
from wizard.gui.diagram.view import DiagramView
from wizard.gui.edits import with_value, with_vantage, without
from wizard.gui.flow import Step
from wizard.gui.pages.page import Page
from wizard.gui.pages.place_words import PlaceWords
from wizard.gui.view_models.document import advices
from wizard.model.secret import Secret
from wizard.model.vantage import Vantage, VantageKind
from wizard.system.interfaces import networks
from wizard.system.keyring import Trouble
from wizard.vantage.here import why_not_here


class OriginPage(Page):
    """The vantages: a list, and the one that is chosen described beside it."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._place_words = PlaceWords(self)
        card = Card()
        self.places = QListWidget()
        self.places.setMinimumWidth(210)
        self.places.setMinimumHeight(190)
        self.places.setWordWrap(True)
        self.add = QPushButton()
        self._menu = QMenu(self.add)
        self.add.setMenu(self._menu)
        self.remove = QPushButton()
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        self.add.setObjectName("menu")
        self.remove.setObjectName("small")
        buttons.addWidget(self.add)
        buttons.addWidget(self.remove)
        buttons.addStretch(1)
        self._none = Text("muted")
        self._form = QWidget()
        self._build_form()
        body = QGridLayout()
        body.setHorizontalSpacing(20)
        body.setVerticalSpacing(10)
        body.addWidget(self._none, 0, 0, 1, 2)
        body.addWidget(self.places, 1, 0)
        body.addLayout(buttons, 2, 0)
        body.addWidget(self._form, 1, 1, 2, 1, Qt.AlignmentFlag.AlignTop)
        body.setColumnStretch(0, 2)
        body.setColumnStretch(1, 3)
        card.body.addLayout(body)
        self.column.addWidget(card)
        picture = Card()
        self.diagram = DiagramView(context.theme)
        self.diagram.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        picture.body.addWidget(self.diagram)
        self.column.addWidget(picture)
        self.column.addStretch(1)

        self.places.currentRowChanged.connect(lambda _: self._show_selected())
        self.remove.clicked.connect(self._remove)
        context.document.changed.connect(self.refresh)
        context.document.opened.connect(self._opened)
        context.passwords.changed.connect(self.refresh)
        self.retranslate()

    def _build_form(self) -> None:
        self.beyond = Choice()
        self.id = Field()
        self.server = Field()
        self.username = Field()
        self.password = Field(secret=True)
        self._kept = Text("muted")
        self._runs = Text("muted")
        form = QGridLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.addWidget(self.id, 0, 0, 1, 2)
        form.addWidget(self.beyond, 1, 0, 1, 2)
        form.addWidget(self.server, 2, 0, 1, 2)
        form.addWidget(self.username, 3, 0, Qt.AlignmentFlag.AlignTop)
        form.addWidget(self.password, 3, 1, Qt.AlignmentFlag.AlignTop)
        form.addWidget(self._kept, 4, 0, 1, 2)
        form.addWidget(self._runs, 5, 0, 1, 2)
        form.setColumnStretch(0, 1)
        form.setColumnStretch(1, 1)
        self.id.edited.connect(lambda text: self._edit("id", text.strip()))
        self.beyond.picked.connect(lambda hop: self._edit("beyond", hop))
        self.server.edited.connect(lambda text: self._edit("server", text.strip()))
        self.username.edited.connect(lambda text: self._edit("username", text.strip()))
        # Kept when the person has finished with it: every letter on its own would be a password of its own.
        self.password.line.editingFinished.connect(self._keep_password)

    def first(self) -> QWidget:
        return self.places if self.places.count() else self.add

    def title(self) -> str:
        return self.tr("Where should the tests come from?")

    def answer(self) -> str:
        return self.tr(
            "A test from outside shows whether people reach you; each further place inside helps to name the hop."
        )

    def primary_text(self) -> str:
        return self.tr("&Test")

    def primary_enabled(self) -> bool:
        return self.context.document.valid

    def on_primary(self) -> None:
        self.wanted.emit(Step.TEST)

    def entered(self) -> None:
        self.context.passwords.look_up(self.context.document.sketch.vantages)
        self.refresh()

    def left(self) -> None:
        self._keep_password()

    def retranslate(self) -> None:
        self.diagram.setAccessibleName(self.tr("The path, with the places that tests come from"))
        self.places.setAccessibleName(self.tr("Places to test from"))
        self.add.setText(self.tr("&Add a place"))
        self.remove.setText(self.tr("&Remove"))
        self.id.name(self.tr("&Name"))
        self.beyond.name(self.tr("It stan&ds"))
        self.username.name(self.tr("&User name"))
        self.password.name(self.tr("Pass&word"))
        self._none.setText(
            self.tr(
                "No place is named yet, so this computer is taken to be the service's own host. Such a test cannot "
                "see what the router does.\n\nAdd this computer where it really stands: outside of everything if it "
                "is on another network, such as a phone's; behind the router if it is in the same home. Or add a "
                "server on the internet that sends the tests for you: a TURN relay, or a host that you log in to over "
                "SSH."
            )
        )
        self._menu.clear()
        for kind, text in (
            (VantageKind.LOCAL, self.tr("A computer that runs Hopwise, such as this one")),
            (VantageKind.TURN, self.tr("A TURN relay on the internet")),
            (VantageKind.SSH, self.tr("A host that you log in to over SSH")),
        ):
            self._menu.addAction(text).triggered.connect(lambda _=False, kind=kind: self._add(kind))

    def refresh(self) -> None:
        document = self.context.document
        found = document.table.get("vantages", [])
        self.diagram.show_model(diagram_model(document.sketch, None, self.context.language, states=False))
        lines = [self._line(position) for position in range(len(found))]
        if lines != [self.places.item(row).text() for row in range(self.places.count())]:
            row = max(0, self.places.currentRow())
            self.places.blockSignals(True)
            self.places.clear()
            self.places.addItems(lines)
            self.places.setCurrentRow(min(row, len(lines) - 1))
            self.places.blockSignals(False)
        self._show_selected()
        self.said.emit()

    def _opened(self) -> None:
        self.places.setCurrentRow(0)
        self.password.show_text("")
        self.context.passwords.look_up(self.context.document.sketch.vantages)

    def _line(self, position: int) -> str:
        document = self.context.document
        beyond = document.text("vantages", position, "beyond")
        hop = next((hop for hop in document.sketch.hops if hop.id == beyond), None)
        where = self.tr("behind {hop}").format(hop=hop.title) if hop else self.tr("outside of everything")
        fault = "✖ " if document.problems_at(("vantages", position)) else ""
        return f"{fault}{document.text('vantages', position, 'id')}\n{where}"

    def _show_selected(self) -> None:
        document = self.context.document
        row = self.places.currentRow()
        shown = 0 <= row < len(document.table.get("vantages", []))
        self._form.setVisible(shown)
        self._none.setVisible(not shown)
        self.places.setVisible(shown)
        self.remove.setVisible(shown)
        if not shown:
            return
        here = ("vantages", row)
        language = self.context.language
        kind = document.text(*here, "kind")
        for field, key in ((self.id, "id"), (self.server, "server"), (self.username, "username")):
            field.show_text(document.text(*here, key))
            field.show_problems(advices(document.problems_at((*here, key)), language))
        hops = document.sketch.hops[:-1]
        choices: list[tuple[object, str]] = [("", self.tr("outside of everything"))]
        choices += [(hop.id, self.tr("behind {hop}").format(hop=hop.title)) for hop in hops]
        self.beyond.offer(choices, document.text(*here, "beyond"))
        self.beyond.show_problems(advices(document.problems_at((*here, "beyond")), language))
        turn = kind == VantageKind.TURN.value
        self.server.setVisible(kind != VantageKind.LOCAL.value)
        if turn:
            self.server.name(self.tr("TURN &server"), self.tr("For example turn:198.51.100.7:3478?transport=udp"))
        else:
            self.server.name(
                self.tr("SSH de&stination"), self.tr("user@host, user@host:port, or a Host of your SSH configuration")
            )
        self.username.setVisible(turn)
        self.password.setVisible(turn)
        self._show_password(self._vantage() if turn else None)
        self._runs.say(self._reason())

    def _show_password(self, vantage: Vantage | None) -> None:
        if vantage is None:
            self._kept.say("")
            return
        passwords = self.context.passwords
        known = passwords.password(vantage)
        if not self.password.line.hasFocus():
            self.password.show_text(known.reveal() if known else "")
        self._kept.say(
            {
                None: self.tr("The password is kept in this system's keyring, never in the project file."),
                Trouble.MISSING: self.tr(
                    "This system has no keyring that Hopwise can use. The password stays in memory and is forgotten "
                    "when Hopwise is closed."
                ),
                Trouble.LOCKED: self.tr(
                    "The keyring is locked. The password stays in memory and is forgotten when Hopwise is closed."
                ),
                Trouble.FAILED: self.tr(
                    "The keyring did not work. The password stays in memory and is forgotten when Hopwise is closed."
                ),
            }[passwords.trouble]
        )

    def _vantage(self) -> Vantage | None:
        row = self.places.currentRow()
        vantages = self.context.document.sketch.vantages
        return vantages[row] if 0 <= row < len(vantages) else None

    def _reason(self) -> str:
        """Whether the test can run from here."""
        project, vantage = self.context.document.project, self._vantage()
        if project is None or vantage is None:
            return ""
        reasons = why_not_here(project, networks(), self.context.passwords.by_vantage(project.vantages))
        reason = reasons.get(vantage.id)
        return self._place_words.ready(vantage) if reason is None else self._place_words.hindrance(vantage, reason)

    def _edit(self, key: str, value: object) -> None:
        document = self.context.document
        path = ("vantages", self.places.currentRow(), key)
        document.edit(with_value(document.table, path, value), path)

    def _keep_password(self) -> None:
        vantage = self._vantage()
        if vantage is None or vantage.kind is not VantageKind.TURN or not self.password.line.isModified():
            return
        self.password.line.setModified(False)
        self.context.passwords.set(vantage, Secret(self.password.text))

    def _add(self, kind: VantageKind) -> None:
        document = self.context.document
        document.edit(with_vantage(document.table, kind))
        self.places.setCurrentRow(self.places.count() - 1)
        (self.beyond if kind is VantageKind.LOCAL else self.server).control.setFocus(Qt.FocusReason.OtherFocusReason)

    def _remove(self) -> None:
        row = self.places.currentRow()
        document = self.context.document
        document.edit(without(document.table, "vantages", row))
