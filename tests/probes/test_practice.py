"""The practice network, tested as a user tests it: by real probes and the whole diagnosis."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from wizard.diagnosis.verdict import State
from wizard.model.load import loads
from wizard.model.port import OutsidePort
from wizard.model.text import dumps
from wizard.practice.fault import Fault
from wizard.practice.network import Practice
from wizard.progress import Result
from wizard.session import Session

HOPS = ("router", "tunnel", "firewall", "container", "service")
FAULTS = (
    "router-hole",
    "router-tcp",
    "router-shifted",
    "tunnel-gap",
    "tunnel-down",
    "firewall-drops",
    "container-udp",
    "container-port",
    "service-down",
)
# Prober and all forwarders share one loop here, and silence is believed soon: on a busy machine it would be too soon.
pytestmark = [pytest.mark.requires("ipv6"), pytest.mark.alone]


@pytest.fixture(params=["an address for each hop", "one loopback address"])
async def practice(request: pytest.FixtureRequest) -> AsyncIterator[Practice]:
    shared = ("127.0.0.1", "127.0.0.1", "127.0.0.1", "::1", "127.0.0.1")
    network = Practice(addresses=shared if request.param == "one loopback address" else None)
    await network.start()
    try:
        yield network
    finally:
        await network.stop()


async def tested(practice: Practice) -> Result:
    session = Session(practice.project, timeout_s=0.6)
    async for _ in session.run():
        pass
    return session.result


def states(result: Result) -> dict[str, State]:
    return {hop.id: hop.state for hop in result.diagnosis.hops}


def blocked(result: Result, hop: str) -> set[OutsidePort]:
    return {
        OutsidePort(row.protocol, number)
        for verdict in result.diagnosis.hops
        if verdict.id == hop
        for row in verdict.ports
        if row.state is State.BLOCKED
        for number in row.outside
    }


def concerned(practice: Practice, fault: Fault) -> set[OutsidePort]:
    if fault.protocol is None or fault.outside is None:
        return set(practice.project.outside_ports())
    return {OutsidePort(fault.protocol, number) for number in fault.outside}


async def test_unbroken_it_is_open_at_every_hop(practice: Practice) -> None:
    result = await tested(practice)
    assert states(result) == dict.fromkeys(HOPS, State.OPEN)
    assert result.diagnosis.state is State.OPEN
    assert [finding.severity for finding in result.diagnosis.findings if finding.severity == "error"] == []


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_is_found_at_its_hop_on_just_its_ports_and_mending_it_opens_them(
    practice: Practice, name: str
) -> None:
    (fault,) = (fault for fault in practice.faults if fault.id == name)
    await practice.break_(fault)
    result = await tested(practice)
    # Outward of a fault nothing came through, so that nothing is proven there; inward of it everything is.
    where = HOPS.index(fault.hop)
    assert list(states(result).values())[where:] == [State.BLOCKED] + [State.OPEN] * (len(HOPS) - where - 1)
    assert set(list(states(result).values())[:where]) <= {State.UNKNOWN}
    assert blocked(result, fault.hop) == concerned(practice, fault)
    suspects = {finding.suspects for finding in result.diagnosis.findings if finding.severity == "error"}
    assert suspects == {(fault.hop,)}
    await practice.mend(fault)
    assert practice.broken == ()
    assert (await tested(practice)).diagnosis.state is State.OPEN


async def test_tcp_forwarded_in_place_of_udp_is_named_as_that(practice: Practice) -> None:
    (fault,) = (fault for fault in practice.faults if fault.id == "router-tcp")
    await practice.break_(fault)
    codes = {finding.code for finding in (await tested(practice)).diagnosis.findings if finding.severity == "error"}
    assert codes == {"wrong-protocol"}


async def test_two_faults_are_found_together(practice: Practice) -> None:
    for fault in practice.faults:
        if fault.id in ("router-hole", "container-port"):
            await practice.break_(fault)
    found = states(await tested(practice))
    assert {hop for hop, state in found.items() if state is State.BLOCKED} == {"router", "container"}


async def test_switches_thrown_at_once_all_take_effect(practice: Practice) -> None:
    await asyncio.gather(*(practice.break_(fault) for fault in practice.faults))
    assert practice.broken == practice.faults
    assert states(await tested(practice))["service"] is State.BLOCKED
    await asyncio.gather(*(practice.mend(fault) for fault in practice.faults))
    assert (await tested(practice)).diagnosis.state is State.OPEN


async def test_every_fault_is_listed_in_the_order_of_the_path_with_words_in_both_languages(practice: Practice) -> None:
    assert tuple(fault.id for fault in practice.faults) == FAULTS
    positions = [HOPS.index(fault.hop) for fault in practice.faults]
    assert positions == sorted(positions)
    for fault in practice.faults:
        for wording in (fault.title, fault.remedy):
            assert wording.en
            assert wording.zh
            assert wording.en != wording.zh
            assert "$" not in wording.en + wording.zh


async def test_its_project_is_one_that_can_be_saved(practice: Practice) -> None:
    assert loads(dumps(practice.project), "practice.toml") == practice.project


async def test_ports_that_are_taken_are_passed_over() -> None:
    first, second = Practice(), Practice()
    await first.start()
    await second.start()
    try:
        assert not set(first.project.outside_ports()) & set(second.project.outside_ports())
    finally:
        await first.stop()
        await second.stop()


async def test_stopped_it_leaves_nothing_bound_and_no_task_behind(practice: Practice) -> None:
    await tested(practice)
    await practice.stop()
    for hop in practice.project.hops:
        family = socket.AF_INET6 if ":" in (hop.address or "") else socket.AF_INET
        for port in practice.project.outside_ports():
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.bind((hop.address, port.number))
    # What is cancelled ends in the loop's next turns.
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_before_it_is_started_there_is_no_path_to_test() -> None:
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = Practice().project


async def test_its_hops_have_names_in_the_language_that_was_asked_for() -> None:
    network = Practice("zh_CN")
    await network.start()
    try:
        assert network.project.hops[0].label == "练习路由器"
    finally:
        await network.stop()
