"""A STUN or TURN client on a socket: UDP, TCP or TLS."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from wizard.observation import Outcome as Seen
from wizard.probes import icmp
from wizard.probes.fault import UNREACHABLE, Fault, LinkFault, fault_of, tls_fault_of
from wizard.probes.source import Source, bound
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.turn import TurnClient
from wizard.wire.turn_event import (
    Attempted,
    Broken,
    Event,
    Invalid,
    Outcome,
    PeerIcmp,
    Received,
    Refused,
    Succeeded,
    Tunnelled,
    Unanswered,
)
from wizard.wire.uri import Transport

CONNECT_TIMEOUT_S = 5.5
"""Two SYN retransmissions (1 and 3 s) and 2.5 s for the answer to the last."""
RELEASE_S = 1.0
"""How long the server is given to confirm that an allocation is released."""
HURRIED_RELEASE_S = 0.15
"""The same when we are told to stop at once."""

_FAREWELL_S = 0.05


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A literal address to talk to. `server_name` is what a certificate must name."""

    address: str
    port: int
    transport: Transport
    server_name: str
    source: Source | None = None
    """None: the interface to which this computer routes the address."""


Happening = Received | PeerIcmp | Attempted | Tunnelled | Broken | LinkFault
Reply = Outcome | LinkFault


def trust(ca_file: Path | None = None) -> ssl.SSLContext:
    """Whom to believe: the system's authorities, or only those in `ca_file`.

    Raises ValueError in words for a file that cannot be used, OSError or ssl.SSLError for the system's authorities.
    Reads files: not for the event loop's thread.
    """
    if ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as fault:
        # What OpenSSL says of a file without a certificate would help nobody.
        said = "holds no certificate that can be read (PEM is expected)" if isinstance(fault, ssl.SSLError) else None
        raise ValueError(f"{ca_file}: {said or fault.strerror}") from None


