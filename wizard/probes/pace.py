"""In which order, and how often, ports are asked that are watched."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

PERIOD_S = 0.3
"""Each port is asked once in this time: with `CONFIRMED_S` of a second look, a change shows within a second."""
PER_SECOND = 1010
"""Pulses a second at most: 300 ports in `PERIOD_S`, and 3.5 Mbit/s at the very most. More ports take longer."""
TUNNELLED_PER_SECOND = 20
"""UDP pulses a second at most where a tunnel is on the way: it keeps a socket for each of them for half a minute."""
QUIET_AFTER_S = 20.0
QUIET_TURNS = 8
"""Where nothing has changed for so long, an open port is asked in every eighth turn only. A change of several ports is
met as soon as before; and a pulse costs this computer time, and routers on the way room in their tables."""
QUIET_STOPPED_PER_SECOND = 70
"""So many ports that are not open are asked each second all the same: somebody may be mending them."""
HURRIED_AT_ONCE = 80
"""Ports that are asked out of turn on one beat: what befell one port has often befallen all."""
CONFIRMED_S = 0.25
"""How long a port that did not answer is asked again and again before it is believed, on a line that loses nothing."""
MOST_CONFIRMED_S = 5.0
_ACCEPTED_RISK = 1e-5
_LEAST_LOSS = 0.01
_WEIGHT = 0.005
_STUMBLES, _SETTLES = 0.05, 0.001

T = TypeVar("T")


def scattered(items: Sequence[T]) -> list[T]:
    """The items in an order in which neighbours are far apart: a fault of a stretch is then met soon."""
    golden = (math.sqrt(5) - 1) / 2
    order = sorted(range(len(items)), key=lambda index: (index * golden) % 1)
    return [items[index] for index in order]


class Turns(Generic[T]):
    """Whose turn it is: each item once in `period_s`, those that are hurried first."""

    def __init__(self, items: Sequence[T], per_second: float) -> None:
        self._ring = deque(scattered(items))
        self._per_second = per_second
        self._hurried: dict[T, None] = {}
        self._owed = 0.0
        self.slowdown = 1.0

    @property
    def period_s(self) -> float:
        """Seconds between two turns of one item."""
        return max(PERIOD_S, len(self._ring) / self._per_second) * self.slowdown

    @property
    def items(self) -> Iterable[T]:
        """All of them."""
        return self._ring

    def hurry(self, items: Iterable[T]) -> None:
        """These next, whatever their turn."""
        self._hurried.update(dict.fromkeys(items))

    def hurried(self) -> list[T]:
        """Those that go before the others now."""
        at_once = max(1, min(HURRIED_AT_ONCE, int(self._per_second / 10)))
        found = list(self._hurried)[:at_once]
        for item in found:
            del self._hurried[item]
        return found

    def next(self, elapsed_s: float) -> list[T]:
        """Whose turn has come in the time that went by."""
        found: list[T] = []
        self._owed = min(self._owed + elapsed_s * len(self._ring) / self.period_s, len(self._ring))
        while self._owed >= 1:
            self._owed -= 1
            found.append(self._ring[0])
            self._ring.rotate(-1)
        return found


def quiet_turns(stopped: int) -> int:
    """In which of their turns so many ports that are not open are asked where nothing has changed for a while."""
    return max(1, min(QUIET_TURNS, math.ceil(stopped / PERIOD_S / QUIET_STOPPED_PER_SECOND)))


class LossSeen:
    """How much gets lost or comes late on the way, by the pulses of ports that were open all the while."""

    def __init__(self) -> None:
        self.rate = 0.0
        """Of the last few hundred pulses."""
        self.unrest = 0.0
        """From 0 to 1: how much was late or lost just now. It rises at once, and takes seconds to settle."""

    def add(self, lost: bool) -> None:
        """Take in one pulse."""
        self.rate += _WEIGHT * (lost - self.rate)
        if lost:
            self.stumble()
        else:
            self.unrest *= 1 - _SETTLES

    def stumble(self) -> None:
        """Something was late: a pulse, or this program itself, which others keep from running."""
        self.unrest = min(1.0, self.unrest + _STUMBLES)

    @property
    def slowdown(self) -> float:
        """How much longer the period is to be: loss may be our own doing."""
        return min(8.0, 1.0 + 20.0 * max(0.0, self.rate - _LEAST_LOSS))

    def confirmed_s(self, rtt_s: float) -> float:
        """Seconds of asking after which neither loss nor a busy far end is a likely reason for silence."""
        asked = math.log(_ACCEPTED_RISK) / math.log(min(0.9, max(_LEAST_LOSS, self.rate)))
        gap_s = max(0.05, 2 * rtt_s)
        lossy_s = asked * gap_s * 1.25 + 2 * rtt_s
        return min(MOST_CONFIRMED_S, max(CONFIRMED_S, lossy_s) * (1 + 8 * self.unrest))
