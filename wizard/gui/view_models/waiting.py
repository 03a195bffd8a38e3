"""Whether the responder that a person is starting elsewhere answers by now."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject, Signal

from wizard.gui.jobs import Jobs
from wizard.model.project import Project
from wizard.observation import Observation
from wizard.system.interfaces import networks
from wizard.vantage.here import why_not_here
from wizard.vantage.waiting import first_answer

PATIENCE_S = 15 * 60.0


class WaitingModel(QObject):
    """Asks a few ports again and again. Signal: `changed`."""

    changed = Signal()

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._task: asyncio.Future[None] | None = None
        self.rounds = 0
        """How often it has asked in vain."""
        self.answer: Observation | None = None

    @property
    def busy(self) -> bool:
        """Whether it is asking."""
        return self._task is not None

    def start(self, project: Project) -> None:
        """Begin to ask from where this computer stands. Does nothing while it asks."""
        if self._task is None:
            self.rounds, self.answer = 0, None
            self._task = self._jobs.start(self._wait(project))
            self._task.add_done_callback(self._ended)
            self.changed.emit()

    def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()

    def forget(self) -> None:
        """As before the first question."""
        self.stop()
        self.rounds, self.answer = 0, None
        self.changed.emit()

    async def _wait(self, project: Project) -> None:
        reasons = why_not_here(project, networks(), {})
        here = [vantage for vantage in project.places() if reasons[vantage.id] is None]
        try:
            async with asyncio.timeout(PATIENCE_S):
                self.answer = await first_answer(project, here, self._asked)
        except TimeoutError:
            pass

    def _asked(self) -> None:
        self.rounds += 1
        self.changed.emit()

    def _ended(self, _: asyncio.Future[None]) -> None:
        self._task = None
        self.changed.emit()
