"""A call between two ICE agents on this computer: through the relay alone, and as they please (RFC 8445).

The agents are aioice's. Their relays are our own allocations, for aioice keeps to itself why it gets none.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import struct
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, cast

from aioice import Candidate, Connection, TransportPolicy
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, candidate_pair_priority

from wizard.probes.relay_leg import Access, Leg, legs
from wizard.probes.server_verdict import Sentence
from wizard.wire.attribute import Address
from wizard.wire.turn_event import Succeeded
from wizard.wire.uri import Transport

CONNECT_S = 8.0
"""Longer, and a person would have hung up."""
_STUN_S = 2
"""How long a server-reflexive candidate is waited for."""
_ECHOES = 5
_ECHO_S = 0.4
"""After each of them."""


class Policy(enum.StrEnum):
    """Which candidates the agents may use."""

    RELAY_ONLY = "relay-only"
    ANY = "any"


class Path(enum.StrEnum):
    """What a call needs at least, in the order that ICE prefers."""

    P2P = "p2p"
    STUN = "stun"
    TURN = "turn"


class Failure(enum.StrEnum):
    """Why there is no call."""

    NO_ALLOCATION = "no-allocation"
    REFUSED = "refused"
    """The server does not relay to the other party."""
    NOT_CONNECTED = "not-connected"
    NO_DATA = "no-data"
    """Connected, but data did not come back."""


@dataclass(frozen=True, slots=True)
class Party:
    """One end of the pair that won."""

    type: str
    address: str
    port: int
    priority: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The pair that won. `priority` is the pair's (RFC 8445 section 6.1.2.3)."""

    local: Party
    remote: Party
    priority: int

    @property
    def path(self) -> Path:
        """What it needs."""
        kinds = {self.local.type, self.remote.type}
        if "relay" in kinds:
            return Path.TURN
        return Path.P2P if kinds == {"host"} else Path.STUN


@dataclass(frozen=True, slots=True)
class Call:
    """What became of one call."""

    policy: Policy
    seconds: float
    """Until it was connected, or given up."""
    pair: Pair | None = None
    echo_ms: float | None = None
    """From one party to the other and back."""
    failure: Failure | None = None
    sentence: Sentence | None = None
    """What the server said to that."""


async def calls(access: Access, connect_s: float = CONNECT_S) -> AsyncGenerator[Call, None]:
    """Yield a call through the relay alone, then one that may use any candidate.

    Closing the iterator releases every allocation.
    """
    async with legs(access) as held:
        given = await held.allocate(2)
        pair = [one for one in given if isinstance(one, Leg)]
        refused = next((one for one in given if isinstance(one, Sentence)), None)
        if refused is None:
            yield await _call(access, Policy.RELAY_ONLY, pair, connect_s)
        else:
            yield Call(Policy.RELAY_ONLY, 0.0, failure=Failure.NO_ALLOCATION, sentence=refused)
        yield await _call(access, Policy.ANY, pair, connect_s)


async def _call(access: Access, policy: Policy, own: list[Leg], connect_s: float) -> Call:
    relays = [_Relay(access, leg) for leg in own] if len(own) == 2 else []
    stun = _stun_server(access) if policy is Policy.ANY else None
    agents = [
        _Agent(policy, relays[place] if relays else None, stun, controlling=controlling)
        for place, controlling in enumerate((True, False))
    ]
    began = perf_counter()
    try:
        connected = await _connect(agents[0], agents[1], connect_s)
        seconds = perf_counter() - began
        pair = agents[0].pair() if connected else None
        if pair is None:
            sentence = next((relay.refused for relay in relays if relay.refused is not None), None)
            failure = Failure.NOT_CONNECTED if sentence is None else Failure.REFUSED
            return Call(policy, seconds, failure=failure, sentence=sentence)
        echo_ms = await _echo(agents[0], agents[1])
        return Call(policy, seconds, pair, echo_ms, Failure.NO_DATA if echo_ms is None else None)
    finally:
        await asyncio.gather(*(agent.close() for agent in agents))


def _stun_server(access: Access) -> Address | None:
    """The same server as aioice can ask it for our address: by UDP, over IPv4."""
    end = access.endpoint
    return (end.address, end.port) if end.transport is Transport.UDP and ":" not in end.address else None


