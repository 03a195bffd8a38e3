"""A STUN and TURN client without sockets: bytes and the time go in, bytes and events come out (RFC 8489, 8656, 6062).

Rules:
 1. Each request gets a ticket, and each ticket ends with exactly one of Succeeded, Refused, Invalid or Unanswered.
 2. A challenge (401) is met once and a stale nonce (438) once for each ticket; the ticket stays the same.
 3. A success to a signed request must be signed; an error need not be, for servers leave that out.
 4. On a stream nothing is sent twice (RFC 8489 section 6.2.2).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wizard.wire import stun
from wizard.wire.attribute import MAX_TEXT, Address, Attribute
from wizard.wire.frame import (
    CHANNEL_FIRST,
    CHANNEL_LAST,
    frame_size,
    is_channel_data,
    parse_channel_data,
    write_channel_data,
)
from wizard.wire.long_term import Credentials, LongTerm, long_term
from wizard.wire.request import Request, Timing
from wizard.wire.stun import Class, Message, Method
from wizard.wire.turn_event import (
    Attempted,
    Broken,
    Event,
    Invalid,
    PeerIcmp,
    Received,
    Refused,
    Succeeded,
    Tunnelled,
    Unanswered,
)

UDP, TCP = 17, 6
"""REQUESTED-TRANSPORT (RFC 8656 section 18.8, RFC 6062 section 4.1)."""
IPV4, IPV6 = 1, 2
"""REQUESTED-ADDRESS-FAMILY (RFC 8656 section 18.9)."""

_REMEMBERED = 256
"""Transactions whose second answer, should it come late, is passed over."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """What the server gave (RFC 8656 section 7.3)."""

    relayed: tuple[Address, ...]
    mapped: Address | None
    lifetime_s: int


class TurnClient:
    """One client on one 5-tuple. It never blocks, reads no clock and raises nothing for what the network does."""

    def __init__(
        self,
        *,
        stream: bool,
        credentials: Credentials | None = None,
        timing: Timing | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.allocation: Allocation | None = None
        self.software: str | None = None
        self._stream = stream
        self._credentials = credentials
        self._timing = timing or Timing()
        self._random = random
        self._pending: dict[bytes, Request] = {}
        self._session: LongTerm | None = None
        self._tickets = 0
        self._out: list[bytes] = []
        self._buffer = bytearray()
        self._piped = False
        self._broken = False
        self._channels: dict[int, Address] = {}
        self._next_channel = CHANNEL_FIRST
        self._heard: str | None = None
        self._ended: deque[bytes] = deque(maxlen=_REMEMBERED)

    def binding(self, now: float) -> int:
        """Ask for the mapped address (RFC 8489 section 2). Returns the ticket."""
        return self._ask(Method.BINDING, (), now)

    def allocate(self, now: float, *, transport: int = UDP, family: int | None = None) -> int:
        """Ask for a relayed address (RFC 8656 section 7.1; TCP: RFC 6062 section 4.1). Returns the ticket."""
        attributes: list[tuple[Attribute, Any]] = [(Attribute.REQUESTED_TRANSPORT, transport)]
        if family is not None:
            attributes.append((Attribute.REQUESTED_ADDRESS_FAMILY, family))
        return self._ask(Method.ALLOCATE, attributes, now)

    def refresh(self, now: float, lifetime_s: int) -> int:
        """Prolong the allocation, or end it with 0 (RFC 8656 section 8.1). Returns the ticket."""
        return self._ask(Method.REFRESH, ((Attribute.LIFETIME, lifetime_s),), now)

    def create_permission(self, now: float, peers: Sequence[Address]) -> int:
        """Let those peers' addresses send to the relayed one (RFC 8656 section 10.1). Returns the ticket."""
        return self._ask(Method.CREATE_PERMISSION, [(Attribute.XOR_PEER_ADDRESS, peer) for peer in peers], now)

    def channel_bind(self, now: float, peer: Address) -> int:
        """Bind a channel to the peer (RFC 8656 section 12.2). Returns the ticket; raises ValueError if none is left."""
        number = next((number for number, owner in self._channels.items() if owner == peer), None)
        if number is None:
            if self._next_channel > CHANNEL_LAST:
                raise ValueError("every channel number is taken")
            number = self._next_channel
            self._next_channel += 1
        attributes = ((Attribute.CHANNEL_NUMBER, number), (Attribute.XOR_PEER_ADDRESS, peer))
        return self._ask(Method.CHANNEL_BIND, attributes, now)

    def connect(self, now: float, peer: Address) -> int:
        """Let the relay open a TCP connection to the peer (RFC 6062 section 4.3). Returns the ticket."""
        return self._ask(Method.CONNECT, ((Attribute.XOR_PEER_ADDRESS, peer),), now)

    def connection_bind(self, now: float, connection: bytes) -> int:
        """Make this stream the pipe of that peer connection (RFC 6062 section 4.3). Returns the ticket."""
        return self._ask(Method.CONNECTION_BIND, ((Attribute.CONNECTION_ID, connection),), now)

    def send(self, peer: Address, data: bytes) -> None:
        """Send data to the peer: on its channel if it has one, else by indication (RFC 8656 sections 11.1, 12.5)."""
        channel = next((number for number, owner in self._channels.items() if owner == peer), None)
        if channel is not None:
            self._out.append(write_channel_data(channel, data, stream=self._stream))
            return
        attributes = ((Attribute.XOR_PEER_ADDRESS, peer), (Attribute.DATA, data))
        self._out.append(stun.write(Message(Method.SEND, Class.INDICATION, self._random(12), attributes)))

    def adopt(self, other: TurnClient) -> None:
        """Use the realm and nonce that another client of the same server was given; saves a challenge."""
        self._session = other._session

    def outgoing(self) -> list[bytes]:
        """The datagrams or chunks that wait to be sent; they are handed out once."""
        out, self._out = self._out, []
        return out

    def next_timer(self) -> float | None:
        """When `tick` has work next, on the caller's clock; None while nothing is under way."""
        return min((p.due for p in self._pending.values()), default=None)

    @property
    def allocating(self) -> bool:
        """Whether an Allocate is under way that the server may already have granted."""
        return any(p.method is Method.ALLOCATE for p in self._pending.values())

    def tick(self, now: float) -> list[Event]:
        """Retransmit what is due and give up what is overdue."""
        events: list[Event] = []
        for pending in [p for p in self._pending.values() if p.due <= now]:
            if now >= pending.deadline:
                self._drop(pending)
                heard = self._heard or ("only a part of an answer came" if self._buffer else None)
                events.append(Unanswered(pending.ticket, heard))
            else:
                self._transmit(pending, now)
        return events

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take one datagram, or any part of the stream."""
        if not self._stream:
            return self._datagram(data, now)
        if self._broken:
            return []
        if self._piped:
            return [Tunnelled(data)]
        self._buffer += data
        events: list[Event] = []
        try:
            while not self._piped and (size := self._frame_size()) and len(self._buffer) >= size:
                frame = bytes(self._buffer[:size])
                del self._buffer[:size]
                events += self._frame(frame, now)
        except stun.StunError as fault:
            self._broken = True
            self._buffer.clear()
            return [*events, *self._give_up(str(fault)), Broken(str(fault))]
        if self._piped and self._buffer:
            events.append(Tunnelled(bytes(self._buffer)))
            self._buffer.clear()
        return events

    def _frame_size(self) -> int | None:
        # Text of other protocols looks like ChannelData: "HTTP" is 21,584 bytes for channel 0x4854.
        start = bytes(self._buffer[:4])
        if is_channel_data(start) and int.from_bytes(start[:2], "big") >= self._next_channel:
            raise stun.StunError("the stream holds data of a channel that was never asked for")
        return frame_size(self._buffer)

    def _give_up(self, reason: str) -> list[Event]:
        events: list[Event] = [Invalid(p.ticket, reason) for p in self._pending.values()]
        self._pending.clear()
        return events

    def _ask(self, method: Method, attributes: Sequence[tuple[Attribute, Any]], now: float) -> int:
        self._tickets += 1
        pending = Request(self._tickets, method, tuple(attributes), now)
        self._begin(pending, now)
        return pending.ticket

    def _begin(self, request: Request, now: float) -> None:
        # A Binding is not authenticated unless the server asks for it (RFC 8489 section 9.2.3).
        session = self._session if request.method is not Method.BINDING or request.challenged else None
        request.begin(self._random(12), session, now, self._timing)
        self._pending[request.transaction] = request
        self._transmit(request, now)

    def _transmit(self, request: Request, now: float) -> None:
        self._out.append(request.transmit(now, self._timing, repeats=not self._stream))

    def _datagram(self, data: bytes, now: float) -> list[Event]:
        try:
            return self._frame(data, now)
        except stun.StunError as fault:
            self._heard = str(fault)
            return []

    def _frame(self, data: bytes, now: float) -> list[Event]:
        if is_channel_data(data):
            frame = parse_channel_data(data)
            peer = self._channels.get(frame.channel)
            return [Received(peer, frame.data)] if peer else []
        message = stun.parse(data)
        if message.cls is Class.INDICATION:
            return self._indication(message)
        if message.cls is Class.REQUEST:
            self._heard = "the server sent a request back"
            return []
        pending = self._pending.get(message.transaction)
        if pending is None or pending.method is not message.method:
            # Answers to what was sent twice come twice.
            if message.transaction not in self._ended:
                self._heard = "the server answered what was never asked"
            return []
        return self._answer(pending, message, now)

    def _indication(self, message: Message) -> list[Event]:
        peer = message.address(Attribute.XOR_PEER_ADDRESS)
        if peer is None:
            return []
        if message.method is Method.DATA:
            if message.icmp is not None:
                return [PeerIcmp(peer, message.icmp)]
            data = message.data(Attribute.DATA)
            return [] if data is None else [Received(peer, data)]
        connection = message.data(Attribute.CONNECTION_ID)
        if message.method is Method.CONNECTION_ATTEMPT and connection is not None:
            return [Attempted(peer, connection)]
        return []

    def _answer(self, pending: Request, message: Message, now: float) -> list[Event]:
        rtt = now - pending.sent if pending.tries == 1 else None
        elapsed = now - pending.began
        if message.cls is Class.ERROR:
            error = message.error
            if error is None:
                return self._end(pending, Invalid(pending.ticket, "the server sent an error without a code"))
            if _oversized(message):
                return self._end(pending, Invalid(pending.ticket, "the server's challenge is too long"))
            if self._met(pending, message, error.code, now):
                return []
            return self._end(
                pending,
                Refused(
                    pending.ticket,
                    error.code,
                    error.reason,
                    pending.signed,
                    message.address(Attribute.ALTERNATE_SERVER),
                    rtt,
                    elapsed,
                ),
            )
        if pending.signed and self._session is not None and not self._authentic(message):
            self._heard = "the server's answer is not signed with the password"
            return self._end(pending, Invalid(pending.ticket, self._heard)) if self._stream else []
        fault = self._accept(pending, message)
        if fault is not None:
            return self._end(pending, Invalid(pending.ticket, fault))
        return self._end(pending, Succeeded(pending.ticket, message, rtt, elapsed))

    def _end(self, pending: Request, event: Event) -> list[Event]:
        self._drop(pending)
        return [event]

    def _authentic(self, message: Message) -> bool:
        assert self._session is not None
        return stun.verified(message, self._session.key, self._session.integrity)

    def _met(self, pending: Request, message: Message, code: int, now: float) -> bool:
        """Ask again as a challenge wants it; False if it is to be told instead."""
        nonce = message.data(Attribute.NONCE)
        if self._credentials is None or nonce is None:
            return False
        realm = message.data(Attribute.REALM)
        if code == 401 and not pending.signed and not pending.challenged and realm is not None:
            # RFC 8489 section 9.2.5
            pending.challenged = True
        elif code == 438 and pending.signed and not pending.renewed and self._session is not None:
            pending.renewed = True
            realm = realm if realm is not None else self._session.realm
        else:
            return False
        offered = message.data(Attribute.PASSWORD_ALGORITHMS)
        self._session = long_term(self._credentials, realm, nonce, offered)
        self._drop(pending)
        self._begin(pending, now)
        return True

    def _drop(self, pending: Request) -> None:
        del self._pending[pending.transaction]
        self._ended.append(pending.transaction)

    def _accept(self, pending: Request, message: Message) -> str | None:
        """Take over what a success says; returns what is wrong with it, if anything."""
        if message.unknown:
            # RFC 8489 section 6.3.3
            return f"the server's answer needs attribute 0x{message.unknown[0]:04x}, which is unknown"
        self.software = message.text(Attribute.SOFTWARE) or self.software
        match pending.method:
            case Method.BINDING:
                if mapped_address(message) is None:
                    return "the server's answer has no mapped address"
            case Method.ALLOCATE:
                relayed = message.addresses(Attribute.XOR_RELAYED_ADDRESS)
                lifetime = message.number(Attribute.LIFETIME)
                if not relayed or lifetime is None:
                    return "the server's answer has no relayed address or no lifetime"
                self.allocation = Allocation(relayed, mapped_address(message), lifetime)
            case Method.REFRESH if (Attribute.LIFETIME, 0) in pending.attributes:
                self.allocation = None
            case Method.CHANNEL_BIND:
                values = dict(pending.attributes)
                self._channels[values[Attribute.CHANNEL_NUMBER]] = values[Attribute.XOR_PEER_ADDRESS]
            case Method.CONNECT:
                if message.data(Attribute.CONNECTION_ID) is None:
                    return "the server's answer has no connection id"
            case Method.CONNECTION_BIND:
                self._piped = True
        return None


def mapped_address(message: Message) -> Address | None:
    """Where the server saw the request come from; servers of RFC 3489 say it without the XOR."""
    return message.address(Attribute.XOR_MAPPED_ADDRESS) or message.address(Attribute.MAPPED_ADDRESS)


def _oversized(challenge: Message) -> bool:
    """Whether a challenge is longer than RFC 8489 sections 14.9 and 14.10 allow: the next request holds it too."""
    parts = (challenge.data(name) for name in (Attribute.REALM, Attribute.NONCE, Attribute.PASSWORD_ALGORITHMS))
    return any(part is not None and len(part) > MAX_TEXT for part in parts)
