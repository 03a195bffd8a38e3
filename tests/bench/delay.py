"""A slow way to a UDP port, as a program of its own: `python -m tests.bench.delay ADDRESS PORT SECONDS`.

Whatever comes is passed on so much later, either way. It prints the port on which it listens, and `ready`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

_Host = tuple[Any, ...]


class _Back(asyncio.DatagramProtocol):
    """What one client sends on from."""

    def __init__(self, front: asyncio.DatagramTransport, client: _Host, seconds: float) -> None:
        self._front = front
        self._client = client
        self._seconds = seconds

    def datagram_received(self, data: bytes, _addr: _Host) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._front.sendto, data, self._client)


class _Front(asyncio.DatagramProtocol):
    def __init__(self, server: tuple[str, int], seconds: float) -> None:
        self._server = server
        self._seconds = seconds
        self._backs: dict[_Host, asyncio.Task[asyncio.DatagramTransport]] = {}
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: _Host) -> None:
        loop = asyncio.get_running_loop()
        if addr not in self._backs:
            self._backs[addr] = loop.create_task(self._open(addr))
        back = self._backs[addr]
        loop.call_later(self._seconds, lambda: back.result().sendto(data))

    async def _open(self, client: _Host) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        back, _ = await loop.create_datagram_endpoint(
            lambda: _Back(self._transport, client, self._seconds), remote_addr=self._server
        )
        return back


async def main(address: str, port: int, seconds: float) -> None:
    """Pass on until standard input ends."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Front((address, port), seconds), local_addr=(address, 0)
    )
    print(transport.get_extra_info("sockname")[1], "ready", flush=True)  # noqa: T201
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
