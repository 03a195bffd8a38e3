"""In which order, and how often, ports are asked that are watched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.probes.pace import (
    CONFIRMED_S,
    MOST_CONFIRMED_S,
    PER_SECOND,
    PERIOD_S,
    QUIET_TURNS,
    LossSeen,
    Turns,
    quiet_turns,
    scattered,
)


@given(st.integers(0, 400))
def test_an_order_that_scatters_leaves_nobody_out(count: int) -> None:
    assert sorted(scattered(range(count))) == list(range(count))


@pytest.mark.parametrize("stretch", [10, 50, 100])
def test_every_stretch_is_met_after_its_share_of_the_turns(stretch: int) -> None:
    order = scattered(range(300))
    for first in range(300 - stretch + 1):
        met = next(turn for turn, item in enumerate(order) if first <= item < first + stretch)
        assert met <= 4 * 300 / stretch


@given(st.integers(1, 1000), st.lists(st.floats(0.01, 0.2), min_size=1, max_size=60))
def test_each_has_its_turn_once_in_a_period(count: int, beats: list[float]) -> None:
    turns = Turns(range(count), PER_SECOND)
    had = [item for beat in beats for item in turns.next(beat)]
    passed = sum(beats) / turns.period_s
    for item in range(count):
        # A program that was kept from running for longer does not make up for more than one turn of each.
        assert passed - 1.001 <= had.count(item) <= passed + 1 or turns.period_s < max(beats)


def test_many_ports_are_asked_less_often_and_not_faster() -> None:
    assert Turns(range(30), PER_SECOND).period_s == PERIOD_S
    assert Turns(range(10 * PER_SECOND), PER_SECOND).period_s == 10


def test_who_is_hurried_goes_first_and_keeps_the_turn() -> None:
    turns = Turns(range(300), PER_SECOND)
    turns.hurry(range(100, 200))
    hurried = turns.hurried() + turns.hurried()
    assert sorted(hurried) == list(range(100, 200))
    assert turns.hurried() == []
    assert len(turns.next(PERIOD_S)) >= 299


@pytest.mark.parametrize(("stopped", "turns"), [(0, 1), (1, 1), (21, 1), (22, 2), (300, QUIET_TURNS)])
def test_a_few_stopped_ports_are_asked_each_turn_however_quiet_it_is(stopped: int, turns: int) -> None:
    assert quiet_turns(stopped) == turns


def test_silence_is_believed_sooner_on_a_line_that_loses_nothing() -> None:
    calm, lossy = LossSeen(), LossSeen()
    for number in range(400):
        calm.add(lost=False)
        lossy.add(lost=number % 3 == 0)
    assert calm.confirmed_s(0.001) == CONFIRMED_S
    assert calm.slowdown == 1
    assert 5 * CONFIRMED_S < lossy.confirmed_s(0.001) <= MOST_CONFIRMED_S
    assert lossy.slowdown > 4
    assert calm.confirmed_s(0.3) > 2 * 0.3


def test_one_lost_pulse_makes_for_a_longer_look_that_soon_is_short_again() -> None:
    loss = LossSeen()
    loss.add(lost=True)
    doubtful = loss.confirmed_s(0.0)
    assert doubtful > CONFIRMED_S
    for _ in range(2000):
        loss.add(lost=False)
    assert loss.confirmed_s(0.0) < CONFIRMED_S + 0.1 * (doubtful - CONFIRMED_S) + 0.02
