"""Probes over a real network path: loss, firewalls that drop or reject, hosts that are not there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.probes.asking import a_plan, running
from tests.probes.netns import FAR, FAR6, UNUSED, Cable, cable
from tests.probes.probing import a_probe, observe, observe_all
from wizard.observation import Outcome
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.responder import Responder

pytestmark = pytest.mark.requires("nft")


@pytest.fixture
def path() -> Iterator[Cable]:
    """A near and a far end."""
    with cable() as made:
        yield made


LOSSES = {
    "every third packet, in order": "numgen inc mod 3 == 0 drop",
    "a third of the packets, at random": "numgen random mod 3 == 0 drop",
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
async def test_302_open_ports_are_open_though_a_third_of_the_packets_is_lost_both_ways(path: Cable, loss: str) -> None:
    for side in (path.near, path.far):
        path.filter(side, f"raw meta l4proto {{ tcp, udp }} {loss}")
    udp, tcp = range(30152, 30353), range(10000, 10101)
    plan = a_plan(*(("udp", n) for n in udp), *(("tcp", n) for n in tcp))
    probes = [a_probe(n, "udp", FAR) for n in udp] + [a_probe(n, "tcp", FAR) for n in tcp]
    async with path.at_far(lambda: running(Responder(plan))):
        seen = await path.in_near(lambda: observe_all(probes, DEFAULT_TIMEOUT_S))
    assert Counter((one.protocol, one.outcome) for one in seen.values()) == {
        ("udp", Outcome.ANSWERED): 201,
        ("tcp", Outcome.ANSWERED): 101,
    }


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_a_single_open_port_is_open_though_a_third_of_the_packets_is_lost_both_ways(
    path: Cable, protocol: str
) -> None:
    for side in (path.near, path.far):
        path.filter(side, f"raw meta l4proto {{ tcp, udp }} {LOSSES['every third packet, in order']}")
    async with path.at_far(lambda: running(Responder(a_plan((protocol, 10000))))):
        for _ in range(3):
            seen = await path.in_near(lambda: observe(a_probe(10000, protocol, FAR), DEFAULT_TIMEOUT_S))
            assert seen.outcome is Outcome.ANSWERED


@pytest.mark.alone
async def test_ports_that_a_firewall_drops_stay_silent_among_open_ones_under_loss(path: Cable) -> None:
    for side in (path.near, path.far):
        path.filter(side, f"raw meta l4proto {{ tcp, udp }} {LOSSES['a third of the packets, at random']}")
    path.filter(path.far, "in udp dport 10050-10059 drop", "in tcp dport 10050-10059 drop")
    numbers = range(10000, 10100)
    plan = a_plan(*((protocol, n) for protocol in ("udp", "tcp") for n in numbers))
    probes = [a_probe(n, protocol, FAR) for protocol in ("udp", "tcp") for n in numbers]
    async with path.at_far(lambda: running(Responder(plan))):
        began = time.perf_counter()
        seen = await path.in_near(lambda: observe_all(probes, DEFAULT_TIMEOUT_S))
        took = time.perf_counter() - began
    silent = {(probe.protocol, probe.port) for probe, one in seen.items() if one.outcome is Outcome.SILENT}
    assert silent == {(protocol, n) for protocol in ("udp", "tcp") for n in range(10050, 10060)}
    assert all(one.outcome is Outcome.ANSWERED for probe, one in seen.items() if probe.port not in range(10050, 10060))
    assert took < 1.3 * DEFAULT_TIMEOUT_S


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_ports_behind_a_rate_limit_are_not_called_silent_while_others_still_answer(
    path: Cable, protocol: str
) -> None:
    limit = "meta l4proto udp limit rate over 20/second burst 5 packets drop"
    if protocol == "tcp":
        limit = "tcp flags & (syn | ack) == syn limit rate over 10/second burst 5 packets drop"
    path.filter(path.far, f"in {limit}", f"in {protocol} dport 10100 drop")
    numbers = range(10000, 10101)
    plan = a_plan(*((protocol, n) for n in numbers))
    async with path.at_far(lambda: running(Responder(plan))):
        seen = await path.in_near(lambda: observe_all([a_probe(n, protocol, FAR) for n in numbers], DEFAULT_TIMEOUT_S))
    assert {probe.port for probe, one in seen.items() if one.outcome is not Outcome.ANSWERED} == {10100}


@pytest.mark.parametrize("address", [FAR, FAR6])
async def test_what_a_firewall_says_is_told_apart(path: Cable, address: str) -> None:
    path.filter(
        path.far,
        *(
            f"in {protocol} dport {port} reject with icmpx {reason}"
            for protocol in ("udp", "tcp")
            for port, reason in ((81, "admin-prohibited"), (82, "host-unreachable"), (83, "port-unreachable"))
        ),
        "in tcp dport 84 reject with tcp reset",
        "in udp dport 85 drop",
        "in tcp dport 85 drop",
    )
    path.unlimited_icmp(path.far)
    numbers = [(80, "udp"), (80, "tcp"), (84, "tcp")]
    numbers += [(port, protocol) for port in (81, 82, 83, 85) for protocol in ("udp", "tcp")]
    probes = [a_probe(port, protocol, address) for port, protocol in numbers]
    seen = await path.in_near(lambda: observe_all(probes, timeout_s=2.0))
    assert {(probe.port, str(probe.protocol)): one.outcome for probe, one in seen.items()} == {
        (80, "udp"): Outcome.REFUSED,
        (80, "tcp"): Outcome.REFUSED,
        (81, "udp"): Outcome.REJECTED,
        (81, "tcp"): Outcome.REJECTED,
        (82, "udp"): Outcome.UNREACHABLE,
        (82, "tcp"): Outcome.UNREACHABLE,
        (83, "udp"): Outcome.REFUSED,
        (83, "tcp"): Outcome.REFUSED,
        (84, "tcp"): Outcome.REFUSED,
        (85, "udp"): Outcome.SILENT,
        (85, "tcp"): Outcome.SILENT,
    }
    assert {one.source for one in seen.values()} == {"10.77.0.1/24" if address == FAR else "fd77::1/64"}


async def test_icmp_that_comes_for_few_of_many_closed_ports_makes_no_port_anything_but_closed(path: Cable) -> None:
    probes = [a_probe(n, "udp", FAR) for n in range(10000, 10050)]
    seen = await path.in_near(lambda: observe_all(probes, timeout_s=2.0))
    assert {one.outcome for one in seen.values()} == {Outcome.REFUSED, Outcome.SILENT}


async def test_an_address_that_nobody_has_is_unreachable(path: Cable) -> None:
    probes = [a_probe(10000, protocol, UNUSED) for protocol in ("udp", "tcp")]
    seen = await path.in_near(lambda: observe_all(probes, DEFAULT_TIMEOUT_S))
    assert {one.outcome for one in seen.values()} == {Outcome.UNREACHABLE}


@pytest.mark.alone
async def test_a_destination_without_a_route_is_a_fault_of_this_computer(path: Cable) -> None:
    probes = [a_probe(10000, protocol, "192.0.2.1") for protocol in ("udp", "tcp")]
    began = time.perf_counter()
    seen = await path.in_near(lambda: observe_all(probes, DEFAULT_TIMEOUT_S))
    assert {one.outcome for one in seen.values()} == {Outcome.FAILED}
    assert all("no route" in (one.error or "") for one in seen.values())
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("rule", ["reject with icmpx admin-prohibited", "reject with icmpx port-unreachable"])
async def test_this_computers_own_firewall_is_not_taken_for_the_port(path: Cable, rule: str) -> None:
    path.filter(path.near, f"out udp dport 10000 {rule}", f"out tcp dport 10000 {rule}")
    probes = [a_probe(10000, protocol, FAR) for protocol in ("udp", "tcp")]
    seen = await path.in_near(lambda: observe_all(probes, DEFAULT_TIMEOUT_S))
    assert {one.outcome for one in seen.values()} == {Outcome.FAILED}
    assert all("own firewall" in (one.error or "") for one in seen.values())


async def test_udp_that_this_computer_may_not_send_is_its_own_fault(path: Cable) -> None:
    path.filter(path.near, "out udp dport 10000 drop")
    seen = await path.in_near(lambda: observe(a_probe(10000, "udp", FAR)))
    assert seen.outcome is Outcome.FAILED
    assert "own firewall" in (seen.error or "")


async def test_a_local_filter_that_drops_some_packets_does_not_fail_the_port(path: Cable) -> None:
    path.filter(path.near, "out udp dport 10000 numgen inc mod 3 != 2 drop")
    async with path.at_far(lambda: running(Responder(a_plan(("udp", 10000))))):
        seen = await path.in_near(lambda: observe(a_probe(10000, "udp", FAR), DEFAULT_TIMEOUT_S))
    assert seen.outcome is Outcome.ANSWERED
