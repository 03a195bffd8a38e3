"""The responder, run by the wizard itself where the wizard stands on the service's host."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal

from wizard.gui.jobs import Jobs
from wizard.model.project import Project
from wizard.report.responder import observation, responder_plan
from wizard.responder import Bound, Responder, TooManyPortsError
from wizard.wire.response import Seen


class AnsweringModel(QObject):
    """Answers a project's probes on this computer.

    Signals: `changed`; `heard` with the observation of each probe that reached this computer.
    """

    changed = Signal()
    heard = Signal(object)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._task: asyncio.Future[None] | None = None
        self._begun = asyncio.Event()
        self.bound: Bound | None = None
        self.watches_card = False
        """Whether it also sees what this computer's firewall stops."""
        self.error = ""

    @property
    def busy(self) -> bool:
        """Whether it answers, or is about to."""
        return self._task is not None

    def start(self, project: Project) -> None:
        """Bind every planned port that is free. Does nothing while it answers."""
        if self._task is None:
            self.error = ""
            self._begun = asyncio.Event()
            self._task = self._jobs.start(self._answer(project))
            self._task.add_done_callback(self._ended)
            self.changed.emit()

    async def ready(self) -> None:
        """Returns once it answers, or cannot."""
        await self._begun.wait()

    def stop(self) -> None:
        """Close every socket."""
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, project: Project) -> None:
        plan = responder_plan(project)

        def seen(probe: Seen) -> None:
            self.heard.emit(observation(plan, probe, datetime.now(UTC)))

        responder = Responder(plan, seen=seen)
        try:
            self.bound = await responder.start()
            self.watches_card = responder.watch_card()
            self._begun.set()
            self.changed.emit()
            await responder.over()
        except (OSError, TooManyPortsError) as error:
            self.error = str(error)
        finally:
            await responder.stop()

    def _ended(self, _: asyncio.Future[None]) -> None:
        self._begun.set()
        self._task = None
        self.bound = None
        self.watches_card = False
        self.changed.emit()
