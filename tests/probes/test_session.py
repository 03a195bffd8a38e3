"""A whole run over loopback: planned, probed, diagnosed, told as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from wizard.diagnosis.verdict import Severity, State
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol, Speaks
from wizard.model.project import Project
from wizard.model.vantage import Vantage, VantageKind
from wizard.observation import AnnouncedSeen, HostInspected, Outcome
from wizard.progress import Finished, Learnt, Planned, Skipped
from wizard.report.responder import responder_plan
from wizard.responder import Responder
from wizard.session import Session

FAST_S = 1.0
HTTP = Speaks.HTTP


def free_stretch(size: int) -> PortRange:
    """Numbers that nobody holds now, below the ephemeral ones."""
    for first in range(20_000, 30_000, size):
        with contextlib.ExitStack() as stack:
            try:
                for number in range(first, first + size):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
                        sock.bind(("127.0.0.1", number))
            except OSError:
                continue
            return PortRange(first, first + size - 1)
    raise AssertionError("no free ports")


@pytest.fixture
def project() -> Project:
    stretch = free_stretch(8)
    return Project(
        name="On one computer",
        public_address="127.0.0.1",
        hops=(
            Hop("wall", HopKind.FIREWALL, address="127.0.0.1"),
            Hop("chat", HopKind.SERVICE, address="127.0.0.1"),
        ),
        ports=(
            PortPlan("media", Protocol.UDP, stretch),
            PortPlan("web", Protocol.TCP, PortRange(stretch.first, stretch.first)),
        ),
        vantages=(Vantage("outside"), Vantage("inside", beyond="wall")),
    )


@contextlib.asynccontextmanager
async def responding(project: Project) -> AsyncIterator[Responder]:
    responder = Responder(responder_plan(project))
    await responder.start()
    try:
        yield responder
    finally:
        await responder.stop()


async def test_a_run_tells_its_plan_then_every_probe_then_its_end(project: Project) -> None:
    session = Session(project, timeout_s=FAST_S)
    async with responding(project):
        told = [progress async for progress in session.run()]
    assert isinstance(told[0], Planned)
    assert told[0].probes == 2 * 9
    assert isinstance(told[-1], Finished)
    learnt = [p.item for p in told if isinstance(p, Learnt)]
    assert [getattr(item, "outcome", None) for item in learnt].count(Outcome.ANSWERED) == 18
    assert session.result.diagnosis.state is State.OPEN


async def test_a_host_without_the_service_is_found_by_its_refusals_and_its_list_of_sockets(project: Project) -> None:
    session = Session(project, vantages=["inside"], timeout_s=FAST_S)
    told = [progress async for progress in session.run()]
    assert any(isinstance(p, Learnt) and isinstance(p.item, HostInspected) for p in told)
    errors = [f for f in session.diagnosis.findings if f.severity is Severity.ERROR]
    assert {(f.code, f.suspects) for f in errors} == {("service-not-running", ("chat",))}


async def test_tcp_answered_where_udp_is_planned_is_named(project: Project) -> None:
    media = project.ports[0]
    swapped = replace(project, ports=(replace(media, protocol=Protocol.TCP),), probe_key="same")
    planned = replace(project, ports=(media,), probe_key="same")
    plan = responder_plan(swapped)
    # The responder also answers the protocol that its plan lacks; here it must not, as a router would not pass it.
    only_tcp = Responder(plan)
    blocker = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in media.outside]
    try:
        for sock, number in zip(blocker, media.outside, strict=True):
            sock.bind(("127.0.0.1", number))
        await only_tcp.start()
        session = Session(planned, vantages=["outside"], timeout_s=FAST_S)
        async for _ in session.run():
            pass
    finally:
        await only_tcp.stop()
        for sock in blocker:
            sock.close()
    errors = [f for f in session.diagnosis.findings if f.severity is Severity.ERROR]
    assert {f.code for f in errors} == {"wrong-protocol"}


async def test_a_relay_without_a_password_is_skipped_and_says_so(project: Project) -> None:
    relay = Vantage("relay", VantageKind.TURN, server="turn:127.0.0.1:9", username="alice")
    session = Session(replace(project, vantages=(relay,)), timeout_s=FAST_S)
    told = [progress async for progress in session.run()]
    assert any(isinstance(p, Skipped) and "no password for alice" in p.reason for p in told)
    assert {o.outcome for o in session.result.observations} == {Outcome.NOT_CHECKED}
    assert session.diagnosis.state is State.UNKNOWN


async def test_closing_a_run_half_way_leaves_no_task_behind(project: Project) -> None:
    before = asyncio.all_tasks()
    session = Session(project, timeout_s=30)
    silent = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in project.ports[0].outside]
    try:
        for sock, number in zip(silent, project.ports[0].outside, strict=True):
            sock.bind(("127.0.0.1", number))
        run = session.run()
        assert isinstance(await anext(run), Planned)
        await anext(run)
        await run.aclose()
    finally:
        for sock in silent:
            sock.close()
    assert asyncio.all_tasks() == before


async def test_earlier_observations_are_part_of_the_verdict(project: Project) -> None:
    async with responding(project):
        outside = Session(project, vantages=["outside"], timeout_s=FAST_S)
        async for _ in outside.run():
            pass
    later = Session(replace(project, vantages=()), earlier=outside.result.observations, timeout_s=FAST_S)
    assert later.diagnosis.state is State.OPEN


async def test_what_a_clock_that_is_ahead_has_seen_goes_not_before_what_is_seen_now(project: Project) -> None:
    async with responding(project):
        before = Session(project, vantages=["outside"], timeout_s=FAST_S)
        async for _ in before.run():
            pass
    ahead = [replace(seen, at=seen.at + timedelta(days=1)) for seen in before.result.observations]
    now = Session(project, vantages=["outside"], earlier=ahead, timeout_s=FAST_S)
    async for _ in now.run():
        pass
    assert {row.state for row in now.diagnosis.ports} == {State.BLOCKED}


async def test_a_service_is_not_asked_again_as_another_ports_wrong_protocol(project: Project) -> None:
    """Inside, a planned TCP service has the number of a planned UDP port that is closed."""
    stretch = project.ports[0].outside
    ports = (
        PortPlan("web", Protocol.TCP, PortRange(8172, 8172), {"chat": PortRange(stretch.first, stretch.first)}, HTTP),
        PortPlan("media", Protocol.UDP, stretch),
    )
    hops = (Hop("router", HopKind.ROUTER), Hop("chat", HopKind.SERVICE, address="127.0.0.1"))
    inside = replace(project, hops=hops, ports=ports, vantages=(Vantage("inside", beyond="router"),))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.readline()).startswith(b"GET "):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", stretch.first):
        session = Session(inside, timeout_s=FAST_S)
        async for _ in session.run():
            pass
    states = {(row.protocol, row.state) for row in session.diagnosis.hops[1].ports}
    assert states == {(Protocol.TCP, State.OPEN), (Protocol.UDP, State.BLOCKED)}


async def test_announced_addresses_are_tried_beside_the_path_and_say_nothing_about_its_hops(project: Project) -> None:
    # The responder answers on every address of its host, also on one that no hop has.
    announcing = replace(project, announced=("127.0.0.1", "127.0.0.9"), vantages=(Vantage("outside"),))
    session = Session(announcing, timeout_s=FAST_S)
    async with responding(announcing):
        told = [progress async for progress in session.run()]
    assert isinstance(told[0], Planned)
    assert told[0].probes == 9
    assert {o.address for o in session.result.observations} == {"127.0.0.1"}
    seen = [fact for fact in session.result.facts if isinstance(fact, AnnouncedSeen)]
    assert {(fact.address, fact.outside) for fact in seen} == {
        ("127.0.0.9", number)
        for plan in announcing.ports
        for number in (plan.outside.first, (plan.outside.first + plan.outside.last) // 2, plan.outside.last)
    }
    assert {fact.outcome for fact in seen} == {Outcome.ANSWERED}
    assert session.diagnosis.state is State.OPEN
    codes = {(f.code, f.values["address"]) for f in session.diagnosis.findings if f.code.startswith("announced")}
    assert ("announced-reached", "127.0.0.1") in codes
    assert {code for code, address in codes if address == "127.0.0.9"} == {"announced-reached"}
