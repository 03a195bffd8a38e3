"""What the routers of this computer's networks said, what was changed there, and how each rule's ports fare."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import ipaddress
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from wizard.diagnosis.verdict import State
from wizard.gui.jobs import Jobs
from wizard.gui.view_models.passwords import PasswordModel
from wizard.gui.view_models.run import RunModel
from wizard.model.forward import Forward, forwards, only, router_of
from wizard.model.gateway import Gateway, nearest
from wizard.model.key import probe_key
from wizard.model.mapped import Held, mappings_of, stretches
from wizard.model.port import OutsidePort
from wizard.model.project import Project
from wizard.model.router_guide import Guide, Row, guide, guide_for, rows
from wizard.probes.gateway import Street, ask
from wizard.probes.gateway_change import DEFAULT_LIFETIME_S, Change, Wish, change
from wizard.session import Session

_log = logging.getLogger(__name__)


class Doing(enum.Enum):
    """What is under way."""

    NOTHING = "nothing"
    ASKING = "asking"
    CHANGING = "changing"
    CHECKING = "checking"


class RouterModel(QObject):
    """One visit to the router. Signals: `changed`; `mapped` when every mapping that was asked for has been made."""

    changed = Signal()
    mapped = Signal()

    def __init__(
        self,
        jobs: Jobs,
        run: RunModel,
        passwords: PasswordModel,
        streets: Callable[[], tuple[Street, ...]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._run = run
        self._passwords = passwords
        self._streets = streets
        self._task: asyncio.Future[None] | None = None
        self._project: Project | None = None
        self._ports: tuple[OutsidePort, ...] | None = None
        self._picked: str | None = None
        self.doing = Doing.NOTHING
        self.host = ""
        """Where the rules lead, if the path does not say."""
        self.lifetime_s = DEFAULT_LIFETIME_S
        self.gateways: tuple[Gateway, ...] | None = None
        """None: not asked yet."""
        self.changes: tuple[Change, ...] = ()
        self.marks: dict[tuple[OutsidePort, ...], State] = {}
        """How the ports of a row fared when they were last probed."""
        self.probing: tuple[OutsidePort, ...] = ()
        self.error = ""

    def begin(self, project: Project, ports: Sequence[OutsidePort] | None) -> None:
        """Turn to a project, and to some of its ports; None for all of them."""
        if project != self._project:
            self.stop()
            self.gateways, self.changes, self.marks, self._picked, self.host = None, (), {}, None, ""
        self._project = project
        self._ports = None if ports is None else tuple(ports)
        self.changed.emit()

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.doing is not Doing.NOTHING

    @property
    def path_says_where(self) -> bool:
        """Whether the path has an address behind the router."""
        return any(rule.host is not None for rule in self._rules(None))

    @property
    def rules(self) -> tuple[Forward, ...]:
        """The rules that the router needs for the ports in question."""
        return self._rules(self.host if self.host_valid else None)

    @property
    def host_valid(self) -> bool:
        """Whether what was typed as the service's address is one."""
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(self.host)
            return True
        return False

    @property
    def gateway(self) -> Gateway | None:
        """The router to ask for mappings."""
        rules = self.rules
        return nearest(self.gateways or (), rules[0].host) if rules else None

    @property
    def missing(self) -> tuple[Forward, ...]:
        """The rules, and parts of rules, that the router does not have as planned, and that it can be asked for."""
        gateway = self.gateway
        rules = self.rules
        if gateway is None or any(not _is_ip(rule.host) for rule in rules) or self._project is None:
            return ()
        ports = [
            port
            for stretch in stretches(gateway, rules)
            if stretch.held not in (Held.MAPPED, Held.ELSEWHERE)
            for port in stretch.ports
        ]
        return tuple(rule for rule in self._rules(self.host or None, ports) if ports)

    @property
    def guide(self) -> Guide:
        """The guide that the person picked, or that of the router that was found."""
        if self._picked is not None:
            return guide(self._picked)
        return guide_for(self.gateway or next(iter(self.gateways or ()), None))

    def rows(self, language: str) -> tuple[Row, ...]:
        """What to enter by hand."""
        return rows(self.guide, self.rules, language)

    def pick(self, guide_id: str) -> None:
        """Another guide."""
        self._picked = guide_id
        self.changed.emit()

    def set_host(self, host: str) -> None:
        """Where the rules lead."""
        self.host = host.strip()
        self.changed.emit()

    def ask(self) -> None:
        """Ask the routers. Sends to this computer's own networks."""
        self.changes = ()
        self._start(Doing.ASKING, self._ask)

    def add(self) -> None:
        """Ask the router for the mappings that are missing. The person has confirmed it."""
        self._start(Doing.CHANGING, self._add)

    def check(self, row: Row) -> None:
        """Probe the ports of one row, from every place that can be had here."""
        self.probing = row.ports
        self._start(Doing.CHECKING, self._check)

    def stop(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()

    def _rules(self, host: str | None, ports: Sequence[OutsidePort] | None = None) -> tuple[Forward, ...]:
        project = self._project
        position = router_of(project) if project is not None else None
        if project is None or position is None:
            return ()
        return forwards(project, position, self._ports if ports is None else ports, host)

    def _start(self, doing: Doing, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self.busy or self._project is None:
            return
        self.doing, self.error = doing, ""
        self._task = self._jobs.start(self._guarded(job))
        # Not at the end of the job: ended before its first step, it has none.
        self._task.add_done_callback(lambda _: self._over())
        self.changed.emit()

    async def _guarded(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await job()
        except Exception as error:  # noqa: BLE001 - shown on the page and logged; the window goes on
            _log.exception("Talking to the router failed")
            self.error = str(error) or type(error).__name__

    def _over(self) -> None:
        was, self.doing = self.doing, Doing.NOTHING
        ended, self._task, self.probing = self._task, None, ()
        self.changed.emit()
        whole = ended is not None and not ended.cancelled() and not self.error
        if was is Doing.CHANGING and whole and self.changes and all(one.done for one in self.changes):
            self.mapped.emit()

    async def _ask(self) -> None:
        self.gateways = await ask(self._streets())
        self._run.learn(self.gateways)

    async def _add(self) -> None:
        gateway, project = self.gateway, self._project
        if gateway is None or project is None:
            return
        self.changes = ()
        wanted = [mapping for rule in self.missing for mapping in mappings_of(rule)]
        changes = change(gateway, Wish.ADD, wanted, self.lifetime_s, probe_key(project))
        async with contextlib.aclosing(changes):
            async for one in changes:
                self.changes = (*self.changes, one)
                self.changed.emit()
        await self._ask()

    async def _check(self) -> None:
        assert self._project is not None
        project = only(self._project, self.probing)
        session = Session(project, passwords=self._passwords.by_vantage(project.vantages))
        async with contextlib.aclosing(session.run()) as steps:
            async for _ in steps:
                pass
        self.marks[self.probing] = session.diagnosis.state


def _is_ip(host: str | None) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host or "")
        return True
    return False
