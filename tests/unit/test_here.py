"""Which of a project's places this computer can be."""

from __future__ import annotations

import pytest

from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.secret import Secret
from wizard.model.vantage import Vantage, VantageKind
from wizard.system.interfaces import Network
from wizard.vantage.here import why_not_here

HOPS = (
    Hop("router", HopKind.ROUTER, address="203.0.113.20"),
    Hop("wall", HopKind.FIREWALL, address="192.168.77.10"),
    Hop("chat", HopKind.SERVICE),
)
OUTSIDE, LAPTOP, HOST = Vantage("outside"), Vantage("laptop", beyond="router"), Vantage("host", beyond="wall")
RELAY = Vantage("relay", VantageKind.TURN, server="turn:198.51.100.7", username="alice")


def here(vantages: tuple[Vantage, ...], *networks: tuple[str, int], passwords: tuple[str, ...] = ()) -> set[str]:
    project = Project("n", "203.0.113.20", HOPS, (PortPlan("p", Protocol.UDP, PortRange(1, 1)),), vantages)
    reasons = why_not_here(
        project,
        [Network("eth0", address, prefix) for address, prefix in networks],
        {name: Secret("x") for name in passwords},
    )
    return {name for name, reason in reasons.items() if reason is None}


@pytest.mark.parametrize(
    ("networks", "found"),
    [
        ([("192.168.77.20", 24)], {"laptop"}),
        ([("203.0.113.50", 24)], {"outside"}),
        ([("198.51.100.5", 24)], {"outside"}),
        ([("10.0.0.5", 8)], {"outside"}),
        ([("127.0.0.1", 8)], {"outside"}),
        ([], {"outside"}),
    ],
)
def test_of_several_local_vantages_this_computer_is_the_one_whose_network_it_is_in(
    networks: list[tuple[str, int]], found: set[str]
) -> None:
    assert here((OUTSIDE, LAPTOP), *networks) == found


def test_the_only_local_vantage_is_taken_at_its_word() -> None:
    assert here((OUTSIDE,), ("192.168.77.20", 24)) == {"outside"}
    assert here((LAPTOP, RELAY), ("198.51.100.5", 24)) == {"laptop"}


def test_a_relay_needs_its_password() -> None:
    assert here((RELAY,)) == set()
    assert here((RELAY,), passwords=("relay",)) == {"relay"}


def test_a_host_that_is_reached_over_ssh_can_be_tried_from_everywhere() -> None:
    cloud = Vantage("cloud", VantageKind.SSH, server="alice@198.51.100.7")
    assert here((LAPTOP, cloud), ("192.168.77.20", 24)) == {"laptop", "cloud"}


def test_without_vantages_this_computer_is_the_place() -> None:
    assert here(()) == {"this-computer"}


def test_the_host_itself_stands_behind_its_filters_and_its_neighbour_before_them() -> None:
    hops = (HOPS[0], HOPS[1], Hop("chat", HopKind.SERVICE, address="192.168.77.10"))
    project = Project("n", "203.0.113.20", hops, (PortPlan("p", Protocol.UDP, PortRange(1, 1)),), (LAPTOP, HOST))

    def found(address: str) -> set[str]:
        reasons = why_not_here(project, [Network("eth0", address, 24)], {})
        return {name for name, reason in reasons.items() if reason is None}

    assert found("192.168.77.20") == {"laptop"}
    assert found("192.168.77.10") == {"host"}
