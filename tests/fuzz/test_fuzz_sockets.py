"""Servers on real sockets that talk garbage, trickle, flood and never stop: a row with an error, in time and memory."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.certificates import Authority
from tests.probes.coturn import CREDENTIALS
from tests.probes.far_ends import Reply, tcp, udp
from wizard.probes.candidate import ServerTried
from wizard.probes.conversation import trust
from wizard.probes.ice import Options, Target, gather
from wizard.probes.server_verdict import Verdict
from wizard.wire import stun, uri
from wizard.wire.frame import write_channel_data
from wizard.wire.request import Timing
from wizard.wire.stun import Class, Message, Method

TIMEOUT_S = 0.3
LATEST_S = 3.0
"""Every wait that there may be, one after the other, on a busy machine."""
MEMORY = 4 * 2**20
UNASKED = stun.write(Message(Method.BINDING, Class.SUCCESS, bytes(12)))
HALF_A_FRAME = bytes.fromhex("0101fffc2112a442") + bytes(12)


@dataclass(frozen=True, slots=True)
class Manners:
    """What the server sends, one part after the other, and what it does then."""

    parts: tuple[tuple[bytes, float], ...]
    end: str


def sanely(data: bytes) -> bytes:
    """As the start of a STUN message, which is read further than other garbage."""
    return (data[:2] or b"\x01\x13") + bytes.fromhex("00202112a442") + data


PART = st.binary(max_size=60) | st.binary(max_size=60).map(sanely) | st.just(HALF_A_FRAME) | st.just(UNASKED)
MANNERS = st.builds(
    Manners,
    st.lists(st.tuples(PART, st.sampled_from([0.0, 0.0, 0.02])), max_size=6).map(tuple),
    st.sampled_from(["close", "reset", "hold", "again"]),
)


async def verdict(url: str, tls: ssl.SSLContext | None = None) -> ServerTried:
    options = Options(relay_only=True, timing=Timing(timeout_s=TIMEOUT_S), tls=tls)
    target = Target(uri.parse(url), CREDENTIALS if url.startswith("turn") else None)
    began = time.monotonic()
    async with contextlib.aclosing(gather([target], options)) as events:
        (tried,) = [event async for event in events if isinstance(event, ServerTried)]
    assert time.monotonic() - began < LATEST_S
    assert (tried.verdict is Verdict.OK) is (tried.error is None)
    return tried


async def meet(manners: Manners, transport: str, serving: ssl.SSLContext | None, tls: ssl.SSLContext) -> ServerTried:
    if transport == "udp":

        def answer(data: bytes, reply: Reply) -> None:
            for part, _ in manners.parts:
                reply(part)

        async with udp(answer) as port:
            return await verdict(f"turn:127.0.0.1:{port}")

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            for part, wait_s in manners.parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(wait_s)
            if manners.end != "again":
                break
            await asyncio.sleep(0.005)
        if manners.end == "hold":
            await reader.read()
        elif manners.end == "reset":
            writer.transport.abort()

    async with tcp(speak, tls=serving if transport == "tls" else None) as port:
        scheme = "turn" if transport == "tcp" else "turns"
        return await verdict(f"{scheme}:127.0.0.1:{port}?transport=tcp", tls)


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and ours."""
    authority = Authority(tmp_path_factory.mktemp("tls"))
    chain, key = authority.issue("127.0.0.1")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain, key)
    return serving, trust(authority.file)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(manners=MANNERS)
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls", "tls-not-spoken"])
def test_a_server_without_manners_gets_a_row_with_an_error(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], transport: str, manners: Manners
) -> None:
    found = asyncio.run(meet(manners, transport, *contexts))
    assert found.verdict in {Verdict.PROTOCOL_ERROR, Verdict.UNREACHABLE, Verdict.TLS_FAILED}


@contextlib.contextmanager
def flood(block: bytes, *, stream: bool) -> Iterator[int]:
    """A server that sends that block as fast as it can, to whoever says a word, for as long as it is listened to."""
    over = threading.Event()
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(LATEST_S)

        def pour() -> None:
            if stream:
                to, _ = server.accept()
                with to:
                    to.settimeout(0.2)
                    while not over.is_set():
                        with contextlib.suppress(TimeoutError):
                            to.send(block)
            else:
                _, client = server.recvfrom(2000)
                while not over.is_set():
                    server.sendto(block, client)

        def run() -> None:
            # The client leaves.
            with contextlib.suppress(OSError):
                pour()

        thread = threading.Thread(target=run)
        if stream:
            server.listen()
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    ("scheme", "block", "stream"),
    [
        ("turn", UNASKED * 3000, True),
        ("turn", HALF_A_FRAME + bytes(60_000), True),
        ("turn", write_channel_data(0x4000, bytes(60_000), stream=True), True),
        ("turns", UNASKED * 3000, True),
        ("turns", bytes.fromhex("1603034000") + bytes(60_000), True),
        ("turn", UNASKED, False),
        ("turn", os.urandom(1200), False),
    ],
    ids=["unasked", "half-a-frame", "channel", "not-tls", "tls-record", "unasked-udp", "noise-udp"],
)
def test_a_flood_that_never_ends_is_left_in_time_with_little_memory(scheme: str, block: bytes, stream: bool) -> None:
    tls = trust()
    tracemalloc.start()
    try:
        with flood(block, stream=stream) as port:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            found = asyncio.run(verdict(f"{scheme}:127.0.0.1:{port}?transport={'tcp' if stream else 'udp'}", tls))
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.verdict in {Verdict.PROTOCOL_ERROR, Verdict.TLS_FAILED}
    assert peak - before < MEMORY


async def test_a_tls_handshake_that_trickles_ends_in_time(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes.fromhex("1603034000"))
        while True:
            writer.write(b"\x02")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with tcp(trickle) as port:
        assert (await verdict(f"turns:127.0.0.1:{port}", contexts[1])).verdict is Verdict.TLS_FAILED


@pytest.mark.requires("linux")
async def test_asking_again_and_again_leaves_neither_sockets_nor_memory_behind(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    serving, tls = contexts

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def round_of(plain: int, secure: int, datagrams: int) -> None:
        urls = [f"turn:127.0.0.1:{plain}?transport=tcp", f"turns:127.0.0.1:{secure}", f"turn:127.0.0.1:{datagrams}"]
        await asyncio.gather(*(verdict(url, tls) for url in urls))

    def held() -> tuple[int, int]:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir())), tracemalloc.get_traced_memory()[0]

    async with tcp(garbage) as plain, tcp(garbage, tls=serving) as secure, udp(lambda _, send: send(b"no")) as port:
        tracemalloc.start()
        try:
            for _ in range(4):
                await round_of(plain, secure, port)
            files, memory = held()
            for _ in range(8):
                await round_of(plain, secure, port)
            files_then, memory_then = held()
        finally:
            tracemalloc.stop()
    assert files_then <= files + 3
    assert memory_then - memory < 100_000
