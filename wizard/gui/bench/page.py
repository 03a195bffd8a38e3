"""STUN and TURN servers on their own: which of them work, what they carry, what stands in front of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QComboBox, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from wizard.gui.asking import file_to_open
from wizard.gui.bench.hardening import Hardening
from wizard.gui.bench.list_card import ServerListCard
from wizard.gui.bench.reporting import BenchReport
from wizard.gui.bench.running import BenchModel, Part
from wizard.gui.bench.shown import PlotView, Shown
from wizard.gui.context import Context
from wizard.gui.controls.field import Choice
from wizard.gui.controls.frames import Card, Text
from wizard.gui.pages.page import Page
from wizard.gui.view_models.report import ReportKind
from wizard.model.said import said
from wizard.model.server_list import ServerEntry
from wizard.probes.relay_capacity import SIZES, Load
from wizard.report.bench import BenchResult
from wizard.report.bench_content import Block, Chapter, Plot, blocks
from wizard.system.interfaces import networks

_REPAINT_MS = 200


class BenchPage(Page):
    """The list of servers, and one of four tests of them."""

    def __init__(self, context: Context, bench: BenchModel, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.bench = bench
        self.servers = bench.servers
        self.part = Part.GATHER
        self._following = False
        self.verticalScrollBar().rangeChanged.connect(self._follow)
        self.verticalScrollBar().actionTriggered.connect(self._follow_no_more)
        self.list_card = ServerListCard(context, self.servers)
        self.list_card.file_wanted.connect(lambda: context.jobs.start(self._open_list()))
        self.column.addWidget(self.list_card)
        self.reporting = BenchReport(context, bench, self)
        self.hardening = Hardening(context, bench, self)
        self._build_parts()
        self._build_options()
        self.shown = Shown(context.theme)
        self.column.addWidget(self.shown)
        self.column.addStretch(1)
        self.stop = QPushButton()
        self.stop.clicked.connect(bench.stop)
        self.save = QPushButton()
        self.save.setObjectName("menu")
        self._kinds = QMenu(self)
        self._save_actions = {kind: self._kinds.addAction("") for kind in ReportKind}
        for kind, action in self._save_actions.items():
            action.triggered.connect(lambda _=False, kind=kind: self.reporting.save(kind))
        self._kinds.addSeparator()
        self.redacted = self._kinds.addAction("")
        self.redacted.setCheckable(True)
        self.redacted.toggled.connect(self.reporting.set_redacted)
        self.save.setMenu(self._kinds)
        self._tick = QTimer(self, singleShot=True, interval=_REPAINT_MS)
        self._tick.timeout.connect(self.refresh)
        bench.changed.connect(self._soon)
        bench.moment.connect(self._moved_on)
        self.servers.changed.connect(self._offer)
        context.theme.changed.connect(self.refresh)
        self.retranslate()
        self.refresh()

    def _build_parts(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        self._group = QButtonGroup(self)
        self.parts: dict[Part, QPushButton] = {}
        for part in Part:
            button = QPushButton()
            button.setObjectName("part")
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, part=part: self.open_part(part))
            self._group.addButton(button)
            self.parts[part] = button
            row.addWidget(button)
        row.addStretch(1)
        self.column.addLayout(row)

    def _build_options(self) -> None:
        self.options: dict[Part, QWidget] = {}
        self.family, self.interface = Choice(), Choice()
        self.family.picked.connect(lambda family: setattr(self.bench, "family", family))
        self.interface.picked.connect(lambda name: setattr(self.bench, "interface", name))
        self.relay_only = QCheckBox()
        self.relay_only.toggled.connect(lambda on: setattr(self.bench, "relay_only", on))
        self._options(Part.GATHER, (self.family, self.interface), self.relay_only)
        self.relay = Choice()
        self.sessions = Choice()
        self.own = QCheckBox()
        self.sessions.picked.connect(self._pick_sessions)
        self.own.toggled.connect(self._say_own)
        self.cost = Text("muted")
        self.plot = PlotView(self.context.theme)
        self._options(Part.CALL, (self.relay,), self.sessions, self.own, self.cost, self.plot)
        self.lifetime = QCheckBox()
        self.lifetime.toggled.connect(lambda on: setattr(self.bench, "lifetime", on))
        self._options(Part.NAT, (), self.lifetime)
        self.target = Choice()
        self.audited_own = QCheckBox()
        self.audited_own.toggled.connect(self._say_own)
        self.file = QPushButton()
        self.file.setObjectName("small")
        self.file.clicked.connect(lambda: self.context.jobs.start(self._open_conf()))
        self._options(Part.AUDIT, (self.target,), self.audited_own, self.file, self.hardening.button)
        self.problem = Text("problem")
        self.column.addWidget(self.problem)
        self.note = Text("muted")
        self.column.addWidget(self.note)

    def _options(self, part: Part, row: tuple[Choice, ...], *below: QWidget) -> None:
        card = Card()
        if row:
            line = QHBoxLayout()
            line.setSpacing(18)
            for choice in row:
                choice.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
                choice.box.setMinimumContentsLength(10)
                line.addWidget(choice, 1)
            card.body.addLayout(line)
        column = QVBoxLayout()
        narrow = QHBoxLayout()
        narrow.setSpacing(8)
        for widget in below:
            (narrow if isinstance(widget, QPushButton) else column).addWidget(widget)
        if narrow.count():
            narrow.addStretch(1)
            column.addLayout(narrow)
        card.body.addLayout(column)
        self.options[part] = card
        self.column.addWidget(card)

    def open_part(self, part: Part) -> None:
        """Show another test."""
        self.part = part
        self._following = False
        self.refresh()

    def _follow(self) -> None:
        # What comes now stands beneath the list, which may fill the window.
        if self._following:
            self.verticalScrollBar().setValue(self.parts[self.part].y() - 8)

    def _follow_no_more(self) -> None:
        self._following = False

    def entered(self) -> None:
        if not self.servers.servers:
            project = self.context.document.project
            listed = project.ice_servers if project is not None else ()
            self.servers.begin_with([ServerEntry(one.urls, one.username or "") for one in listed] or [ServerEntry(())])
        self.refresh()

    def first(self) -> QWidget:
        return self.list_card.urls_edit if self.servers.entry is not None else self.list_card.buttons["add"]

    def title(self) -> str:
        return self.tr("Does my STUN or TURN server work?")

    def answer(self) -> str:
        if self.bench.busy:
            return self.tr("Testing…")
        return self.tr("Hopwise asks it as a browser would, and tells what it answers. It contacts nobody else.")

    def status(self) -> str:
        return self.reporting.status

    def extra_buttons(self) -> tuple[QPushButton, ...]:
        save = (self.save,) if self.bench.report is not None else ()
        return (*save, self.stop) if self.bench.busy else save

    def primary_text(self) -> str:
        return {
            Part.GATHER: self.tr("&Gather"),
            Part.CALL: self.tr("S&end packets"),
            Part.NAT: self.tr("&Measure"),
            Part.AUDIT: self.tr("Aud&it"),
        }[self.part]

    def primary_enabled(self) -> bool:
        if self.bench.busy:
            return False
        match self.part:
            case Part.GATHER:
                return any(entry.urls for entry in self.servers.enabled)
            case Part.NAT:
                return any(uri.transport.value == "udp" for uri in self.servers.uris)
            case _:
                return bool(self.servers.relays)

    def on_primary(self) -> None:
        self._following = True
        self._follow()
        match self.part:
            case Part.GATHER:
                self.bench.gather()
            case Part.CALL:
                self.bench.call(str(self.relay.box.currentData()))
            case Part.NAT:
                self.bench.measure_nat()
            case Part.AUDIT:
                self.bench.audit_relay(str(self.target.box.currentData()))

    def retranslate(self) -> None:
        self.list_card.retranslate()
        names = {
            Part.GATHER: self.tr("Candidates"),
            Part.CALL: self.tr("Does it carry a call?"),
            Part.NAT: self.tr("My NAT"),
            Part.AUDIT: self.tr("Security audit"),
        }
        for part, text in names.items():
            self.parts[part].setText(text)
        self.relay_only.setText(self.tr("Relays only, as with iceTransportPolicy: relay"))
        self.lifetime.setText(self.tr("Measure how long a mapping lives, too (takes up to ten minutes)"))
        own = self.tr("This server is mine: its limits may be tried")
        self.own.setText(own)
        self.audited_own.setText(own)
        self.file.setText(self.tr("Audit a turnserver.conf…"))
        self.hardening.retranslate()
        self.stop.setText(self.tr("Sto&p"))
        self.save.setText(self.tr("Save report"))
        endings = {
            ReportKind.PDF: self.tr("As PDF…"),
            ReportKind.JSON: self.tr("As JSON…"),
            ReportKind.MARKDOWN: self.tr("As Markdown…"),
        }
        for kind, text in endings.items():
            self._save_actions[kind].setText(text)
        self.redacted.setText(self.tr("Leave out addresses and names"))
        self._offer()

    def refresh(self) -> None:
        for part, button in self.parts.items():
            button.setChecked(part is self.part)
            self.options[part].setVisible(part is self.part)
            self.options[part].setEnabled(not self.bench.busy or part is Part.CALL)
        self.relay_only.setChecked(self.bench.relay_only)
        self.lifetime.setChecked(self.bench.lifetime)
        for box in (self.own, self.audited_own):
            box.setChecked(self.bench.own)
        self.hardening.refresh()
        problems = (said(text, self.context.language) for text in self.bench.problems.get(self.part, ()))
        self.problem.say("\n".join(f"✖ {text}" for text in problems))
        self.note.say(self._note())
        self.shown.show_blocks(list(self._blocks()))
        self._show_moment()
        self._offer()

    def _soon(self) -> None:
        # Laying out a table takes as long as a packet to a server nearby, whose round trip it would lengthen.
        if not self.isVisible():
            return
        if not self.bench.busy:
            self._tick.stop()
            self.refresh()
        elif not self._tick.isActive():
            self._tick.start()
            self.said.emit()

    def _note(self) -> str:
        if self.bench.stopped is self.part:
            return self.tr("Stopped before the end: what is missing was not tested.")
        if self.bench.doing not in (None, self.part):
            return self.tr("Another test runs; this one can begin when it has ended.")
        if self.part is Part.NAT and not self.primary_enabled() and not self.bench.busy:
            return self.tr("The behaviour of a NAT is measured over UDP: list a STUN or TURN server that speaks it.")
        if self.part is Part.AUDIT and self.bench.conf is not None:
            return self.hardening.said
        if self.part in (Part.CALL, Part.AUDIT) and not self.servers.relays:
            return self.tr("List a TURN server for this: a STUN server relays nothing.")
        return ""

    def _blocks(self) -> Iterator[Block]:
        """What was found, without what stands on the page already."""
        bench, now = self.bench, datetime.now(UTC)
        result = {
            Part.GATHER: BenchResult(now, 0, ice=bench.ice),
            Part.CALL: BenchResult(now, 0, turn=bench.turn),
            Part.NAT: BenchResult(now, 0, nat=bench.nat),
            Part.AUDIT: BenchResult(now, 0, audit=bench.audit),
        }[self.part]
        if self.part is Part.GATHER and bench.ice is not None and not bench.ice.servers:
            return
        first = True
        for block in blocks(result, self.context.language):
            if isinstance(block, Plot) or (first and isinstance(block, Chapter)):
                first = False
                continue
            first = False
            yield block

    def _moved_on(self) -> None:
        if self.isVisible():
            self._show_moment()

    def _show_moment(self) -> None:
        moments = self.bench.moments
        self.plot.setVisible(any(moment.delay is not None for moment in moments))
        self.plot.show_moments(moments, self.context.language)
        ramping = self.bench.ramping
        if ramping is not None:
            words = self.tr("{count} of {all} sessions, loss {loss} %")
            self.cost.say(words.format(count=ramping.sessions, all=ramping.of, loss=f"{ramping.loss_percent:.2f}"))
        else:
            self._show_cost()

    def _show_cost(self) -> None:
        sessions = self.bench.sessions
        if sessions is None:
            self.cost.say("")
            return
        megabytes = f"{Load(sessions, SIZES[sessions]).most_bytes / 1e6:.0f}"
        said = self.tr("Sends up to {count} MB through the server.").format(count=megabytes)
        if not self.bench.own:
            said = " ".join((said, self.tr("It is tried only if you say that the server is yours.")))
        self.cost.say(said)

    def _offer(self) -> None:
        families = ((None, self.tr("IPv4 and IPv6")), (4, self.tr("IPv4 only")), (6, self.tr("IPv6 only")))
        self.family.name(self.tr("Address family"))
        self.family.offer(families, self.bench.family)
        names = dict.fromkeys(network.interface for network in networks())
        self.interface.name(self.tr("Network interface"))
        self.interface.offer(
            ((None, self.tr("As this computer routes")), *((name, name) for name in names)), self.bench.interface
        )
        urls = list(dict.fromkeys(uri.text for _, uri in self.servers.relays))
        for choice in (self.relay, self.target):
            choice.name(self.tr("TURN server"))
            taken = choice.box.currentData()
            choice.offer([(url, url) for url in urls], taken if taken in urls else next(iter(urls), None))
        self.sessions.name(self.tr("Capacity"))
        words = self.tr("{count} sessions of {mbit} Mbit/s")
        loads = [(count, words.format(count=count, mbit=f"{mbit:g}")) for count, mbit in SIZES.items()]
        self.sessions.offer([(None, self.tr("Not tried")), *loads], self.bench.sessions)
        self.said.emit()

    def _pick_sessions(self, sessions: object) -> None:
        self.bench.sessions = sessions if isinstance(sessions, int) else None
        self._show_cost()

    def _say_own(self, own: bool) -> None:
        self.bench.own = own
        for box in (self.own, self.audited_own):
            box.setChecked(own)
        self._show_cost()

    async def _open_list(self) -> None:
        path = await file_to_open(self, self.tr("Servers from a file"), self.tr("All files (*)"))
        if path is not None:
            try:
                self.servers.bring(_content(path))
            except OSError as error:
                self.servers.say(f"{path}: {error.strerror or error}")

    async def _open_conf(self) -> None:
        path = await file_to_open(self, self.tr("Audit a turnserver.conf"), self.tr("All files (*)"))
        if path is not None:
            self.bench.audit_file(path)


_LARGEST = 4 << 20


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST)
