"""How many sessions a TURN server carries at once: relayed addresses that send to each other in pairs, more and more.

For servers of one's own only. It is bounded in time and bytes, and stops at the first sign of trouble.
"""

from __future__ import annotations

import asyncio
import enum
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

from wizard.probes.fault import Fault
from wizard.probes.relay_leg import Access, Hear, Leg, legs
from wizard.probes.server_verdict import NO_ANSWER, Sentence
from wizard.probes.slots import spare_files
from wizard.wire import media
from wizard.wire.attribute import Address
from wizard.wire.media import Delay, Stream
from wizard.wire.turn_event import Succeeded

SIZES = {10: 0.5, 50: 1.0, 200: 1.0}
"""Sessions, and the Mbit/s of each unless the user says otherwise."""
MOST_MBIT = 1.0
MOST_LOSS_PERCENT = 1.0
LONG_MS = 100.0
"""A delay that has doubled and is longer than this is trouble."""

_PAYLOAD = 1200
"""Bytes: what WebRTC's video packets have at most."""
_RAMP = (0.1, 0.25, 0.5, 0.75, 1.0)
_STEP_S = 2.0
_TICK_S = 0.005
_LOOK_S = 0.25
_GRACE_S = 0.5
"""After which a packet that has not come counts as lost, on top of the time that it may take."""
_SETTLE_S = 1.0
_SETTLED_S = 2.0
_BUSY = 0.9
"""Of a processor, from which on this program is at its own limit."""
_SHORT = 0.95
"""Of the packets that were due; with fewer sent, this computer could not send more."""
_LATE_MS = 25.0
"""Packets that leave later than this tell more of this computer than of the server."""
_FEWEST_LOST = 5
"""Of a single packet nobody makes a limit."""


class Limit(enum.StrEnum):
    """What ended the ramp."""

    NONE = "none"
    """Every session was carried."""
    REFUSED = "refused"
    """The server gave no more allocations."""
    LOSS = "loss"
    DELAY = "delay"
    WENT_AWAY = "went-away"
    COMPUTER = "computer"
    """This computer could not send more; that says nothing of the server."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many sessions are wanted, and what each sends and receives."""

    sessions: int
    mbit: float

    @property
    def steps(self) -> tuple[int, ...]:
        """Sessions of each step; an even number, for they talk in pairs."""
        return tuple(dict.fromkeys(max(2, 2 * round(self.sessions * part / 2)) for part in _RAMP))

    @property
    def most_bytes(self) -> int:
        """Payload that is sent at most."""
        return round(sum(self.steps) * _STEP_S * self.mbit * 1e6 / 8)


@dataclass(frozen=True, slots=True)
class Step:
    """What so many sessions at once gave."""

    sessions: int
    seconds: float
    sent_bits: float
    """Payload in bit/s, all sessions together."""
    carried_bits: float
    loss_percent: float
    delay: Delay | None
    processor: float
    """Share of one processor that this program used."""
    due_bits: float
    """Payload in bit/s that was to be sent."""
    late_ms: float
    """By how much packets left late, at worst in 95 of 100 looks at the clock."""


@dataclass(frozen=True, slots=True)
class Ramping:
    """A moment of a step."""

    sessions: int
    of: int
    delay: Delay | None
    loss_percent: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """How far it went."""

    load: Load
    steps: tuple[Step, ...]
    carried: int
    """Sessions that were carried without trouble."""
    limit: Limit
    given: int = 0
    """Allocations that the server gave."""
    sentence: Sentence | None = None
    """What the server or the system said, where it said something."""


