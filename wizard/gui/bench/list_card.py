"""The list of servers, and the fields of the chosen one."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from wizard.gui.bench.authority import AuthorityRow
from wizard.gui.bench.servers import ServerListModel
from wizard.gui.context import Context
from wizard.gui.controls.field import Choice, Field, Labelled
from wizard.gui.controls.frames import Card, Text
from wizard.model.said import said
from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind, ServerEntry, keyring_names
from wizard.report import rtc_config as written
from wizard.system.keyring import Trouble
from wizard.wire.rtc_config import is_config


class ServerListCard(Card):
    """Signal: `file_wanted`, to read servers from a file."""

    file_wanted = Signal()

    def __init__(self, context: Context, servers: ServerListModel, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self.servers = servers
        self._context = context
        self.authority = AuthorityRow(context, servers)
        self._showing = False
        self.list = QListWidget()
        self.list.setFixedHeight(118)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.currentRowChanged.connect(self._choose)
        self.list.itemChanged.connect(self._ticked)
        names = ("add", "paste", "open", "copy", "duplicate", "up", "down", "remove")
        self.buttons = {name: QPushButton() for name in names}
        for button in self.buttons.values():
            button.setObjectName("small")
        self.buttons["copy"].setObjectName("menu")
        copies = QMenu(self)
        self._copy_json = copies.addAction("")
        self._copy_json.triggered.connect(lambda _=False: self._copy(written.to_json(self.servers.servers)))
        self._copy_script = copies.addAction("")
        self._copy_script.triggered.connect(lambda _=False: self._copy(written.to_javascript(self.servers.servers)))
        self._copy_conf = copies.addAction("")
        self._copy_conf.triggered.connect(lambda _=False: self._copy_chosen())
        self.buttons["copy"].setMenu(copies)
        for name, call in (
            ("add", lambda: self.servers.add(ServerEntry(()))),
            ("paste", self.paste),
            ("open", self.file_wanted.emit),
            ("duplicate", self.servers.duplicate),
            ("up", lambda: self.servers.move(-1)),
            ("down", lambda: self.servers.move(1)),
            ("remove", self.servers.remove),
        ):
            self.buttons[name].clicked.connect(lambda _=False, call=call: call())
        self._build()
        self.retranslate()
        servers.changed.connect(self.refresh)
        servers.passwords.changed.connect(self.refresh)
        self.refresh()

    def _build(self) -> None:
        for names in (("add", "paste", "open", "copy"), ("duplicate", "up", "down", "remove")):
            row = QHBoxLayout()
            row.setSpacing(8)
            for name in names:
                row.addWidget(self.buttons[name])
            row.addStretch(1)
            if names[0] == "add":
                self.body.addLayout(row)
                self.body.addWidget(self.list)
            else:
                self.body.addLayout(row)
        self.note = Text("muted")
        self.problem = Text("problem")
        self.body.addWidget(self.note)
        self.body.addWidget(self.problem)
        self.fields = QWidget()
        grid = QGridLayout(self.fields)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(10)
        self.urls_edit = QPlainTextEdit()
        self.urls_edit.setTabChangesFocus(True)
        self.urls_edit.setFixedHeight(66)
        self.urls_edit.textChanged.connect(self._typed_urls)
        self.urls = Labelled(self.urls_edit)
        self.kind = Choice()
        self.kind.picked.connect(lambda kind: self._edit(kind=kind))
        self.username = Field()
        self.username.edited.connect(lambda text: self._edit(username=text.strip()))
        self.secret = Field(secret=True)
        self.secret.edited.connect(lambda text: self.servers.set_secret(Secret(text)))
        self.secret.line.editingFinished.connect(self.servers.keep_secret)
        self.endpoint = Field()
        self.endpoint.edited.connect(lambda text: self._edit(endpoint=text.strip()))
        self.ends = Text("muted")
        self.keeping = Text("muted")
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(self.urls, 0, 0, 1, 2)
        grid.addWidget(self.kind, 1, 0, top)
        grid.addWidget(self.username, 1, 1, top)
        grid.addWidget(self.secret, 2, 0, top)
        grid.addWidget(self.endpoint, 2, 1, top)
        below = QVBoxLayout()
        below.addWidget(self.ends)
        below.addWidget(self.keeping)
        grid.addLayout(below, 3, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.body.addWidget(self.fields)
        self.body.addWidget(self.authority)

    def paste(self) -> None:
        """Add the servers that are in the clipboard."""
        text = QGuiApplication.clipboard().text()
        if not self._bring(text):
            lines = tuple(line.strip() for line in text.splitlines() if line.strip())
            # Addresses alone, one on each line, are a list of servers too.
            if lines and all(line.lower().startswith(("stun:", "stuns:", "turn:", "turns:")) for line in lines):
                self.servers.error = ""
                self.servers.add(ServerEntry(lines))

    def _copy_chosen(self) -> None:
        entry = self.servers.entry
        try:
            self._copy(written.to_turnserver(entry) if entry is not None else "")
        except ValueError as fault:
            self.servers.say(str(fault))

    def retranslate(self) -> None:
        """Name everything."""
        names = {
            "add": self.tr("&Add"),
            "paste": self.tr("&Paste a list"),
            "open": self.tr("From a &file…"),
            "copy": self.tr("Cop&y the list"),
            "duplicate": self.tr("D&uplicate"),
            "up": self.tr("Move up"),
            "down": self.tr("Move down"),
            "remove": self.tr("&Remove"),
        }
        for name, text in names.items():
            self.buttons[name].setText(text)
        hint = self.tr("An iceServers block, a piece of JavaScript, JSON, a turnserver.conf, or addresses.")
        self.buttons["paste"].setToolTip(hint)
        self._copy_json.setText(self.tr("As JSON, without credentials"))
        self._copy_script.setText(self.tr("As JavaScript, without credentials"))
        self._copy_conf.setText(self.tr("The chosen one as turnserver.conf, without credentials"))
        self.list.setAccessibleName(self.tr("Servers to test"))
        self.urls.name(
            self.tr("Addresses, &one on each line"),
            self.tr("For example stun:198.51.100.7:3478 or turn:198.51.100.7:3478?transport=tcp"),
        )
        self.kind.name(self.tr("&Credentials"))
        self.authority.retranslate()
        self.endpoint.name(self.tr("Address of the &web service"), self.tr("It gives user name and password."))
        self.refresh()

    def refresh(self) -> None:
        """Show the list, and the chosen one's fields."""
        self._showing = True
        try:
            self._show_list()
            entry = self.servers.entry
            self.fields.setVisible(entry is not None)
            if entry is not None:
                self._show_fields(entry)
        finally:
            self._showing = False
        chosen, count = self.servers.chosen, len(self.servers.servers)
        for name in ("duplicate", "remove"):
            self.buttons[name].setEnabled(entry is not None)
        self.buttons["up"].setEnabled(chosen > 0)
        self.buttons["down"].setEnabled(chosen + 1 < count)
        self.buttons["copy"].setEnabled(any(one.urls for one in self.servers.enabled))
        self.authority.setVisible(self.servers.secure)
        self.authority.refresh()
        self.note.say("\n".join(self.servers.notes))
        self.problem.say(f"✖ {said(self.servers.error, self._context.language)}" if self.servers.error else "")

    def _show_list(self) -> None:
        entries = self.servers.servers
        while self.list.count() > len(entries):
            self.list.takeItem(self.list.count() - 1)
        for place, entry in enumerate(entries):
            item = self.list.item(place)
            if item is None:
                item = QListWidgetItem()
                self.list.addItem(item)
            words = "  ".join(entry.urls) or self.tr("a new server")
            item.setText(f"{words} · {entry.username}" if entry.username else words)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if entry.enabled else Qt.CheckState.Unchecked)
        self.list.setCurrentRow(self.servers.chosen if entries else -1)

    def _show_fields(self, entry: ServerEntry) -> None:
        if _lines(self.urls_edit.toPlainText()) != entry.urls:
            self.urls_edit.setPlainText("\n".join(entry.urls))
        fault = entry.fault if entry.urls else None
        self.urls.show_problems([said(fault, self._context.language)] if fault else [])
        kinds = (
            (CredentialKind.STATIC, self.tr("User name and password")),
            (CredentialKind.SHARED_SECRET, self.tr("Shared secret of the server (use-auth-secret)")),
            (CredentialKind.REST_ENDPOINT, self.tr("From a web service")),
        )
        self.kind.offer(kinds, entry.kind)
        needed = entry.relays
        for widget in (self.kind, self.username, self.secret):
            widget.setVisible(needed)
        self.endpoint.setVisible(needed and entry.kind is CredentialKind.REST_ENDPOINT)
        self.username.name(self.tr("User &name"), self._user_hint(entry.kind))
        self.username.show_text(entry.username)
        self.secret.name(*self._secret_words(entry.kind))
        typed = self.servers.typed(entry)
        self.secret.show_text(typed.reveal() if typed is not None else "")
        known = any(self.servers.passwords.known(account) for account in keyring_names(entry))
        self.secret.line.setPlaceholderText(self.tr("kept already") if known and typed is None else "")
        ends = self.servers.ends(entry)
        when = f"{ends.astimezone():%Y-%m-%d %H:%M}" if ends is not None else ""
        self.ends.say(self.tr("The credentials in use end at {when}.").format(when=when) if when else "")
        self.keeping.say(self._keeping() if needed else "")

    def _user_hint(self, kind: CredentialKind) -> str:
        return "" if kind is CredentialKind.STATIC else self.tr("May be left empty.")

    def _secret_words(self, kind: CredentialKind) -> tuple[str, str]:
        match kind:
            case CredentialKind.STATIC:
                return self.tr("Pass&word"), ""
            case CredentialKind.SHARED_SECRET:
                return self.tr("&Shared secret"), self.tr(
                    "static-auth-secret of the server; credentials for a day are made from it."
                )
            case CredentialKind.REST_ENDPOINT:
                return self.tr("&Token of the web service"), self.tr("May be left empty.")

    def _keeping(self) -> str:
        match self.servers.passwords.trouble:
            case None:
                return self.tr("Passwords are kept in the keyring of this computer, and sent to their server only.")
            case Trouble.LOCKED:
                return self.tr("The keyring is locked: passwords are kept in memory until Hopwise is closed.")
            case _:
                return self.tr("No keyring can be used: passwords are kept in memory until Hopwise is closed.")

    def _choose(self, row: int) -> None:
        if not self._showing:
            self.servers.choose(row)

    def _ticked(self, item: QListWidgetItem) -> None:
        if not self._showing:
            self.servers.enable(self.list.row(item), item.checkState() is Qt.CheckState.Checked)

    def _typed_urls(self) -> None:
        if self._showing:
            return
        text = self.urls_edit.toPlainText()
        before = self.servers.entry
        if "{" in text and is_config(text) and self._bring(text):
            if before is not None and not before.urls:
                at = self.servers.chosen
                self.servers.choose(self.servers.servers.index(before))
                self.servers.remove()
                self.servers.choose(max(0, at - 1))
            return
        self._edit(urls=_lines(text))

    def _edit(self, **values: object) -> None:
        entry = self.servers.entry
        if entry is not None and not self._showing:
            self.servers.edit(replace(entry, **values))  # type: ignore[arg-type]

    def _bring(self, text: str) -> bool:
        return self.servers.bring(text.encode("utf-8", "replace"))

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
