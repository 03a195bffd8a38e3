"""What a run tells while it goes on, and the whole of it at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wizard.diagnosis.history import Past
from wizard.diagnosis.verdict import Diagnosis
from wizard.model.project import Project
from wizard.observation import Fact, Observation


class NoResponderError(Exception):
    """The responder that was asked for cannot answer on its host; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The run has begun: how many probes will be sent from which vantages."""

    probes: int
    vantages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A vantage that cannot run here, and why, in words."""

    vantage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """One probe was decided, or a fact learnt. Ask the session for its diagnosis when you want to show it."""

    item: Observation | Fact
    done: int
    planned: int


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run."""

    project: Project
    started: datetime
    seconds: float
    observations: tuple[Observation, ...]
    facts: tuple[Fact, ...]
    diagnosis: Diagnosis
    past: Past | None = None
    """What was watched after the run; None if nothing was."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over."""

    result: Result


Progress = Planned | Skipped | Learnt | Finished
