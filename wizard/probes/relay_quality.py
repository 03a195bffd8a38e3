"""Whether a TURN server carries a call: packets as of a call between two relayed addresses, both ways.

Each packet leaves this computer, crosses both relays and comes back to this computer, so that its time on the way is
one round trip between here and the server.
"""

from __future__ import annotations

import asyncio
import enum
import secrets
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from time import perf_counter

from wizard.probes import relay_ports
from wizard.probes.relay_leg import Access, Leg, legs
from wizard.probes.relay_ports import PORTS, Survey
from wizard.probes.server_verdict import Sentence
from wizard.wire import media
from wizard.wire.attribute import Address
from wizard.wire.media import Delay, Figures, Stream
from wizard.wire.turn_event import Succeeded

DEFAULT_S = 5.0
LONGEST_S = 240.0
"""A permission lasts 300 s (RFC 8656 section 9)."""
VOICE_BYTES = 160
"""20 ms of telephone speech (RFC 3551 section 4.5.14)."""
VIDEO_BYTES = 1000
_EVERY_S = 0.020
_HALF_S = _EVERY_S / 2
_PROGRESS_S = 0.2
_SILENT_S = 3.0
"""Longer without any packet, and the server is taken to have gone."""
_GRACE_S = 1.5
"""How long after the last arrival the next one is waited for."""
_LATEST_S = 5.0
"""How long after the end the last one is waited for."""
_RESERVE_S = 15.0
"""An allocation must outlive the test by so much."""


@dataclass(frozen=True, slots=True)
class Options:
    """How long to send, and how many relayed addresses to look at beforehand."""

    seconds: float = DEFAULT_S
    ports: int = PORTS


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of the test, for a plot: what came since the last one, and the state of the whole."""

    at_s: float
    of_s: float
    delay: Delay | None
    """Of the small packets that came since the last moment."""
    loss_percent: float
    """Of all packets whose time was up, so far."""
    jitter_ms: float


class Halt(enum.StrEnum):
    """Why there are no figures, or none of the whole time."""

    NO_ALLOCATION = "no-allocation"
    NO_SECOND_ALLOCATION = "no-second-allocation"
    NO_CHANNEL = "no-channel"
    """The server does not let one relayed address send to the other."""
    WENT_AWAY = "went-away"
    FELL_SILENT = "fell-silent"


@dataclass(frozen=True, slots=True)
class Halted:
    """Why it ended early, and what the server or the system said."""

    halt: Halt
    sentence: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One direction's figures."""

    name: str
    voice: Figures
    video: Figures

    @property
    def loss_percent(self) -> float:
        """Of all its packets."""
        return media.loss_of([self.voice, self.video])


@dataclass(frozen=True, slots=True)
class Quality:
    """Everything that was measured."""

    survey: Survey
    relayed: tuple[Address, ...]
    """The two that the packets went between; none if there were not two."""
    ways: tuple[Way, ...] = ()
    delay: Delay | None = None
    """Of the small packets of both directions."""
    seconds: float = 0.0
    """How long packets were sent."""
    late_ms: float = 0.0
    """By how much this computer sent a packet late, at worst in 95 of 100."""
    halted: Halted | None = None

    @property
    def loss_percent(self) -> float:
        """The worse direction's."""
        return max((way.loss_percent for way in self.ways), default=0.0)

    @property
    def jitter_ms(self) -> float | None:
        """The worse direction's, of the small packets."""
        return max((way.voice.jitter_ms for way in self.ways if way.voice.jitter_ms is not None), default=None)

    @property
    def reordered(self) -> int:
        """Packets that came after a later one."""
        return sum(figures.reordered for way in self.ways for figures in (way.voice, way.video))

    @property
    def received(self) -> int:
        """Packets that came."""
        return sum(figures.received for way in self.ways for figures in (way.voice, way.video))

    @property
    def throughput_bits(self) -> float:
        """Payload that came, in bit/s, both directions together."""
        carried = sum(figures.payload_bytes for way in self.ways for figures in (way.voice, way.video))
        return 8 * carried / self.seconds if self.seconds else 0.0


async def measure(access: Access, options: Options | None = None) -> AsyncGenerator[Survey | Progress | Quality, None]:
    """Yield the relayed ports as seen, the progress several times a second, and the result.

    Closing the iterator releases every allocation.
    """
    options = options or Options()
    async with legs(access) as held:
        given = await held.allocate(max(options.ports, 2))
        seen = await relay_ports.survey(access.endpoint.address, given)
        yield seen
        pair = [one for one in given if isinstance(one, Leg)][:2]
        missing = Halted(Halt.NO_SECOND_ALLOCATION if pair else Halt.NO_ALLOCATION, seen.refused)
        halted = missing if len(pair) < 2 else await _joined(access, *pair)
        if halted is not None:
            yield Quality(seen, (), halted=halted)
            return
        run = _Run(access, seen, pair[0], pair[1], options.seconds)
        sending = asyncio.create_task(run.all())
        try:
            while not sending.done():
                await asyncio.wait([sending], timeout=_PROGRESS_S)
                yield run.progress()
            halted = await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        yield run.result(halted)


