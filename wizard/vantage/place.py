"""What a place to probe from can do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from typing import Protocol, runtime_checkable

from wizard.observation import Fact, Observation
from wizard.plan import Probe


class Place(Protocol):
    """A vantage that can run here."""

    def observe(self, probes: Sequence[Probe]) -> AsyncIterator[Observation | Fact]:
        """Send the probes; yield one Observation for each as it is decided, and facts learnt on the way.

        Network failures are observations. Closing the iterator closes every socket.
        """
        ...


@runtime_checkable
class WatchfulPlace(Protocol):
    """A vantage from which ports can be watched at little cost."""

    def watch(
        self, probes: Sequence[Probe], known: Iterable[Observation]
    ) -> AsyncGenerator[tuple[Observation, ...], None]:
        """What changes from now on, as it does, until closed. `known` is what was observed before."""
        ...