async def _connect(one: _Agent, other: _Agent, within_s: float) -> bool:
    """Gather, exchange and check; returns whether a pair won."""
    try:
        async with asyncio.timeout(within_s):
            await asyncio.gather(one.gather_candidates(), other.gather_candidates())
            for agent, peer in ((one, other), (other, one)):
                agent.remote_username, agent.remote_password = peer.local_username, peer.local_password
                for candidate in [*peer.local_candidates, None]:
                    await agent.add_remote_candidate(candidate)
            results = await asyncio.gather(one.connect(), other.connect(), return_exceptions=True)
    except TimeoutError:
        return False
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, ConnectionError):
            raise result
    return not any(results)


async def _echo(one: _Agent, other: _Agent) -> float | None:
    """How long data takes to the other party and back, in ms; None if it does not come back."""

    async def answer() -> None:
        while True:
            await other.send(await other.recv())

    answering = asyncio.create_task(answer())
    try:
        for number in range(_ECHOES):
            began = perf_counter()
            await one.send(bytes([number]))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ECHO_S):
                    # One that comes late answers an earlier packet, whose time is not known any more.
                    while await one.recv() != bytes([number]):
                        pass
                    return (perf_counter() - began) * 1000
    except ConnectionError:
        return None
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
    return None


class _Relay:
    """A relayed address in the place of aioice's own TURN transport."""

    def __init__(self, access: Access, leg: Leg) -> None:
        self.leg = leg
        self.refused: Sentence | None = None
        """Why data is not relayed, if it is not."""
        self._access = access
        self._protocol: StunProtocol | None = None
        self._bindings: dict[Address, asyncio.Task[bool]] = {}

    def attach(self, protocol: StunProtocol) -> None:
        """Be that protocol's transport."""
        self._protocol = protocol
        self.leg.hear = self._heard
        protocol.connection_made(cast("asyncio.DatagramTransport", self))

    def sendto(self, data: bytes, peer: Address) -> None:
        """Send through the relay, once the server has bound a channel to the peer."""
        if peer not in self._bindings:
            self._bindings[peer] = asyncio.create_task(self._bound(peer))
        self._bindings[peer].add_done_callback(lambda bound: self._send(bound, data, peer))

    def close(self) -> None:
        """Leave the relayed address to who holds it."""
        self.leg.hear = None
        for binding in self._bindings.values():
            binding.cancel()
        if self._protocol is not None:
            self._protocol.connection_lost(None)

    def get_extra_info(self, _name: str, default: Any = None) -> Any:
        """A relayed address has no socket of its own."""
        return default

    def _heard(self, peer: Address, data: bytes, _now: float) -> None:
        # aioice's reader of STUN messages lets this out for some that are mangled.
        with contextlib.suppress(struct.error):
            if self._protocol is not None:
                self._protocol.datagram_received(data, peer)

    async def _bound(self, peer: Address) -> bool:
        reply = await self.leg.bind(peer)
        if not isinstance(reply, Succeeded):
            self.refused = self._access.sentence(reply)
        return isinstance(reply, Succeeded)

    def _send(self, bound: asyncio.Task[bool], data: bytes, peer: Address) -> None:
        if not bound.cancelled() and bound.result():
            self.leg.conversation.client.send(peer, data)
            self.leg.conversation.flush()


class _Agent(Connection):
    """An ICE agent whose relayed candidate is ours."""

    def __init__(self, policy: Policy, relay: _Relay | None, stun: Address | None, *, controlling: bool) -> None:
        allowed = TransportPolicy.RELAY if policy is Policy.RELAY_ONLY else TransportPolicy.ALL
        super().__init__(controlling, stun_server=stun, transport_policy=allowed)
        self._relay = relay

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = _STUN_S
    ) -> list[Candidate]:
        """The candidates of aioice's own, and the relayed one."""
        found = await super().get_component_candidates(component, addresses, timeout)
        if self._relay is None:
            return found
        host, port = self._relay.leg.relayed
        protocol = StunProtocol(self)
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("relay", "udp", host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "relay"),
            host=host,
            port=port,
            type="relay",
        )
        self._relay.attach(protocol)
        self._protocols.append(protocol)
        return [*found, protocol.local_candidate]

    def pair(self) -> Pair | None:
        """The pair that won."""
        won = self._nominated.get(1)
        if won is None:
            return None
        local, remote = won.local_candidate, won.remote_candidate
        return Pair(_party(local), _party(remote), candidate_pair_priority(local, remote, self.ice_controlling))


def _party(candidate: Candidate) -> Party:
    return Party(candidate.type, candidate.host, candidate.port, candidate.priority)
