"""Forwarders: user-space stand-ins for routers, tunnels and containers, each for one port."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

Address = tuple[str, int]

IDLE_S = 30.0
"""A UDP client is forgotten after so long, as frp does it."""
CLIENTS = 256
"""UDP clients of one port at one time; beyond it the oldest is forgotten."""
HELD = 16
"""Datagrams that wait for the socket to the next hop to open."""


class UdpForwarder(asyncio.DatagramProtocol):
    """Passes datagrams on from its port to the next hop, and answers back to whom they are for.

    Without a next hop it swallows them.
    """

    def __init__(self, onward: Address | None) -> None:
        self._onward = onward
        self._clients: dict[Address, _UdpClient] = {}

    @classmethod
    async def open(cls, here: Address, onward: Address | None) -> UdpForwarder:
        """Bind `here`. Raises OSError."""
        _, forwarder = await asyncio.get_running_loop().create_datagram_endpoint(lambda: cls(onward), here)
        return forwarder

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self._onward is None:
            return
        client = self._clients.get(addr)
        if client is None:
            if len(self._clients) >= CLIENTS:
                self._clients[next(iter(self._clients))].close()
            client = self._clients[addr] = _UdpClient(self, addr, self._onward)
        client.send(data)

    def answer(self, data: bytes, to: Address) -> None:
        """Send what the next hop answered."""
        self._transport.sendto(data, to)

    def forget(self, client: Address) -> None:
        """A client's own socket is closed."""
        self._clients.pop(client, None)

    async def close(self) -> None:
        """Close every socket."""
        self._transport.close()
        for client in list(self._clients.values()):
            client.close()
        await asyncio.sleep(0)


class _UdpClient(asyncio.DatagramProtocol):
    """One client's datagrams, from a socket of their own, so that the answers can be told apart."""

    def __init__(self, forwarder: UdpForwarder, client: Address, onward: Address) -> None:
        self._forwarder = forwarder
        self._client = client
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: list[bytes] = []
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_S, self.close)
        self._opening = loop.create_task(self._open(onward))

    async def _open(self, onward: Address) -> None:
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, remote_addr=onward)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        for data in self._waiting:
            transport.sendto(data)

    def send(self, data: bytes) -> None:
        self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.close)
        if self._transport is not None:
            self._transport.sendto(data)
        elif len(self._waiting) < HELD:
            self._waiting.append(data)

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002 - connected: it is always the next hop
        self._forwarder.answer(data, self._client)

    def close(self) -> None:
        self._idle.cancel()
        self._opening.cancel()
        if self._transport is not None:
            self._transport.close()
        self._forwarder.forget(self._client)


class TcpForwarder:
    """Accepts connections and connects each to the next hop; one that cannot be connected is closed."""

    def __init__(self, onward: Address | None) -> None:
        self._onward = onward
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    async def open(cls, here: Address, onward: Address | None) -> TcpForwarder:
        """Listen `here`. Raises OSError."""
        forwarder = cls(onward)
        forwarder._server = await asyncio.start_server(forwarder._accepted, *here)
        return forwarder

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(_closed, writer)
            if self._onward is None:
                return
            try:
                back, onward = await asyncio.open_connection(*self._onward)
            except OSError:
                return
            stack.push_async_callback(_closed, onward)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, onward))
                group.create_task(_pump(back, writer))

    async def close(self) -> None:
        """Close every socket."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


Forwarder = UdpForwarder | TcpForwarder


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()
    except OSError:
        # One end is gone; the other learns it, and with it the way back ends.
        target.transport.abort()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
