"""What `hopwise router` finds out and does where a real miniupnpd runs on the router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .gateway_street import HOME, HOME6, OUTSIDE, ROUTER, SIDE_HOME, SIDE_ROUTER, TOLD, WAN, Street, street

pytestmark = pytest.mark.requires("root", "nft", "miniupnpd")
UPNP, BOTH = f"ext_ip={TOLD}", (f"ext_ip={TOLD}", "enable_natpmp=yes")
MEDIA, OTHER = "40000-40009", "192.168.77.21"
OTHER6 = "2001:db8:77::21"


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(tmp_path_factory.mktemp("gateway")) as made:
        yield made


def took(gateway: dict[str, Any]) -> dict[str, str]:
    return {one["way"]: one["took"] for one in gateway["protocols"]}


def held(gateway: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["outside"], one["held"]) for one in gateway["planned"]}


def codes(result: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in result["findings"]}


def changes(result: dict[str, Any]) -> set[tuple[bool, str, str]]:
    return {(one["done"], one["way"], one["took"]) for one in result["changes"]}


@pytest.mark.requires("coturn")
def test_the_router_is_found_maps_is_probed_and_unmaps(road: Street) -> None:
    project = road.project([("udp", MEDIA), ("tcp", "40005")], relay=True)
    with road.miniupnpd(*BOTH):
        status, before = road.router_says(project)
        (gateway,) = before["gateways"]
        assert status == 0
        assert (gateway["interface"], gateway["address"], gateway["default"]) == ("lan", ROUTER, True)
        assert (gateway["wan"], gateway["manufacturer"]) == (TOLD, "Lab")
        assert took(gateway) == {"upnp": "granted", "pcp": "granted", "nat-pmp": "granted"}
        assert held(gateway) == {(MEDIA, "missing"), ("40005", "missing")}
        assert codes(before) == {"gateway-not-planned", "mapping-missing"}

        road.coturn()
        seen = road.router_says(project, "--server", f"stun:{OUTSIDE}")[1]
        assert "gateway-seen-elsewhere" in codes(seen), "the router claims one address, and the world sees another"
        responder = road.responder(project)
        status, added = road.router_says(project, "--add", "--lifetime", "600")
        assert status == 0
        assert changes(added) == {(True, "upnp", "granted")}
        assert len(added["changes"]) == 11
        assert {(row["outside"], row["state"]) for row in added["checked"]} == {(MEDIA, "open"), ("40005", "open")}
        (gateway,) = added["gateways"]
        assert held(gateway) == {(MEDIA, "mapped"), ("40005", "mapped")}
        assert {m["host"] for m in gateway["mappings"]} == {HOME}
        assert all(0 < m["lifetime_s"] <= 600 for m in gateway["mappings"])
        assert codes(added) == {"gateway-not-planned"}

        again = road.router_says(project, "--add")[1]
        assert again["changes"] == []
        status, removed = road.router_says(project, "--remove")
        assert (status, changes(removed)) == (0, {(True, "upnp", "granted")})
        assert removed["gateways"][0]["mappings"] == []
        # Seen from the relay, they are closed again.
        assert road.hopwise("check", project)[0] == 1
        responder.stop()


def test_what_is_another_computer_s_is_told_and_left_alone(road: Street) -> None:
    other, mine = road.project([("udp", "40000")], inner=OTHER), road.project([("udp", "40000-40001")])
    with road.miniupnpd(UPNP):
        assert road.router_says(other, "--add")[0] == 0
        status, result = road.router_says(mine, "--add")
        assert status == 1
        assert {(one["external"], one["took"]) for one in result["changes"]} == {
            (40000, "conflict"),
            (40001, "granted"),
        }
        assert held(result["gateways"][0]) == {("40000", "elsewhere"), ("40001", "mapped")}
        assert "mapping-elsewhere" in codes(result)
        status, result = road.router_says(mine, "--remove")
        assert [(m["external"], m["host"]) for m in result["gateways"][0]["mappings"]] == [(40000, OTHER)]


def test_ports_for_the_other_protocol_or_on_another_number_are_told(road: Street) -> None:
    tcp, udp = road.project([("tcp", "40000")]), road.project([("udp", "40000")])
    with road.miniupnpd(UPNP):
        road.router_says(tcp, "--add")
        result = road.router_says(udp)[1]
        assert held(result["gateways"][0]) == {("40000", "other-protocol")}
        assert "mapping-other-protocol" in codes(result)


def test_a_port_that_the_router_s_rules_deny_is_not_authorised(road: Street) -> None:
    project = road.project([("udp", "30000"), ("udp", "40000")])
    with road.miniupnpd(*BOTH, "deny 30000-30010 0.0.0.0/0 0-65535"):
        status, result = road.router_says(project, "--add")
        assert status == 1
        assert {(one["external"], one["done"], one["took"]) for one in result["changes"]} == {
            (30000, False, "not-authorised"),
            (40000, True, "granted"),
        }
        # What was offered in its place has been given back.
        assert [m["external"] for m in result["gateways"][0]["mappings"]] == [40000]


@pytest.mark.parametrize(
    ("silenced", "way", "other"),
    [("udp dport 5351 @th,64,8 2", "nat-pmp", "pcp"), ("udp dport 5351 @th,64,8 0", "pcp", "nat-pmp")],
)
def test_nat_pmp_or_pcp_alone_maps_and_unmaps(road: Street, silenced: str, way: str, other: str) -> None:
    project, elsewhere = road.project([("udp", "40000-40001")]), road.project([("udp", "40002")], inner=OTHER)
    with road.miniupnpd(*BOTH, "enable_upnp=no"):
        road.drop(silenced)
        result = road.router_says(project)[1]
        (gateway,) = result["gateways"]
        assert took(gateway) == {"upnp": "silent", way: "granted", other: "silent"}
        assert gateway["wan"] == (TOLD if way == "nat-pmp" else None)
        assert held(gateway) == {("40000-40001", "untold")}
        assert "mapping-missing" not in codes(result)
        status, result = road.router_says(project, "--add", "--lifetime", "300")
        assert (status, changes(result)) == (0, {(True, way, "granted")})
        assert road.router.run(["nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd"]).count(HOME) == 2
        # In a later run, too: what a project has made it can take away.
        status, result = road.router_says(project, "--remove")
        assert (status, changes(result)) == (0, {(True, way, "granted")})
        assert HOME not in road.router.run(["nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd"])
        assert changes(road.router_says(elsewhere, "--add")[1]) == {(False, way, "own-ports-only")}


def test_a_router_behind_another_nat_says_that_it_has_no_public_address(road: Street) -> None:
    project = road.project([("udp", "40000")])
    road.router.ip([f"addr del {WAN}/28 dev wan", "addr add 192.168.1.20/24 dev wan"])
    try:
        with road.miniupnpd("enable_natpmp=yes"):
            status, result = road.router_says(project)
            (gateway,) = result["gateways"]
            assert (gateway["wan"], gateway["withheld"]) == (None, True)
            assert took(gateway)["upnp"] == "no-address"
            assert "gateway-no-address" in codes(result)
            status, result = road.router_says(project, "--add")
            assert (status, changes(result)) == (1, {(False, "upnp", "no-address")})
    finally:
        road.router.ip(["addr del 192.168.1.20/24 dev wan", f"addr add {WAN}/28 dev wan"])
        road.router.ip(["route replace 203.0.113.7/32 dev wan"])


def test_an_ipv6_pinhole_is_opened_for_this_computer_and_closed_again(road: Street) -> None:
    project, other = road.project([("udp", "40000")], inner=HOME6), road.project([("udp", "40000")], inner=OTHER6)
    with road.miniupnpd(UPNP):
        result = road.router_says(project)[1]
        assert result["gateways"][0]["pinholes"] == "allowed"
        assert held(result["gateways"][0]) == {("40000", "untold")}
        status, result = road.router_says(project, "--add", "--lifetime", "300")
        assert (status, changes(result)) == (0, {(True, "upnp", "granted")})
        assert "40000" in road.router.run(["nft", "list", "chain", "inet", "filter", "miniupnpd"])
        status, result = road.router_says(project, "--remove")
        assert (status, changes(result)) == (0, {(True, "upnp", "granted")})
        assert "40000" not in road.router.run(["nft", "list", "chain", "inet", "filter", "miniupnpd"])
        assert changes(road.router_says(other, "--add")[1]) == {(False, "upnp", "own-ports-only")}


def test_of_two_routers_each_is_told_by_its_interface_and_the_default_one_first(road: Street) -> None:
    project = road.project([("udp", "40000")], inner=SIDE_HOME)
    with road.miniupnpd(UPNP), road.miniupnpd(UPNP, at=road.side, name="Model S"):
        result = road.router_says(project)[1]
        told = [(g["interface"], g["address"], g["default"], g["model"].split()[1]) for g in result["gateways"]]
        assert told == [("lan", ROUTER, True, "L"), ("side", SIDE_ROUTER, False, "S")]
        # The mapping is made on the router of the network that it leads to.
        result = road.router_says(project, "--add")[1]
        assert [len(gateway["mappings"]) for gateway in result["gateways"]] == [0, 1]
        out = road.hopwise("router")[1]
        assert f"Lab Model L 1 ({ROUTER} on lan, default route)" in out
        assert f"Lab Model S 1 ({SIDE_ROUTER} on side)" in out


def test_a_router_that_speaks_nothing_is_listed_with_the_reasons(road: Street) -> None:
    status, result = road.router_says()
    (gateway,) = result["gateways"]
    assert status == 1
    assert took(gateway) == {"upnp": "silent", "pcp": "refused", "nat-pmp": "refused"}
    road.router.nft("flush ruleset\n")
    status, out = road.hopwise("router", road.project([("udp", "40000")]), "--add")
    assert status == 1
    assert "refused: the router is there and has it switched off" in " ".join(out.split())
