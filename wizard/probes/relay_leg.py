"""Relayed addresses that are held for as long as a test needs them, and released together at its end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from time import perf_counter

from wizard.probes.conversation import Conversation, Endpoint, Happening, Reply, converse, new_client
from wizard.probes.fault import LinkFault
from wizard.probes.server_verdict import Sentence, verdict_of
from wizard.wire import turn
from wizard.wire.attribute import Address
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.turn_event import Received, Succeeded
from wizard.wire.uri import Transport

_FAMILIES = {None: None, 4: turn.IPV4, 6: turn.IPV6}
_AT_ONCE = 20
"""Allocations asked for at the same time."""

Hear = Callable[[Address, bytes, float], None]
"""Told of a peer's data: whose, what, and when it came on `perf_counter`'s clock."""


@dataclass(frozen=True, slots=True)
class Access:
    """A TURN server, and as whom it is asked for which family of relayed address."""

    endpoint: Endpoint
    credentials: Credentials
    tls: ssl.SSLContext | None = None
    family: int | None = None
    """4, 6, or None for what the server gives by itself."""
    timing: Timing = field(default_factory=Timing)

    def sentence(self, reply: Reply) -> Sentence:
        """What the server's reply means."""
        stream = self.endpoint.transport is not Transport.UDP
        return verdict_of(reply, has_credentials=True, stream=stream)


class Leg:
    """One relayed address of ours. `hear` may be set to hear what peers send to it."""

    def __init__(self) -> None:
        self.hear: Hear | None = None
        self._conversation: Conversation | None = None
        self._peer: Address | None = None

    @property
    def conversation(self) -> Conversation:
        """The conversation that holds it."""
        assert self._conversation is not None
        return self._conversation

    @property
    def relayed(self) -> Address:
        """The relayed address, as the server says it."""
        allocation = self.conversation.client.allocation
        assert allocation is not None
        return allocation.relayed[0]

    @property
    def mapped(self) -> Address | None:
        """Where the server sees us."""
        allocation = self.conversation.client.allocation
        return None if allocation is None else allocation.mapped

    @property
    def ended(self) -> LinkFault | None:
        """Why the server is no longer there, if it is not."""
        return self.conversation.ended

    async def bind(self, peer: Address) -> Reply:
        """Have a channel to the peer, to which `send` then sends."""
        reply = await self.conversation.ask(lambda now: self.conversation.client.channel_bind(now, peer))
        if isinstance(reply, Succeeded):
            self._peer = peer
        return reply

    def send(self, data: bytes) -> None:
        """Send to the peer that was bound."""
        assert self._peer is not None
        self.conversation.client.send(self._peer, data)
        self.conversation.flush()

    def told(self, happening: Happening) -> None:
        """Pass on what a peer sent."""
        now = perf_counter()
        if self.hear is not None and isinstance(happening, Received):
            self.hear(happening.peer, happening.data, now)

    def begin(self, conversation: Conversation) -> None:
        """Take the conversation that will hold it."""
        self._conversation = conversation


class Legs:
    """The relayed addresses of one test. Made by `legs`."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def allocate(self, count: int) -> list[Leg | Sentence]:
        """That many more relayed addresses; in place of one that the server does not give, why."""
        found: list[Leg | Sentence] = []
        while len(found) < count:
            found += await self._some(min(_AT_ONCE, count - len(found)))
            if any(isinstance(one, Sentence) for one in found):
                break
        return found

    async def release(self, *, at_once: bool = False) -> None:
        """Release every address; `at_once` waits for the server no longer than it must."""
        self._over.set()
        if at_once:
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _some(self, count: int) -> list[Leg | Sentence]:
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Leg | Sentence]] = [loop.create_future() for _ in range(count)]
        for future in futures:
            task = asyncio.create_task(self._hold(future))
            task.add_done_callback(functools.partial(_never_held, future))
            self._tasks.append(task)
        return list(await asyncio.gather(*futures))

    async def _hold(self, ready: asyncio.Future[Leg | Sentence]) -> None:
        access, leg = self.access, Leg()
        client = new_client(access.endpoint.transport, access.credentials, access.timing)
        async with converse(access.endpoint, client, access.tls, leg.told) as talk:
            if isinstance(talk, LinkFault):
                _settle(ready, access.sentence(talk))
                return
            reply = await talk.ask(lambda now: client.allocate(now, family=_FAMILIES[access.family]))
            if not isinstance(reply, Succeeded):
                _settle(ready, access.sentence(reply))
                return
            leg.begin(talk)
            _settle(ready, leg)
            await self._over.wait()


def _settle(ready: asyncio.Future[Leg | Sentence], outcome: Leg | Sentence) -> None:
    if not ready.done():
        ready.set_result(outcome)


def _never_held(ready: asyncio.Future[Leg | Sentence], task: asyncio.Task[None]) -> None:
    if ready.done():
        return
    fault = None if task.cancelled() else task.exception()
    if fault is None:
        ready.cancel()
    else:
        ready.set_exception(fault)


@contextlib.asynccontextmanager
async def legs(access: Access) -> AsyncIterator[Legs]:
    """Relayed addresses on that server; every one is released at the end, also when the test is cancelled."""
    held = Legs(access)
    try:
        yield held
    except BaseException:
        await held.release(at_once=True)
        raise
    await held.release()
