"""Bytes that tell a TURN server what to do, and the rules that a client keeps whatever that is.

Whoever makes the bytes, Hypothesis or atheris, `play` raises AssertionError where a rule is broken.
"""

from __future__ import annotations

import itertools
from collections import Counter

from wizard.model.secret import Secret
from wizard.wire import stun
from wizard.wire.attribute import Attribute, ErrorCode
from wizard.wire.frame import CHANNEL_FIRST, write_channel_data
from wizard.wire.long_term import Credentials, long_term
from wizard.wire.request import Timing
from wizard.wire.stun import Class, Integrity, Message, Method
from wizard.wire.turn import TurnClient
from wizard.wire.turn_event import Event, Invalid, Refused, Succeeded, Unanswered

CREDENTIALS = Credentials("alice", Secret("open-sesame-4711"))
TIMING = Timing(timeout_s=5.5)
REALM, NONCE = b"example.org", b"0123456789"
LARGEST_FRAME = 65_560
_RECENT_REQUESTS = 8
_PEER = ("192.0.2.1", 9)


class Script:
    """Reads the bytes; at their end everything is zero."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._data)

    def number(self) -> int:
        """0 to 255."""
        return self.bytes(1)[0]

    def bytes(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        self._at += count
        return part + bytes(count - len(part))

    def some(self) -> bytes:
        """As many as the next number says."""
        return self.bytes(min(self.number(), max(0, len(self._data) - self._at)))


class Play:
    """A client, what it has said, and how its tickets ended."""

    def __init__(self, *, stream: bool) -> None:
        numbers = itertools.count(1)
        self.client = TurnClient(
            stream=stream,
            credentials=CREDENTIALS,
            timing=TIMING,
            random=lambda size: next(numbers).to_bytes(size, "big"),
        )
        self.stream = stream
        self.now = 0.0
        self.tickets: set[int] = set()
        self.ends: Counter[int] = Counter()
        self.asked: list[Message] = []
        self.transactions: set[bytes] = set()

    def ask(self, kind: int) -> None:
        """One of the requests that a client makes."""
        client, now = self.client, self.now
        asks = (
            lambda: client.allocate(now),
            lambda: client.binding(now),
            lambda: client.refresh(now, 0),
            lambda: client.create_permission(now, [_PEER]),
            lambda: client.channel_bind(now, _PEER),
            lambda: client.connect(now, _PEER),
            lambda: client.connection_bind(now, b"1234"),
        )
        self.tickets.add(asks[kind % len(asks)]())
        self.drain()

    def drain(self) -> None:
        """What the client says is well formed."""
        for data in self.client.outgoing():
            message = stun.parse(data)
            assert message.cls is Class.REQUEST
            self.transactions.add(message.transaction)
            # As it was asked, signed, and signed with a fresh nonce.
            assert len(self.transactions) <= 3 * (len(self.tickets) + 1)
            self.asked = [*self.asked, message][-_RECENT_REQUESTS:]

    def hear(self, data: bytes) -> None:
        """The server's bytes arrive."""
        self.take(self.client.receive(data, self.now))
        assert len(self.client._buffer) <= LARGEST_FRAME

    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.now += seconds
        self.take(self.client.tick(self.now))

    def take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Succeeded | Refused | Invalid | Unanswered):
                self.ends[event.ticket] += 1
                assert event.ticket in self.tickets
            if isinstance(event, Refused):
                assert 300 <= event.code <= 699
                assert event.reason.isprintable()
            assert CREDENTIALS.password.reveal() not in repr(event)
        self.drain()


def play(data: bytes) -> Play:
    """Let the server do as the bytes say. Raises AssertionError where the client breaks a rule."""
    script = Script(data)
    on = Play(stream=bool(script.number() & 1))
    on.ask(script.number())
    while not script.over:
        _step(on, script)
    # No ticket outlives its time: each challenge may begin it once more, and no more than twice.
    for _ in range(3 * 8 * (len(on.tickets) + 1)):
        due = on.client.next_timer()
        if due is None:
            break
        on.wait(max(0.0, due - on.now))
    assert on.client.next_timer() is None
    assert on.ends == Counter(on.tickets)
    assert not on.client._pending
    return on


def _step(on: Play, script: Script) -> None:
    act = script.number() % 9
    if act == 0:
        on.hear(script.some())
    elif act == 1:
        on.wait(script.number() / 64)
    elif act == 2 and len(on.tickets) < 8:
        on.ask(script.number())
    elif act == 3:
        # ChannelData, perhaps of a channel that nobody bound.
        on.hear(write_channel_data(CHANNEL_FIRST + script.number() % 2, script.some(), stream=on.stream))
    elif on.asked:
        answer = _answer(on, script, act)
        cut = script.number()
        if cut > 200:
            answer = answer[: len(answer) * (cut - 200) // 55]
        elif cut > 150 and answer:
            at = script.number() % len(answer)
            answer = answer[:at] + bytes([script.number()]) + answer[at + 1 :]
        on.hear(answer)


def _answer(on: Play, script: Script, act: int) -> bytes:
    """An answer to a request that the client made, right in parts."""
    request = on.asked[-1 - script.number() % len(on.asked)]
    if act in (4, 5):
        # Attributes as they come, in a header that fits.
        cls = Class.SUCCESS if act == 4 else (Class.ERROR, Class.INDICATION)[script.number() & 1]
        body = script.some()
        body += bytes(-len(body) % 4)
        return stun.write(Message(request.method, cls, request.transaction))[:2] + (
            len(body).to_bytes(2, "big") + stun.COOKIE.to_bytes(4, "big") + request.transaction + body
        )
    if act == 6:
        code = 300 + script.number() % 4 * 100 + script.number() % 100
        challenge = ((Attribute.REALM, REALM), (Attribute.NONCE, NONCE + script.some()))
        error = ((Attribute.ERROR_CODE, ErrorCode(code, "no")), *challenge)
        return stun.write(Message(request.method, Class.ERROR, request.transaction, error))
    if act == 7:
        challenge = ((Attribute.REALM, REALM), (Attribute.NONCE, NONCE))
        code = 438 if request.has(Attribute.NONCE) else 401
        error = ((Attribute.ERROR_CODE, ErrorCode(code, "again")), *challenge)
        return stun.write(Message(request.method, Class.ERROR, request.transaction, error))
    granted = {
        Method.BINDING: ((Attribute.XOR_MAPPED_ADDRESS, _PEER),),
        Method.ALLOCATE: ((Attribute.XOR_RELAYED_ADDRESS, _PEER), (Attribute.LIFETIME, script.number())),
        Method.CONNECT: ((Attribute.CONNECTION_ID, b"1234"),),
    }
    key = long_term(CREDENTIALS, REALM, request.data(Attribute.NONCE) or NONCE, None).key
    success = Message(request.method, Class.SUCCESS, request.transaction, granted.get(request.method, ()))
    return stun.write(success, key, Integrity.SHA1)
