"""On paths and faults drawn at random, no verdict breaks a rule that must always hold."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from .chance import draw
from .crew import Crew, Run
from .invariants import broken

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]

SEEDS = range(32)


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, crew: Crew) -> dict[int, Future[list[Run]]]:
    """Every draw that was asked for, under way."""
    asked = [item.callspec.params["seed"] for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined]
    return {seed: crew.pool.submit(crew.seen, *draw(seed)) for seed in asked}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_verdict_on_a_drawn_path_breaks_a_rule(seed: int, runs: dict[int, Future[list[Run]]]) -> None:
    path, case = draw(seed)
    (run,) = runs[seed].result()
    drawn = f"{' > '.join(hop.id for hop in path.hops)}; {case.name}; seen by {', '.join(case.seen[0].by)}"
    assert broken(path, case.faults, run.status, run.result) == [], drawn
