"""Ports watched for as long as one likes: pulses tell that something may have changed, whole probes what it is.

Rules:
 1. A port turns open by a signed answer to a question of this moment, and by nothing else.
 2. A pulse without answer accuses nobody: the port is asked in full, again and again, before its silence is believed.
 3. An answer that came while a port was asked in full outweighs the silence of that asking.
 4. What a pulse cannot tell (a real service's own protocol, a name without address, how a port that is stopped is
    stopped) is asked in full, at a slower pace.
 5. What is kept does not grow: one observation for each probe.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence

from wizard.model.hop import Hop, HopKind
from wizard.model.port import Protocol
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement
from wizard.probes.pace import (
    PER_SECOND,
    QUIET_AFTER_S,
    QUIET_TURNS,
    TUNNELLED_PER_SECOND,
    LossSeen,
    Turns,
    quiet_turns,
)
from wizard.probes.pulse import Pulsed, Pulses
from wizard.probes.target import Target

BEAT_S = 0.05
QUIET_BEAT_S = 0.1
_PATIENT_BEATS = 2
"""How long the answer to a pulse is waited for at least: a TCP port connects on one beat, and answers on the next."""
_TOLD_EVERY_S = 0.1
"""Between two pieces of news at least: who hears them has work to do with each."""
_LATE_S = 0.1
"""A beat so late shows that other programs have the processors: then whoever answers is late, too."""
IN_FULL_EVERY_S = 1.0
IN_FULL_TIMEOUT_S = 1.0
_SERVICES_AT_ONCE = 8
"""Ports of real services that are asked in full in one go: they have better things to do."""
_STOPPED_AT_ONCE = 6
"""Stopped ports that are asked in full in one go, for how they are stopped."""
_TUNNELS = frozenset({HopKind.TUNNEL_SERVER, HopKind.TUNNEL_CLIENT})

Ask = Callable[[Sequence[Probe], float], AsyncGenerator[Observation, None]]
"""Asks in full, with that time-out."""
News = Callable[[tuple[Observation, ...]], None]
_Key = tuple[str, Protocol, int]
_Alike = tuple[str, Protocol, Outcome]


class _Port:
    __slots__ = ("answered_at", "in_question", "is_open", "known", "outcome", "probe", "pulsed", "turn")

    def __init__(self, probe: Probe, known: Observation | None, turn: int) -> None:
        self.probe = probe
        self.learn(known)
        self.turn = turn
        self.pulsed: Pulsed | None = None
        self.answered_at = -1.0
        self.in_question = False

    def learn(self, known: Observation | None) -> None:
        self.known = known
        self.outcome = known.outcome if known is not None else Outcome.NOT_CHECKED
        self.is_open = self.outcome is Outcome.ANSWERED

    @property
    def alike(self) -> _Alike:
        """What it shares with the ports that are likely to fare as it does."""
        return self.probe.enters, self.probe.protocol, self.outcome

    @property
    def is_pulsed(self) -> bool:
        """Whether a pulse can tell whether the port is as it was found."""
        if self.pulsed is None:
            return False
        by_responder = self.known is not None and self.known.stands_at is not None
        return self.probe.speaks is None or (self.is_open and by_responder)


class PortWatch:
    """Watches ports from this computer, and calls `news` with what has changed, once a beat at most."""

    def __init__(self, key: bytes, hops: Sequence[Hop], files: int, ask: Ask, news: News) -> None:
        self._hops = hops
        self._ask = ask
        self._news = news
        self._pulses = Pulses(key, hops, files)
        self._ports: dict[_Key, _Port] = {}
        self._turns: list[Turns[_Port]] = []
        self._waiting: deque[tuple[float, float, _Port]] = deque()
        self._changed: list[Observation] = []
        self._alike: set[_Alike] = set()
        self._loss = LossSeen()
        self._rtt_s = 0.0
        self._quiet_since = 0.0

    async def run(
        self, probes: Sequence[Probe], targets: Mapping[str, Target | Judgement], known: Mapping[Probe, Observation]
    ) -> None:
        """Watch until cancelled. `targets` are the literal addresses of those probes' addresses that have one."""
        self._ports = {_key(probe): _Port(probe, known.get(probe), turn) for turn, probe in enumerate(probes)}
        self.aim(targets)
        rtts = [found.rtt_ms for found in known.values() if found.rtt_ms is not None]
        self._rtt_s = min(rtts, default=0.0) / 1000
        tunnelled = [port for port in self._ports.values() if self._through_tunnel(port.probe)]
        others = [port for port in self._ports.values() if not self._through_tunnel(port.probe)]
        self._turns = [Turns(others, PER_SECOND), Turns(tunnelled, TUNNELLED_PER_SECOND)]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask_the_rest())
                await self._beat(group)
        finally:
            self._pulses.close()

    def aim(self, targets: Mapping[str, Target | Judgement]) -> None:
        """Send to these addresses from now on; an address that has none any more stays where it was."""
        for port in self._ports.values():
            target = targets.get(port.probe.address)
            if isinstance(target, Target) and (port.pulsed is None or port.pulsed.aimed.target != target):
                with contextlib.suppress(OSError):
                    port.pulsed = Pulsed(Aimed(port.probe, target))

    def _through_tunnel(self, probe: Probe) -> bool:
        crossed = {hop for hop, _ in probe.arrives}
        return probe.protocol is Protocol.UDP and any(hop.id in crossed and hop.kind in _TUNNELS for hop in self._hops)

    async def _beat(self, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        # A clock that stands still while this program is kept from running: nobody's answer is late for that.
        patient = 0.0
        self._quiet_since = before = loop.time()
        told_at = 0.0
        beat_s, stopped_turns = BEAT_S, self._stopped_turns()
        while True:
            now = loop.time()
            elapsed, before = now - before, now
            patient += min(elapsed, 2 * beat_s)
            if elapsed > beat_s + _LATE_S:
                self._loss.stumble()
            for pulsed, judgement in self._pulses.hear(now):
                self._heard(self._ports[_key(pulsed.aimed.probe)], pulsed.aimed, judgement, now)
            doubted = self._unanswered(patient, _PATIENT_BEATS * beat_s)
            if len(doubted) > 1:
                # Two at once is hardly loss.
                self._alike.update(port.alike for port in doubted)
            if doubted:
                group.create_task(self._in_full(doubted, self._loss.confirmed_s(self._rtt_s)))
            quiet = now - self._quiet_since > QUIET_AFTER_S
            beat_s = QUIET_BEAT_S if quiet else BEAT_S
            for turns in self._turns:
                turns.slowdown = self._loss.slowdown
                for port in turns.hurried():
                    self._pulse(port, now, patient)
                for port in turns.next(elapsed):
                    port.turn += 1
                    if not quiet or port.turn % (QUIET_TURNS if port.is_open else stopped_turns) == 0:
                        self._pulse(port, now, patient)
            self._hurry()
            if self._changed and now - told_at >= _TOLD_EVERY_S:
                self._quiet_since = told_at = now
                stopped_turns = self._stopped_turns()
                changed, self._changed = tuple(self._changed), []
                self._news(changed)
            await asyncio.sleep(max(0.0, now + beat_s - loop.time()))

    def _pulse(self, port: _Port, now: float, patient: float) -> None:
        if not port.is_pulsed or port.pulsed is None:
            return
        self._pulses.send(port.pulsed, now)
        if port.is_open:
            self._waiting.append((patient, now, port))

    def _heard(self, port: _Port, aimed: Aimed, judgement: Judgement, now: float) -> None:
        port.answered_at = now
        if judgement.outcome is port.outcome is Outcome.ANSWERED:
            self._loss.add(lost=False)
        known = port.known
        said = (judgement.outcome, judgement.stands_at, judgement.came_in_on)
        if known is None or said != (known.outcome, known.stands_at, known.came_in_on):
            target = aimed.target
            self._learn(port, judgement.observation(port.probe, target.address, target.source))

    def _stopped_turns(self) -> int:
        return quiet_turns(sum(not port.is_open for port in self._ports.values()))

    def _unanswered(self, patient: float, least_s: float) -> list[_Port]:
        """The open ports whose pulse was not answered in time."""
        found: list[_Port] = []
        wait_s = max(least_s, 3 * self._rtt_s)
        while self._waiting and self._waiting[0][0] + wait_s <= patient:
            _, asked_at, port = self._waiting.popleft()
            if port.answered_at < asked_at and port.is_open and not port.in_question:
                found.append(port)
        return found

    async def _ask_the_rest(self) -> None:
        """In full, in turn: what pulses cannot tell about, and how stopped ports are stopped."""
        services: deque[_Port] = deque()
        stopped: deque[_Port] = deque()
        while True:
            await asyncio.sleep(IN_FULL_EVERY_S)
            wanted = _in_turn(services, _SERVICES_AT_ONCE, [p for p in self._ports.values() if not p.is_pulsed])
            closed = [port for port in self._ports.values() if port.is_pulsed and not port.is_open]
            wanted += _in_turn(stopped, _STOPPED_AT_ONCE, closed)
            wanted = [port for port in wanted if not port.in_question]
            slowest = max((port.known.rtt_ms or 0.0 for port in wanted if port.known is not None), default=0.0)
            timeout_s = max(IN_FULL_TIMEOUT_S, 4 * slowest / 1000, self._loss.confirmed_s(self._rtt_s))
            if wanted:
                await self._in_full(wanted, timeout_s)

    async def _in_full(self, ports: Sequence[_Port], timeout_s: float) -> None:
        began = asyncio.get_running_loop().time()
        for port in ports:
            port.in_question = True
        try:
            async with contextlib.aclosing(self._ask([port.probe for port in ports], timeout_s)) as found:
                async for observation in found:
                    self._told(
                        self._ports[observation.enters, observation.protocol, observation.port], observation, began
                    )
        finally:
            for port in ports:
                port.in_question = False

    def _told(self, port: _Port, observation: Observation, began: float) -> None:
        if observation.outcome is Outcome.ANSWERED:
            if port.is_open and port.is_pulsed:
                self._loss.add(lost=True)
        elif port.answered_at > began:
            return
        if port.known is None or _says(observation) != _says(port.known):
            self._learn(port, observation)

    def _learn(self, port: _Port, observation: Observation) -> None:
        self._alike.add(port.alike)
        port.learn(observation)
        self._changed.append(observation)

    def _hurry(self) -> None:
        """What befell one port has often befallen those that were as it was."""
        if self._alike:
            for turns in self._turns:
                turns.hurry(port for port in turns.items if port.alike in self._alike)
            self._alike.clear()


def _key(probe: Probe) -> _Key:
    return probe.enters, probe.protocol, probe.port


def _says(observation: Observation) -> tuple[object, ...]:
    said = observation.outcome is Outcome.ANSWERED or observation.outcome is Outcome.MISDIRECTED
    return (observation.outcome, *((observation.stands_at, observation.came_in_on) if said else (observation.error,)))


def _in_turn(queue: deque[_Port], count: int, wanted: Iterable[_Port]) -> list[_Port]:
    """The next of those wanted, each before any comes again."""
    left = dict.fromkeys(wanted)
    found: list[_Port] = []
    if not queue:
        queue.extend(left)
    while queue and len(found) < count:
        port = queue.popleft()
        if port in left:
            found.append(port)
    return found
