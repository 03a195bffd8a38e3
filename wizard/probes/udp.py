"""UDP ports, asked all at once: signed probes, and the real service's own protocol where one is named."""

from __future__ import annotations

import asyncio
import errno
import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from wizard.model.hop import Hop
from wizard.model.port import Speaks
from wizard.observation import Outcome
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement, hear, judge, local_fault, new_transaction
from wizard.probes.carrier import Carrier, Carry, Failed, Unsent
from wizard.probes.icmp import IcmpError, blocked_here
from wizard.probes.persistence import Loss
from wizard.probes.target import Target
from wizard.probes.udp_socket import Heard
from wizard.wire.probe import HEADER, Answer, request

if TYPE_CHECKING:
    from wizard.probes.stun_service import Ask

_BURST = 20
_PER_SECOND = 2000
"""Requests a second at most: with 240 bytes each, 4.6 Mbit/s, which a home uplink carries."""
_PASSING_FAULTS = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM, errno.EPERM})
"""Faults of one request that the next may not meet. EPERM is what a local filter that drops some packets gives."""
_BELIEVED_ERRORS = 2
_RELEASE_TIMES_S = (0.1, 0.2, 0.4)

Decided = Callable[[Aimed, Judgement], None]


@dataclass(slots=True, eq=False)
class _Port:
    aimed: Aimed
    carrier: Carrier
    loss: Loss
    asks: tuple[Ask, ...]
    """What the real service is asked besides the signed probe."""
    started: float = 0.0
    attempts: int = 0
    sent: int = 0
    """Requests that left this computer."""
    fault: OSError | None = None
    alien: str | None = None
    errors: Counter[Outcome] = field(default_factory=Counter)
    last_error: Outcome | None = None
    attempts_at_error: int = 0
    """How many attempts had been made when the last ICMP error was counted."""
    transactions: list[bytes] = field(default_factory=list)
    decided: bool = False


@dataclass(frozen=True, slots=True)
class _Sent:
    port: _Port
    ask: Ask | None
    attempt: int
    at: float


