"""Watching costs next to nothing while nothing changes, and shows a change within a second."""

from __future__ import annotations

import pytest

from tests.bench.watch import measure


@pytest.mark.alone
@pytest.mark.requires("root", "namespaces", "nft")
@pytest.mark.timeout(300)
def test_302_ports_cost_under_2_percent_of_a_core_and_95_of_100_changes_show_within_a_second() -> None:
    measured = measure()
    print(measured)  # noqa: T201
    assert measured.ports == 302
    assert measured.cpu < 0.02
    assert measured.p95_s < 1.0
