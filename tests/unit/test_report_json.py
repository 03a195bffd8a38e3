"""The document of `check --json`."""

from __future__ import annotations

import json

import pytest

from tests.unit import results
from wizard.report.json import dumps, to_json

ALL = (results.hole, results.proven, results.undecided, results.unobserved, results.eventful)


def test_the_document_has_the_keys_of_format_1_and_no_others() -> None:
    document = to_json(results.hole())
    assert list(document) == ["format", "project", "started", "seconds", "hops", "ports", "findings", "observations"]
    assert document["format"] == 1
    assert document["project"] == "Video chat on the NAS"
    assert document["started"] == "2026-01-02T12:00:00Z"
    assert document["seconds"] == 1.25


def test_a_hole_is_one_row_at_the_hop_that_makes_it_and_among_the_ports() -> None:
    document = to_json(results.hole())
    router = document["hops"][0]
    assert (router["id"], router["state"]) == ("router", "blocked")
    assert router["ports"][1] == {
        "protocol": "udp",
        "outside": "10050-10100",
        "state": "blocked",
        "reason": "stops these ports",
    }
    assert document["ports"] == [
        {"protocol": "udp", "outside": "10000-10049", "state": "open"},
        {"protocol": "udp", "outside": "10050-10100", "state": "blocked"},
        {"protocol": "tcp", "outside": "8172", "state": "open"},
    ]


def test_a_finding_carries_its_words_and_its_suspects() -> None:
    finding = to_json(results.hole())["findings"][0]
    assert {key: finding[key] for key in ("code", "severity", "suspects", "protocol", "outside")} == {
        "code": "not-forwarded",
        "severity": "error",
        "suspects": ["router"],
        "protocol": "udp",
        "outside": "10050-10100",
    }
    assert finding["title"].startswith("Home router")
    assert all(finding[key] for key in ("detail", "evidence", "remedy"))
    assert "next_test" not in finding


def test_a_finding_with_several_suspects_names_the_next_test() -> None:
    finding = to_json(results.undecided())["findings"][0]
    assert finding["suspects"] == ["router", "nas-firewall", "docker", "chat"]
    assert "responder" in finding["next_test"]


def test_what_an_observation_did_not_learn_is_left_out() -> None:
    silent = next(o for o in to_json(results.hole())["observations"] if o["outcome"] == "silent")
    assert silent == {
        "vantage": "relay",
        "enters": "router",
        "address": "203.0.113.20",
        "port": 10050,
        "protocol": "udp",
        "outcome": "silent",
        "rtt_ms": None,
        "seen_as": None,
        "at": "2026-01-02T12:00:00.050000Z",
        "source": "198.51.100.7/32",
    }


def test_an_answer_says_who_gave_it_and_where() -> None:
    answered = to_json(results.hole())["observations"][0]
    assert answered["stands_at"] == "chat"
    assert answered["came_in_on"] == "172.18.0.2:20000"
    assert answered["seen_as"] == "198.51.100.7:40000"
    assert answered["rtt_ms"] == 0.4


@pytest.mark.parametrize("make", ALL)
def test_every_result_is_ascii_json_in_both_languages(make: results.Make) -> None:
    for language in ("en", "zh_CN"):
        text = dumps(make(), language)
        assert text.isascii()
        assert json.loads(text) == to_json(make(), language)
