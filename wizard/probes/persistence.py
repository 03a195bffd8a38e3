"""How often a port is asked before its silence is believed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

DEFAULT_TIMEOUT_S = 5.0
"""Four requests by RFC 8489's timers (the last at 3.5 s) and 1.5 s for the last answer; long enough for the
EHOSTUNREACH that a forward to an unused address gives after 3 s of ARP, and for TCP's SYNs at 0, 1 and 3 s."""
_RFC_8489_TIMES_S = (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)  # section 6.2.1: RTO 500 ms doubling, Rc = 7
_ACCEPTED_RISK = 1e-5
"""Chance that loss alone makes one of a group's open ports look silent."""
_MIN_GAP_S = 0.05
_UNPROVEN_EXTRA = 600
"""Extra requests that a group without any evidence of loss may cost, over all its ports."""
_MAX_ATTEMPTS = 60
_TRICKLE_S = 1.5
"""While ports still answer late, no port's silence is believed until so long after the last of them: what lets a few
packets a second through answers all in the end."""
_MOST_TIMEOUTS = 6.0
_TRICKLE_GAP_S = 0.5


@dataclass(slots=True)
class Loss:
    """What the ports of one entry, seen from one place, tell about loss on the way."""

    ports: int
    tried: int = 0
    lost: int = 0
    rtt_s: float | None = None
    """The shortest round trip so far."""
    _jitter: random.Random = field(default_factory=random.Random)
    late_at: float = -math.inf
    """When a port last answered that had to be asked again."""

    def answered(self, attempts: int, rtt_s: float, now: float = -math.inf) -> None:
        """A port answered its `attempts`-th request, and none before it."""
        if attempts > 1:
            self.late_at = max(self.late_at, now)
        self.tried += attempts
        self.lost += attempts - 1
        self.rtt_s = rtt_s if self.rtt_s is None else min(self.rtt_s, rtt_s)

    @property
    def evident(self) -> bool:
        """Whether a port that answers needed to be asked more than once."""
        return self.lost > 0

    @property
    def needed(self) -> int:
        """Requests to a port before loss is no longer a likely reason for its silence."""
        # Nothing seen is not proof of no loss: until a port tells more, half is taken to be lost on either way.
        rate = (self.lost + 1.5) / (self.tried + 2)
        needed = math.ceil(math.log(_ACCEPTED_RISK / max(1, self.ports)) / math.log(rate))
        if not self.evident:
            needed = min(needed, 4 + _UNPROVEN_EXTRA // max(1, self.ports))
        return min(needed, _MAX_ATTEMPTS)

    @property
    def gap_s(self) -> float:
        """Seconds between two extra requests to one port, at least: time for an answer to the first."""
        return max(_MIN_GAP_S, 2 * (self.rtt_s or 0.0))

    def deadline(self, started: float, attempts: int, timeout_s: float) -> float:
        """When silence is believed, after `attempts` requests: one time-out, or up to two while loss is evident.

        Later still while other ports go on answering late.
        """
        patient = self.evident and attempts < self.needed
        trickle = min(self.late_at + _TRICKLE_S, started + timeout_s * _MOST_TIMEOUTS)
        return max(started + timeout_s * (2.0 if patient else 1.0), trickle)

    def next_attempt(
        self, started: float, now: float, attempts: int, timeout_s: float, *, trickling: bool = True
    ) -> float | None:
        """When to ask again, on the clock of `now`; None if what is sent from now on could not be answered in time.

        RFC 8489's times, and between them as many more as `needed`, spread over the rest of the time-out. `trickling`:
        and as long as other ports go on answering late.
        """
        last = started + timeout_s * 0.8
        by_rfc = next((started + t for t in _RFC_8489_TIMES_S if started + t > now), math.inf)
        # A period that fits the order in which packets are dropped would drop one port's each time.
        by_rfc += self._jitter.uniform(0.0, _MIN_GAP_S)
        missing = self.needed - attempts
        extra = math.inf
        if missing > 0:
            gap = max(self.gap_s, (last - now) / missing) * self._jitter.uniform(0.8, 1.2)
            extra = max(started + min(1.5, timeout_s * 0.3), now + gap)
        when = min(by_rfc, extra)
        if when <= last or (self.evident and missing > 0 and when <= last + timeout_s):
            return when
        if not trickling:
            return None
        again = now + _TRICKLE_GAP_S * self._jitter.uniform(0.8, 1.2)
        return again if again < min(self.late_at + _TRICKLE_S, started + timeout_s * _MOST_TIMEOUTS) else None
