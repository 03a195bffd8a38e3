"""The sockets on another host, as this computer's probers use them. `far_sockets` is the other end."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from wizard.observation import Outcome
from wizard.probes import icmp
from wizard.probes.answer import Judgement, local_fault
from wizard.probes.carrier import Failed, Unsent
from wizard.probes.network_error import NetworkError
from wizard.probes.sockets import Sockets
from wizard.probes.stream import Stream
from wizard.probes.target import Target
from wizard.probes.tcp_dial import NotConnectedError
from wizard.probes.udp_socket import Heard
from wizard.wire.probe import HEADER

_PING_S = 0.25
_IDLE_PING_S = 5.0
_PINGS_KEPT = 1024


class FarEndError(Exception):
    """The other end said what our own sockets cannot have said."""


class FarEnd:
    """Gives orders through `send`, which takes whole lines; `take` wants each line that comes back.

    `name` is the host in words. What is under way when the host is lost never ends: whoever waits for it must also
    wait for `lost`.
    """

    def __init__(self, name: str, send: Callable[[bytes], None]) -> None:
        self.name = name
        self.ready = asyncio.Event()
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._carriers: dict[int, FarCarrier] = {}
        self._streams: dict[int, FarStream] = {}
        self._names: dict[int, asyncio.Future[tuple[str | None, str | None, int, str]]] = {}
        self._pings: dict[int, tuple[float, asyncio.Event]] = {}
        self._lags: deque[tuple[float, float]] = deque(maxlen=_PINGS_KEPT)
        self._busy = 0
        self._stirred = asyncio.Event()
        self._gone = asyncio.Event()
        self._why = ""
        self._told = False
        self._capacity = 0

    @property
    def sockets(self) -> Sockets:
        """Its sockets. Only once it is ready."""
        return Sockets(self.carry, self.connect, self._capacity, self._told)

    @property
    def why_lost(self) -> str | None:
        """In words, why there is nobody at the other end any more; None while there is."""
        return self._why if self._gone.is_set() else None

    async def lost(self) -> None:
        """Returns when the host is lost."""
        await self._gone.wait()

    def lose(self, why: str) -> None:
        """There is nobody at the other end any more."""
        if not self._gone.is_set():
            self._why = why
            self._gone.set()

    def order(self, *words: object) -> None:
        """Have something done."""
        if not self._gone.is_set():
            self._send(json.dumps(words).encode() + b"\n")

    def take(self, line: bytes) -> None:
        """What the other end says. Raises FarEndError."""
        try:
            self._take(json.loads(line))
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
            raise FarEndError from None

    def _take(self, said: Any) -> None:
        word, *rest = said
        match word:
            case "hello":
                self._told, self._capacity = bool(rest[0]), int(rest[1])
                self.ready.set()
            case "pong":
                sent, event = self._pings.pop(rest[0])
                self._lags.append((self._loop.time(), self._loop.time() - sent))
                event.set()
            case "named":
                waiting = self._names.pop(rest[0], None)
                if waiting is not None and not waiting.done():
                    address, own = (None if text is None else _unmapped(text) for text in rest[1:3])
                    waiting.set_result((address, own, int(rest[3]), str(rest[4])))
            case "heard" | "told" | "unsent" if rest[0] in self._carriers:
                self._carriers[rest[0]].take(word, rest[1:])
            case "dialled" | "undialled" | "read" | "end" if rest[0] in self._streams:
                self._streams[rest[0]].take(word, rest[1:])

    async def keep_time(self) -> None:
        """Ask again and again whether the other end is there, and note how long an answer takes."""
        while not self._gone.is_set():
            self._ping()
            self._stirred.clear()
            try:
                async with asyncio.timeout(_PING_S if self._busy else _IDLE_PING_S):
                    await self._stirred.wait()
            except TimeoutError:
                pass

    @asynccontextmanager
    async def timed(self) -> AsyncIterator[Callable[[], float]]:
        """Within, `lag()` is the longest time that an order and the word of it took since the beginning, in seconds."""
        began = self._loop.time()
        self._busy += 1
        self._stirred.set()

        def lag() -> float:
            now = self._loop.time()
            waiting = [now - sent for sent, _ in self._pings.values()]
            return max([0.0, *waiting, *(took for at, took in self._lags if at >= began)])

        try:
            yield lag
        finally:
            self._busy -= 1

    async def catch_up(self) -> None:
        """Returns when everything is told that the host had heard by now."""
        await self._ping().wait()

    async def target(self, host: str) -> Target | Judgement:
        """The literal address of `host` as that host's resolver has it, or why there is none to send to."""
        number = next(self._numbers)
        self._names[number] = self._loop.create_future()
        try:
            self.order("name", number, host)
            address, own, fault, words = await self._names[number]
        finally:
            self._names.pop(number, None)
        if address is None:
            return Judgement(Outcome.FAILED, error=f"{host} could not be resolved on {self.name}: {words}")
        if own is None:
            return local_fault(OSError(fault, words), address, self.name)
        return Target(address, own, f"{own}/{128 if ':' in own else 32}", self.name)

    def carry(self, target: Target, ports: frozenset[int], heard: Heard, failed: Failed) -> FarCarrier:
        """UDP sockets there."""
        number = next(self._numbers)
        carrier = self._carriers[number] = FarCarrier(self, number, target, ports, heard, failed)
        return carrier

    @asynccontextmanager
    async def connect(self, target: Target, port: int, segment: int | None = None) -> AsyncIterator[Stream]:
        """A TCP connection from there, which announces that segment size. Raises NotConnectedError."""
        number = next(self._numbers)
        stream = self._streams[number] = FarStream(self, number)
        try:
            self.order("dial", number, target.address, port, segment)
            await stream.connected
            yield stream
        finally:
            del self._streams[number]
            stream.connected.cancel()
            self.order("hang", number)

    def forget(self, number: int) -> None:
        """A carrier is closed."""
        self._carriers.pop(number, None)

    def _ping(self) -> asyncio.Event:
        number = next(self._numbers)
        event = asyncio.Event()
        self._pings[number] = (self._loop.time(), event)
        self.order("ping", number)
        return event


