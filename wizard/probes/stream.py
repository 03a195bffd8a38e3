"""Byte streams that a probe talks over: TCP, and TLS within it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from time import perf_counter
from typing import Protocol, TypeVar

from wizard.probes.answer import MAX_HEARD

_CHUNK = 16 * 1024
_T = TypeVar("_T")


class Stream(Protocol):
    """A connection."""

    async def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        ...

    async def receive(self) -> bytes:
        """The next bytes, none at the end. Raises OSError."""
        ...

    def now(self) -> float:
        """Seconds by a clock that stands still while bytes are under way between us and who holds the connection."""
        ...


class TcpStream:
    """A connected socket, which the caller closes."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """The next bytes, none at the end."""
        return await self._loop.sock_recv(self._socket, _CHUNK)

    def now(self) -> float:
        """This computer holds the connection."""
        return perf_counter()


class TlsStream:
    """TLS over another stream. The certificate is not verified: a port is reachable whoever signed for it."""

    def __init__(self, inner: Stream, server_name: str) -> None:
        self._inner = inner
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self.heard = 0
        """Bytes that came from the other end, encrypted."""

    async def handshake(self) -> None:
        """Shake hands. Raises ssl.SSLError if the other end speaks no TLS or refuses, OSError if it hangs up."""
        await self._through(self._tls.do_handshake)

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        self._tls.write(data)
        await self._flush()

    async def receive(self) -> bytes:
        """The next bytes, none at the end."""
        try:
            return await self._through(lambda: self._tls.read(_CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def now(self) -> float:
        """As the stream within has it."""
        return self._inner.now()

    async def _through(self, step: Callable[[], _T]) -> _T:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._inner.receive()
                if not data:
                    raise ConnectionResetError("the other end hung up") from None
                self.heard += len(data)
                self._incoming.write(data)
            except ssl.SSLError:
                await self._flush()
                raise
            else:
                await self._flush()
                return done

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._inner.send(self._outgoing.read())


async def more(stream: Stream) -> bytes:
    """The next bytes; none at the end, whichever way the other end went."""
    try:
        return await stream.receive()
    except (ConnectionError, ssl.SSLError):
        return b""


async def collect(stream: Stream, enough: Callable[[bytes], bool]) -> bytes:
    """What `stream` says until it is `enough`, or it ends, or `MAX_HEARD` bytes are there."""
    heard = b""
    while len(heard) < MAX_HEARD and not enough(heard):
        data = await more(stream)
        if not data:
            break
        heard += data
    return heard
