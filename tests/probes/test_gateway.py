"""Gateways that answer wrongly, half, or not at all: each is told as what it is, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from wizard.model.gateway import Gateway, Mapping, Spoken, Took, Way, nearest
from wizard.model.port import Protocol
from wizard.probes.gateway import Street, ask
from wizard.probes.gateway_change import Wish, change
from wizard.system.interfaces import Network
from wizard.system.routes import DefaultRoute
from wizard.vantage.streets import lay
from wizard.wire import natpmp, ssdp
from wizard.wire.transport import Transport

pytestmark = pytest.mark.requires("namespaces")
STREET = Street("lo", "127.0.0.1", 8, ("127.0.0.1",))
Answer = Callable[[bytes], Any]


class _Talker(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.closed = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        self.closed.set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is not None:
            self.transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def talking(port: int, answer: Answer) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    transport, talker = await loop.create_datagram_endpoint(lambda: _Talker(answer), local_addr=("127.0.0.1", port))
    try:
        yield
    finally:
        transport.close()
        await talker.closed.wait()


@contextlib.asynccontextmanager
async def serving(answer: bytes) -> AsyncIterator[int]:
    """An HTTP server that says the same to everybody; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def found(port: int, path: str = "/d.xml") -> Answer:
    return lambda _: (
        f"HTTP/1.1 200 OK\r\nST: {ssdp.TARGETS[0]}\r\nLOCATION: http://127.0.0.1:{port}{path}\r\n\r\n".encode()
    )


def took(gateway: Gateway) -> dict[Way, Took]:
    return {one.way: one.took for one in gateway.spoken}


async def test_garbage_is_told_from_silence_and_the_old_protocol_from_the_new() -> None:
    async with talking(natpmp.PORT, lambda data: b"\x07garbage" if data[0] else None):
        (gateway,) = await ask([STREET])
    assert took(gateway) == {Way.UPNP: Took.SILENT, Way.PCP: Took.GARBAGE, Way.NATPMP: Took.SILENT}
    # RFC 6886 section 3.5: what speaks NAT-PMP alone answers a PCP request so.
    old = struct.pack("!BBHI", 0, 128, 1, 5)
    address = struct.pack("!BBHI", 0, 128, 0, 5) + bytes([10, 0, 0, 7])
    async with talking(natpmp.PORT, lambda data: old if data[0] else address):
        (gateway,) = await ask([STREET])
    assert took(gateway)[Way.PCP] is Took.UNSUPPORTED
    assert (took(gateway)[Way.NATPMP], gateway.wan, gateway.answers) == (Took.GRANTED, "10.0.0.7", True)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<no>", Took.GARBAGE),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Took.GARBAGE),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.9/\r\nContent-Length: 0\r\n\r\n", Took.GARBAGE),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (1 << 21), Took.GARBAGE),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n"
            + b'<!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><root>&b;</root>'.ljust(200),
            Took.GARBAGE,
        ),
        (b"", Took.UNREACHABLE),
    ],
    ids=["not-xml", "missing", "redirect", "endless", "entities", "hung-up"],
)
async def test_a_description_that_cannot_be_used_is_no_gateway_and_no_crash(answer: bytes, expected: Took) -> None:
    async with serving(answer) as port, talking(ssdp.PORT, found(port)):
        (gateway,) = await ask([STREET])
    assert took(gateway)[Way.UPNP] is expected
    assert not gateway.answers


async def test_a_port_that_is_closed_is_refused() -> None:
    async with talking(ssdp.PORT, found(9)):
        (gateway,) = await ask([STREET])
    assert took(gateway) == {Way.UPNP: Took.REFUSED, Way.PCP: Took.REFUSED, Way.NATPMP: Took.REFUSED}


async def test_asking_can_be_ended_at_any_moment_without_a_trace() -> None:
    before = asyncio.all_tasks()
    async with talking(natpmp.PORT, lambda _: None):
        for pause in (0.0, 0.05, 0.5):
            task = asyncio.create_task(ask([STREET]))
            await asyncio.wait([task], timeout=pause)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.all_tasks() == before


