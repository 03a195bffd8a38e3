"""TCP ports, asked all at once: a connection may be a proxy's, so only what comes over it is an answer."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from wizard.model.hop import Hop
from wizard.observation import Outcome
from wizard.probes import icmp
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement, local_fault
from wizard.probes.persistence import Loss
from wizard.probes.question import NoQuestion, Question, SignedQuestion, service_question
from wizard.probes.slots import Slots
from wizard.probes.stream import Stream, TcpStream
from wizard.probes.target import Target
from wizard.probes.tcp_dial import NotConnectedError, dial
from wizard.wire.syn import TURNS, syn_mark

_BURST = 10
_PER_SECOND = 1000
"""Ports begun in a second at most."""
_BELIEVED_ERRORS = 2
_SYN_RETRANSMITTED_S = 0.9  # RFC 6298 section 2: the first time-out is 1 s
_UNKNOWN_RTT_S = 0.25
"""How long a fresh connection gets at least, while no port has told the round trip."""
_ANSWERED_WITHIN_S = 0.3  # RFC 6298 and Linux: lost data is sent again after 200 ms
_REPEATS_UNDER_LOSS = 12
"""Connections besides the first on which a silent service is asked, while other ports show that packets are lost:
with every third lost, one in three gets no answer in time."""
_WATCH_S = 1.5
"""How long a connection on which nothing is sent is watched: a proxy without back end hangs up sooner than that,
a service waits longer for its client to speak."""
_PASSING_FAULTS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.EAGAIN, errno.EPERM})

Decided = Callable[[Aimed, Judgement], None]
Connect = Callable[[Target, int, int | None], AbstractAsyncContextManager[Stream]]
"""Makes a connection to that port, which announces that segment size if one is given; raises NotConnectedError."""


@asynccontextmanager
async def connect_here(target: Target, port: int, segment: int | None = None) -> AsyncIterator[Stream]:
    """A connection of this computer's own."""
    with await dial(target, port, segment) as sock:
        yield TcpStream(sock)


class TcpProber:
    """Asks TCP ports until each is decided. `decided` is called once for each."""

    def __init__(
        self,
        key: bytes,
        vantage: str,
        hops: Sequence[Hop],
        timeout_s: float,
        server_name: str | None,
        slots: Slots,
        decided: Decided,
        connect: Connect = connect_here,
    ) -> None:
        self._key = key
        self._vantage = vantage
        self._hops = hops
        self._timeout_s = timeout_s
        self._server_name = server_name
        self._slots = slots
        self._decided = decided
        self._connect = connect

    async def run(self, ports: Sequence[Aimed], losses: Mapping[str, Loss]) -> None:
        """Ask `ports`; `losses` holds what is known of each entry. Returns when all are decided."""
        async with asyncio.TaskGroup() as group:
            for number, aimed in enumerate(ports, 1):
                questions = self._questions(aimed)
                files = 2 * len(questions)
                await self._slots.take(files)
                group.create_task(self._decide(aimed, questions, losses[aimed.probe.enters], files))
                if number % _BURST == 0:
                    await asyncio.sleep(_BURST / _PER_SECOND)

    def _questions(self, aimed: Aimed) -> tuple[Question, ...]:
        signed = SignedQuestion(self._key, self._vantage, aimed.probe, self._hops)
        service = service_question(aimed.probe, self._server_name)
        return (signed,) if service is None else (service, signed)

    async def _decide(self, aimed: Aimed, questions: tuple[Question, ...], loss: Loss, files: int) -> None:
        probe = aimed.probe
        marks = tuple(syn_mark(self._key, self._vantage, probe.enters, probe.port, turn) for turn in range(TURNS))
        port = _Port(aimed, questions, loss, self._timeout_s, marks, self._connect)
        try:
            judgement = await port.ask()
        finally:
            await port.close()
            self._slots.give(files)
        self._decided(aimed, judgement)


@dataclass(slots=True, eq=False)
class _Try:
    """One connection and what is asked over it."""

    question: Question
    attempt: int
    began: float
    connected: float | None = None
    task: asyncio.Task[Judgement] = field(init=False)


@dataclass(slots=True)
class _Lane:
    """The connections on which one question is asked: the first, which the kernel keeps trying, and the freshest."""

    question: Question
    tries: list[_Try] = field(default_factory=list)
    repeats: int = 0
    """Tries that were begun although an earlier one was connected."""
    end: Judgement | None = None
    """ALIEN or CLOSED, which no further try would change."""


