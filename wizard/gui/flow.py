"""The way through the wizard: the order of pages, which of them can be opened, and the way back. No Qt."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace


class Step(enum.Enum):
    """A page of the wizard."""

    SERVICE = "service"
    PATH = "path"
    PORTS = "ports"
    ORIGIN = "origin"
    TEST = "test"
    FIX = "fix"
    REPORT = "report"


ORDER = tuple(Step)


@dataclass(frozen=True, slots=True)
class Known:
    """What decides which pages are complete. `faulty` holds the pages that a problem is on."""

    chosen: bool = False
    faulty: frozenset[Step] = frozenset()
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the person is, and which pages lie behind."""

    current: Step = Step.SERVICE
    behind: tuple[Step, ...] = ()

    def go(self, step: Step) -> Flow:
        """Open a page; the one that is left can be come back to."""
        return self if step is self.current else Flow(step, (*self.behind, self.current))

    def back(self) -> Flow:
        """The page before; the same if there is none."""
        return replace(self, current=self.behind[-1], behind=self.behind[:-1]) if self.behind else self


def is_complete(step: Step, known: Known) -> bool:
    """Whether the page needs nothing more."""
    if not known.chosen:
        return False
    if step in (Step.TEST, Step.FIX, Step.REPORT):
        return known.tested
    return step not in known.faulty


def is_open(step: Step, known: Known) -> bool:
    """Whether the page can be shown: what it builds on is complete."""
    if step is Step.SERVICE:
        return True
    if step in (Step.FIX, Step.REPORT):
        return known.tested
    if step is Step.TEST:
        return known.chosen and not known.faulty
    return known.chosen