async def test_a_mapping_that_another_has_is_not_even_asked_for() -> None:
    asked: list[bytes] = []
    taken = Mapping(Protocol.UDP, 5000, "192.168.77.21", 5000)
    gateway = Gateway(
        "lo",
        "127.0.0.1",
        "127.0.0.1",
        8,
        True,
        (Spoken(Way.NATPMP, Took.GRANTED),),
        datetime.now(UTC),
        mappings=(taken,),
    )
    wish = Mapping(Protocol.UDP, 5000, "127.0.0.1", 5000)
    async with talking(natpmp.PORT, asked.append):
        done = [one async for one in change(gateway, Wish.ADD, [wish], 60, b"key")]
    assert [(one.done, one.spoken.took) for one in done] == [(False, Took.CONFLICT)]
    assert asked == []


async def test_another_port_than_asked_for_is_given_back() -> None:
    asked: list[bytes] = []

    def offer(data: bytes) -> bytes:
        asked.append(data)
        internal, _, lifetime = struct.unpack("!HHI", data[4:])
        return struct.pack("!BBHIHHI", 0, 129, 0, 5, internal, 7777, lifetime)

    gateway = Gateway("lo", "127.0.0.1", "127.0.0.1", 8, True, (Spoken(Way.NATPMP, Took.GRANTED),), datetime.now(UTC))
    async with talking(natpmp.PORT, offer):
        wish = Mapping(Protocol.UDP, 5000, "127.0.0.1", 5000)
        done = [one async for one in change(gateway, Wish.ADD, [wish], 60, b"key")]
    assert [(one.done, one.spoken.took) for one in done] == [(False, Took.CONFLICT)]
    assert asked == [natpmp.map_request(Transport.UDP, 5000, 5000, 60), natpmp.map_request(Transport.UDP, 5000, 0, 0)]


def test_networks_are_asked_by_the_interface_the_one_of_the_default_route_first() -> None:
    known = [
        Network("lo", "127.0.0.1", 8),
        Network("docker0", "172.17.0.1", 16),
        Network("wlan0", "192.168.77.30", 24),
        Network("eth0", "192.168.1.20", 24),
        Network("eth0", "10.0.0.5", 24),
        Network("eth0", "fe80::1", 64),
    ]
    routes = [
        DefaultRoute("eth0", "192.168.1.1", 100),
        DefaultRoute("wlan0", "192.168.77.1", 600),
        DefaultRoute("eth0", "fe80::2", 1024),
    ]
    told = [(street.interface, street.own, street.routers) for street in lay(known, routes)]
    assert told == [
        ("eth0", "192.168.1.20", ("192.168.1.1",)),
        ("wlan0", "192.168.77.30", ("192.168.77.1",)),
        ("docker0", "172.17.0.1", ()),
        ("eth0", "10.0.0.5", ()),
    ]
    rented = lay([Network("eth0", "198.51.100.4", 32)], [DefaultRoute("eth0", "198.51.100.1", 0)])
    assert [street.routers for street in rented] == [("198.51.100.1",)]


def test_the_gateway_to_ask_is_the_one_of_the_service_s_network() -> None:
    spoken = (Spoken(Way.UPNP, Took.GRANTED),)
    one = Gateway("eth0", "192.168.1.1", "192.168.1.20", 24, True, spoken, datetime.now(UTC))
    other = Gateway("wlan0", "192.168.77.1", "192.168.77.30", 24, False, spoken, datetime.now(UTC))
    assert nearest([one, other], "192.168.77.20") is other
    assert nearest([one, other], None) is one
    assert nearest([one], "192.168.77.20") is None


async def test_a_router_that_has_fallen_silent_is_not_asked_for_every_port() -> None:
    asked: list[bytes] = []
    gateway = Gateway("lo", "127.0.0.1", "127.0.0.1", 8, True, (Spoken(Way.NATPMP, Took.GRANTED),), datetime.now(UTC))
    wishes = [Mapping(Protocol.UDP, number, "127.0.0.1", number) for number in range(5000, 5200)]
    async with talking(natpmp.PORT, asked.append):
        done = [one async for one in change(gateway, Wish.ADD, wishes, 60, b"key")]
    assert {one.spoken.took for one in done} == {Took.SILENT}
    assert (len(done), len(asked)) == (200, 3)
