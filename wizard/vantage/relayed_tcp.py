"""TCP probes over connections that a relayed address opens (RFC 6062)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import perf_counter

from wizard.model.hop import Hop
from wizard.observation import Outcome
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement
from wizard.probes.conversation import Conversation, Happening, Reply, converse, new_client
from wizard.probes.fault import LinkFault
from wizard.probes.persistence import Loss
from wizard.probes.question import NoQuestion, Question, SignedQuestion, service_question
from wizard.vantage.relay_server import RelayServer, refusal
from wizard.wire.attribute import Attribute
from wizard.wire.request import Timing
from wizard.wire.turn_event import Refused, Succeeded, Tunnelled, Unanswered

_BURST, _PAUSE_S = 20, 0.04
"""500 connections a second at most are asked of the server."""
_PIPES = 24
"""Connections to the server at one time, each the pipe of one connection that the relay made."""
_WATCH_S = 1.5
"""A proxy without back end hangs up sooner than that on a connection that says nothing; services wait longer."""
_AT_ONCE_S = 2.5
_TIMED_OUT_S = 10.0
"""447 does not say why. A refusal takes a round trip, a host that nobody answers for 3 s of ARP or neighbour
discovery, silence 30 s in coturn."""
_SYN_TIMES_S = (0.9, 2.9, 6.9, 14.9)  # RFC 6298 section 2, less what clocks differ
_REPEATS = 6
_REPEAT_S = 2.5
"""Where loss is evident: four retransmissions of TCP (RFC 6298, from 200 ms) and 1 s for the last one's answer."""
_INCONCLUSIVE = frozenset({Outcome.ACCEPTED, Outcome.CLOSED})
_FAILED_TO_CONNECT, _STILL_CONNECTED = 447, 446
_PATIENCE = 20
_PATIENCE_S = 0.05
"""How long, in all, the server may take to notice that we closed a connection."""

Decided = Callable[[Aimed, Judgement], None]


class PipeStream:
    """The bytes of a bound connection, as a stream."""

    def __init__(self) -> None:
        self.conversation: Conversation | None = None
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def take(self, happening: Happening) -> None:
        """What the data connection tells."""
        if isinstance(happening, Tunnelled):
            self._chunks.put_nowait(happening.data)
        elif isinstance(happening, LinkFault):
            self._chunks.put_nowait(b"")

    async def send(self, data: bytes) -> None:
        """Hand it to the connection."""
        assert self.conversation is not None
        self.conversation.write(data)

    async def receive(self) -> bytes:
        """The next bytes, none at the end."""
        data = await self._chunks.get()
        if not data:
            self._chunks.put_nowait(b"")
        return data

    def now(self) -> float:
        """The relay does not tell its times: its round trips have the way to it in them."""
        return perf_counter()


