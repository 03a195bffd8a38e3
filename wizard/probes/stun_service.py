"""Real STUN and TURN services: what they are asked without credentials, and which replies prove them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from wizard.model.port import Speaks
from wizard.observation import Outcome
from wizard.probes.answer import Judgement, new_transaction, shown, spelled
from wizard.probes.stream import Stream, more
from wizard.wire.attribute import Attribute
from wizard.wire.probe import HEADER, message_size
from wizard.wire.stun import Class, Message, Method, StunError, parse, write

_UDP = 17  # RFC 8656 section 18.7


class Ask(enum.Enum):
    """A request without credentials."""

    BINDING = Method.BINDING
    ALLOCATE = Method.ALLOCATE
    """A TURN server refuses it; coturn answers no Binding when it runs with `no-stun`."""
    RELEASE = Method.REFRESH
    """Gives back what a server without authentication has allocated (RFC 8656 section 7.2)."""

    def request(self, transaction: bytes) -> bytes:
        """The request's bytes."""
        attributes: tuple[tuple[Attribute, int], ...] = ()
        if self is Ask.ALLOCATE:
            attributes = ((Attribute.REQUESTED_TRANSPORT, _UDP),)
        elif self is Ask.RELEASE:
            attributes = ((Attribute.LIFETIME, 0),)
        return write(Message(self.value, Class.REQUEST, transaction, attributes))

    def reply(self, transaction: bytes, data: bytes, rtt_ms: float) -> Judgement:
        """What `data` proves as a reply to that request: the service, or nothing."""
        try:
            message = parse(data)
        except StunError:
            return Judgement(Outcome.ALIEN, error=f"{shown(data)} came back, which is no STUN message")
        if message.transaction != transaction or message.method is not self.value or message.cls is Class.INDICATION:
            return Judgement(Outcome.ALIEN, error="a STUN message came back that answers nothing we asked")
        if message.cls is Class.REQUEST:
            return Judgement(Outcome.ALIEN, error="our own bytes came back: an echo")
        # RFC 8656 section 7.2: only a TURN server has an error to give for an Allocate.
        if message.cls is Class.SUCCESS or (self is Ask.ALLOCATE and message.error is not None):
            mapped = message.address(Attribute.XOR_MAPPED_ADDRESS) or message.address(Attribute.MAPPED_ADDRESS)
            return Judgement(Outcome.ANSWERED, rtt_ms=rtt_ms, seen_as=None if mapped is None else spelled(mapped))
        code = f"{message.error.code} {message.error.reason}".rstrip() if message.error else "without a code"
        return Judgement(Outcome.ALIEN, error=f"a STUN server refused the request: {code}")

    def allocated(self, data: bytes) -> bool:
        """Whether `data` says that a relayed address was allocated for this request, which must be given back."""
        try:
            message = parse(data)
        except StunError:
            return False
        return self is Ask.ALLOCATE and message.method is Method.ALLOCATE and message.cls is Class.SUCCESS


def asks_of(speaks: Speaks) -> tuple[Ask, ...]:
    """What a service that speaks STUN or TURN is asked, first of all Binding."""
    return (Ask.BINDING, Ask.ALLOCATE) if speaks is Speaks.TURN else (Ask.BINDING,)


@dataclass(frozen=True, slots=True)
class StunQuestion:
    """Binding over TCP, and of a TURN server an Allocate as well: with `no-stun` it answers only that."""

    speaks: Speaks

    async def ask(self, stream: Stream) -> Judgement:
        """Ask over a connected stream: no retransmission (RFC 8489 section 6.2.2)."""
        asked = {new_transaction(): ask for ask in asks_of(self.speaks)}
        sent_at = stream.now()
        await stream.send(b"".join(ask.request(transaction) for transaction, ask in asked.items()))
        heard = b""
        while True:
            while not _whole(heard):
                data = await more(stream)
                if not data and not heard:
                    return Judgement(Outcome.CLOSED)
                if not data:
                    return Judgement(Outcome.ALIEN, error=f"{shown(heard)} came back, then the end")
                heard += data
            frame = heard[: message_size(heard[: HEADER.size]) or len(heard)]
            heard = heard[len(frame) :]
            ask = asked.pop(frame[8 : HEADER.size], None)
            if ask is None:
                return Judgement(Outcome.ALIEN, error=f"{shown(frame)} came back, which answers nothing we asked")
            found = ask.reply(frame[8 : HEADER.size], frame, (stream.now() - sent_at) * 1000)
            if ask.allocated(frame):
                await stream.send(Ask.RELEASE.request(new_transaction()))
            if found.outcome is Outcome.ANSWERED or not asked:
                return found


def _whole(heard: bytes) -> bool:
    """Whether `heard` starts with a whole message, or with what can be none."""
    size = message_size(heard[: HEADER.size])
    return size is None or 0 < size <= len(heard)
