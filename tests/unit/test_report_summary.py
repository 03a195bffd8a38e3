"""What all reports say alike."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from tests.unit import results
from tests.unit.strategies import projects
from wizard.model.hop import HopKind
from wizard.model.port import PortRange, Protocol
from wizard.model.project import arrival_numbers
from wizard.observation import Observation, Outcome
from wizard.report.summary import Observed, details, numbers_at, observed, sentence, split_port
from wizard.report.wording import wording

PROJECT = results.chat()
MEDIA, WEB = PROJECT.ports


def said(run: results.Result, language: str = "en") -> str:
    return sentence(run.project, run.diagnosis, language)


def test_the_sentence_names_the_hop_that_is_proven_to_block() -> None:
    assert said(results.hole()) == "51 of 102 ports are blocked, at Home router."


def test_the_sentence_names_all_suspects_while_there_are_several() -> None:
    assert said(results.undecided()) == (
        "All 102 ports are blocked, at Home router, nas-firewall, docker or Video chat."
    )


def test_the_sentence_counts_the_ports_of_each_set_of_suspects_where_there_are_several() -> None:
    web = results.observation(PROJECT, "laptop", "nas-firewall", WEB, 8172, Outcome.SILENT)
    media = [o for o in results.hole().observations if o.protocol is Protocol.UDP]
    run = results.result(PROJECT, [*media, web])
    assert said(run) == "52 of 102 ports are blocked, at Home router (51); at nas-firewall, docker or Video chat (1)."


def test_the_sentence_says_open_only_when_every_port_is() -> None:
    assert said(results.proven()) == "All 102 ports are proven open."
    one_missing = results.proven().observations[1:]
    assert said(results.result(PROJECT, one_missing)) == (
        "No port is known to be blocked; 101 of 102 are proven open, 1 not yet."
    )


def test_the_sentence_says_when_nothing_is_known() -> None:
    assert said(results.unobserved()).startswith("Nothing is proven")


def test_one_port_is_said_as_one() -> None:
    project = replace(PROJECT, ports=(WEB,))
    blocked = results.result(project, results.everywhere(project, "relay", "router", Outcome.REFUSED))
    assert said(blocked).startswith("The port is blocked, at Home router, nas-firewall")
    proven = results.result(project, results.everywhere(project, "relay", "router", Outcome.ANSWERED))
    assert said(proven) == "The port is proven open."


def test_numbers_at_a_hop_follow_the_translation_and_the_plan() -> None:
    holes = [PortRange(9000, 10001), PortRange(10100, 10200)]
    assert numbers_at(PROJECT, "router", Protocol.UDP, holes) == (PortRange(10000, 10001), PortRange(10100, 10100))
    assert numbers_at(PROJECT, "chat", Protocol.UDP, holes) == (PortRange(20000, 20001), PortRange(20100, 20100))
    assert numbers_at(PROJECT, "chat", Protocol.TCP, holes) == ()


@given(projects())
def test_numbers_at_a_hop_are_those_on_which_each_port_arrives(project: results.Project) -> None:
    for position, hop in enumerate(project.hops):
        for protocol in Protocol:
            plans = [plan for plan in project.ports if plan.protocol is protocol]
            found = numbers_at(project, hop.id, protocol, [plan.outside for plan in plans])
            arrive = {arrival_numbers(project.hops, plan, n)[position] for plan in plans for n in plan.outside}
            assert {number for stretch in found for number in stretch} == arrive


def rows(*observations: Observation) -> tuple[Observed, ...]:
    return observed(PROJECT, observations)


def answer(port: int, **change: object) -> Observation:
    return replace(
        results.observation(PROJECT, "relay", "router", MEDIA, port, Outcome.ANSWERED),
        **change,  # type: ignore[arg-type]
    )


def test_neighbours_that_saw_the_same_are_one_row() -> None:
    (row,) = rows(answer(10002), answer(10000), answer(10001))
    assert (row.ports, row.count, row.rtt_ms) == (PortRange(10000, 10002), 3, (0.4, 0.6))
    assert (row.seen_as, row.came_in_on) == ("198.51.100.7", "172.18.0.2:20000-20002")


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": Outcome.SILENT},
        {"error": "no route"},
        {"came_in_on": "172.18.0.2:20002"},
        {"came_in_on": "172.18.0.9:20001"},
        {"stands_at": "docker"},
        {"seen_as": "192.0.2.1:9"},
        {"source": "192.0.2.1/32"},
        {"vantage": "laptop"},
        {"enters": "nas-firewall"},
        {"address": "192.0.2.1"},
        {"protocol": Protocol.TCP},
    ],
)
def test_neighbours_that_differ_in_anything_else_are_rows_of_their_own(change: dict[str, object]) -> None:
    assert len(rows(answer(10000), answer(10001, **change))) == 2


def test_a_gap_parts_rows() -> None:
    assert [row.ports for row in rows(answer(10000), answer(10002))] == [
        PortRange(10000, 10000),
        PortRange(10002, 10002),
    ]


def test_a_port_asked_twice_is_counted_and_said() -> None:
    (row,) = rows(answer(10000), answer(10000))
    assert "2 times" in details(row, PROJECT, "en")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("192.0.2.1:5000", ("192.0.2.1", 5000)),
        ("[2001:db8::1]:5000", ("2001:db8::1", 5000)),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("192.0.2.1", ("192.0.2.1", None)),
        ("host:name", ("host:name", None)),
        (None, (None, None)),
    ],
)
def test_an_endpoint_is_split_in_address_and_port(text: str | None, parts: tuple[str | None, int | None]) -> None:
    assert split_port(text) == parts


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_state_outcome_and_kind_has_a_word(language: str) -> None:
    for outcome in Outcome:
        assert wording(f"outcome-{outcome}", language)
    for kind in HopKind:
        assert wording(f"kind-{kind.value}", language)
