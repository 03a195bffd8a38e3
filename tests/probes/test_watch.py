"""Ports on loopback, watched while what answers on them comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import psutil
import pytest

from tests.probes.asking import KEY, a_plan, free_port, running
from tests.probes.far_ends import Reply, udp
from tests.probes.probing import a_place, a_probe
from wizard.diagnosis.verdict import State
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol, Speaks
from wizard.model.project import Project
from wizard.model.vantage import Vantage
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.report.responder import responder_plan
from wizard.responder import Responder
from wizard.session import Session
from wizard.watch import Watched
from wizard.wire.probe import Request, answer, read_request

WITHIN_S = 20.0
"""A test fails after so long; nothing waits for it otherwise."""


@contextlib.asynccontextmanager
async def watching(
    probes: Sequence[Probe], known: Sequence[Observation] = ()
) -> AsyncIterator[asyncio.Queue[Observation]]:
    """What the place tells of the probes, one by one."""
    told: asyncio.Queue[Observation] = asyncio.Queue()

    async def follow() -> None:
        async with contextlib.aclosing(a_place().watch(probes, known)) as changes:
            async for changed in changes:
                for observation in changed:
                    told.put_nowait(observation)

    task = asyncio.create_task(follow())
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def outcome(told: asyncio.Queue[Observation], wanted: Outcome) -> Observation:
    """The next observation with that outcome."""
    async with asyncio.timeout(WITHIN_S):
        while (observation := await told.get()).outcome is not wanted:
            pass
    return observation


async def known(*probes: Probe) -> list[Observation]:
    """What a whole run says of them first."""
    return [observation async for observation in a_place().observe(probes)]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_a_port_turns_open_with_its_responder_and_is_stopped_without_it(protocol: str) -> None:
    probe = a_probe(free_port(), protocol)
    before = await known(probe)
    assert [each.outcome for each in before] == [Outcome.REFUSED]
    async with watching([probe], before) as told:
        for _ in range(2):
            async with running(Responder(a_plan((protocol, probe.port)))):
                opened = await outcome(told, Outcome.ANSWERED)
                assert (opened.stands_at, opened.address, opened.source) == ("chat", "127.0.0.1", "127.0.0.1/8")
            await outcome(told, Outcome.REFUSED)


class Far:
    """A UDP far end of our own. `heard` has the source port of each datagram, in order."""

    def __init__(self, said: Callable[[int, Request, tuple[str, int]], bytes | None]) -> None:
        self.heard: list[int] = []
        self._said = said
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, data: bytes, to: Reply) -> None:
        request = read_request(KEY, data)
        assert request is not None
        reply = self._said(len(self.heard), request, to.to)
        self.heard.append(to.to[1])
        if reply is not None:
            to(reply)
        task = asyncio.create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def more(self, count: int) -> None:
        """Returns when so many more datagrams have come."""
        wanted = len(self.heard) + count
        async with asyncio.timeout(WITHIN_S), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= wanted)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def signed(request: Request, to: tuple[str, int], came_in_on: int | None = None) -> bytes:
    """The responder's answer."""
    here = ("127.0.0.1", request.port if came_in_on is None else came_in_on)
    return answer(KEY, request.transaction, to, here, "chat", False)


async def test_a_pulse_that_is_lost_turns_nothing_red() -> None:
    far = Far(lambda number, request, to: None if number in {3, 5, 6} else signed(request, to))
    async with udp(far) as port:
        probe = a_probe(port)
        async with watching([probe], await known(probe)) as told:
            await far.more(10)
            assert told.empty()


async def test_each_pulse_is_a_flow_that_no_router_knows_yet() -> None:
    far = Far(lambda _, request, to: signed(request, to))
    async with udp(far) as port:
        probe = a_probe(port)
        async with watching([probe], await known(probe)):
            await far.more(6)
    assert len(set(far.heard)) == len(far.heard)


async def test_an_answer_to_an_earlier_question_opens_nothing() -> None:
    first: list[bytes] = []

    def said(number: int, request: Request, to: tuple[str, int]) -> bytes | None:
        if number == 0:
            first.append(signed(request, to))
        return first[0] if replaying else None

    replaying = False
    far = Far(said)
    async with udp(far) as port:
        probe = a_probe(port)
        before = await known(probe)
        assert [each.outcome for each in before] == [Outcome.SILENT]
        replaying = True
        async with watching([probe], before) as told:
            await outcome(told, Outcome.ALIEN)
            await far.more(6)
            assert told.empty()


async def test_a_rule_that_leads_to_another_port_from_now_on_is_told() -> None:
    far = Far(lambda number, request, to: signed(request, to, None if number == 0 else 9))
    async with udp(far) as port:
        probe = a_probe(port)
        async with watching([probe], await known(probe)) as told:
            wrong = await outcome(told, Outcome.MISDIRECTED)
    assert wrong.came_in_on == "127.0.0.1:9"


async def test_a_real_service_is_watched_by_its_own_protocol() -> None:
    probe = a_probe(free_port(), "tcp", speaks=Speaks.HTTP)
    before = await known(probe)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    async with watching([probe], before) as told:
        server = await asyncio.start_server(serve, "127.0.0.1", probe.port)
        opened = await outcome(told, Outcome.ANSWERED)
        assert opened.stands_at is None
        server.close()
        await server.wait_closed()
        await outcome(told, Outcome.REFUSED)


async def test_closing_a_watch_leaves_no_socket_and_no_task() -> None:
    before, files = asyncio.all_tasks(), psutil.Process().num_fds()
    ports = [("udp", free_port()), ("tcp", free_port()), ("tcp", free_port())]
    probes = [a_probe(number, protocol) for protocol, number in ports]
    async with running(Responder(a_plan(*ports[:2]))), watching(probes, await known(*probes[:1])) as told:
        await outcome(told, Outcome.ANSWERED)
    assert asyncio.all_tasks() == before
    assert psutil.Process().num_fds() == files


@pytest.fixture
def project() -> Project:
    port = free_port()
    return Project(
        name="On one computer",
        public_address="127.0.0.1",
        hops=(Hop("wall", HopKind.FIREWALL, address="127.0.0.1"), Hop("chat", HopKind.SERVICE)),
        ports=(PortPlan("media", Protocol.UDP, PortRange(port, port)),),
        vantages=(Vantage("outside"),),
    )


async def test_a_session_tells_changes_and_keeps_one_observation_for_each_probe(project: Project) -> None:
    session = Session(project, timeout_s=0.5)
    async for _ in session.run():
        pass
    count = len(session.result.observations)
    port = project.ports[0].outside
    async with contextlib.aclosing(session.watch()) as watched:

        async def changed() -> Watched:
            async with asyncio.timeout(WITHIN_S):
                async for news in watched:
                    if news.changes:
                        return news
            raise AssertionError

        assert (await anext(watched)).changes == ()
        for number in range(3):
            async with running(Responder(responder_plan(project))):
                (up,) = (await changed()).changes
                assert (up.outside, up.was, up.now) == (port, State.BLOCKED, State.OPEN)
                assert session.diagnosis.state is State.OPEN
            (down,) = (await changed()).changes
            assert (down.was, down.now, down.stopped_by) == (State.OPEN, State.BLOCKED, ("wall", "chat"))
            past = session.result.past
            assert past is not None
            (uptime,) = past.uptimes.values()
            assert (uptime.ups, uptime.downs) == (number + 1, number + 1)
            assert len(past.changes) == 2 * (number + 1)
            # The second look asks on TCP, too, once things have settled.
            assert len(session.result.observations) <= count + 1
