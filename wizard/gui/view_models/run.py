"""A test run, as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import QObject, Signal

from wizard.diagnosis.verdict import Diagnosis
from wizard.gui.jobs import Jobs
from wizard.model.project import Project
from wizard.model.secret import Secret
from wizard.observation import Configured, Fact, Observation
from wizard.progress import Finished, Learnt, NoResponderError, Planned, Result, Skipped
from wizard.session import Session

_log = logging.getLogger(__name__)

Item = Observation | Fact | Skipped


class RunState(enum.Enum):
    """How far a run is."""

    NONE = "none"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    WATCHING = "watching"
    FAILED = "failed"


class RunModel(QObject):
    """The latest run. Signals: `changed` at every step of it, `ended` when it is over, however it ends, and once more
    when what was watched after it is so no longer, `watched` when something changed meanwhile."""

    changed = Signal()
    ended = Signal()
    watched = Signal()

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._task: asyncio.Future[None] | None = None
        self._session: Session | None = None
        self._shown: Diagnosis | None = None
        self._stale = False
        self._discarded = False
        self._learnt: tuple[Fact, ...] = ()
        self._wanted = False
        self.state = RunState.NONE
        self.error = ""
        self.done = 0
        self.planned = 0
        self.places: tuple[str, ...] = ()
        self.skipped: tuple[Skipped, ...] = ()
        self.heard: list[tuple[datetime | None, Item]] = []
        """Everything that was heard, in order, with its time where it has one."""

    @property
    def busy(self) -> bool:
        """Whether probes are under way."""
        return self.state is RunState.RUNNING

    @property
    def tested(self) -> bool:
        """Whether there is a verdict to look at; of a run that was stopped too, as far as it got."""
        ended = self.state in (RunState.DONE, RunState.STOPPED, RunState.WATCHING)
        return ended and self._session is not None

    @property
    def goes_on(self) -> bool:
        """Whether probes are being sent, in a run or to watch what was tested."""
        return self._task is not None

    @property
    def watching(self) -> bool:
        """Whether what was tested is being watched."""
        return self.state is RunState.WATCHING

    @property
    def project(self) -> Project | None:
        """The project that was tested: it may have been edited since."""
        return self._session.project if self._session else None

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What is known by now."""
        if self._stale and self._session is not None:
            self._shown = self._session.diagnosis
            self._stale = False
        return self._shown

    @property
    def result(self) -> Result | None:
        """The run as far as it got."""
        return self._session.result if self._session else None

    def run(
        self,
        project: Project,
        passwords: Mapping[str, Secret],
        earlier: Sequence[Observation] = (),
        configured: Sequence[Configured] = (),
        respond_on: str | None = None,
    ) -> None:
        """Begin; `respond_on` is the SSH destination on which the responder answers meanwhile.

        Does nothing while a run is under way, or is being watched.
        """
        if self._task is not None:
            return
        self.forget()
        self._session = Session(
            project, passwords=passwords, earlier=earlier, configured=configured, respond_on=respond_on
        )
        self._session.learn(self._learnt)
        self._stale = bool(earlier) or bool(configured) or bool(self._learnt)
        self.state = RunState.RUNNING
        self._task = self._jobs.start(self._follow(self._session))
        self.changed.emit()

    def hear(self, observation: Observation) -> None:
        """Take in what this program's own responder saw; between two runs nobody asked."""
        if self.busy and self._session is not None:
            self._session.hear(observation)
            self.heard.append((observation.at, observation))
            self._stale = True
            self.changed.emit()

    def learn(self, facts: Sequence[Fact]) -> None:
        """Take in what was learnt beside the run; what was learnt stays for the runs that follow."""
        self._learnt = (*self._learnt, *facts)
        if self._session is not None:
            self._session.learn(facts)
            self.heard += [(None, fact) for fact in facts]
            self._stale = True
            self.changed.emit()

    def unlearn(self) -> None:
        """Forget what was learnt beside the runs: another project was opened."""
        self._learnt = ()

    def stop(self) -> None:
        """End the run early. Every socket is closed before `ended` comes."""
        if self._task is not None:
            self._task.cancel()

    def watch(self, on: bool, *, again: bool = False) -> None:
        """Have what was tested watched, now or once the run is over; or no longer.

        `again`: not what was tested, but what will be.
        """
        self._wanted = on
        if self.watching and not on:
            self.stop()
        elif on and not again and self.state is RunState.DONE and self._task is None and self._session is not None:
            self._task = self._jobs.start(self._go_on(self._session))

    def forget(self) -> None:
        """Back to the state before any run; one that is under way is ended first."""
        if self._task is not None:
            self._discarded = True
            self.stop()
            return
        self._session = None
        self._shown = None
        self._stale = False
        self.state = RunState.NONE
        self.error = ""
        self.done = self.planned = 0
        self.places = ()
        self.skipped = ()
        self.heard = []
        self.changed.emit()

    async def _follow(self, session: Session) -> None:
        try:
            async with contextlib.aclosing(session.run()) as progress:
                async for step in progress:
                    self._take(step)
            self.state = RunState.DONE
        except asyncio.CancelledError:
            self.state = RunState.STOPPED
            raise
        except NoResponderError as error:
            self.state = RunState.FAILED
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 - shown on the page and logged; the window goes on
            self._fail(error)
        finally:
            self._task = None
            if self._discarded:
                self._discarded = False
                self.forget()
            self.watch(self._wanted)
            self.changed.emit()
            self.ended.emit()

    async def _go_on(self, session: Session) -> None:
        self.state = RunState.WATCHING
        self.changed.emit()
        try:
            async with contextlib.aclosing(session.watch()) as watched:
                async for news in watched:
                    self._stale = self._stale or news.news
                    self.changed.emit()
                    self.watched.emit()
        except NoResponderError as error:
            self.state = RunState.FAILED
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
        finally:
            self._task = None
            if self.state is RunState.WATCHING:
                self.state = RunState.DONE
            if self._discarded:
                self._discarded = False
                self.forget()
            self.changed.emit()
            self.ended.emit()

    def _fail(self, error: Exception) -> None:
        _log.exception("A test run failed")
        self.state = RunState.FAILED
        self.error = str(error) or type(error).__name__

    def _take(self, step: Planned | Skipped | Learnt | Finished) -> None:
        match step:
            case Planned(probes, vantages):
                self._stale = True
                self.planned = probes
                self.places = vantages
            case Skipped():
                self.skipped = (*self.skipped, step)
                self.heard.append((None, step))
            case Learnt(item, done, planned):
                self.done, self.planned = done, planned
                self.heard.append((item.at if isinstance(item, Observation) else None, item))
                self._stale = True
            case Finished():
                self._stale = True
        self.changed.emit()