class _Port:
    """One port on the way to its judgement."""

    def __init__(
        self,
        aimed: Aimed,
        questions: Sequence[Question],
        loss: Loss,
        timeout_s: float,
        marks: Sequence[int],
        connect: Connect,
    ) -> None:
        """`marks` are the segment sizes by which a responder knows this port's SYNs."""
        self._aimed = aimed
        self._marks = marks
        self._loss = loss
        self._timeout_s = timeout_s
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._lanes = [_Lane(question) for question in questions]
        self._started = self._loop.time()
        self._attempts = 0
        self._connected: float | None = None
        """When a connection was last made."""
        self._hung_up_after = 0.0
        self._errors: Counter[Outcome] = Counter()
        self._last_error: Judgement | None = None
        self._error_at = float("-inf")
        self._fault: Judgement | None = None
        self._running: set[_Try] = set()
        self._ending: set[asyncio.Task[Judgement]] = set()

    async def ask(self) -> Judgement:
        """Ask until the port is decided."""
        following: float | None = self._started
        while True:
            now = self._loop.time()
            if now >= self._deadline():
                return self._at_deadline()
            if following is None or now >= following:
                if following is not None:
                    self._attempt(now)
                following = self._following(now)
            deadline = self._deadline()
            for ended in await self._ended(min(following or deadline, deadline) - now):
                judgement = self._learn(ended)
                if judgement is not None:
                    return judgement
            if all(lane.end is not None for lane in self._lanes):
                aliens = [lane.end for lane in self._lanes if lane.end and lane.end.outcome is Outcome.ALIEN]
                return aliens[0] if aliens else await self._watch()

    async def close(self) -> None:
        """End every connection."""
        for one in list(self._running):
            self._drop(one)
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _deadline(self) -> float:
        if self._connected is None:
            return self._loss.deadline(self._started, self._attempts, self._timeout_s)
        if self._persists():
            return self._started + 2 * self._timeout_s
        # Who was connected late, because SYNs were lost, gets its time to answer all the same.
        return self._started + min(
            1.3 * self._timeout_s, max(self._timeout_s, self._connected - self._started + 0.3 * self._timeout_s)
        )

    def _following(self, now: float) -> float | None:
        # Who was connected has got through what lets few packets through.
        waits = self._connected is None
        planned = self._loss.next_attempt(self._started, now, self._attempts, self._timeout_s, trickling=waits)
        if self._connected is None or not self._persists():
            return planned
        again = max(self._connected + _ANSWERED_WITHIN_S, now + self._loss.gap_s)
        return again if planned is None else min(planned, again)

    def _persists(self) -> bool:
        """Whether a service that was connected and says nothing may yet do so: on this path bytes get lost."""
        return self._loss.evident and any(
            lane.end is None and lane.repeats < _REPEATS_UNDER_LOSS for lane in self._lanes
        )

    def _attempt(self, now: float) -> None:
        patience = _UNKNOWN_RTT_S if self._loss.rtt_s is None else 0.8 * self._loss.gap_s
        begun = False
        for lane in self._lanes:
            connected = [one.connected for one in lane.tries if one.connected is not None]
            if lane.end is not None or (connected and not self._again(lane, now - max(connected))):
                continue
            if len(lane.tries) > 1:
                if lane.tries[-1].connected is None and now - lane.tries[-1].began < patience:
                    continue
                self._drop(lane.tries.pop())
            lane.repeats += bool(connected)
            lane.tries.append(self._begin(lane.question, self._attempts + 1))
            begun = True
        self._attempts += begun

    def _again(self, lane: _Lane, waited_s: float) -> bool:
        """Whether to ask over another connection although one is made: its bytes may have been lost."""
        patience = max(_ANSWERED_WITHIN_S, 6 * (self._loss.rtt_s or 0.0))
        return waited_s > patience and lane.repeats < (_REPEATS_UNDER_LOSS if self._loss.evident else 1)

    def _begin(self, question: Question, attempt: int) -> _Try:
        one = _Try(question, attempt, self._loop.time())
        one.task = self._loop.create_task(self._converse(one))
        self._running.add(one)
        return one

    def _drop(self, one: _Try) -> None:
        self._running.discard(one)
        one.task.cancel()
        self._ending.add(one.task)
        one.task.add_done_callback(self._ending.discard)

    async def _ended(self, wait_s: float) -> list[_Try]:
        """The tries that end within that time, once one does."""
        tasks = {one.task: one for one in self._running}
        if not tasks:
            await asyncio.sleep(max(0.0, wait_s))
            return []
        done, _ = await asyncio.wait(tasks, timeout=max(0.0, wait_s), return_when=asyncio.FIRST_COMPLETED)
        ended = [tasks[task] for task in done]
        self._running.difference_update(ended)
        for lane in self._lanes:
            lane.tries = [one for one in lane.tries if one not in ended]
        return ended

    def _learn(self, ended: _Try) -> Judgement | None:
        """What the end of a try decides, if it does."""
        judgement = ended.task.result()
        lane = next(lane for lane in self._lanes if lane.question is ended.question)
        match judgement.outcome:
            case Outcome.ANSWERED | Outcome.MISDIRECTED | Outcome.FAILED:
                return judgement
            case Outcome.ALIEN | Outcome.CLOSED:
                lane.end = judgement
                if ended.connected is not None:
                    self._hung_up_after = max(self._hung_up_after, self._loop.time() - ended.connected)
            case Outcome.REFUSED | Outcome.REJECTED | Outcome.UNREACHABLE if ended.began >= self._error_at:
                # Once is not yet a fact: asked again, after it was told, the port may answer.
                self._error_at = self._loop.time()
                self._errors[judgement.outcome] += 1
                self._last_error = judgement
                if self._errors[judgement.outcome] >= _BELIEVED_ERRORS and self._connected is None:
                    return judgement
            case _:
                pass
        return None

    async def _watch(self) -> Judgement:
        """Whether the port hangs up on everyone, or only on those whose bytes it does not like.

        Asks the same again, too: the first may have met a responder with its hands full.
        """
        control = self._begin(NoQuestion(), self._attempts)
        for lane in self._lanes:
            self._begin(lane.question, self._attempts)
        watch_s = min(self._timeout_s, max(_WATCH_S, 2 * self._hung_up_after + 0.5))
        give_up = self._loop.time() + self._timeout_s
        while True:
            now = self._loop.time()
            until = min(give_up, control.connected + watch_s if control.connected else give_up)
            if now >= until:
                return Judgement(Outcome.ACCEPTED)
            # The moment of connecting ends no task, and `until` depends on it.
            for ended in await self._ended(min(until - now, watch_s / 4)):
                judgement = ended.task.result()
                if judgement.outcome in (Outcome.ANSWERED, Outcome.MISDIRECTED, Outcome.ALIEN, Outcome.FAILED):
                    return judgement
                if judgement.outcome is not Outcome.CLOSED:
                    return Judgement(Outcome.ACCEPTED)
            if not self._running:
                return Judgement(Outcome.CLOSED)

    def _at_deadline(self) -> Judgement:
        for lane in self._lanes:
            if lane.end is not None and lane.end.outcome is Outcome.ALIEN:
                return lane.end
        if self._connected is not None:
            return Judgement(Outcome.ACCEPTED)
        return self._last_error or self._fault or Judgement(Outcome.SILENT)

    async def _converse(self, one: _Try) -> Judgement:
        """Connect and ask. SILENT if the connection neither came about nor failed for good."""
        try:
            async with self._connect(self._aimed.target, self._aimed.probe.port, self._mark(one.attempt)) as stream:
                self._has_connected(one)
                try:
                    return await one.question.ask(stream)
                except ConnectionError:
                    return Judgement(Outcome.CLOSED)
                except OSError:
                    return Judgement(Outcome.SILENT)
        except NotConnectedError as error:
            return self._not_connected(one, error)

    def _mark(self, attempt: int) -> int | None:
        # Every third goes unmarked: no port may seem closed to somebody who dislikes small segments.
        turn = (attempt - 1) % (len(self._marks) + 1)
        return self._marks[turn] if turn < len(self._marks) else None

    def _has_connected(self, one: _Try) -> None:
        one.connected = self._loop.time()
        if self._connected is None:
            self._round_trip(one, one.connected)
        self._connected = one.connected

    def _round_trip(self, one: _Try, now: float) -> None:
        took = now - one.began
        self._loss.answered(one.attempt + (took > _SYN_RETRANSMITTED_S), took, now)

    def _not_connected(self, one: _Try, error: NotConnectedError) -> Judgement:
        target = self._aimed.target
        told = [meant for found in error.told or () if (meant := icmp.read(found)) is not None]
        if told:
            blocked = icmp.blocked_here(told[-1], target.address, target.own, target.sender)
            return blocked or Judgement(told[-1].outcome)
        outcome = icmp.outcome_of(error.fault)
        if outcome is Outcome.REFUSED:
            if self._connected is None and not self._errors:
                self._round_trip(one, self._loop.time())
            return Judgement(outcome)
        if isinstance(error.fault, TimeoutError):
            return Judgement(Outcome.SILENT)
        # Where the system tells of ICMP errors, an error that none of them explains arose there.
        if outcome is None or error.told is not None:
            return self._faulted(error.fault)
        return Judgement(outcome)

    def _faulted(self, error: OSError) -> Judgement:
        target = self._aimed.target
        fault = local_fault(error, target.address, target.sender)
        if error.errno not in _PASSING_FAULTS:
            return fault
        self._fault = fault
        return Judgement(Outcome.SILENT)