class Conversation(asyncio.Protocol, asyncio.DatagramProtocol):
    """One client and its socket. Made by `converse`; every request gets its reply within the client's time-out."""

    def __init__(self, endpoint: Endpoint, client: TurnClient, heard: Callable[[Happening], None] | None) -> None:
        self.endpoint = endpoint
        self.client = client
        self.ended: LinkFault | None = None
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | asyncio.DatagramTransport | None = None
        self._replies: dict[int, asyncio.Future[Reply]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._errors: socket.socket | None = None
        self._hint: LinkFault | None = None
        self._stirred = asyncio.Event()
        self._over = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def local(self) -> tuple[str, int]:
        """Our own end's address."""
        assert self._transport is not None
        name = self._transport.get_extra_info("sockname")
        return str(name[0]).partition("%")[0], int(name[1])

    async def ask(self, request: Callable[[float], int]) -> Reply:
        """Make a request of the client, `lambda now: client.binding(now)`, and wait for its reply."""
        if self.ended is not None:
            return self.ended
        ticket = request(self._loop.time())
        future: asyncio.Future[Reply] = self._loop.create_future()
        self._replies[ticket] = future
        self.flush()
        try:
            reply = await future
        finally:
            self._replies.pop(ticket, None)
        if isinstance(reply, Unanswered) and reply.heard is None and self._hint is not None:
            return self._hint
        return reply

    def flush(self) -> None:
        """Send what the client has to say."""
        transport = self._transport
        for data in self.client.outgoing():
            if transport is None or self.ended is not None:
                continue
            if self.endpoint.transport is Transport.UDP:
                cast("asyncio.DatagramTransport", transport).sendto(data)
            else:
                cast("asyncio.Transport", transport).write(data)
        self._set_timer()

    def write(self, data: bytes) -> None:
        """Send bytes to the peer of a connection that was bound."""
        if self.ended is None:
            cast("asyncio.Transport", self._transport).write(data)

    async def open(self, tls: ssl.SSLContext | None, connect_timeout_s: float) -> LinkFault | None:
        """Open the socket; returns what was in the way, if anything."""
        end = self.endpoint
        try:
            async with asyncio.timeout(connect_timeout_s):
                made = await self._connect()
        except TimeoutError:
            return LinkFault(Fault.TIMED_OUT, "no answer to the connection attempt")
        except OSError as fault:
            if end.transport is Transport.UDP and fault.errno in UNREACHABLE:
                # Connecting a UDP socket sends nothing: our own routing table says so.
                return LinkFault(Fault.NO_ROUTE, (fault.strerror or "no route").lower())
            return fault_of(fault)
        self._transport = made[0]
        if end.transport is not Transport.TLS:
            return None
        assert tls is not None
        try:
            async with asyncio.timeout(connect_timeout_s):
                secured = await self._loop.start_tls(
                    made[0], self, tls, server_hostname=end.server_name, ssl_handshake_timeout=connect_timeout_s + 1
                )
        except TimeoutError:
            return LinkFault(Fault.TLS_SILENT, "no answer to the TLS handshake")
        except (OSError, ssl.SSLError) as fault:
            return tls_fault_of(fault)
        if secured is None:
            return LinkFault(Fault.TLS_CLOSED, "the server closed the connection during the TLS handshake")
        self._transport = secured
        return None

    async def _connect(self) -> tuple[Any, Any]:
        end = self.endpoint
        if end.source is None:
            if end.transport is Transport.UDP:
                return await self._loop.create_datagram_endpoint(lambda: self, remote_addr=(end.address, end.port))
            return await self._loop.create_connection(lambda: self, end.address, end.port)
        datagrams = end.transport is Transport.UDP
        sock = bound(end.source, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await self._loop.sock_connect(sock, (end.address, end.port))
            if datagrams:
                return await self._loop.create_datagram_endpoint(lambda: self, sock=sock)
            return await self._loop.create_connection(lambda: self, sock=sock)
        except BaseException:
            sock.close()
            raise

    async def gone(self) -> LinkFault:
        """Wait for the conversation to end, and return why."""
        await self._over.wait()
        assert self.ended is not None
        return self.ended

    async def close(self, wait_s: float) -> None:
        """Release the allocation, waiting for the server's word on it for `wait_s` at most, and close the socket."""
        confirmed = False
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    confirmed = await self._release()
        finally:
            self._heard = None
            if self._timer is not None:
                self._timer.cancel()
            if self._transport is not None:
                # A TLS farewell may take long, and nothing that matters is lost without it.
                if confirmed and self.endpoint.transport is not Transport.TLS:
                    self._transport.close()
                else:
                    self._transport.abort()
        if self._transport is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await self._lost.wait()

    async def _release(self) -> bool:
        # One that is granted while we leave must be released too.
        while self.client.allocating and self.ended is None:
            self._stirred.clear()
            await self._stirred.wait()
        if self.client.allocation is not None and self.ended is None:
            await self.ask(lambda now: self.client.refresh(now, 0))
        return self.ended is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket stands."""
        self._transport = cast("asyncio.Transport | asyncio.DatagramTransport", transport)
        if self.endpoint.transport is Transport.UDP and icmp.TOLD:
            # asyncio's own view of the socket cannot read the queue of its errors.
            self._errors = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
            icmp.listen(self._errors)

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """One datagram; the time is taken first."""
        self._take(self.client.receive(data, self._loop.time()))

    def data_received(self, data: bytes) -> None:
        """A part of the stream; the time is taken first."""
        self._take(self.client.receive(data, self._loop.time()))

    def error_received(self, exc: Exception) -> None:
        """An ICMP error for our datagrams, or the system's refusal to send them."""
        told = [] if self._errors is None else [error.outcome for error in icmp.drain(self._errors)]
        for outcome in told:
            # Neither is for good: a later datagram may be answered. If none is, this is why.
            self._hint = _HINTS.get(outcome, self._hint)
        if isinstance(exc, OSError) and exc.errno not in _PASSING and not (told and Seen.REFUSED not in told):
            self._end(fault_of(exc))

    def connection_lost(self, _exc: Exception | None) -> None:
        """The stream is over."""
        self._end(LinkFault(Fault.CLOSED, "the server closed the connection"))
        if self._errors is not None:
            self._errors.close()
        self._lost.set()

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Succeeded | Refused | Invalid | Unanswered):
                future = self._replies.get(event.ticket)
                if future is not None and not future.done():
                    future.set_result(event)
            else:
                self._tell(event)
        self._stirred.set()
        self.flush()

    def _tell(self, happening: Happening) -> None:
        if self._heard is not None:
            self._heard(happening)

    def _end(self, fault: LinkFault) -> None:
        if self.ended is not None:
            return
        self.ended = fault
        for future in self._replies.values():
            if not future.done():
                future.set_result(fault)
        self._tell(fault)
        self._over.set()
        self._stirred.set()
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        due = self.client.next_timer() if self.ended is None else None
        if due == self._due:
            # Set anew with each chunk, it would be put off for as long as a server floods us.
            return
        self._due = due
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if due is None else self._loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._due = None
        # Some event loops call a little early; then there is nothing to do and the timer is set again.
        self._take(self.client.tick(self._loop.time()))


@contextlib.asynccontextmanager
async def converse(
    endpoint: Endpoint,
    client: TurnClient,
    tls: ssl.SSLContext | None = None,
    heard: Callable[[Happening], None] | None = None,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
) -> AsyncIterator[Conversation | LinkFault]:
    """A conversation with the server, or why there is none. Whatever was allocated is released at the end.

    `heard` is told what is no reply: data of peers, and the end of the conversation.
    """
    conversation = Conversation(endpoint, client, heard)
    wait_s = HURRIED_RELEASE_S
    try:
        fault = await conversation.open(tls, connect_timeout_s)
        yield conversation if fault is None else fault
        wait_s = RELEASE_S
    finally:
        await conversation.close(wait_s)


def new_client(
    transport: Transport, credentials: Credentials | None = None, timing: Timing | None = None
) -> TurnClient:
    """A client for that transport."""
    return TurnClient(stream=transport is not Transport.UDP, credentials=credentials, timing=timing)


# Full buffers, and soft errors that later datagrams may not meet.
_PASSING = frozenset({errno.ENOBUFS, errno.EAGAIN, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN})
_HINTS = {
    Seen.REJECTED: LinkFault(Fault.REJECTED, "administratively prohibited"),
    Seen.UNREACHABLE: LinkFault(Fault.UNREACHABLE, "host or network unreachable"),
}
