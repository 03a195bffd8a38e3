"""A small prober for tests: signed requests over one socket, and what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator

from wizard.responder import Responder
from wizard.wire.probe import Answer, message_size, read_answer, request
from wizard.wire.response import ResponderPlan, Route

KEY = b"a project's key"
WITHIN_S = 5.0
"""A test fails after so long; nothing waits for it otherwise."""


def free_port() -> int:
    """A number that was free a moment ago over both protocols."""
    while True:
        with (
            socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("::", 0))
            with contextlib.suppress(OSError):
                udp.bind(("::", tcp.getsockname()[1]))
                return int(tcp.getsockname()[1])


def a_plan(*ports: tuple[str, int], addresses: tuple[str, ...] = (), hop: str = "chat") -> ResponderPlan:
    """A plan of single ports, without translation."""
    return ResponderPlan(
        key=KEY,
        hop=hop,
        address=None,
        ports=tuple((protocol, n, n) for protocol, n in ports),
        addresses=addresses,
        routes=tuple(Route(hop, protocol, n, n, n) for protocol, n in ports),
    )


@contextlib.asynccontextmanager
async def running(responder: Responder) -> AsyncIterator[Responder]:
    """The responder, started."""
    await responder.start()
    try:
        yield responder
    finally:
        await responder.stop()


@contextlib.contextmanager
def udp_socket(address: str, port: int) -> Iterator[socket.socket]:
    """A socket that hears only what comes from that address and port."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((address, port))
        yield sock


def signed(port: int, key: bytes = KEY, enters: str = "chat") -> tuple[bytes, bytes]:
    """A transaction id and the probe's bytes."""
    transaction = os.urandom(12)
    return transaction, request(key, transaction, "laptop", enters, port)


async def ask_udp(address: str, port: int, sent_to: int | None = None) -> Answer:
    """The answer of the responder there. Raises TimeoutError, or ConnectionRefusedError for an ICMP refusal."""
    loop = asyncio.get_running_loop()
    transaction, data = signed(port if sent_to is None else sent_to)
    with udp_socket(address, port) as sock:
        await loop.sock_sendall(sock, data)
        answer = read_answer(KEY, await asyncio.wait_for(loop.sock_recv(sock, 2000), WITHIN_S))
    assert answer is not None
    assert answer.transaction == transaction
    return answer


async def ask_tcp(address: str, port: int) -> Answer:
    """The answer of the responder there, over TCP."""
    async with asyncio.timeout(WITHIN_S):
        reader, writer = await asyncio.open_connection(address, port)
        try:
            transaction, data = signed(port)
            writer.write(data)
            start = await reader.readexactly(20)
            answer = read_answer(KEY, start + await reader.readexactly((message_size(start) or 20) - 20))
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
    assert answer is not None
    assert answer.transaction == transaction
    return answer
