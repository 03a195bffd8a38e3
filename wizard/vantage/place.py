"""What a place to probe from can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from wizard.observation import Fact, Observation
from wizard.plan import Probe


class Place(Protocol):
    """A vantage that can run here."""

    def observe(self, probes: Sequence[Probe]) -> AsyncIterator[Observation | Fact]:
        """Send the probes; yield one Observation for each as it is decided, and facts learnt on the way.

        Network failures are observations. Closing the iterator closes every socket.
        """
        ...