class UdpProber:
    """Asks UDP ports until each is decided. `decided` is called once for each."""

    def __init__(
        self, key: bytes, vantage: str, hops: Sequence[Hop], timeout_s: float, carry: Carry, decided: Decided
    ) -> None:
        self._key = key
        self._vantage = vantage
        self._hops = hops
        self._timeout_s = timeout_s
        self._carry = carry
        self._decided = decided
        self._carriers: dict[Target, Carrier] = {}
        self._sent: dict[bytes, _Sent] = {}
        self._releases: dict[bytes, tuple[_Port, bytes]] = {}
        self._open = 0
        self._idle = asyncio.Event()

    async def run(self, ports: Sequence[Aimed], losses: Mapping[str, Loss]) -> None:
        """Ask `ports`; `losses` holds what is known of each entry. Returns when all are decided."""
        loop = asyncio.get_running_loop()
        try:
            agenda = self._agenda(ports, losses)
            self._open = len(agenda)
            while agenda and self._open:
                burst = 0
                while agenda and burst < _BURST and agenda[0][0] <= loop.time():
                    _, order, port = heapq.heappop(agenda)
                    if not port.decided:
                        burst += 1
                        when = self._turn(port, loop.time())
                        if when is not None:
                            heapq.heappush(agenda, (when, order, port))
                pause = burst / _PER_SECOND
                if agenda:
                    pause = max(pause, agenda[0][0] - loop.time())
                if self._open:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await self._idle.wait()
            await self._released()
        finally:
            for carrier in self._carriers.values():
                await carrier.close()

    def _agenda(self, ports: Sequence[Aimed], losses: Mapping[str, Loss]) -> list[tuple[float, int, _Port]]:
        by_target: dict[Target, list[Aimed]] = {}
        for aimed in ports:
            by_target.setdefault(aimed.target, []).append(aimed)
        agenda: list[tuple[float, int, _Port]] = []
        for target, aimed_there in by_target.items():
            here: dict[int, list[_Port]] = {}
            numbers = frozenset(aimed.probe.port for aimed in aimed_there)
            try:
                carrier = self._carry(target, numbers, self._hearer(here), self._failer(here))
            except OSError as error:
                for aimed in aimed_there:
                    self._decided(aimed, local_fault(error, target.address, target.sender))
                continue
            self._carriers[target] = carrier
            for aimed in aimed_there:
                port = _Port(aimed, carrier, losses[aimed.probe.enters], _asks(aimed.probe.speaks))
                here.setdefault(aimed.probe.port, []).append(port)
                agenda.append((0.0, len(agenda), port))
        return agenda

    def _turn(self, port: _Port, now: float) -> float | None:
        """Send the next request of `port`, or believe its silence. Returns when its next turn is."""
        if port.attempts == 0:
            port.started = now
        elif now >= port.loss.deadline(port.started, port.attempts, self._timeout_s):
            self._decide(port, _at_deadline(port))
            return None
        self._ask(port)
        if port.decided:
            return None
        following = port.loss.next_attempt(port.started, now, port.attempts, self._timeout_s)
        return following or port.loss.deadline(port.started, port.attempts, self._timeout_s)

    def _ask(self, port: _Port) -> None:
        port.attempts += 1
        probe = port.aimed.probe
        transaction = new_transaction()
        self._send(port, None, transaction, request(self._key, transaction, self._vantage, probe.enters, probe.port))
        # Most TURN servers answer Binding, which leaves nothing to give back: that is asked alone at first.
        for ask in port.asks[: port.attempts]:
            transaction = new_transaction()
            self._send(port, ask, transaction, ask.request(transaction))

    def _send(self, port: _Port, ask: Ask | None, transaction: bytes, data: bytes) -> None:
        if port.decided:
            return
        self._sent[transaction] = _Sent(port, ask, port.attempts, perf_counter())
        port.transactions.append(transaction)
        try:
            port.carrier.send(port.aimed.probe.port, data)
        except OSError as error:
            self._not_sent(port, error)
        else:
            port.sent += 1

    def _not_sent(self, port: _Port, fault: OSError) -> None:
        port.fault = fault
        if fault.errno not in _PASSING_FAULTS:
            target = port.aimed.target
            self._decide(port, local_fault(fault, target.address, target.sender))

    def _hearer(self, here: Mapping[int, list[_Port]]) -> Heard:
        def heard(number: int, data: bytes, at: float) -> None:
            transaction = data[8 : HEADER.size]
            self._releases.pop(transaction, None)
            sent = self._sent.get(transaction)
            if sent is not None and sent.port in here.get(number, ()):
                self._learn(sent, transaction, data, at)
                return
            for port in here.get(number, ()):
                words = hear(self._key, b"", data)
                if isinstance(words, str):
                    port.alien = words

        return heard

    def _learn(self, sent: _Sent, transaction: bytes, data: bytes, at: float) -> None:
        port = sent.port
        if sent.ask is not None and sent.ask.allocated(data):
            self._give_back(port)
        if port.decided:
            return
        rtt_ms = (at - sent.at) * 1000
        answer = hear(self._key, transaction, data) if sent.ask is None else None
        if isinstance(answer, Answer):
            judgement = judge(port.aimed.probe, answer, self._hops, rtt_ms)
        elif port.asks:
            # A real server may pass over our signature and answer the Binding in it.
            judgement = (sent.ask or port.asks[0]).reply(transaction, data, rtt_ms)
        else:
            judgement = Judgement(Outcome.ALIEN, error=answer)
        if judgement.outcome is Outcome.ALIEN:
            port.alien = judgement.error
        else:
            port.loss.answered(sent.attempt, rtt_ms / 1000, asyncio.get_running_loop().time())
            self._decide(port, judgement)

    def _failer(self, here: Mapping[int, list[_Port]]) -> Failed:
        def failed(error: IcmpError | Unsent) -> None:
            for port in here.get(error.port, ()):
                if isinstance(error, Unsent):
                    port.sent -= 1
                    self._not_sent(port, error.fault)
                    continue
                target = port.aimed.target
                here_blocked = blocked_here(error, target.address, target.own, target.sender)
                if here_blocked is not None:
                    self._decide(port, here_blocked)
                # One error is not yet a fact: it may be about to pass, and asked again the port may answer.
                elif port.attempts > port.attempts_at_error:
                    port.attempts_at_error = port.attempts
                    port.errors[error.outcome] += 1
                    port.last_error = error.outcome
                    if port.errors[error.outcome] >= _BELIEVED_ERRORS and port.alien is None:
                        self._decide(port, Judgement(error.outcome))

        return failed

    def _give_back(self, port: _Port) -> None:
        from wizard.probes.stun_service import Ask

        transaction = new_transaction()
        self._releases[transaction] = (port, Ask.RELEASE.request(transaction))
        self._release(transaction)

    def _release(self, transaction: bytes) -> None:
        port, data = self._releases[transaction]
        with suppress(OSError):
            port.carrier.send(port.aimed.probe.port, data)

    async def _released(self) -> None:
        for pause in _RELEASE_TIMES_S:
            if not self._releases:
                return
            await asyncio.sleep(pause)
            for transaction in list(self._releases):
                self._release(transaction)

    def _decide(self, port: _Port, judgement: Judgement) -> None:
        if port.decided:
            return
        port.decided = True
        if not port.asks:
            # What was asked of a TURN server may yet be granted, and must then be given back.
            for transaction in port.transactions:
                self._sent.pop(transaction, None)
            port.carrier.done(port.aimed.probe.port)
        asked_ms = (asyncio.get_running_loop().time() - port.started) * 1000
        self._decided(port.aimed, replace(judgement, asked_ms=asked_ms))
        self._open -= 1
        if self._open == 0:
            self._idle.set()


def _asks(speaks: Speaks | None) -> tuple[Ask, ...]:
    if speaks is None or not speaks.over_udp:
        return ()
    # Loads aioice's codec, which few runs need.
    from wizard.probes.stun_service import asks_of

    return asks_of(speaks)


def _at_deadline(port: _Port) -> Judgement:
    if port.alien is not None:
        return Judgement(Outcome.ALIEN, error=port.alien)
    if port.last_error is not None:
        return Judgement(port.last_error)
    if port.sent == 0 and port.fault is not None:
        return local_fault(port.fault, port.aimed.target.address, port.aimed.target.sender)
    return Judgement(Outcome.SILENT)
