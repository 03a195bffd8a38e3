"""Observations that `--with` adds from another run."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit import results
from wizard.observation import Outcome
from wizard.report.earlier import EarlierError, read_observations
from wizard.report.json import dumps, observation_to_json, to_json

PROJECT = results.chat()
RECORD: dict[str, Any] = {
    "vantage": "laptop",
    "enters": "nas-firewall",
    "address": "192.168.77.10",
    "port": 10000,
    "protocol": "udp",
    "outcome": "answered",
}


def read(*records: object, **document: object) -> tuple[list[Any], list[str]]:
    text = json.dumps({"format": 1, "project": PROJECT.name, "observations": records} | document)
    observations, notes = read_observations(text, PROJECT)
    return list(observations), list(notes)


@pytest.mark.parametrize("make", [results.hole, results.proven, results.undecided, results.eventful])
def test_a_run_read_back_has_the_same_observations(make: results.Make) -> None:
    run = make()
    assert read_observations(dumps(run), run.project) == (run.observations, ())


def test_the_lines_of_a_responder_are_read_and_its_ready_line_and_blank_lines_are_not() -> None:
    arrival = RECORD | {
        "vantage": "responder",
        "enters": "chat",
        "address": "10.9.8.7",
        "port": 20007,
        "outcome": "arrived",
        "probe_vantage": "relay",
        "probe_enters": "router",
    }
    text = f"ready\r\n\r\n{json.dumps(arrival)}\r\n{json.dumps(arrival | {'port': 20008})}\r\n"
    observations, notes = read_observations(text, PROJECT)
    assert [(o.port, o.outcome, o.probe_enters) for o in observations] == [
        (20007, Outcome.ARRIVED, "router"),
        (20008, Outcome.ARRIVED, "router"),
    ]
    assert notes == ()


def test_a_single_line_of_a_responder_is_read() -> None:
    line = json.dumps(RECORD | {"vantage": "responder", "enters": "chat", "port": 20000})
    assert len(read_observations(line, PROJECT)[0]) == 1


WATCHED = RECORD | {
    "vantage": "responder",
    "enters": "chat",
    "address": "172.18.0.2",
    "port": 20000,
    "outcome": "not-checked",
    "watched_since": "2026-03-04T05:00:00Z",
    "at": "2026-03-04T05:06:07Z",
}


def test_the_watched_time_of_a_responder_is_read_and_that_of_nobody_else() -> None:
    (watched,), notes = read(WATCHED)
    assert (watched.watched_since, watched.at, watched.by_our_clock) == (
        datetime(2026, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        False,
    )
    assert notes == []
    (other,), _ = read(RECORD | {"watched_since": "2026-03-04T05:00:00Z", "by_our_clock": True})
    assert (other.watched_since, other.by_our_clock) == (None, False)


@pytest.mark.parametrize("unread", ['{"vantage": "responder", "outcome": "arr', json.dumps(WATCHED | {"port": 1})])
def test_where_a_line_is_left_out_nothing_is_said_of_what_did_not_arrive(unread: str) -> None:
    observations, notes = read_observations(f"{json.dumps(WATCHED)}\n{unread}\n{json.dumps(RECORD)}\n", PROJECT)
    assert [o.outcome for o in observations] == [Outcome.ANSWERED]
    assert len(notes) == 1


def test_missing_optional_keys_do_not_matter_and_the_time_is_that_of_the_run() -> None:
    (observation,), notes = read(RECORD, started="2026-03-04T05:06:07Z")
    assert observation.at == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert (observation.rtt_ms, observation.seen_as, observation.stands_at) == (None, None, None)
    assert notes == []


@pytest.mark.parametrize("time", ["2026-03-04T07:06:07+02:00", "2026-03-04T05:06:07"])
def test_times_are_taken_as_utc_whatever_their_zone(time: str) -> None:
    (observation,), _ = read(RECORD | {"at": time})
    assert observation.at == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert observation.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"enters": "elsewhere"}, "enters = 'elsewhere' is no hop of this project"),
        ({"stands_at": "elsewhere"}, "stands_at = 'elsewhere' is no hop of this project"),
        ({"stands_at": 7}, "stands_at = 7 is no text"),
        ({"port": 9999}, "udp 9999 is not planned at 'nas-firewall'"),
        ({"enters": "chat", "address": "172.18.0.2"}, "udp 10000 is not planned at 'chat'"),
        ({"port": True}, "port = True is no port number"),
        ({"port": "10000"}, "port = '10000' is no port number"),
        ({"address": "192.168.77.11"}, "192.168.77.11 is not the address of 'nas-firewall'"),
        ({"outcome": "fine"}, "outcome = 'fine' is not known"),
        ({"outcome": None}, "outcome = None is no text"),
        ({"outcome": "arrived"}, "only the responder can see that a probe arrived, and vantage = 'laptop'"),
        ({"protocol": "sctp"}, "protocol = 'sctp' is not known"),
        ({"vantage": ""}, "vantage = '' is no text"),
    ],
)
def test_what_could_make_a_verdict_false_is_left_out_and_named(change: dict[str, object], said: str) -> None:
    observations, notes = read(RECORD | change, RECORD)
    assert len(observations) == 1
    assert notes == [f"1 observation left out: {said}"]


def test_a_missing_key_is_named() -> None:
    record = dict(RECORD)
    del record["outcome"]
    assert read(record, "text") == (
        [],
        ["1 observation left out: outcome is missing", "1 observation left out: it is no JSON object"],
    )


def test_many_unplanned_ports_are_one_note() -> None:
    _, notes = read(*(RECORD | {"port": port} for port in (1, 2, 3, 9)))
    assert notes == ["4 observations left out: udp 1-3, 9 is not planned at 'nas-firewall'"]


def test_a_probe_of_the_protocol_that_is_not_planned_is_kept() -> None:
    observations, _ = read(RECORD | {"protocol": "tcp"})
    assert len(observations) == 1


def test_another_spelling_of_the_address_is_the_same_address() -> None:
    hops = (replace(PROJECT.hops[0], address="2001:db8::1"), *PROJECT.hops[1:])
    record = RECORD | {"enters": "router", "address": "2001:0DB8:0:0::1"}
    observations, notes = read_observations(json.dumps(record), replace(PROJECT, hops=hops))
    assert (len(observations), notes) == (1, ())


def test_the_other_family_of_a_hop_is_another_door_and_is_kept() -> None:
    observations, notes = read(RECORD | {"enters": "router", "address": "2001:db8::1"})
    assert (len(observations), notes) == (1, [])


@pytest.mark.parametrize("value", [True, "1", -1, float("nan"), float("inf"), None, [1]])
def test_a_round_trip_time_that_is_none_is_not_taken(value: object) -> None:
    (observation,), _ = read(RECORD | {"rtt_ms": value})
    assert observation.rtt_ms is None


def test_the_result_of_another_project_is_said() -> None:
    _, notes = read(RECORD, project="Another")
    assert notes == ["it is about the project 'Another'; this one is 'Video chat on the NAS'"]


@pytest.mark.parametrize("text", ["", "ready\n", '{"format": 1, "observations": []}'])
def test_a_file_without_observations_is_said(text: str) -> None:
    assert read_observations(text, PROJECT) == ((), ("it holds no observation",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1 is neither"),
        ('{"format": 1, "observations": [', "line 1 is neither"),
        ("[]", "it is a JSON list"),
        ("[" * 100_000, "line 1 is neither"),
        ("name = 1", "line 1 is neither"),
        ('{"format": 2, "observations": []}', "it has format 2, and this Hopwise reads format 1"),
        ('{"format": 1}', "it has no list of observations"),
        ('{"format": 1, "observations": {}}', "it has no list of observations"),
    ],
)
def test_any_other_file_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(EarlierError) as error:
        read_observations(text, PROJECT)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_line_cut_short_costs_only_itself() -> None:
    text = f"ready\n{json.dumps(RECORD)}\n{json.dumps(RECORD)[:-9]}"
    observations, notes = read_observations(text, PROJECT)
    assert len(observations) == 1
    assert notes == ("line 3 left out: it is no JSON object",)


def test_a_byte_order_mark_is_passed_over() -> None:
    run = results.proven()
    assert read_observations("\ufeff" + dumps(run), run.project)[0] == run.observations


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*RECORD, "at", "stands_at", "seen_as", "rtt_ms", "probe_enters"]), json_values)
def test_whatever_stands_in_a_key_reading_ends_in_an_observation_or_a_note(key: str, value: object) -> None:
    observations, notes = read(RECORD | {key: value})
    assert len(observations) + len(notes) == 1


@given(json_values)
def test_whatever_json_the_file_holds_it_is_read_or_refused(value: object) -> None:
    try:
        observations, notes = read_observations(json.dumps(value), PROJECT)
    except EarlierError:
        return
    assert not observations
    assert notes


def test_every_written_observation_is_a_line_that_can_be_read() -> None:
    run = results.eventful()
    lines = "\n".join(json.dumps(observation_to_json(o)) for o in run.observations)
    assert read_observations(lines, run.project)[0] == run.observations
    assert to_json(run)["observations"] == [json.loads(line) for line in lines.splitlines()]


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_that_no_float_holds_is_passed_over(digits: int) -> None:
    text = json.dumps({"format": 1, "observations": [RECORD | {"rtt_ms": 0}]})
    try:
        observations, _ = read_observations(text.replace('"rtt_ms": 0', '"rtt_ms": ' + "9" * digits), PROJECT)
    except EarlierError:
        # Python reads no number of so many digits.
        assert digits > 4300
    else:
        assert [observation.rtt_ms for observation in observations] == [None]


@pytest.mark.parametrize(
    "value", ["A" * 100_000, "\x1b[2J\n", [9] * 1000, 10**400], ids=("long", "escape", "list", "huge")
)
def test_what_is_complained_about_stands_in_one_short_line(value: object) -> None:
    for key in ("enters", "address", "port", "outcome", "vantage", "stands_at"):
        _, notes = read(RECORD | {key: value, "outcome": "arrived"} if key == "vantage" else RECORD | {key: value})
        for note in notes:
            assert len(note) < 200
            assert note.isprintable()
    _, notes = read(RECORD | {"address": "fe80::1%\x1b[2J"})
    assert all(note.isprintable() for note in notes)
