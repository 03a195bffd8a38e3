"""What is asked over one TCP connection: the signed probe, a real service's protocol, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from wizard.model.hop import Hop
from wizard.model.port import Speaks
from wizard.observation import Outcome
from wizard.plan import Probe
from wizard.probes.answer import Judgement, hear, judge, new_transaction, shown
from wizard.probes.http import HttpQuestion
from wizard.probes.stream import Stream, collect, more
from wizard.probes.tls import TlsQuestion
from wizard.wire.probe import BINDING_SUCCESS, COOKIE, HEADER, message_size, request


class Question(Protocol):
    """One exchange over one connection."""

    async def ask(self, stream: Stream) -> Judgement:
        """What the other end's bytes prove; CLOSED if it hung up without any. Raises OSError if it hung up before.

        Waits as long as nothing comes: the caller has the clock.
        """
        ...


@dataclass(frozen=True, slots=True)
class SignedQuestion:
    """The signed probe, framed by the length in its header (RFC 8489 section 6.2.2)."""

    key: bytes
    vantage: str
    probe: Probe
    hops: Sequence[Hop]

    async def ask(self, stream: Stream) -> Judgement:
        """Ask over a connected stream."""
        transaction = new_transaction()
        sent = request(self.key, transaction, self.vantage, self.probe.enters, self.probe.port)
        sent_at = stream.now()
        await stream.send(sent)
        expected = HEADER.pack(BINDING_SUCCESS, 0, COOKIE, transaction)

        def enough(heard: bytes) -> bool:
            # The length, bytes 2 and 3, is the answer's own.
            if heard[:2] != expected[:2][: len(heard)] or heard[4:20] != expected[4:20][: max(0, len(heard) - 4)]:
                return True
            size = message_size(heard[: HEADER.size])
            return size is None or 0 < size <= len(heard)

        heard = await collect(stream, enough)
        if not heard:
            return Judgement(Outcome.CLOSED)
        rtt_ms = (stream.now() - sent_at) * 1000
        answer = hear(self.key, transaction, heard[: message_size(heard[: HEADER.size]) or len(heard)])
        if isinstance(answer, str):
            return Judgement(Outcome.ALIEN, error=answer)
        return judge(self.probe, answer, self.hops, rtt_ms)


@dataclass(frozen=True, slots=True)
class NoQuestion:
    """Nothing is sent: whoever hangs up on this does not do so because it disliked our bytes."""

    async def ask(self, stream: Stream) -> Judgement:
        """Wait for the other end to speak or to hang up."""
        heard = await more(stream)
        if not heard:
            return Judgement(Outcome.CLOSED)
        return Judgement(Outcome.ALIEN, error=f"{shown(heard)} came back unasked")


def service_question(probe: Probe, server_name: str | None) -> Question | None:
    """What the real service is asked on a TCP port of that plan; None if the plan does not say what it speaks.

    `server_name` is the public name or address that clients use.
    """
    name = server_name or probe.address
    http = HttpQuestion(_host(name, probe), probe.path or "/", probe.speaks in (Speaks.WS, Speaks.WSS))
    match probe.speaks:
        case None:
            return None
        case Speaks.HTTP | Speaks.WS:
            return http
        case Speaks.HTTPS | Speaks.WSS:
            return TlsQuestion(name, http)
        case Speaks.TLS:
            return TlsQuestion(name)
        case Speaks.STUN | Speaks.TURN:
            # Loads aioice's codec, which few runs need.
            from wizard.probes.stun_service import StunQuestion

            return StunQuestion(probe.speaks)


def _host(name: str, probe: Probe) -> str:
    # RFC 9110 section 7.2: the port that clients name, unless it is the scheme's own.
    host = f"[{name}]" if ":" in name else _ascii(name)
    default = 443 if probe.speaks in (Speaks.HTTPS, Speaks.WSS) else 80
    return host if probe.outside == default else f"{host}:{probe.outside}"


def _ascii(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return quote(name)
