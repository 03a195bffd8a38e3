"""What configuration files say, beside what probes saw."""

from __future__ import annotations

import itertools

import pytest

from tests.unit.test_engine import LAPTOP_OPEN, OUTSIDE_SILENT, codes, diagnose, errors, everywhere
from wizard.diagnosis.verdict import Severity, State
from wizard.diagnosis.words import LANGUAGES, words
from wizard.model.port import PortRange, Protocol
from wizard.observation import Configured, Coverage, Outcome

MEDIA = PortRange(10000, 10009)


def row(hop: str, coverage: Coverage, outside: PortRange = MEDIA, rule: str = "") -> Configured:
    return Configured(hop, Protocol.UDP, outside, coverage, f"{hop}.conf", (7,), rule)


@pytest.mark.parametrize(
    ("coverage", "code"),
    [
        (Coverage.MISSING, "filtered-drop"),
        (Coverage.WRONG_PROTOCOL, "wrong-protocol"),
        (Coverage.RESTRICTED, "filtered-drop"),
    ],
)
def test_of_several_suspects_the_one_is_convicted_whose_configuration_stops_the_port(
    coverage: Coverage, code: str
) -> None:
    found = diagnose(OUTSIDE_SILENT, row("wall", coverage))
    assert errors(found) == [(code, ("wall",), "10000-10009")]
    assert any("wall.conf:7" in line for line in words(found.findings[0]).evidence)


@pytest.mark.parametrize("coverage", [Coverage.WRONG_TARGET, Coverage.TRANSLATED_ELSEWHERE])
def test_a_translation_that_leads_elsewhere_is_named_with_where_it_leads(coverage: Coverage) -> None:
    found = diagnose(OUTSIDE_SILENT, row("router", coverage, rule="192.168.77.99:10000"))
    assert errors(found) == [("wrong-translation", ("router",), "10000-10009")]
    assert any("192.168.77.99:10000" in line for line in words(found.findings[0]).evidence)


def test_of_two_hops_that_their_configurations_blame_the_outer_one_is_convicted_and_the_inner_one_told() -> None:
    found = diagnose(OUTSIDE_SILENT, row("docker", Coverage.MISSING), row("router", Coverage.MISSING))
    assert errors(found) == [("not-forwarded", ("router",), "10000-10009")]
    assert [(f.code, f.suspects) for f in found.findings if f.code == "config-gap"] == [("config-gap", ("docker",))]


def test_a_configuration_that_lets_everything_through_acquits_nobody() -> None:
    without, with_it = (diagnose(OUTSIDE_SILENT, *more) for more in ((), (row("router", Coverage.COVERED),)))
    assert errors(without) == errors(with_it)
    assert [hop.state for hop in without.hops] == [hop.state for hop in with_it.hops]


@pytest.mark.parametrize("coverage", Coverage)
def test_no_configuration_turns_a_hop_green_or_red_that_nothing_was_sent_across(coverage: Coverage) -> None:
    found = diagnose(row("router", coverage), row("wall", coverage))
    assert {hop.state for hop in found.hops} == {State.UNKNOWN}
    assert errors(found) == []
    assert ("config-gap" in codes(found, Severity.WARNING)) == coverage.blames


def test_rules_that_look_right_on_a_hop_that_is_proven_to_stop_the_port_are_a_finding_of_their_own() -> None:
    found = diagnose(OUTSIDE_SILENT, LAPTOP_OPEN, row("router", Coverage.COVERED))
    assert errors(found) == [("not-forwarded", ("router",), "10000-10009")]
    assert "config-contradicted" in codes(found, Severity.WARNING)


def test_a_file_that_would_stop_what_passes_is_told_to_be_another_than_the_hop_runs_with() -> None:
    answered = everywhere("outside", "router", Outcome.ANSWERED)
    found = diagnose(answered, row("wall", Coverage.MISSING))
    assert found.hops[1].state is State.UNKNOWN  # tcp 8172 was not asked
    assert {r.state for r in found.hops[1].ports if r.protocol is Protocol.UDP} == {State.OPEN}
    assert "config-outdated" in codes(found, Severity.INFO)
    assert errors(found) == []


def test_a_filter_open_to_some_senders_by_its_rules_is_not_acquitted_by_one_of_them() -> None:
    found = diagnose(OUTSIDE_SILENT, LAPTOP_OPEN, row("wall", Coverage.RESTRICTED))
    assert errors(found) == [("filtered-drop", ("wall",), "10000-10009")]


def test_an_answer_from_the_home_network_does_not_contradict_rules_that_allow_it_alone() -> None:
    found = diagnose(LAPTOP_OPEN, row("wall", Coverage.RESTRICTED))
    assert "config-gap" in codes(found, Severity.WARNING)
    assert "config-outdated" not in codes(found, Severity.INFO)


def test_only_the_ports_of_the_row_are_blamed() -> None:
    found = diagnose(OUTSIDE_SILENT, row("router", Coverage.MISSING, PortRange(10004, 10006)))
    assert [(suspects, outside) for _, suspects, outside in errors(found)] == [
        (("router",), "10004-10006"),
        (("router", "wall", "docker", "chat"), "10000-10003"),
        (("router", "wall", "docker", "chat"), "10007-10009"),
    ]


def test_the_order_in_which_files_and_probes_come_does_not_matter() -> None:
    items = [OUTSIDE_SILENT, LAPTOP_OPEN, [row("router", Coverage.MISSING)], [row("wall", Coverage.RESTRICTED)]]
    seen = [diagnose(*order) for order in itertools.permutations(items)]
    assert all(found == seen[0] for found in seen)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("coverage", Coverage)
@pytest.mark.parametrize("hop", ["router", "wall", "docker", "chat"])
def test_every_finding_about_a_configuration_has_words(hop: str, coverage: Coverage, language: str) -> None:
    for observations in ([], OUTSIDE_SILENT, LAPTOP_OPEN, [*OUTSIDE_SILENT, *LAPTOP_OPEN]):
        for finding in diagnose(observations, row(hop, coverage)).findings:
            assert words(finding, language).title


def test_a_few_numbers_with_the_wrong_protocol_do_not_make_it_the_fault_of_their_neighbours() -> None:
    wrong, missing = (
        row("router", Coverage.WRONG_PROTOCOL, PortRange(10000, 10001)),
        row("router", Coverage.MISSING, PortRange(10002, 10009)),
    )
    assert errors(diagnose(OUTSIDE_SILENT, LAPTOP_OPEN, wrong, missing)) == [
        ("wrong-protocol", ("router",), "10000-10001"),
        ("not-forwarded", ("router",), "10002-10009"),
    ]
