"""On a slow way what counts is how often one asks: a binding takes one round trip, an allocation two."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.turn_delay import ROUND_TRIP_S, measure


@pytest.mark.alone
@pytest.mark.requires("root", "nft", "coturn", "chromium")
async def test_an_allocation_takes_two_round_trips_and_a_binding_one(tmp_path: Path) -> None:
    measured = await measure(tmp_path)
    print(measured)  # noqa: T201
    assert measured.round_trip >= ROUND_TRIP_S * 1000
    assert measured.binding < measured.round_trip + 10
    assert measured.allocation < 2 * measured.round_trip + 15
    assert measured.allocation < 1.1 * measured.uclient
    assert measured.allocation < 1.1 * measured.chromium
