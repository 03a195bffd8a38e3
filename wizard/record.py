"""What was observed of one path by now, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.verdict import Diagnosis
from wizard.model.port import Protocol
from wizard.model.project import Project
from wizard.observation import Fact, Observation, subject


class Asked(NamedTuple):
    """A probe by where it came from and where it entered."""

    vantage: str
    enters: str
    protocol: Protocol
    port: int


class Record:
    """Holds each observation and fact in the order in which it came."""

    def __init__(self, project: Project) -> None:
        self.observations: list[Observation] = []
        self.facts: list[Fact] = []
        self.failed: set[Asked] = set()
        """The probes that a failure of the port was seen of."""
        self._diagnoser = Diagnoser(project)
        self._diagnosis: Diagnosis | None = None
        self._places: dict[tuple[object, ...], int] = {}
        """Where the latest observation of each probe stands among them."""

    @property
    def diagnosis(self) -> Diagnosis:
        """What is known by now."""
        if self._diagnosis is None:
            self._diagnosis = self._diagnoser.diagnosis()
        return self._diagnosis

    def take(self, item: Observation | Fact) -> None:
        """Add what was seen to what is known."""
        if isinstance(item, Observation):
            self.observations.append(item)
            if item.outcome.blames:
                self.failed.add(_asked(item))
        else:
            self.facts.append(item)
        self._diagnoser.add(item)
        self._diagnosis = None

    def begin_renewal(self) -> None:
        """From now on there is one observation of each probe: the latest."""
        self._places = {_same_probe(each): place for place, each in enumerate(self.observations)}

    def renew(self, items: Sequence[Observation | Fact]) -> None:
        """Put what was seen anew in the place of what was seen before, so that a day of it is no more than an hour."""
        renewed = {subject(item) for item in items if not isinstance(item, Observation)}
        self.facts = [fact for fact in self.facts if subject(fact) not in renewed]
        for item in items:
            if not isinstance(item, Observation):
                self.facts.append(item)
                continue
            place = self._places.setdefault(_same_probe(item), len(self.observations))
            self.observations[place : place + 1] = [item]
            (self.failed.add if item.outcome.blames else self.failed.discard)(_asked(item))
        self._diagnoser.renew(items)
        self._diagnosis = None


def _asked(observation: Observation) -> Asked:
    return Asked(observation.vantage, observation.enters, observation.protocol, observation.port)


def _same_probe(observation: Observation) -> tuple[object, ...]:
    family = ":" in observation.address
    return (observation.vantage, observation.enters, observation.protocol, observation.port, family)