async def ramp(access: Access, load: Load) -> AsyncGenerator[Ramping | Step | Capacity, None]:
    """Yield the progress, each step as it is done, and the result.

    Only for a server whose owner asked for it. Closing the iterator stops at once and releases every allocation.
    """
    steps: list[Step] = []
    carried = 0
    async with legs(access) as held:
        run = _Run(access, load)
        for sessions in load.steps:
            if sessions > spare_files() + len(run.legs):
                yield Capacity(load, tuple(steps), carried, Limit.COMPUTER, len(run.legs))
                return
            given = await held.allocate(sessions - len(run.legs))
            refused = next((one for one in given if isinstance(one, Sentence)), None)
            refused = refused or await run.join([one for one in given if isinstance(one, Leg)])
            if refused is not None:
                total = len(run.legs) + sum(isinstance(one, Leg) for one in given)
                yield Capacity(load, tuple(steps), carried, _limit_of(refused), total, refused)
                return
            sending = asyncio.create_task(run.step())
            try:
                while not sending.done():
                    await asyncio.wait([sending], timeout=_LOOK_S)
                    yield run.look()
                step = await sending
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            steps.append(step)
            yield step
            limit = run.judge(step)
            if limit is not Limit.NONE:
                yield Capacity(load, tuple(steps), carried, limit, len(run.legs), run.gone())
                return
            carried = sessions
        yield Capacity(load, tuple(steps), carried, Limit.NONE, len(run.legs))


def _limit_of(refused: Sentence) -> Limit:
    if refused.cause in (Fault.LOCAL, Fault.NO_ROUTE):
        return Limit.COMPUTER
    return Limit.WENT_AWAY if refused.code == NO_ANSWER else Limit.REFUSED


