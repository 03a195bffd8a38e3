"""Far ends that answer as no responder would."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """Sends bytes back to where a datagram came from."""

    transport: asyncio.DatagramTransport
    to: tuple[str, int]

    def __call__(self, data: bytes) -> None:
        self.transport.sendto(data, self.to)


OnDatagram = Callable[[bytes, Reply], None]
OnConnection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, on_datagram: OnDatagram) -> None:
        self._on_datagram = on_datagram
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._on_datagram(data, Reply(self._transport, addr))


@contextlib.asynccontextmanager
async def udp(on_datagram: OnDatagram, address: str = "127.0.0.1") -> AsyncIterator[int]:
    """A UDP socket that calls `on_datagram` with what comes and a way to reply. Yields its port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(on_datagram), local_addr=(address, 0))
    try:
        yield int(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def tcp(
    on_connection: OnConnection, address: str = "127.0.0.1", tls: SSLContext | None = None
) -> AsyncIterator[int]:
    """A TCP server that gives each connection to `on_connection`, and ends it afterwards. Yields its port."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await on_connection(reader, writer)
        writer.transport.abort() if tls else writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(converse(reader, writer))
        conversations.add(task)
        task.add_done_callback(conversations.discard)
        task.add_done_callback(lambda _: writer.transport.abort())

    server = await asyncio.start_server(accept, address, 0, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in list(conversations):
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(0)


@contextlib.contextmanager
def silent_udp(address: str = "127.0.0.1") -> Iterator[int]:
    """A UDP port on which nobody reads."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        yield int(sock.getsockname()[1])


@contextlib.contextmanager
def silent_tcp() -> Iterator[int]:
    """A TCP port whose queue is full: the kernel drops each SYN."""
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        client.connect(server.getsockname())
        yield int(server.getsockname()[1])


def closed_port(kind: socket.SocketKind, address: str = "127.0.0.1") -> int:
    """A number on which nothing listened a moment ago."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])
