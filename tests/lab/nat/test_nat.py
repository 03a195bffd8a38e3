"""Behind NATs of every kind, the verdict is what the NAT was told to do. Worked out by hand from RFC 4787 and 5780."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.lab import HOPWISE
from tests.lab.nat.street import FIRST, HOME, INNER, OTHER_PLAIN, PLAIN, SECOND, Rules, Street, street
from wizard.probes.nat import Options, Survey, measure
from wizard.wire import uri
from wizard.wire.behaviour import Behaviour, Dependence, Known, Need, Reason, judge

pytestmark = pytest.mark.requires("root", "namespaces", "nft", "coturn")

ALL = SAME, BY_ADDRESS, BY_PORT = (
    Dependence.ENDPOINT_INDEPENDENT,
    Dependence.ADDRESS_DEPENDENT,
    Dependence.ADDRESS_AND_PORT_DEPENDENT,
)
QUICK = Options(timeout_s=1.5)


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Street]:
    with street(tmp_path) as made:
        yield made


def survey(road: Street, *servers: str, options: Options = QUICK) -> Survey:
    with road.computer.entered():
        return asyncio.run(measure([uri.parse(f"stun:{server}") for server in servers], options))


def verdict(road: Street, *servers: str, options: Options = QUICK) -> Behaviour:
    return judge(survey(road, *servers, options=options).measured)


def command(road: Street, *arguments: str) -> tuple[int, str]:
    with road.computer.entered():
        done = subprocess.run([HOPWISE, "nat", *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize("mapping", ALL)
@pytest.mark.parametrize("filtering", ALL)
def test_each_mapping_with_each_filter_is_told_apart(road: Street, mapping: Dependence, filtering: Dependence) -> None:
    road.coturn([FIRST, SECOND])
    road.box(Rules(mapping=mapping, filtering=filtering))
    found = verdict(road, FIRST)
    assert (found.mapping, found.filtering) == (mapping, filtering)
    assert found.need is (Need.STUN if mapping is SAME else Need.TURN)
    assert {address for address, _ in found.mapped} == {HOME}
    # It turns round what its filter lets in, which behind another mapping only an open filter does.
    assert found.hairpin is (Known.YES if SAME in (mapping, filtering) else Known.NO)


@pytest.mark.parametrize("filtering", ALL)
def test_a_nat_that_turns_nothing_round_is_told_whatever_its_filter(road: Street, filtering: Dependence) -> None:
    road.coturn([FIRST, SECOND])
    road.box(Rules(filtering=filtering, hairpin=False))
    found = verdict(road, FIRST)
    assert (found.hairpin, found.filtering) == (Known.NO, filtering)


@pytest.mark.parametrize("preserves", [True, False])
def test_a_kept_port_is_told(road: Street, preserves: bool) -> None:
    road.coturn([FIRST, SECOND])
    road.box(Rules(preserves=preserves))
    found = verdict(road, FIRST)
    assert found.port_preservation is (Known.YES if preserves else Known.NO)
    assert found.mapping is SAME


@pytest.mark.parametrize(("mapping", "verdict_on_two"), [(SAME, SAME), (BY_ADDRESS, BY_ADDRESS), (BY_PORT, BY_ADDRESS)])
def test_two_servers_with_one_address_each_show_whether_the_address_counts(
    road: Street, mapping: Dependence, verdict_on_two: Dependence
) -> None:
    road.coturn([PLAIN], "no-rfc5780")
    road.coturn([OTHER_PLAIN], "no-rfc5780")
    road.box(Rules(mapping=mapping, filtering=BY_PORT))
    found = verdict(road, PLAIN, OTHER_PLAIN)
    assert (found.mapping, found.filtering) == (verdict_on_two, Dependence.UNKNOWN)
    assert found.need is (Need.STUN if mapping is SAME else Need.TURN)


def test_one_server_with_one_address_shows_that_there_is_a_nat_and_no_more(road: Street) -> None:
    road.coturn([PLAIN], "no-rfc5780")
    road.box(Rules(filtering=BY_PORT))
    found = verdict(road, PLAIN)
    assert (found.mapping, found.filtering) == (Dependence.UNKNOWN, Dependence.UNKNOWN)
    assert (found.need, found.reason) == (Need.UNKNOWN, Reason.ONE_DESTINATION)
    status, out = command(road, "--server", f"stun:{PLAIN}", "--json")
    assert (status, json.loads(out)["mapping"]) == (3, "unknown")


def test_a_carrier_that_hands_out_addresses_in_turn_gives_each_destination_its_own(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.box(Rules(mapping=BY_ADDRESS, outside=(HOME, "203.0.113.21")))
    found = verdict(road, FIRST)
    assert (found.mapping, found.need) == (BY_ADDRESS, Need.TURN)


def test_an_outside_address_of_the_carriers_range_is_carrier_and_double_nat(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.box(Rules(outside=("100.64.0.20",)))
    found = verdict(road, FIRST)
    assert (found.cgnat, found.double_nat) == (Known.YES, Known.YES)
    assert (found.need, found.reason) == (Need.UNKNOWN, Reason.SERVER_INSIDE)


@pytest.mark.parametrize(
    ("between", "first_translates", "cgnat", "double_nat"),
    [
        ("100.64.9", True, Known.YES, Known.YES),
        # Private numbers in the middle may be those of a second router that translates, or of one that only routes.
        ("10.9.9", True, Known.UNKNOWN, Known.UNKNOWN),
        ("10.9.9", False, Known.UNKNOWN, Known.UNKNOWN),
    ],
)
def test_a_second_router_is_a_carriers_if_its_numbers_are(
    road: Street, between: str, first_translates: bool, cgnat: Known, double_nat: Known
) -> None:
    road.coturn([FIRST, SECOND])
    road.second_router(between, first_translates=first_translates)
    found = verdict(road, FIRST)
    assert (found.cgnat, found.double_nat) == (cgnat, double_nat)
    assert (found.mapping, found.filtering) == (SAME, BY_PORT)


def test_a_router_that_holds_the_public_address_is_the_only_one(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.masquerade()
    found = verdict(road, FIRST)
    assert (found.cgnat, found.double_nat) == (Known.NO, Known.NO)


def test_a_router_that_sends_no_errors_settles_nothing(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.masquerade()
    road.router.nft("table ip f { chain f { type filter hook output priority 0; icmp type time-exceeded drop; }; }")
    found = verdict(road, FIRST)
    assert (found.cgnat, found.double_nat) == (Known.UNKNOWN, Known.UNKNOWN)


def test_without_a_nat_the_public_address_is_all_that_is_needed(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.go_public()
    found = verdict(road, FIRST)
    assert (found.mapping, found.filtering) == (Dependence.NONE, Dependence.NONE)
    assert (found.need, found.reason) == (Need.NONE, Reason.PUBLIC_OPEN)
    assert (found.cgnat, found.double_nat, found.hairpin) == (Known.NO, Known.NO, Known.YES)
    status, out = command(road, "--server", f"stun:{FIRST}", "--json")
    assert (status, json.loads(out)["needs"]) == (0, "none")


def test_a_firewall_before_a_public_address_is_no_nat(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.go_public()
    road.router.nft(
        "table ip f { chain f { type filter hook forward priority 0; "
        'ct state established,related accept; iifname "wan" drop; }; }'
    )
    found = verdict(road, FIRST)
    assert (found.mapping, found.filtering) == (Dependence.NONE, BY_PORT)
    assert (found.need, found.reason) == (Need.NONE, Reason.PUBLIC_FILTERED)


@pytest.mark.parametrize(
    ("words", "mapping", "need"), [("", SAME, Need.STUN), ("fully-random", BY_PORT, Need.TURN)], ids=["plain", "random"]
)
def test_a_linux_router_is_judged_by_how_it_masquerades(
    road: Street, words: str, mapping: Dependence, need: Need
) -> None:
    road.coturn([FIRST, SECOND])
    road.masquerade(words)
    found = verdict(road, FIRST)
    assert (found.mapping, found.filtering, found.need) == (mapping, BY_PORT, need)
    assert found.hairpin is Known.NO


def test_a_linux_router_that_forwards_everything_lets_everything_in_and_back(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.masquerade(
        more=f"add chain ip nat pre {{ type nat hook prerouting priority -100; }}\n"
        f"add rule ip nat pre ip daddr {HOME} meta l4proto udp dnat to {INNER}\n"
        f"add chain ip nat back {{ type nat hook postrouting priority 100; }}\n"
        f'add rule ip nat back iifname "lan" oifname "lan" snat to {HOME}\n'
    )
    found = verdict(road, FIRST)
    assert (found.mapping, found.filtering, found.hairpin) == (SAME, SAME, Known.YES)
    assert found.port_preservation is Known.YES


@pytest.mark.parametrize(
    ("servers", "filtering"),
    [
        ((FIRST,), BY_ADDRESS),
        ((FIRST, SECOND), BY_ADDRESS),
        # coturn does the tests at its first address alone, and by then the second has been sent to.
        ((SECOND, FIRST), Dependence.UNKNOWN),
    ],
)
def test_a_filter_that_remembers_addresses_for_the_whole_computer_is_not_taken_for_an_open_one(
    road: Street, servers: tuple[str, ...], filtering: Dependence
) -> None:
    road.coturn([FIRST, SECOND])
    road.masquerade(
        more="add set ip nat spoken { type ipv4_addr; flags timeout; timeout 60s; }\n"
        "add chain ip nat note { type filter hook forward priority 0; }\n"
        'add rule ip nat note iifname "lan" add @spoken { ip daddr }\n'
        "add chain ip nat pre { type nat hook prerouting priority -100; }\n"
        f'add rule ip nat pre iifname "wan" ip saddr @spoken meta l4proto udp dnat to {INNER}\n'
    )
    found = verdict(road, *servers)
    assert (found.mapping, found.filtering, found.need) == (SAME, filtering, Need.STUN)


def test_where_udp_is_blocked_the_servers_still_answer_over_tcp(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.coturn([PLAIN], "no-rfc5780")
    road.masquerade()
    road.router.nft(
        'table ip f { chain f { type filter hook forward priority 0; iifname "lan" ip protocol udp drop; }; }'
    )
    one, both = verdict(road, FIRST), verdict(road, FIRST, PLAIN)
    assert (one.need, one.reason) == (Need.UNKNOWN, Reason.UDP_SILENT)
    assert (both.need, both.reason) == (Need.TURN, Reason.UDP_BLOCKED)
    status, out = command(road, "--server", f"stun:{FIRST}")
    assert status == 1
    assert "TCP" in out


@pytest.mark.alone
def test_a_firewall_that_refuses_udp_is_told_at_once(road: Street) -> None:
    road.masquerade()
    road.router.nft("table ip f { chain f { type filter hook forward priority 0; ip protocol udp reject; }; }")
    began = time.perf_counter()
    found = survey(road, FIRST, options=Options())
    assert time.perf_counter() - began < 3
    assert [one.fault and one.fault.cause for one in found.servers] == ["refused"]


@pytest.mark.parametrize(("mapping", "filtering"), [(SAME, SAME), (SAME, BY_ADDRESS), (BY_PORT, BY_PORT)])
def test_a_third_of_the_packets_lost_both_ways_changes_no_verdict(
    road: Street, mapping: Dependence, filtering: Dependence
) -> None:
    road.coturn([FIRST, SECOND])
    road.box(Rules(mapping=mapping, filtering=filtering))
    rules = "table ip l { chain l { type filter hook prerouting priority -300; numgen random mod 3 == 0 drop; }; }"
    road.internet.nft(rules)
    found = verdict(road, FIRST, options=Options())
    assert (found.mapping, found.filtering, found.hairpin) == (
        mapping,
        filtering,
        Known.YES if mapping is SAME else Known.NO,
    )


@pytest.mark.parametrize(("lives_s", "lifetime_s"), [(1.5, 1.0), (300.0, 2.5)])
def test_the_lifetime_is_the_longest_pause_that_a_mapping_outlived(
    road: Street, lives_s: float, lifetime_s: float
) -> None:
    road.coturn([FIRST, SECOND])
    road.box(Rules(filtering=BY_PORT, lifetime_s=lives_s))
    options = Options(timeout_s=1.0, lifetimes_s=(0.5, 1.0, 2.5))
    assert verdict(road, FIRST, options=options).lifetime_s == lifetime_s


def test_the_command_names_the_interface_and_answers_whether_turn_is_needed(road: Street) -> None:
    road.coturn([FIRST, SECOND])
    road.box(Rules(mapping=BY_PORT, filtering=BY_PORT, hairpin=False))
    status, out = command(road, "--server", f"stun:{FIRST}", "--json")
    told: dict[str, Any] = json.loads(out)
    assert status == 0
    assert told["interface"] == "wan"
    assert told["local"].startswith(f"{INNER}:")
    assert [told[key] for key in ("mapping", "filtering", "hairpin", "needs")] == [BY_PORT, BY_PORT, "no", "turn"]
    status, out = command(road, "--server", f"stun:{FIRST}")
    assert status == 0
    assert "peers can't reach you without TURN" in " ".join(out.split())