class _Run:
    def __init__(self, access: Access, load: Load) -> None:
        self.legs: list[Leg] = []
        self._access = access
        self._load = load
        self._streams: list[Stream] = []
        self._arrival = asyncio.Event()
        self._departed: deque[tuple[float, list[int]]] = deque()
        self._due: list[int] = []
        self._before: list[tuple[int, int]] = []
        self._looked: list[int] = []
        self._moment: Ramping | None = None
        self._baseline_ms: float | None = None
        self._trouble = Limit.NONE
        self._late_s: list[float] = []

    async def join(self, fresh: Sequence[Leg]) -> Sentence | None:
        """Let the fresh ones talk in pairs; returns why they may not."""
        pairs = list(zip(fresh[::2], fresh[1::2], strict=True))
        both = [*pairs, *((other, one) for one, other in pairs)]
        replies = await asyncio.gather(*(one.bind(other.relayed) for one, other in both))
        for reply in replies:
            if not isinstance(reply, Succeeded):
                return self._access.sentence(reply)
        for one, other in both:
            stream = Stream(secrets.randbits(32), _PAYLOAD)
            other.hear = self._hearing(stream)
            self.legs.append(one)
            self._streams.append(stream)
        return None

    async def step(self) -> Step:
        """Send for one step's time, and wait for the last arrivals."""
        self._before = [(stream.sent, stream.received) for stream in self._streams]
        self._looked = [stream.received for stream in self._streams]
        self._due = [sent for sent, _ in self._before]
        self._departed.clear()
        self._late_s.clear()
        began, used = perf_counter(), process_time()
        await self._send(began)
        seconds = perf_counter() - began
        processor = (process_time() - used) / seconds
        await self._settle()
        return self._figures(seconds, processor)

    async def _send(self, began: float) -> None:
        rate = len(self._streams) * self._load.mbit * 1e6 / 8 / _PAYLOAD
        turn = 0
        ways = list(zip(self.legs, self._streams, strict=True))
        while (elapsed := perf_counter() - began) < _STEP_S:
            if self._trouble is not Limit.NONE or self.gone() is not None:
                return
            # What was missed is not caught up with: a burst would be another load than the one asked for.
            due = int(elapsed * rate)
            self._late_s.append((due - turn) / rate)
            turn = max(turn, due - int(_LOOK_S * rate))
            until = perf_counter() + _TICK_S
            while turn < due and perf_counter() < until:
                leg, stream = ways[turn % len(ways)]
                leg.send(stream.depart(perf_counter()))
                turn += 1
            await asyncio.sleep(_TICK_S if turn >= due else 0)

    async def _settle(self) -> None:
        end = perf_counter()
        while any(stream.received < stream.sent for stream in self._streams) and self.gone() is None:
            latest = max(end, *(stream.last_arrival_s or 0 for stream in self._streams))
            left = min(latest + _SETTLE_S, end + _SETTLED_S) - perf_counter()
            if left <= 0:
                return
            self._arrival.clear()
            try:
                await asyncio.wait_for(self._arrival.wait(), left)
            except TimeoutError:
                return

    def look(self) -> Ramping:
        """The state of now; notes the first sign of trouble, at which no more is sent."""
        now = perf_counter()
        fresh: list[float] = []
        for place, stream in enumerate(self._streams):
            fresh += stream.round_trips_s[self._looked[place] :]
            self._looked[place] = stream.received
        delay = media.delay(fresh)
        patience = _GRACE_S + 2 * (self._baseline_ms or LONG_MS) / 1000
        self._departed.append((now, [stream.sent for stream in self._streams]))
        while self._departed and self._departed[0][0] <= now - patience:
            self._due = self._departed.popleft()[1]
        due = sum(self._due) - sum(sent for sent, _ in self._before)
        came_before = sum(sent - received for sent, received in self._before)
        lost = sum(stream.lost_of(first) for stream, first in zip(self._streams, self._due, strict=True)) - came_before
        loss = media.loss_percent(due, due - max(lost, 0))
        if lost >= _FEWEST_LOST and loss > MOST_LOSS_PERCENT:
            self._trouble = Limit.LOSS
        elif delay is not None and self._too_long(delay):
            self._trouble = Limit.DELAY
        return Ramping(len(self._streams), self._load.sessions, delay, loss)

    def judge(self, step: Step) -> Limit:
        """Whether that step showed a limit, and whose it is."""
        if self.gone() is not None:
            return Limit.WENT_AWAY
        trouble = self._trouble
        lost = round(step.loss_percent / 100 * step.sent_bits * step.seconds / 8 / _PAYLOAD)
        if trouble is Limit.NONE and lost >= _FEWEST_LOST and step.loss_percent > MOST_LOSS_PERCENT:
            trouble = Limit.LOSS
        if trouble is Limit.NONE and step.delay is not None and self._too_long(step.delay):
            trouble = Limit.DELAY
        busy = step.processor > _BUSY or step.late_ms > _LATE_MS
        if step.sent_bits < _SHORT * step.due_bits or (trouble is not Limit.NONE and busy):
            return Limit.COMPUTER
        if self._baseline_ms is None and step.delay is not None:
            self._baseline_ms = step.delay.median_ms
        return trouble

    def gone(self) -> Sentence | None:
        """Why the server is no longer there, if it is not."""
        fault = next((leg.ended for leg in self.legs if leg.ended is not None), None)
        return None if fault is None else self._access.sentence(fault)

    def _too_long(self, delay: Delay) -> bool:
        return self._baseline_ms is not None and delay.median_ms > LONG_MS and delay.median_ms > 2 * self._baseline_ms

    def _hearing(self, stream: Stream) -> Hear:
        def hear(_peer: Address, data: bytes, now: float) -> None:
            packet = media.read(data)
            if packet is not None and packet.source == stream.source:
                stream.arrive(packet, now)
                self._arrival.set()

        return hear

    def _figures(self, seconds: float, processor: float) -> Step:
        sent = sum(stream.sent for stream in self._streams) - sum(sent for sent, _ in self._before)
        came = sum(stream.received for stream in self._streams) - sum(received for _, received in self._before)
        trips: list[float] = []
        for stream, (_, before) in zip(self._streams, self._before, strict=True):
            trips += stream.round_trips_s[before:]
        bits = 8 * _PAYLOAD / seconds
        late = media.delay(self._late_s)
        return Step(
            sessions=len(self._streams),
            seconds=seconds,
            sent_bits=sent * bits,
            carried_bits=came * bits,
            loss_percent=media.loss_percent(sent, min(came, sent)),
            delay=media.delay(trips),
            processor=processor,
            due_bits=len(self._streams) * self._load.mbit * 1e6,
            late_ms=0.0 if late is None else late.p95_ms,
        )