async def _joined(access: Access, one: Leg, other: Leg) -> Halted | None:
    """Bind a channel from each to the other; returns why that is not possible."""
    replies = await asyncio.gather(one.bind(other.relayed), other.bind(one.relayed))
    bad = next((reply for reply in replies if not isinstance(reply, Succeeded)), None)
    return None if bad is None else Halted(Halt.NO_CHANNEL, access.sentence(bad))


class _Direction:
    """Two streams from one relayed address to the other."""

    def __init__(self, name: str, sender: Leg, receiver: Leg) -> None:
        self.name = name
        self.arrival = asyncio.Event()
        self._sender = sender
        first = secrets.randbits(31)
        self.voice = Stream(first, VOICE_BYTES)
        self.video = Stream(first + 1, VIDEO_BYTES)
        self._streams = {stream.source: stream for stream in (self.voice, self.video)}
        receiver.hear = self._hear

    @property
    def streams(self) -> tuple[Stream, Stream]:
        """The small packets and the large ones."""
        return self.voice, self.video

    def send(self, stream: Stream) -> None:
        """Send that stream's next packet."""
        self._sender.send(stream.depart(perf_counter()))

    def _hear(self, _peer: Address, data: bytes, now: float) -> None:
        packet = media.read(data)
        if packet is not None and (stream := self._streams.get(packet.source)) is not None:
            stream.arrive(packet, now)
            self.arrival.set()


class _Run:
    def __init__(self, access: Access, seen: Survey, one: Leg, other: Leg, seconds: float) -> None:
        self._access = access
        self._survey = seen
        self._legs = (one, other)
        self._directions = (_Direction("first-to-second", one, other), _Direction("second-to-first", other, one))
        self._streams = [stream for direction in self._directions for stream in direction.streams]
        lifetime = min(leg.conversation.client.allocation.lifetime_s for leg in (one, other))  # type: ignore[union-attr]
        self._seconds = max(1.0, min(seconds, LONGEST_S, lifetime - _RESERVE_S))
        self._began = perf_counter()
        self._sent_s = 0.0
        self._late_s: list[float] = []
        self._plotted = [0] * len(self._directions)
        self._departed: deque[tuple[float, list[int]]] = deque()
        self._due = [0] * len(self._streams)

    async def all(self) -> Halted | None:
        """Send for the time that was asked for, and wait for the last arrivals."""
        halted = await self._send()
        self._sent_s = perf_counter() - self._began
        return halted or await self._settle()

    async def _send(self) -> Halted | None:
        for place in range(round(self._seconds / _HALF_S)):
            due = self._began + place * _HALF_S
            await asyncio.sleep(max(due - perf_counter(), 0))
            now = perf_counter()
            if (gone := self._gone()) is not None:
                return gone
            if now - max(self._began, *(stream.last_arrival_s or 0 for stream in self._streams)) > _SILENT_S:
                return Halted(Halt.FELL_SILENT)
            self._late_s.append(now - due)
            for direction in self._directions:
                direction.send(direction.streams[place % 2])
        return None

    async def _settle(self) -> Halted | None:
        end = perf_counter()
        for direction in self._directions:
            while any(stream.received < stream.sent for stream in direction.streams):
                latest = max(end, *(stream.last_arrival_s or 0 for stream in self._streams))
                left = min(latest + _GRACE_S, end + _LATEST_S) - perf_counter()
                if left <= 0:
                    break
                direction.arrival.clear()
                try:
                    await asyncio.wait_for(direction.arrival.wait(), left)
                except TimeoutError:
                    continue
        return self._gone()

    def _gone(self) -> Halted | None:
        fault = next((leg.ended for leg in self._legs if leg.ended is not None), None)
        return None if fault is None else Halted(Halt.WENT_AWAY, self._access.sentence(fault))

    def progress(self) -> Progress:
        """The state of now."""
        now = perf_counter()
        self._departed.append((now, [stream.sent for stream in self._streams]))
        while self._departed and self._departed[0][0] <= now - _GRACE_S:
            self._due = self._departed.popleft()[1]
        lost = sum(stream.lost_of(due) for stream, due in zip(self._streams, self._due, strict=True))
        fresh: list[float] = []
        for place, direction in enumerate(self._directions):
            fresh += direction.voice.round_trips_s[self._plotted[place] :]
            self._plotted[place] = direction.voice.received
        return Progress(
            at_s=now - self._began,
            of_s=self._seconds,
            delay=media.delay(fresh),
            loss_percent=media.loss_percent(sum(self._due), sum(self._due) - lost),
            jitter_ms=max(direction.voice.jitter_ms for direction in self._directions),
        )

    def result(self, halted: Halted | None) -> Quality:
        """What was measured."""
        late = media.delay(self._late_s)
        return Quality(
            survey=self._survey,
            relayed=(self._legs[0].relayed, self._legs[1].relayed),
            ways=tuple(Way(d.name, d.voice.figures(), d.video.figures()) for d in self._directions),
            delay=media.delay(trip for d in self._directions for trip in d.voice.round_trips_s),
            seconds=self._sent_s,
            late_ms=0.0 if late is None else late.p95_ms,
            halted=halted,
        )
