"""TLS as proof of a service, and as what another question is asked within."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from wizard.observation import Outcome
from wizard.probes.answer import Judgement
from wizard.probes.http import HttpQuestion
from wizard.probes.stream import Stream, TlsStream


@dataclass(frozen=True, slots=True)
class TlsQuestion:
    """A handshake, with `server_name` as SNI unless it is an IP address (RFC 6066 section 3)."""

    server_name: str
    within: HttpQuestion | None = None
    """What is asked inside; without it the handshake is the proof."""

    async def ask(self, stream: Stream) -> Judgement:
        """Ask over a connected stream."""
        try:
            tls = TlsStream(stream, self.server_name)
        except ValueError:
            return Judgement(Outcome.FAILED, error=f"{self.server_name} cannot be the name of a TLS server")
        began = stream.now()
        try:
            await tls.handshake()
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            return Judgement(Outcome.ALIEN, error=f"the TLS handshake failed: {reason}")
        except ConnectionError:
            if tls.heard:
                return Judgement(Outcome.ALIEN, error="the connection ended within the TLS handshake")
            raise
        rtt_ms = (stream.now() - began) * 1000
        if self.within is None:
            return Judgement(Outcome.ANSWERED, rtt_ms=rtt_ms)
        try:
            inner = await self.within.ask(tls)
        except (ConnectionError, ssl.SSLError):
            inner = Judgement(Outcome.CLOSED)
        if inner.outcome is Outcome.CLOSED:
            return Judgement(Outcome.ALIEN, error="TLS is spoken, but the HTTP request within got no answer")
        return inner
