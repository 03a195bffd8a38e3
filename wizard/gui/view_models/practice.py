"""The practice network, switched on and off, broken and mended."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject, Signal

from wizard.gui.jobs import Jobs
from wizard.practice.fault import Fault
from wizard.practice.network import Practice


class PracticeModel(QObject):
    """Signals: `changed`, `ready` (Project) when the network runs, `error` (str)."""

    changed = Signal()
    ready = Signal(object)
    error = Signal(object)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._task: asyncio.Future[None] | None = None
        self._wishes: asyncio.Queue[tuple[Fault, bool]] = asyncio.Queue()
        self._pending = 0
        self._practice: Practice | None = None
        self.broken: frozenset[str] = frozenset()

    @property
    def running(self) -> bool:
        """Whether the network stands."""
        return self._practice is not None

    @property
    def busy(self) -> bool:
        """Whether a fault is being made or mended."""
        return self._task is not None and (self._practice is None or self._pending > 0)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What can be broken."""
        return self._practice.faults if self._practice else ()

    def start(self, language: str) -> None:
        """Build the network. Does nothing while it stands."""
        if self._task is None:
            self._task = self._jobs.start(self._live(language))

    def stop(self) -> None:
        """Take it down."""
        if self._task is not None:
            self._task.cancel()

    def set_broken(self, fault: Fault, broken: bool) -> None:
        """Make a fault, or mend it."""
        self.broken = self.broken | {fault.id} if broken else self.broken - {fault.id}
        self._pending += 1
        self._wishes.put_nowait((fault, broken))
        self.changed.emit()

    async def _live(self, language: str) -> None:
        practice = Practice(language)
        try:
            await practice.start()
            self._practice = practice
            self.changed.emit()
            self.ready.emit(practice.project)
            while True:
                fault, broken = await self._wishes.get()
                await (practice.break_(fault) if broken else practice.mend(fault))
                self._pending -= 1
                self.changed.emit()
        except OSError as error:
            self.error.emit(str(error))
        finally:
            self._practice = None
            self._task = None
            self._wishes = asyncio.Queue()
            self._pending = 0
            self.broken = frozenset()
            await practice.stop()
            self.changed.emit()
