"""Announced addresses, tried from where clients would be sent to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from .lab import Lab
from .scenario import load

pytestmark = pytest.mark.requires("root", "namespaces", "nft")

OURS, STALE, GONE = "203.0.113.20", "203.0.113.99", "192.168.77.99"
HOST = "192.168.77.10"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = replace(load("home").path, announced=(OURS, STALE, HOST, GONE))
    with Lab(home, tmp_path_factory.mktemp("announced")) as lab:
        yield lab


def said(lab: Lab, vantage: str) -> set[tuple[str, str]]:
    """The code of each finding about an announced address, with the address that it names."""
    _, result = lab.check(vantage)
    found = [finding for finding in result["findings"] if finding["code"].startswith("announced-")]
    return {
        (finding["code"], address)
        for finding in found
        for address in (OURS, STALE, HOST, GONE)
        if address in finding["title"]
    }


def test_from_outside_the_public_address_answers_and_a_stale_one_does_not(lab: Lab) -> None:
    lab.break_()
    assert said(lab, "outside") == {
        ("announced-reached", OURS),
        ("announced-stale", STALE),
        ("announced-unreachable", STALE),
        ("announced-untested", HOST),
        ("announced-unknown", GONE),
        ("announced-untested", GONE),
    }


def test_at_home_the_address_of_the_host_answers_and_one_that_is_gone_does_not(lab: Lab) -> None:
    lab.break_()
    told = said(lab, "laptop")
    assert {("announced-reached", HOST), ("announced-unknown", GONE), ("announced-unreachable", GONE)} <= told
    assert ("announced-untested", OURS) in told


def test_an_announced_address_of_a_hop_that_drops_is_said_not_to_answer(lab: Lab) -> None:
    lab.break_("firewall drop")
    assert ("announced-unreachable", HOST) in said(lab, "laptop")
