"""What follows from a gateway's word: it may explain a closed port, and never opens one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.gateways import CODES
from wizard.diagnosis.verdict import Finding, Severity, State
from wizard.diagnosis.words import words
from wizard.model.gateway import Gateway, Mapping, Spoken, Took, Way
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.vantage import Vantage, VantageKind
from wizard.observation import Fact, MappedSeen, NameResolved, Observation, Outcome

AT = datetime(2026, 1, 1, tzinfo=UTC)
WAN, HOST = "203.0.113.20", "192.168.77.20"
UDP, TCP = Protocol.UDP, Protocol.TCP
PROJECT = Project(
    "Home",
    WAN,
    (
        Hop("router", HopKind.ROUTER, "Home router", WAN),
        Hop("server", HopKind.FIREWALL, None, HOST),
        Hop("calls", HopKind.SERVICE),
    ),
    (PortPlan("media", UDP, PortRange(5000, 5003), {"server": PortRange(6000, 6003)}),),
    vantages=(Vantage("outside", VantageKind.LOCAL),),
)
GATEWAY = Gateway("lan", "192.168.77.1", HOST, 24, True, (Spoken(Way.UPNP, Took.GRANTED),), AT, wan=WAN, listed=True)


def mapping(external: int, host: str = HOST, internal: int | None = None, protocol: Protocol = UDP) -> Mapping:
    return Mapping(protocol, external, host, external + 1000 if internal is None else internal, "x")


WHOLE = replace(GATEWAY, mappings=tuple(mapping(number) for number in range(5000, 5004)))


def saw(port: int, outcome: Outcome) -> Observation:
    return Observation("outside", "router", WAN, port, UDP, outcome, AT)


def found(*facts: Fact | Observation, project: Project = PROJECT) -> list[Finding]:
    diagnoser = Diagnoser(project)
    diagnoser.extend(facts)
    return [finding for finding in diagnoser.diagnosis().findings if finding.code in CODES]


def codes(*facts: Fact | Observation, project: Project = PROJECT) -> list[str]:
    return [finding.code for finding in found(*facts, project=project)]


def test_a_gateway_that_is_as_planned_says_nothing() -> None:
    assert codes(WHOLE) == []


@pytest.mark.parametrize(
    ("wan", "withheld", "code"),
    [
        ("192.168.1.20", False, "gateway-double-nat"),
        ("10.0.0.7", False, "gateway-double-nat"),
        ("100.64.3.4", False, "gateway-cgnat"),
        ("100.127.255.254", False, "gateway-cgnat"),
        ("192.0.0.2", False, "gateway-ds-lite"),
        ("203.0.113.99", False, "gateway-not-planned"),
        (None, True, "gateway-no-address"),
    ],
)
def test_the_outer_address_is_judged(wan: str | None, withheld: bool, code: str) -> None:
    (finding,) = found(replace(WHOLE, wan=wan, withheld=withheld))
    assert (finding.code, finding.severity) == (code, Severity.WARNING)
    for language in ("en", "zh_CN"):
        assert (wan or "192.168.77.1") in words(finding, language).title + words(finding, language).detail


def test_an_outer_address_that_was_not_told_says_nothing() -> None:
    assert codes(replace(WHOLE, wan=None)) == []


def test_what_a_stun_server_sees_beyond_the_router_is_a_second_translation() -> None:
    assert codes(WHOLE, MappedSeen("stun:s", WAN, AT)) == []
    assert codes(WHOLE, MappedSeen("stun:s", "198.51.100.1", AT)) == ["gateway-seen-elsewhere"]
    # Traffic that leaves through another router says nothing of this one.
    assert codes(replace(WHOLE, default=False), MappedSeen("stun:s", "198.51.100.1", AT)) == []


def test_a_name_is_compared_by_the_addresses_that_it_has() -> None:
    named = replace(PROJECT, public_address="home.example.org")
    assert codes(WHOLE, project=named) == []
    assert codes(WHOLE, NameResolved("home.example.org", 4, (WAN,)), project=named) == []
    stale = NameResolved("home.example.org", 4, ("203.0.113.99",))
    assert "gateway-not-planned" in codes(WHOLE, stale, project=named)


def test_behind_a_tunnel_the_router_need_not_have_the_plan_s_address() -> None:
    cloud = Hop("cloud", HopKind.TUNNEL_SERVER, None, "198.51.100.1")
    project = replace(PROJECT, public_address="198.51.100.1", hops=(cloud, *PROJECT.hops))
    assert "gateway-not-planned" not in codes(WHOLE, project=project)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (mapping(5002, "192.168.77.21"), "mapping-elsewhere"),
        (mapping(5002, internal=5002), "mapping-renumbered"),
        (replace(mapping(5002), enabled=False), "mapping-disabled"),
        (mapping(5002, protocol=TCP), "mapping-other-protocol"),
    ],
)
def test_a_mapping_that_is_wrong_names_the_router_once_the_port_is_blocked(wrong: Mapping, code: str) -> None:
    rest = tuple(entry for entry in WHOLE.mappings if entry.external != 5002)
    gateway = replace(WHOLE, mappings=(*rest, wrong))
    (untested,) = found(gateway)
    assert (untested.code, untested.severity, untested.suspects) == (code, Severity.WARNING, ())
    assert str(untested.outside) == "5002"
    (blocked,) = found(gateway, saw(5002, Outcome.SILENT))
    assert (blocked.code, blocked.suspects) == (code, ("router",))
    assert found(gateway, saw(5002, Outcome.ANSWERED)) == []


def test_a_missing_mapping_is_a_note_for_the_ports_that_are_not_open() -> None:
    gateway = replace(GATEWAY, mappings=(mapping(5000),))
    (finding,) = found(gateway, saw(5003, Outcome.ANSWERED), saw(5001, Outcome.SILENT))
    assert (finding.code, finding.severity, finding.suspects) == ("mapping-missing", Severity.INFO, ())
    assert str(finding.outside) == "5001-5002"


def test_a_gateway_that_does_not_list_mappings_is_blamed_for_none() -> None:
    assert codes(replace(GATEWAY, listed=False)) == []
    silent = replace(GATEWAY, spoken=(Spoken(Way.UPNP, Took.SILENT),), wan="10.0.0.1")
    assert codes(silent) == []


def test_only_the_gateway_of_the_service_s_network_is_compared_with_the_plan() -> None:
    other = replace(GATEWAY, interface="docker0", address="172.17.0.1", own="172.17.0.2", default=False, wan="10.0.0.1")
    assert codes(WHOLE, other) == []
    assert codes(other, WHOLE) == []


def test_the_latest_word_of_a_gateway_counts_whatever_the_order() -> None:
    later = replace(WHOLE, at=AT + timedelta(seconds=9))
    assert codes(GATEWAY, later) == codes(later, GATEWAY) == []


def test_a_gateway_whose_clock_began_again_has_forgotten_its_mappings() -> None:
    first = replace(WHOLE, epoch_s=1000)
    assert codes(first, replace(first, at=AT + timedelta(seconds=60), epoch_s=1060)) == []
    assert codes(first, replace(first, at=AT + timedelta(seconds=60), epoch_s=5)) == ["gateway-restarted"]


def test_no_word_of_a_gateway_changes_a_state() -> None:
    wrong = replace(WHOLE, wan="100.64.0.1", mappings=(mapping(5000, "192.168.77.21"),))
    for facts in ((), (WHOLE,), (wrong,)):
        diagnoser = Diagnoser(PROJECT)
        diagnoser.extend([*facts, saw(5000, Outcome.SILENT)])
        states = {str(row.outside): row.state for row in diagnoser.diagnosis().ports}
        assert states == {"5000": State.BLOCKED, "5001-5003": State.UNKNOWN}
