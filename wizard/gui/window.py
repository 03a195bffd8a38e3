"""The window: steps on the left, the page on the right, its buttons beneath."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from wizard.diagnosis.verdict import Finding, State
from wizard.gui.bench.page import BenchPage
from wizard.gui.bench.running import BenchModel
from wizard.gui.bench.servers import ServerListModel
from wizard.gui.bench.window import BenchWindow
from wizard.gui.config_files import ConfigActions, is_project, is_result
from wizard.gui.context import Context
from wizard.gui.controls.frames import Text
from wizard.gui.files import FileActions
from wizard.gui.flow import Flow, Known, Step, is_open
from wizard.gui.menus import Menus
from wizard.gui.pages.fix import FixPage
from wizard.gui.pages.origin import OriginPage
from wizard.gui.pages.page import Page
from wizard.gui.pages.path import PathPage
from wizard.gui.pages.ports import PortsPage
from wizard.gui.pages.practice_faults import PracticeFaults
from wizard.gui.pages.report import ReportPage
from wizard.gui.pages.service import ServicePage
from wizard.gui.pages.test import TestPage
from wizard.gui.preferences import Preferences
from wizard.gui.rail import Rail
from wizard.gui.router.model import RouterModel
from wizard.gui.router.page import RouterPage
from wizard.gui.sdp_window import SdpWindow
from wizard.gui.view_models.answering import AnsweringModel
from wizard.gui.view_models.practice import PracticeModel
from wizard.gui.view_models.report import ReportModel
from wizard.model.port import OutsidePort
from wizard.model.project import Project
from wizard.model.resource import resource
from wizard.vantage.streets import streets


class Window(QMainWindow):
    """The wizard. `closed` is called once the person has let it close."""

    def __init__(self, context: Context, preferences: Preferences, closed: Callable[[], None]) -> None:
        super().__init__()
        self.context = context
        self._closed = closed
        self._may_close = False
        self._flow = Flow()
        self._of_practice = False
        self.setWindowIcon(QIcon(str(resource("icons", "hopwise.svg"))))
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 560)
        self.resize(1120, 760)

        self.practice = PracticeModel(context.jobs, self)
        self.report = ReportModel(context.jobs, context.run, self)
        self.service_page = ServicePage(context)
        self.path_page = PathPage(context)
        self.ports_page = PortsPage(context)
        self.origin_page = OriginPage(context)
        self.test_page = TestPage(context, AnsweringModel(context.jobs, self))
        self.fix_page = FixPage(context)
        self.report_page = ReportPage(context, self.report)
        self.bench = BenchModel(context.jobs, ServerListModel(context.passwords, context.kept_servers, self), self)
        self.bench_page = BenchPage(context, self.bench)
        self.bench_window = BenchWindow(context, self.bench, self)
        self.sdp_window = SdpWindow(context, self)
        self.router = RouterModel(context.jobs, context.run, context.passwords, streets, self)
        self.router_page = RouterPage(context, self.router)
        self._aside: tuple[Page, ...] = (self.bench_page, self.router_page)
        self.pages: dict[Step, Page] = {
            Step.SERVICE: self.service_page,
            Step.PATH: self.path_page,
            Step.PORTS: self.ports_page,
            Step.ORIGIN: self.origin_page,
            Step.TEST: self.test_page,
            Step.FIX: self.fix_page,
            Step.REPORT: self.report_page,
        }
        self.faults = PracticeFaults(context, self.practice)
        self.test_page.show_practice(self.faults)
        self.files = FileActions(context, self.report, self.test_page.answerers, self)
        self.configs = ConfigActions(context, self)
        self.menus = Menus(context, self.files, preferences, self)
        self._build()
        self._connect()
        self.retranslate()
        self._open_page(self.service_page)

    def _build(self) -> None:
        ground = QWidget()
        ground.setObjectName("ground")
        self.setCentralWidget(ground)
        self.rail = Rail(self.context.theme, self.context.speech)
        self.stack = QStackedWidget()
        for page in (*self.pages.values(), *self._aside):
            self.stack.addWidget(page)
        self.title = Text("title")
        self.answer = Text("answer")
        said = QVBoxLayout()
        said.setSpacing(4)
        said.addWidget(self.title)
        said.addWidget(self.answer)
        head = QHBoxLayout()
        head.setContentsMargins(28, 20, 28, 8)
        head.setSpacing(16)
        head.addLayout(said, 1)
        self._corner = QStackedWidget()
        self._corner.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        for page in (*self.pages.values(), *self._aside):
            if (corner := page.corner()) is not None:
                self._corner.addWidget(corner)
        head.addWidget(self._corner, 0, Qt.AlignmentFlag.AlignTop)
        self.status = Text("muted", wrap=False)
        self.back = QPushButton()
        self.primary = QPushButton()
        self.primary.setObjectName("primary")
        self._extras: tuple[QPushButton, ...] = ()
        self._foot = QHBoxLayout()
        self._foot.setContentsMargins(28, 10, 28, 16)
        self._foot.setSpacing(12)
        self._foot.addWidget(self.status)
        self._foot.addStretch(1)
        self._foot.addWidget(self.back)
        self._foot.addWidget(self.primary)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addLayout(head)
        right.addWidget(self.stack, 1)
        right.addLayout(self._foot)
        row = QHBoxLayout(ground)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addLayout(right, 1)

    def _connect(self) -> None:
        context = self.context
        self.rail.wanted.connect(self.go)
        for page in (*self.pages.values(), *self._aside):
            page.said.connect(self._show_bars)
            page.wanted.connect(self.go)
        self.back.clicked.connect(self.go_back)
        self.primary.clicked.connect(self._primary)
        QShortcut(QKeySequence("Ctrl+Return"), self, self.primary.click)
        QShortcut(QKeySequence("Alt+Left"), self, self.back.click)
        QShortcut(QKeySequence("F5"), self, self._test_again)
        context.document.changed.connect(self._show_bars)
        context.document.opened.connect(self._opened)
        context.run.changed.connect(self._show_rail)
        context.speech.changed.connect(self.retranslate)
        self.service_page.open_wanted.connect(self.files.open)
        self.service_page.new_wanted.connect(self.files.begin)
        self.service_page.server_test_wanted.connect(lambda: self._open_page(self.bench_page))
        self.service_page.practice_wanted.connect(self._start_practice)
        self.service_page.import_wanted.connect(self.configs.import_files)
        self.path_page.router_wanted.connect(self._plan_router)
        self.path_page.configs.add_wanted.connect(self.configs.add)
        self.path_page.configs.paste_wanted.connect(self.configs.paste)
        self.path_page.configs.look_wanted.connect(self.configs.look)
        self.practice.ready.connect(self._practice_ready)
        self.practice.error.connect(self.context.document.error)
        self.test_page.answerers.script_wanted.connect(self.files.save_script)
        self.test_page.elsewhere.save_wanted.connect(lambda: self.files.save(elsewhere=True))
        self.test_page.answerers.add_result_wanted.connect(self.files.bring_result)
        self.fix_page.show_wanted.connect(self._show_hop)
        self.fix_page.again_wanted.connect(self._test_again)
        self.fix_page.router_wanted.connect(self._open_router)
        self.router_page.again_wanted.connect(self._test_again)
        self.report_page.file_wanted.connect(self.files.write_report)
        self.menus.new_wanted.connect(lambda: self.go(Step.SERVICE))
        self.menus.bench_wanted.connect(self.bench_window.open)
        self.menus.sdp_wanted.connect(self.sdp_window.open)

    @property
    def page(self) -> Page:
        """The page in view."""
        found = self.stack.currentWidget()
        assert isinstance(found, Page)
        return found

    @property
    def known(self) -> Known:
        """What decides which pages can be opened."""
        known = self.context.document.known
        return Known(known.chosen, known.faulty, self.context.run.tested)

    def go(self, step: Step) -> None:
        """Open a page, if it can be opened."""
        if is_open(step, self.known):
            self._flow = self._flow.go(step)
            self._open_page(self.pages[step])

    def go_back(self) -> None:
        """Open the page before."""
        if self.page not in self._aside:
            self._flow = self._flow.back()
            while not is_open(self._flow.current, self.known):
                self._flow = self._flow.back()
        self._open_page(self.pages[self._flow.current])

    def _open_page(self, page: Page) -> None:
        if self.page is not page:
            self.page.left()
            self.stack.setCurrentWidget(page)
        page.entered()
        self._show_bars()
        first = page.first() or self.primary
        first.setFocus(Qt.FocusReason.TabFocusReason)

    def _show_bars(self) -> None:
        page = self.page
        self.title.setText(page.title())
        self.answer.say(page.answer())
        corner = page.corner()
        self._corner.setVisible(corner is not None)
        if corner is not None:
            self._corner.setCurrentWidget(corner)
        self.status.setText(page.status())
        self.back.setEnabled(bool(self._flow.behind) or page in self._aside)
        extras = page.extra_buttons()
        at_foot = self.primary.hasFocus() or any(button.hasFocus() for button in self._extras)
        if extras != self._extras:
            for button in self._extras:
                self._foot.removeWidget(button)
                button.hide()
            for button in extras:
                self._foot.insertWidget(self._foot.count() - 1, button)
                button.show()
            self._extras = extras
        text = page.primary_text()
        if text != self.primary.text():
            self.primary.setText(text)
        self.primary.setVisible(bool(text))
        self.primary.setEnabled(page.primary_enabled())
        if at_foot and not (self.primary.hasFocus() and self.primary.isEnabled()):
            # A button that went away or went grey must not throw the focus to the other end of the window.
            next_one = self.primary if self.primary.isEnabled() else next(iter(extras), self.back)
            next_one.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_rail()

    def _show_rail(self) -> None:
        document = self.context.document
        self.rail.show_steps(self._flow.current, self.known)
        name = document.text("name") if document.chosen else ""
        saved = ""
        if document.chosen:
            file = document.path.name if document.path else self.tr("no file yet")
            state = self.tr("not saved") if document.dirty else self.tr("saved") if document.path else ""
            saved = " · ".join(part for part in (file, state) if part)
        self.rail.show_project(name, saved)
        self.setWindowTitle(f"{name}[*] — Hopwise" if name else "Hopwise[*]")
        self.setWindowModified(document.dirty)

    def retranslate(self) -> None:
        """Name the buttons of the window."""
        self.back.setText(self.tr("&Back"))
        self.back.setToolTip(self.tr("Alt+Left"))
        self._show_bars()

    def _opened(self) -> None:
        self.context.run.forget()
        self.context.run.unlearn()
        if not self._of_practice:
            self.practice.stop()
        self._flow = Flow(Step.SERVICE)
        known = self.known
        first = next((step for step in self.pages if step in known.faulty), Step.PATH)
        self.go(Step.TEST if self._of_practice else first)

    def _start_practice(self) -> None:
        if self.practice.running:
            self.go(Step.TEST)
        else:
            self.context.jobs.start(self._practise())

    async def _practise(self) -> None:
        if await self.files.may_discard():
            self.practice.start(self.context.language)

    def _practice_ready(self, project: Project) -> None:
        self._of_practice = True
        self.context.document.start(project, kept=True)
        self._of_practice = False

    def _primary(self) -> None:
        self.page.on_primary()

    def _show_hop(self, hop: str) -> None:
        self.go(Step.TEST)
        self.test_page.show_hop(hop)

    def _open_router(self, finding: Finding | None) -> None:
        project, diagnosis = self.context.run.project, self.context.run.diagnosis
        if project is None or diagnosis is None:
            return
        if finding is not None and finding.protocol is not None and finding.outside is not None:
            ports = [OutsidePort(finding.protocol, number) for number in finding.outside]
        else:
            closed = [row for row in diagnosis.ports if row.state is not State.OPEN]
            ports = [OutsidePort(row.protocol, number) for row in closed or diagnosis.ports for number in row.outside]
        self.router.begin(project, ports)
        self._open_page(self.router_page)

    def _plan_router(self) -> None:
        """All rules of the plan, before anything has been tested."""
        project = self.context.document.project
        if project is not None:
            self.router.begin(project, None)
            self._open_page(self.router_page)

    def _test_again(self) -> None:
        self.go(Step.TEST)
        if self.page is self.test_page:
            self.test_page.start()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if not paths:
            return
        event.acceptProposedAction()
        if is_project(paths[0]):
            self.files.open(paths[0])
        elif is_result(paths[0]):
            self.files.bring_result(paths[0])
        elif (hop := self._hop_under(event)) is not None:
            self.configs.add(hop, paths)
        else:
            self.configs.import_files(paths)

    def _hop_under(self, event: QDropEvent) -> str | None:
        """The hop on whose card something was dropped."""
        diagram = self.path_page.diagram
        if self.page is not self.path_page:
            return None
        return diagram.hop_at(diagram.mapFrom(self, event.position().toPoint()).toPointF())

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close or not self.context.document.dirty:
            event.accept()
            self.context.document.give_up()
            self._closed()
        else:
            event.ignore()
            self.context.jobs.start(self._ask_to_close())

    async def _ask_to_close(self) -> None:
        if await self.files.may_discard():
            self.force_close()

    def force_close(self) -> None:
        """Close without asking."""
        self._may_close = True
        self.close()