class FarCarrier:
    """Sends datagrams to one address from another host."""

    def __init__(
        self, far: FarEnd, number: int, target: Target, ports: frozenset[int], heard: Heard, failed: Failed
    ) -> None:
        self._far = far
        self._number = number
        self._heard = heard
        self._failed = failed
        self._sent_at: dict[bytes, float] = {}
        far.order("udp", number, target.address, sorted(ports))

    def send(self, port: int, data: bytes) -> None:
        """Have it sent. What becomes of it is told later."""
        self._sent_at[data[8 : HEADER.size]] = perf_counter()
        self._far.order("send", self._number, port, _text(data))

    def done(self, port: int) -> None:
        """Nothing more is sent to that port."""
        self._far.order("done", self._number, port)

    async def close(self) -> None:
        """Have the sockets closed."""
        self._far.forget(self._number)
        self._far.order("shut", self._number)

    def take(self, word: str, rest: list[Any]) -> None:
        """What happened to the datagrams."""
        match word:
            case "heard":
                port, text, took = int(rest[0]), rest[1], rest[2]
                data = base64.b64decode(text)
                sent = self._sent_at.get(data[8 : HEADER.size])
                # As if it had been sent from here: the way between the two hosts is no part of the round trip.
                self._heard(port, data, perf_counter() if sent is None or took is None else sent + float(took))
            case "told":
                meant = icmp.read(_network_error(rest))
                if meant is not None:
                    self._failed(meant)
            case "unsent":
                self._failed(Unsent(int(rest[0]), _os_error(*rest[1:])))


class FarStream:
    """A TCP connection of another host."""

    def __init__(self, far: FarEnd, number: int) -> None:
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._far = far
        self._number = number
        self._chunks: asyncio.Queue[bytes | OSError] = asyncio.Queue()
        self._wrote_at = 0.0
        self._under_way_s = 0.0

    async def send(self, data: bytes) -> None:
        """Have it sent."""
        self._wrote_at = perf_counter()
        self._far.order("write", self._number, _text(data))

    async def receive(self) -> bytes:
        """The next bytes, none at the end. Raises OSError."""
        found = await self._chunks.get()
        if isinstance(found, bytes) and found:
            return found
        self._chunks.put_nowait(found)
        if isinstance(found, OSError):
            raise found
        return b""

    def now(self) -> float:
        """By the host's clock: what the words between the two took is left out."""
        return perf_counter() - self._under_way_s

    def take(self, word: str, rest: list[Any]) -> None:
        """What happened on the connection."""
        match word:
            case "dialled" if not self.connected.done():
                self.connected.set_result(None)
            case "undialled" if not self.connected.done():
                fault, words, told = rest
                errors = None if told is None else [_network_error(error) for error in told]
                self.connected.set_exception(NotConnectedError(_os_error(fault, words), errors))
            case "read":
                text, took = rest
                if self._wrote_at:
                    self._under_way_s = perf_counter() - self._wrote_at - float(took)
                self._chunks.put_nowait(base64.b64decode(text))
            case "end":
                fault, words = rest
                self._chunks.put_nowait(_os_error(fault, words) if fault else b"")


def _os_error(number: Any, words: Any) -> OSError:
    return OSError(int(number), str(words))


def _network_error(parts: Any) -> NetworkError:
    *numbers, offender = parts
    port, number, origin, kind, code = map(int, numbers)
    return NetworkError(port, number, origin, kind, code, str(offender))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unmapped(address: str) -> str:
    ip = ipaddress.ip_address(address)
    return str(getattr(ip, "ipv4_mapped", None) or ip)
