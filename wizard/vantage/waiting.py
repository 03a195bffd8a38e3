"""Waiting for a responder that is being started elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from wizard.model.key import probe_key
from wizard.model.project import Project
from wizard.model.vantage import Vantage, VantageKind
from wizard.observation import Observation, Outcome
from wizard.plan import Probe, make_plan
from wizard.vantage.local import LocalPlace

PAUSE_S = 1.0
_TIMEOUT_S = 1.0
_PORTS = 8
"""Ports that are asked each time, spread over the plan: one that gets through is enough."""


async def first_answer(project: Project, vantages: Sequence[Vantage], asked: Callable[[], object]) -> Observation:
    """What the first answer of the project's responder said. Asks again and again, and calls `asked` each time."""
    places = [(vantage, _few(project, vantage)) for vantage in vantages if vantage.kind is VantageKind.LOCAL]
    while True:
        for vantage, probes in places:
            place = LocalPlace(
                vantage.id,
                key=probe_key(project),
                hops=project.hops,
                timeout_s=_TIMEOUT_S,
                server_name=project.public_address,
            )
            async with contextlib.aclosing(place.observe(probes)) as found:
                async for item in found:
                    # Without `stands_at` it is the real service that answers.
                    if item.outcome in (Outcome.ANSWERED, Outcome.MISDIRECTED) and item.stands_at is not None:
                        return item
        asked()
        await asyncio.sleep(PAUSE_S)


def _few(project: Project, vantage: Vantage) -> list[Probe]:
    probes = make_plan(project, vantage)
    step = max(1, len(probes) // _PORTS)
    return list(probes[::step][:_PORTS])
