"""What was seen of a stretch of ports, counted and put into phrases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from wizard.model.phrase import Phrase
from wizard.model.port import Protocol
from wizard.model.project import Project
from wizard.observation import Observation, Outcome

Counted = Counter[tuple[str, str, str, Outcome]]
"""How often, by vantage, hop that was entered, address, and what came of it."""


def count(observations: Iterable[Observation]) -> Counted:
    """Those that say something of the port."""
    return Counter(
        (o.vantage, o.enters, o.address, o.outcome)
        for o in observations
        if o.outcome.blames or o.outcome is Outcome.ANSWERED
    )


def told(project: Project, protocol: Protocol, counted: Counted, total: int) -> Iterator[Phrase]:
    """One phrase for each place, entry and outcome, the outermost entry first; `total` is the number of ports."""
    for (vantage, enters, address, outcome), found in sorted(
        counted.items(), key=lambda item: (project.index(item[0][1]), item[0])
    ):
        yield Phrase(
            f"saw-{outcome}",
            {
                "vantage": vantage,
                "hop": project.hop(enters).title,
                "address": address,
                "count": str(found),
                "total": str(total),
                "protocol": protocol.value,
            },
        )
