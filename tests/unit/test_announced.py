"""Announced addresses: what is wrong with each, what came of probing it, and from where it is probed at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wizard.diagnosis.announced import announced_probes
from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.verdict import Finding, Severity
from wizard.diagnosis.words import words
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.vantage import Vantage
from wizard.observation import AnnouncedSeen, Fact, NameResolved, Observation, Outcome

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OUTSIDE, LAPTOP = Vantage("outside"), Vantage("laptop", beyond="router")


def project(*announced: str, public: str = "203.0.113.20") -> Project:
    hops = (
        Hop("router", HopKind.ROUTER, address=public),
        Hop("nas", HopKind.FIREWALL, address="192.168.77.10"),
        Hop("chat", HopKind.SERVICE),
    )
    media = PortPlan("media", Protocol.UDP, PortRange(10000, 10100), {"nas": PortRange(20000, 20100)})
    return Project("Chat", public, hops, (media,), (OUTSIDE, LAPTOP), announced=announced)


def seen(vantage: str, enters: str, address: str, port: int, outcome: Outcome) -> Observation:
    return Observation(vantage, enters, address, port, Protocol.UDP, outcome, NOW)


def found(plan: Project, *items: Observation | Fact) -> dict[tuple[str, str], Finding]:
    diagnoser = Diagnoser(plan)
    diagnoser.extend(items)
    listed = [finding for finding in diagnoser.diagnosis().findings if finding.code.startswith("announced-")]
    assert all(finding.severity is not Severity.ERROR for finding in listed)
    for finding in listed:
        for language in ("en", "zh_CN"):
            assert "$" not in words(finding, language).title + words(finding, language).detail
    return {(finding.code, finding.values["address"]): finding for finding in listed}


@pytest.mark.parametrize(
    ("announced", "told"),
    [
        (("203.0.113.20", "192.168.77.10"), {}),
        (("192.168.77.10",), {"announced-private-only": "192.168.77.10"}),
        (
            ("192.168.77.10", "100.64.1.2"),
            {"announced-private-only": "192.168.77.10, 100.64.1.2", "announced-unknown": "100.64.1.2"},
        ),
        (("203.0.113.99", "192.168.77.10"), {"announced-stale": "203.0.113.99"}),
        (("203.0.113.20", "172.17.0.2"), {"announced-unknown": "172.17.0.2"}),
        (("203.0.113.20", "203.0.113.20"), {"announced-twice": "203.0.113.20"}),
        (("203.0.113.20", "::ffff:203.0.113.20"), {"announced-twice": "203.0.113.20"}),
        (("203.0.113.20", "0.0.0.0"), {"announced-unusable": "0.0.0.0"}),
        (("203.0.113.20", "127.0.0.1"), {"announced-unusable": "127.0.0.1"}),
        (("chat.example.org",), {"announced-name": "chat.example.org"}),
        ((), {}),
    ],
)
def test_what_is_wrong_with_an_address_is_seen_without_a_packet(
    announced: tuple[str, ...], told: dict[str, str]
) -> None:
    codes = {code: address for code, address in found(project(*announced)) if code != "announced-untested"}
    assert codes == told


def test_an_address_that_dns_gives_for_the_public_name_is_not_stale() -> None:
    plan = project("203.0.113.20", public="chat.example.org")
    assert ("announced-stale", "203.0.113.20") in found(plan)
    fact = NameResolved("chat.example.org", 4, ("203.0.113.20",))
    assert ("announced-stale", "203.0.113.20") not in found(plan, fact)


def test_an_address_of_the_path_is_as_reachable_as_its_hop_was_from_where_clients_use_it() -> None:
    told = found(
        project("203.0.113.20", "192.168.77.10"),
        seen("outside", "router", "203.0.113.20", 10000, Outcome.SILENT),
        seen("outside", "router", "203.0.113.20", 10001, Outcome.ANSWERED),
        seen("laptop", "nas", "192.168.77.10", 20000, Outcome.ANSWERED),
    )
    assert set(told) == {("announced-unreachable", "203.0.113.20"), ("announced-reached", "192.168.77.10")}
    values = told["announced-unreachable", "203.0.113.20"].values
    assert (values["vantage"], values["ports"], values["count"], values["total"]) == ("outside", "udp 10000", "1", "2")


def test_a_probe_that_turned_round_at_the_own_router_says_nothing_of_the_public_address() -> None:
    turned = seen("laptop", "router", "203.0.113.20", 10000, Outcome.SILENT)
    assert set(found(project("203.0.113.20"), turned)) == {("announced-untested", "203.0.113.20")}


def test_an_address_that_answers_is_not_called_stale_though_no_hop_has_it() -> None:
    plan = project("203.0.113.20", "203.0.113.99")
    answered = AnnouncedSeen("outside", "203.0.113.99", Protocol.UDP, 10000, Outcome.ANSWERED)
    silent = AnnouncedSeen("outside", "203.0.113.99", Protocol.UDP, 10000, Outcome.SILENT)
    assert ("announced-reached", "203.0.113.99") in found(plan, answered)
    assert ("announced-stale", "203.0.113.99") not in found(plan, answered)
    assert {code for code, address in found(plan, silent) if address == "203.0.113.99"} == {
        "announced-stale",
        "announced-unreachable",
    }


def test_what_is_seen_at_an_announced_address_blames_and_acquits_no_hop() -> None:
    plan = project("203.0.113.20", "203.0.113.99")
    answered = AnnouncedSeen("outside", "203.0.113.99", Protocol.UDP, 10000, Outcome.ANSWERED)
    diagnoser = Diagnoser(plan)
    diagnoser.add(answered)
    assert diagnoser.diagnosis().hops == Diagnoser(plan).diagnosis().hops


def test_a_stranger_is_probed_from_where_clients_would_use_it_on_the_numbers_that_they_use_there() -> None:
    plan = project("203.0.113.20", "192.168.77.10", "203.0.113.99", "192.168.77.99", "0.0.0.0", "chat.example.org")
    outside = announced_probes(plan, OUTSIDE)
    assert [(probe.address, probe.port) for probe in outside] == [
        ("203.0.113.99", port) for port in (10000, 10050, 10100)
    ]
    laptop = announced_probes(plan, LAPTOP)
    assert {(probe.address, probe.port) for probe in laptop} == {
        (address, port) for address in ("203.0.113.99", "192.168.77.99") for port in (20000, 20050, 20100)
    }
    assert announced_probes(project("203.0.113.20", "192.168.77.10"), OUTSIDE) == ()
