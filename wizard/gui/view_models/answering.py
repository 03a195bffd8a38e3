"""The responder, run by the wizard itself where the wizard stands on the service's host."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject, Signal

from wizard.gui.jobs import Jobs
from wizard.model.project import Project
from wizard.report.responder import responder_plan
from wizard.responder import Bound, Responder, TooManyPortsError


class AnsweringModel(QObject):
    """Answers a project's probes on this computer. Signal: `changed`."""

    changed = Signal()

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._task: asyncio.Future[None] | None = None
        self.bound: Bound | None = None
        self.error = ""

    @property
    def busy(self) -> bool:
        """Whether it answers, or is about to."""
        return self._task is not None

    def start(self, project: Project) -> None:
        """Bind every planned port that is free. Does nothing while it answers."""
        if self._task is None:
            self.error = ""
            self._task = self._jobs.start(self._answer(Responder(responder_plan(project))))
            self.changed.emit()

    def stop(self) -> None:
        """Close every socket."""
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, responder: Responder) -> None:
        try:
            self.bound = await responder.start()
            self.changed.emit()
            await responder.over()
        except (OSError, TooManyPortsError) as error:
            self.error = str(error)
        finally:
            await responder.stop()
            self._task = None
            self.bound = None
            self.changed.emit()
