"""Which probes a project is planned into."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wizard.model.hop import Hop, HopKind
from wizard.model.key import probe_key
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol, Speaks, merge
from wizard.model.project import THIS_COMPUTER, Project, arrival_numbers
from wizard.model.vantage import Vantage
from wizard.plan import counterpart, entries, make_plan, same_address

MEDIA = PortPlan("media", Protocol.UDP, PortRange(10000, 10002), {"chat": PortRange(20000, 20002)})
PROJECT = Project(
    name="Video chat",
    public_address="203.0.113.20",
    hops=(
        Hop("router", HopKind.ROUTER, address="203.0.113.20"),
        Hop("wall", HopKind.FIREWALL, address="192.168.77.10"),
        Hop("docker", HopKind.CONTAINER),
        Hop("inner", HopKind.FIREWALL, address="172.18.0.2"),
        Hop("chat", HopKind.SERVICE, address="172.18.0.2"),
    ),
    ports=(MEDIA,),
)
OUTSIDE = Vantage("outside")


def reached(project: Project, beyond: str | None) -> list[str]:
    return [project.hops[i].id for i in entries(project, Vantage("v", beyond=beyond))]


@pytest.mark.parametrize(
    ("beyond", "hops"),
    [
        (None, ["router"]),
        ("router", ["wall"]),
        ("wall", []),
        ("docker", ["inner"]),
        ("inner", ["chat"]),
    ],
)
def test_a_vantage_enters_at_addressed_hops_up_to_the_first_that_translates(
    beyond: str | None, hops: list[str]
) -> None:
    assert reached(PROJECT, beyond) == hops


def test_a_vantage_enters_at_every_filter_before_the_first_translating_hop_and_at_that_one() -> None:
    cloud = (
        Hop("group", HopKind.SECURITY_GROUP, address="198.51.100.9"),
        Hop("wall", HopKind.FIREWALL, address="10.0.0.9"),
        Hop("frps", HopKind.TUNNEL_SERVER, address="10.0.0.10"),
        Hop("frpc", HopKind.TUNNEL_CLIENT, address="192.168.1.5"),
        Hop("chat", HopKind.SERVICE),
    )
    project = replace(PROJECT, hops=cloud, ports=(replace(MEDIA, inside={}),))
    assert reached(project, None) == ["group", "wall", "frps"]


def test_hops_that_share_an_address_are_entered_at_the_outermost_inward_of_the_vantage() -> None:
    same = "198.51.100.9"
    hops = (
        Hop("group", HopKind.SECURITY_GROUP, address=same),
        Hop("wall", HopKind.FIREWALL, address=same),
        Hop("chat", HopKind.SERVICE, address=same),
    )
    project = replace(PROJECT, hops=hops, ports=(replace(MEDIA, inside={}),))
    assert reached(project, None) == ["group"]
    assert reached(project, "group") == ["wall"]


def test_one_address_in_two_spellings_is_one_address() -> None:
    hops = (
        Hop("wall", HopKind.FIREWALL, address="2001:db8::1"),
        Hop("chat", HopKind.SERVICE, address="2001:DB8:0:0::1"),
    )
    assert reached(replace(PROJECT, hops=hops, ports=(replace(MEDIA, inside={}),)), None) == ["wall"]


def test_without_vantages_this_computer_is_on_the_services_host() -> None:
    (place,) = PROJECT.places()
    assert (place.id, place.beyond) == (THIS_COMPUTER, "inner")
    probes = make_plan(PROJECT, place)
    assert [(p.enters, p.address, p.port) for p in probes] == [("chat", "172.18.0.2", n) for n in range(20000, 20003)]


def test_numbers_change_at_the_nearest_translating_hop_outward_of_the_hop_that_names_them() -> None:
    assert arrival_numbers(PROJECT.hops, MEDIA, 10001) == (10001, 10001, 10001, 20001, 20001)


def test_two_translations_follow_one_another() -> None:
    plan = replace(MEDIA, inside={"wall": PortRange(15000, 15002), "chat": PortRange(20000, 20002)})
    assert arrival_numbers(PROJECT.hops, plan, 10002) == (10002, 15002, 15002, 20002, 20002)


def test_a_probe_knows_where_it_goes_and_what_it_proves() -> None:
    first, *_ = make_plan(PROJECT, OUTSIDE)
    assert (first.enters, first.address, first.port, first.outside) == ("router", "203.0.113.20", 10000, 10000)
    assert dict(first.arrives) == {"router": 10000, "wall": 10000, "docker": 10000, "inner": 20000, "chat": 20000}
    assert "chat" in first.why
    assert first.planned == OutsidePort(Protocol.UDP, 10000)


def test_a_counterpart_asks_on_the_other_protocol_and_tells_about_the_planned_port() -> None:
    project = replace(PROJECT, ports=(replace(MEDIA, speaks=Speaks.STUN),))
    probe = counterpart(project, OUTSIDE, "router", OutsidePort(Protocol.UDP, 10001))
    assert (probe.protocol, probe.port, probe.speaks) == (Protocol.TCP, 10001, None)
    assert probe.planned == OutsidePort(Protocol.UDP, 10001)


def test_copies_of_one_path_derive_the_same_key_and_different_paths_do_not() -> None:
    assert probe_key(PROJECT) == probe_key(replace(PROJECT, name="Another name", vantages=(OUTSIDE,)))
    assert probe_key(PROJECT) != probe_key(replace(PROJECT, ports=(replace(MEDIA, inside={}),)))
    assert probe_key(replace(PROJECT, probe_key="own")) == b"own"


@pytest.mark.parametrize(
    ("numbers", "ranges"),
    [([], []), ([5], ["5"]), ([3, 1, 2, 2], ["1-3"]), ([1, 3, 4, 65535], ["1", "3-4", "65535"])],
)
def test_numbers_merge_into_the_fewest_ranges(numbers: list[int], ranges: list[str]) -> None:
    assert [str(r) for r in merge(numbers)] == ranges


@pytest.mark.parametrize("text", ["", "0", "65536", "10-5", "1-", "-1", "a", "1.5", "１０", "1-2-3", "0x10"])
def test_what_is_no_port_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|backwards"):
        PortRange.parse(text)


def test_an_ipv4_address_in_ipv6_spelling_is_the_same_address() -> None:
    assert same_address("::ffff:192.168.77.10") == same_address("192.168.77.10")
    hops = (
        replace(PROJECT.hops[1], address="::ffff:192.168.77.10"),
        Hop("chat", HopKind.SERVICE, None, "192.168.77.10"),
    )
    assert reached(replace(PROJECT, hops=hops), None) == ["wall"]