class RelayedTcpProber:
    """Asks TCP ports through one allocation. `decided` is called once for each.

    A SILENT means that the server was still connecting when the time was up: it is for the caller to see that the
    server was alive then.
    """

    def __init__(
        self,
        server: RelayServer,
        control: Conversation,
        key: bytes,
        vantage: str,
        hops: Sequence[Hop],
        timeout_s: float,
        server_name: str | None,
        losses: Mapping[str, Loss],
        decided: Decided,
    ) -> None:
        """`losses` holds what is known of each entry."""
        self._server = server
        self._control = control
        self._key = key
        self._vantage = vantage
        self._hops = hops
        self._timeout_s = timeout_s
        self._server_name = server_name
        self._losses = losses
        self._decided = decided
        self._pipes = asyncio.Semaphore(_PIPES)
        self._peers: dict[tuple[str, int], asyncio.Lock] = {}

    async def run(self, ports: Sequence[Aimed]) -> None:
        """Ask `ports`. Returns when all are decided."""
        async with asyncio.TaskGroup() as group:
            for number, aimed in enumerate(ports, 1):
                group.create_task(self._decide(aimed))
                if number % _BURST == 0:
                    await asyncio.sleep(_PAUSE_S)

    async def _decide(self, aimed: Aimed) -> None:
        # One connection to a peer at a time is all that an allocation has (RFC 6062 section 5.2).
        async with self._peers.setdefault((aimed.target.address, aimed.probe.port), asyncio.Lock()):
            self._decided(aimed, await self._judged(aimed))

    async def _judged(self, aimed: Aimed) -> Judgement:
        service = service_question(aimed.probe, self._server_name)
        signed = SignedQuestion(self._key, self._vantage, aimed.probe, self._hops)
        best: Judgement | None = None
        hung_up = False
        for question in (signed,) if service is None else (service, signed):
            judgement = await self._asked(aimed, question, self._timeout_s)
            for _ in range(_REPEATS):
                if judgement.outcome not in _INCONCLUSIVE or not self._losses[aimed.probe.enters].evident:
                    break
                # The bytes of this connection may have been lost, time and again.
                judgement = await self._asked(aimed, question, min(self._timeout_s, _REPEAT_S))
            if judgement.outcome in (Outcome.ACCEPTED, Outcome.ALIEN):
                best = judgement if best is None or best.outcome is Outcome.ACCEPTED else best
            elif judgement.outcome is Outcome.CLOSED:
                hung_up = True
            else:
                return judgement
        if best is not None:
            return best
        assert hung_up
        # Our bytes may be what it did not like: whoever hangs up on silence, too, has nothing behind it.
        return await self._asked(aimed, NoQuestion(), _WATCH_S)

    async def _asked(self, aimed: Aimed, question: Question, patience_s: float) -> Judgement:
        """Connect and ask: CLOSED if the peer hung up without a byte, ACCEPTED if it kept silent for that long."""
        judgement = await self._asked_once(aimed, question, patience_s)
        if judgement.outcome is Outcome.FAILED and self._control.ended is None:
            # A server that is there may lose one connection of two that end at the same moment.
            judgement = await self._asked_once(aimed, question, patience_s)
        return judgement

    async def _asked_once(self, aimed: Aimed, question: Question, patience_s: float) -> Judgement:
        reply = await self._connected(aimed)
        if _refused_at_once(reply):
            # Once is not yet a fact.
            reply = await self._connected(aimed)
        if not isinstance(reply, Succeeded):
            return self._unconnected(reply, aimed)
        connection = reply.response.data(Attribute.CONNECTION_ID)
        assert connection is not None
        async with self._pipes, self._pipe(connection) as pipe:
            if isinstance(pipe, Judgement):
                return pipe
            try:
                async with asyncio.timeout(patience_s):
                    judgement = await question.ask(pipe)
            except TimeoutError:
                judgement = Judgement(Outcome.ACCEPTED)
            except ConnectionError:
                judgement = Judgement(Outcome.CLOSED)
        if judgement.outcome is Outcome.CLOSED and self._control.ended is not None:
            return refusal(self._control.ended, "relay")
        return judgement

    async def _connected(self, aimed: Aimed) -> Reply:
        client = self._control.client
        peer = (aimed.target.address, aimed.probe.port)
        for _ in range(_PATIENCE):
            reply = await self._control.ask(lambda now: client.connect(now, peer))
            if not isinstance(reply, Refused) or reply.code != _STILL_CONNECTED:
                break
            await asyncio.sleep(_PATIENCE_S)
        if isinstance(reply, Succeeded):
            self._losses[aimed.probe.enters].answered(syns(reply.elapsed_s), reply.elapsed_s)
        return reply

    def _unconnected(self, reply: Reply, aimed: Aimed) -> Judgement:
        if _refused_at_once(reply):
            return Judgement(Outcome.REFUSED)
        if isinstance(reply, Refused) and reply.code == _FAILED_TO_CONNECT:
            return Judgement(Outcome.UNREACHABLE if reply.elapsed_s < _TIMED_OUT_S else Outcome.SILENT)
        if isinstance(reply, Unanswered):
            return Judgement(Outcome.SILENT)
        return refusal(reply, f"connect to {aimed.target.address}")

    @asynccontextmanager
    async def _pipe(self, connection: bytes) -> AsyncIterator[PipeStream | Judgement]:
        """The pipe of that connection, or what keeps us from it. CLOSED if the peer hung up before it was bound."""
        stream = PipeStream()
        endpoint = self._server.endpoint(stream=True)
        client = new_client(endpoint.transport, self._server.credentials, Timing(timeout_s=self._timeout_s))
        client.adopt(self._control.client)
        async with converse(endpoint, client, self._server.tls, stream.take, self._timeout_s) as talk:
            if isinstance(talk, LinkFault):
                yield refusal(talk, "take a second connection")
                return
            stream.conversation = talk
            reply = await talk.ask(lambda now: client.connection_bind(now, connection))
            if isinstance(reply, Succeeded):
                yield stream
            elif isinstance(reply, LinkFault) and self._control.ended is None:
                # The server drops a connection to bind whose peer has gone meanwhile.
                yield Judgement(Outcome.CLOSED)
            else:
                yield refusal(reply, "bind the connection")


def syns(waited_s: float) -> int:
    """How many SYNs the relay has sent after so long."""
    return 1 + sum(waited_s > at for at in _SYN_TIMES_S)


def _refused_at_once(reply: Reply) -> bool:
    return isinstance(reply, Refused) and reply.code == _FAILED_TO_CONNECT and reply.elapsed_s < _AT_ONCE_S
