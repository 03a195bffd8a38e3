"""The router: ask it, have it map the ports, or be shown what to enter on its own pages."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMessageBox, QPushButton, QWidget

from wizard.gui.asking import choose
from wizard.gui.context import Context
from wizard.gui.controls.copied import Copied
from wizard.gui.controls.field import Choice, Field
from wizard.gui.controls.frames import Card, Text
from wizard.gui.pages.page import Page
from wizard.gui.router.answers import RouterAnswers
from wizard.gui.router.model import Doing, RouterModel
from wizard.gui.router.rows import MOST_ROWS, RuleRows
from wizard.model.router_guide import commands, guides
from wizard.report.gateway_words import guide_words

_LIFETIMES_S = (3600, 24 * 3600, 7 * 24 * 3600, 0)


class RouterPage(Page):
    """Signal: `again_wanted`, to test the whole path once the mappings have been made."""

    again_wanted = Signal()

    def __init__(self, context: Context, router: RouterModel, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.router = router
        self._build_asking()
        self._build_guide()
        self.column.addStretch(1)
        self.stop = QPushButton()
        self.stop.clicked.connect(router.stop)
        router.changed.connect(self._follow)
        router.mapped.connect(self.again_wanted)
        self.retranslate()

    def _build_asking(self) -> None:
        card = Card()
        self._ask_heading = Text("heading")
        self._ask_hint = Text("muted")
        self.ask = QPushButton()
        self.ask.clicked.connect(self.router.ask)
        self.answers = RouterAnswers(self.context.theme)
        self.host = Field()
        self.host.edited.connect(self.router.set_host)
        self.lifetime = Choice()
        self.lifetime.picked.connect(self._pick_lifetime)
        self.add = QPushButton()
        self.add.clicked.connect(lambda: self.context.jobs.start(self._confirm()))
        self.problem = Text("problem")
        row = QHBoxLayout()
        row.addWidget(self.ask)
        row.addStretch(1)
        self._adding = QWidget()
        line = QHBoxLayout(self._adding)
        line.setContentsMargins(0, 4, 0, 0)
        line.setSpacing(18)
        line.addWidget(self.lifetime)
        line.addStretch(1)
        line.addWidget(self.add)
        for part in (self._ask_heading, self._ask_hint):
            card.body.addWidget(part)
        card.body.addLayout(row)
        for widget in (self.answers, self._adding, self.problem):
            card.body.addWidget(widget)
        self.column.addWidget(card)

    def _build_guide(self) -> None:
        card = Card()
        self._guide_heading = Text("heading")
        self.guide = Choice()
        self.guide.picked.connect(self.router.pick)
        self._steps = [Text() for _ in range(4)]
        self.rows = RuleRows(self.context.theme)
        self.rows.check_wanted.connect(self.router.check)
        self._commands_heading = Text()
        self.commands = Copied()
        self._quirks = Text("muted")
        fields = QGridLayout()
        fields.setHorizontalSpacing(18)
        fields.addWidget(self.guide, 0, 0)
        fields.addWidget(self.host, 0, 1)
        fields.setColumnStretch(0, 1)
        fields.setColumnStretch(1, 1)
        card.body.addWidget(self._guide_heading)
        card.body.addLayout(fields)
        for widget in (*self._steps, self.rows, self._commands_heading, self.commands, self._quirks):
            card.body.addWidget(widget)
        self.column.addWidget(card)

    def title(self) -> str:
        return self.tr("Does my router pass these ports on?")

    def answer(self) -> str:
        if self.router.busy and self.router.doing is not Doing.CHECKING:
            return self.tr("Speaking to the router…")
        gateway = self.router.gateway
        if gateway is not None and self.router.missing:
            return self.tr("{router} answers, and can be asked to map what is missing.").format(router=gateway.title)
        if self.router.gateways is None:
            return self.tr("Ask it, or enter the rules on its own pages, one after the other.")
        if gateway is None:
            return self.tr("No router answers to programs. The rules can be entered by hand.")
        return self.tr("{router} answers.").format(router=gateway.title)

    def extra_buttons(self) -> tuple[QPushButton, ...]:
        return (self.stop,) if self.router.busy else ()

    def primary_text(self) -> str:
        return self.tr("Test a&gain") if self.context.run.tested else self.tr("&Test")

    def primary_enabled(self) -> bool:
        return not self.router.busy

    def on_primary(self) -> None:
        self.again_wanted.emit()

    def first(self) -> QWidget | None:
        return self.ask

    def left(self) -> None:
        self.router.stop()

    def retranslate(self) -> None:
        self._ask_heading.setText(self.tr("Ask the router"))
        self._ask_hint.setText(
            self.tr(
                "Looks for routers on the networks of this computer (UPnP, NAT-PMP, PCP) and reads their address and "
                "mappings. Nothing is changed."
            )
        )
        self.stop.setText(self.tr("&Stop"))
        self.lifetime.name(self.tr("A mapping &lives"))
        self._guide_heading.setText(self.tr("By hand, on the router's own pages"))
        self.guide.name(self.tr("&Router"))
        self.host.name(self.tr("Address of the service's &host"), self.tr("The path does not say it."))

    def refresh(self) -> None:
        router, language = self.router, self.context.language
        rules = router.rules
        # Never grey: a button that goes grey under the finger throws the focus to the other end of the window.
        asking = router.doing is Doing.ASKING
        self.ask.setText(self.tr("Asking…") if asking else self.tr("&Ask the router"))
        self.answers.show_answers(router.gateways, router.changes, rules, router.gateway, language)
        missing = router.missing
        self._adding.setVisible(bool(missing))
        mapping = router.doing is Doing.CHANGING
        self.add.setText(self.tr("Mapping…") if mapping else self.tr("&Map the missing ports…"))
        lives = (self.tr("one hour"), self.tr("one day"), self.tr("one week"), self.tr("for good"))
        self.lifetime.offer(list(zip(_LIFETIMES_S, lives, strict=True)), router.lifetime_s)
        self.problem.say(router.error)
        self.host.setVisible(not router.path_says_where)
        self.host.show_text(router.host)
        faulty = bool(router.host) and not router.host_valid
        self.host.show_problems([self.tr("This is no IP address")] if faulty else [])
        self._show_guide()
        self.said.emit()

    def _show_guide(self) -> None:
        router, language = self.router, self.context.language
        guide, rules, said = router.guide, router.rules, guide_words(language)
        self.guide.offer([(known.id, known.title.say(language)) for known in guides()], guide.id)
        rows = router.rows(language)
        colon = "：" if language.startswith("zh") else ": "
        path = " › ".join(step.say(language) for step in guide.page)
        host = next((rule.host for rule in rules if rule.host), None) or said["unknown"]
        steps = (
            f"1.  {said['reserve'].replace('$host', host)}",
            f"2.  {said['open']}{colon}{', '.join(guide.addresses)}",
            f"3.  {said['path']}{colon}{path}",
            f"4.  {said['rows']}{colon}",
        )
        for label, text in zip(self._steps, steps if rows else (said["nothing"], "", "", ""), strict=True):
            label.say(text)
        self.rows.show_rows(rows, router.marks, router.probing, language)
        script = commands(guide, rules)
        if len(rows) > MOST_ROWS and not script:
            script = "\n".join(row.text for row in rows)
        self._commands_heading.say((said["commands"] if guide.command else said["rows"]) + colon if script else "")
        self.commands.setVisible(bool(script))
        self.commands.show_text(script)
        quirks = (*(quirk.say(language) for quirk in guide.quirks), said["hairpin"], said["names"])
        self._quirks.say("\n".join(f"•  {quirk}" for quirk in quirks) if rows else "")

    def _pick_lifetime(self, seconds: object) -> None:
        assert isinstance(seconds, int)
        self.router.lifetime_s = seconds

    async def _confirm(self) -> None:
        """Nothing is changed on the router without a yes."""
        gateway, missing = self.router.gateway, self.router.missing
        if gateway is None or not missing or self.router.busy:
            return
        lines = [f"{rule.protocol} {rule.external} → {rule.host} : {rule.internal}" for rule in missing]
        lives = self.tr("Each lives: {time}").format(time=self.lifetime.box.currentText())
        answer = await choose(
            self,
            self.tr("Map the ports"),
            self.tr("Ask {router} at {address} to pass these ports on from the internet?").format(
                router=gateway.title, address=gateway.address
            ),
            [
                (self.tr("&Map them"), QMessageBox.ButtonRole.AcceptRole),
                (self.tr("&Cancel"), QMessageBox.ButtonRole.RejectRole),
            ],
            "\n".join([*lines[:12], *(["…"] if len(lines) > 12 else []), lives]),
        )
        if answer == 0:
            self.router.add()

    def _follow(self) -> None:
        if self.isVisible():
            self.refresh()
