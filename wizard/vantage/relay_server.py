"""A TURN server as a place to probe from: how we reach it, and what its refusals say about the probes."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from wizard.observation import Outcome
from wizard.probes.answer import Judgement
from wizard.probes.conversation import Endpoint, Reply, trust
from wizard.probes.directory import preferred
from wizard.probes.fault import Fault, LinkFault
from wizard.system.interfaces import has_route
from wizard.wire import uri
from wizard.wire.long_term import Credentials
from wizard.wire.turn_event import Invalid, Refused, Succeeded
from wizard.wire.uri import IceUri, Transport

_AUTHENTICATION = frozenset({401, 431, 432, 434, 436, 438, 441})
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class RelayServer:
    """Where the server is, and as whom we come."""

    uri: IceUri
    transport: Transport
    address: str
    port: int
    credentials: Credentials
    tls: ssl.SSLContext | None

    def endpoint(self, *, stream: bool) -> Endpoint:
        """The address to talk to. RFC 6062 section 4.1: a relay for TCP is asked for over a stream."""
        transport = Transport.TCP if stream and self.transport is Transport.UDP else self.transport
        return Endpoint(self.address, self.port, transport, self.uri.ascii_host)


async def find_server(text: str, credentials: Credentials) -> RelayServer | str:
    """The server of a TURN URI, or in words why there is none."""
    try:
        found = uri.parse(text)
    except uri.UriError as fault:
        return str(fault)
    if not found.relays:
        return f"{text} is a STUN server, which relays nothing"
    try:
        transport, ends = await preferred(found)
    except OSError as fault:
        return f"the name of the TURN server cannot be resolved: {fault}"
    end = next((end for end in ends if has_route(end.address)), None)
    if end is None:
        return f"this computer has no route to the TURN server at {ends[0].address}"
    try:
        tls = await asyncio.to_thread(trust) if transport is Transport.TLS else None
    except (OSError, ssl.SSLError) as fault:
        return f"the trusted certificates of this computer cannot be read: {fault}"
    return RelayServer(found, transport, end.address, end.port, credentials, tls)


def refusal(reply: Reply, what: str) -> Judgement:
    """What becomes of the probes that needed `what`, when the server did not do it.

    Never a failure of the port: policy is not-permitted, what the server cannot do is not-checked, the rest failed.
    """
    assert not isinstance(reply, Succeeded)
    if isinstance(reply, LinkFault):
        return Judgement(Outcome.FAILED, error=f"the TURN server {_FAULTS.get(reply.fault, 'failed')}: {reply.text}")
    if isinstance(reply, Invalid):
        return Judgement(Outcome.FAILED, error=f"the TURN server did not {what}: {reply.reason}")
    if not isinstance(reply, Refused):
        return Judgement(Outcome.FAILED, error=f"the TURN server gave no answer when asked to {what}")
    said = f"{reply.code} {reply.reason}".strip()
    if reply.code in _AUTHENTICATION:
        return Judgement(Outcome.FAILED, error=f"the TURN server does not accept the user name and password: {said}")
    if reply.code == _FORBIDDEN:
        return Judgement(Outcome.NOT_PERMITTED, error=f"the TURN server's policy does not let it {what}: {said}")
    return Judgement(Outcome.NOT_CHECKED, error=f"the TURN server did not {what}: {said}")


_FAULTS = {
    Fault.REFUSED: "is not there",
    Fault.TIMED_OUT: "cannot be reached",
    Fault.UNREACHABLE: "cannot be reached",
    Fault.NO_ROUTE: "cannot be reached",
    Fault.LOCAL: "cannot be talked to from this computer",
    Fault.CLOSED: "went away",
}
