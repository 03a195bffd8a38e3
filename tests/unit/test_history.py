"""What a path was like before."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.history import Change, History, Past, Uptime
from wizard.diagnosis.verdict import Diagnosis, HopVerdict, PortRow, State
from wizard.model.hop import Hop, HopKind
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.vantage import Vantage
from wizard.observation import Observation, Outcome

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PORTS = 4
OPEN, BLOCKED, UNKNOWN, SUSPECT = State.OPEN, State.BLOCKED, State.UNKNOWN, State.SUSPECT


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def rows(states: list[State]) -> tuple[PortRow, ...]:
    return tuple(PortRow(Protocol.UDP, PortRange(n, n), state) for n, state in enumerate(states, start=1))


def diagnosis(states: list[State], router: list[State] | None = None, wall: list[State] | None = None) -> Diagnosis:
    """Over the whole path `states`, and at two hops."""
    at_hops = {"router": router or states, "wall": wall or [OPEN] * len(states)}
    hops = tuple(HopVerdict(hop, max(at_hop, key=list(State).index), rows(at_hop)) for hop, at_hop in at_hops.items())
    return Diagnosis(hops, rows(states), ())


def past(history: History) -> Past:
    found = history.past
    assert found is not None
    return found


def test_the_first_look_changes_nothing_and_begins_everything() -> None:
    history = History()
    assert history.past is None
    assert history.note(diagnosis([OPEN, BLOCKED]), NOON) == ()
    found = past(history)
    assert (found.began, found.until, found.changes) == (NOON, NOON, ())
    assert {standing.since for standing in found.ports.values()} == {NOON}
    assert found.hops["router"].state is BLOCKED


def test_neighbours_that_change_alike_are_one_change_that_names_the_hops() -> None:
    history = History()
    history.note(diagnosis([OPEN] * 4), NOON)
    changes = history.note(diagnosis([BLOCKED, BLOCKED, OPEN, BLOCKED]), at(3))
    assert changes == (
        Change(at(3), Protocol.UDP, PortRange(1, 2), OPEN, BLOCKED, (), ("router",)),
        Change(at(3), Protocol.UDP, PortRange(4, 4), OPEN, BLOCKED, (), ("router",)),
    )
    (mended,) = history.note(diagnosis([OPEN, OPEN, OPEN, BLOCKED]), at(5))
    assert (mended.was, mended.now, mended.was_stopped_by) == (BLOCKED, OPEN, ("router",))


def test_a_port_that_stays_blocked_but_elsewhere_is_a_change_and_keeps_its_since() -> None:
    history = History()
    history.note(diagnosis([BLOCKED]), NOON)
    (moved,) = history.note(diagnosis([BLOCKED], [OPEN], [BLOCKED]), at(4))
    assert (moved.was, moved.now, moved.was_stopped_by, moved.stopped_by) == (BLOCKED, BLOCKED, ("router",), ("wall",))
    assert past(history).ports[OutsidePort(Protocol.UDP, 1)].since == NOON
    assert past(history).at_hops["wall", OutsidePort(Protocol.UDP, 1)].since == at(4)


def test_suspects_are_named_only_where_no_hop_is_proven_to_stop_the_port() -> None:
    history = History()
    history.note(diagnosis([OPEN]), NOON)
    (change,) = history.note(diagnosis([BLOCKED], [SUSPECT], [SUSPECT]), at(1))
    assert change.stopped_by == ("router", "wall")
    (change,) = history.note(diagnosis([BLOCKED], [BLOCKED], [SUSPECT]), at(2))
    assert change.stopped_by == ("router",)


def test_a_row_has_been_as_it_is_since_its_latest_port() -> None:
    history = History()
    history.note(diagnosis([OPEN, BLOCKED]), NOON)
    history.note(diagnosis([OPEN, OPEN]), at(7))
    row = PortRow(Protocol.UDP, PortRange(1, 2), OPEN)
    assert past(history).since(row) == at(7)
    assert past(history).since(row, "router") == at(7)
    assert past(history).since(row, "wall") == NOON


def test_times_up_and_down_are_counted_by_what_was_the_case_meanwhile() -> None:
    history = History()
    for seconds, state in ((0, OPEN), (10, BLOCKED), (13, OPEN), (14, UNKNOWN), (20, OPEN)):
        history.note(diagnosis([state]), at(seconds))
    history.pass_time(at(25))
    history.pass_time(at(24))
    (uptime,) = past(history).uptimes.values()
    assert uptime == Uptime(ups=2, downs=2, up=timedelta(seconds=16), down=timedelta(seconds=9))


@given(st.lists(st.lists(st.sampled_from([OPEN, BLOCKED, UNKNOWN]), min_size=PORTS, max_size=PORTS), min_size=1))
def test_changes_lead_from_one_diagnosis_to_the_next_and_time_adds_up(told: list[list[State]]) -> None:
    history = History()
    states = dict(enumerate(told[0], start=1))
    for seconds, now in enumerate(told):
        for change in history.note(diagnosis(now), at(seconds)):
            for number in change.outside:
                assert states[number] is change.was
                states[number] = change.now
        assert states == dict(enumerate(now, start=1))
    for uptime in past(history).uptimes.values():
        assert uptime.up + uptime.down == timedelta(seconds=len(told) - 1)
        assert abs(uptime.ups - uptime.downs) <= 1


def test_a_day_of_changes_takes_no_more_room_than_an_hour() -> None:
    project = Project(
        "Watched",
        "192.0.2.1",
        (Hop("router", HopKind.ROUTER, address="192.0.2.1"), Hop("chat", HopKind.SERVICE)),
        (PortPlan("media", Protocol.UDP, PortRange(1, PORTS)),),
        (Vantage("outside"),),
    )
    silent = Observation("outside", "router", "192.0.2.1", 1, Protocol.UDP, Outcome.SILENT, NOON)
    diagnoser, history = Diagnoser(project), History(most_changes=50)

    def hours(first: int, last: int) -> None:
        for number in range(first, last):
            outcome = Outcome.ANSWERED if number // PORTS % 2 else Outcome.SILENT
            diagnoser.renew([replace(silent, at=at(number), port=1 + number % PORTS, outcome=outcome)])
            history.note(diagnoser.diagnosis(), at(number))

    def room() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        hours(0, 400)
        before = room()
        hours(400, 1600)
        after = room()
    finally:
        tracemalloc.stop()
    assert len(past(history).changes) == 50
    # A change that is kept takes a few hundred bytes.
    assert after - before < 1200 * 20
