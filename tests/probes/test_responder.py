"""The responder over real sockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from tests.probes.asking import KEY, WITHIN_S, a_plan, ask_tcp, ask_udp, free_port, running, signed, udp_socket
from wizard import responder
from wizard.responder import Responder
from wizard.wire.probe import message_size, read_answer
from wizard.wire.response import Seen

V4_AND_V6 = pytest.mark.parametrize("address", ["127.0.0.1", "::1"])


@V4_AND_V6
@pytest.mark.requires("ipv6")
async def test_an_answer_names_both_ends_and_the_hop_over_udp(address: str) -> None:
    port = free_port()
    async with running(Responder(a_plan(("udp", port)))):
        answer = await ask_udp(address, port)
    assert answer.came_in_on == (address, port)
    assert answer.seen_as[0] == address
    assert (answer.stands_at, answer.wrong_host) == ("chat", False)


@V4_AND_V6
@pytest.mark.requires("ipv6")
async def test_an_answer_names_both_ends_and_the_hop_over_tcp(address: str) -> None:
    port = free_port()
    async with running(Responder(a_plan(("tcp", port)))):
        answer = await ask_tcp(address, port)
    assert answer.came_in_on == (address, port)
    assert answer.seen_as[0] == address
    assert (answer.stands_at, answer.wrong_host) == ("chat", False)


@pytest.mark.requires("linux")
async def test_an_answer_leaves_from_the_address_that_was_asked() -> None:
    port = free_port()
    async with running(Responder(a_plan(("udp", port)))):
        # The socket of ask_udp is connected: it hears nothing from any other address.
        for address in ("127.0.0.2", "127.77.1.9"):
            assert (await ask_udp(address, port)).came_in_on == (address, port)


@pytest.mark.requires("linux")
async def test_without_ipv6_an_answer_still_leaves_from_the_address_that_was_asked() -> None:
    port = free_port()
    async with running(Responder(a_plan(("udp", port), ("tcp", port)), addresses=("0.0.0.0",))):
        assert (await ask_udp("127.0.0.2", port)).came_in_on == ("127.0.0.2", port)
        assert (await ask_tcp("127.0.0.2", port)).came_in_on == ("127.0.0.2", port)


@pytest.mark.requires("linux")
async def test_bound_to_given_addresses_it_answers_on_those_alone() -> None:
    port = free_port()
    plan = a_plan(("udp", port), ("tcp", port))
    async with running(Responder(plan, addresses=("127.77.0.5", "::1"))):
        for address in ("127.77.0.5", "::1"):
            assert (await ask_udp(address, port)).came_in_on == (address, port)
            assert (await ask_tcp(address, port)).came_in_on == (address, port)
        with pytest.raises(ConnectionRefusedError):
            await ask_udp("127.0.0.1", port)
        with pytest.raises(ConnectionRefusedError):
            await ask_tcp("127.0.0.1", port)


async def test_the_protocol_that_was_not_planned_is_answered_too() -> None:
    udp, tcp = free_port(), free_port()
    starting = Responder(a_plan(("udp", udp), ("tcp", tcp)))
    bound = await starting.start()
    try:
        assert set(bound.ports) == {("udp", udp), ("tcp", tcp)}
        assert (await ask_tcp("127.0.0.1", udp)).came_in_on == ("127.0.0.1", udp)
        assert (await ask_udp("127.0.0.1", tcp)).came_in_on == ("127.0.0.1", tcp)
    finally:
        await starting.stop()


async def test_a_held_counterpart_is_no_matter() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        starting = Responder(a_plan(("udp", port)))
        bound = await starting.start()
        await starting.stop()
    assert bound == ((("udp", port),), ())


@pytest.mark.requires("ipv6")
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
async def test_a_port_that_a_program_holds_on_any_address_is_left_alone_on_all(protocol: str, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM) as holder:
        if family is socket.AF_INET6:
            holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if protocol == "tcp":
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((address, 0))
        if protocol == "tcp":
            holder.listen()
        port = holder.getsockname()[1]
        starting = Responder(a_plan((protocol, port)))
        bound = await starting.start()
        try:
            assert bound == ((), ((protocol, port, None),))
            elsewhere = "127.0.0.1" if family is socket.AF_INET6 else "::1"
            with pytest.raises(ConnectionRefusedError):
                await (ask_udp if protocol == "udp" else ask_tcp)(elsewhere, port)
        finally:
            await starting.stop()


async def test_what_is_unsigned_is_met_with_silence_over_udp() -> None:
    port = free_port()
    loop = asyncio.get_running_loop()
    strangers: list[tuple[str, int]] = []
    async with running(Responder(a_plan(("udp", port)), stranger=strangers.append)):
        with udp_socket("127.0.0.1", port) as sock:
            transaction, ours = signed(port)
            for data in (b"", b"hello", bytes(2000), signed(port, b"another key")[1], ours[:-1] + b"\0", ours):
                await loop.sock_sendall(sock, data)
            # The first thing that comes back is the answer to what was sent last.
            answer = read_answer(KEY, await asyncio.wait_for(loop.sock_recv(sock, 2000), WITHIN_S))
            own = sock.getsockname()
    assert answer is not None
    assert answer.transaction == transaction
    assert own in strangers


@pytest.mark.parametrize("data", [b"G", b"GET / HTTP/1.1\r\n\r\n", signed(1, b"another key")[1], bytes(20)])
async def test_what_is_unsigned_is_closed_at_once_over_tcp(data: bytes) -> None:
    port = free_port()
    async with running(Responder(a_plan(("tcp", port)))):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        assert await asyncio.wait_for(reader.read(), responder.IDLE_S / 2) == b""
        writer.close()
        await writer.wait_closed()


async def test_requests_in_pieces_and_in_one_piece_are_answered_over_tcp() -> None:
    port = free_port()
    async with running(Responder(a_plan(("tcp", port)))):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        requests = [signed(port) for _ in range(3)]
        first = requests[0][1]
        for byte in first[:-1]:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        writer.write(first[-1:] + requests[1][1] + requests[2][1])
        for transaction, _ in requests:
            start = await asyncio.wait_for(reader.readexactly(20), WITHIN_S)
            answer = read_answer(KEY, start + await reader.readexactly((message_size(start) or 20) - 20))
            assert answer is not None
            assert answer.transaction == transaction
        writer.close()
        await writer.wait_closed()


PROXY_V1 = b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\r\n"
PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)


@pytest.mark.parametrize("header", [PROXY_V1, PROXY_V2])
async def test_a_proxy_protocol_header_before_the_probe_is_passed_over_and_told(header: bytes) -> None:
    port = free_port()
    told: list[Seen] = []
    loop = asyncio.get_running_loop()
    async with running(Responder(a_plan(("tcp", port), ("udp", port)), seen=told.append)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        transaction, data = signed(port)
        for piece in (header[:9], header[9:] + data[:30], data[30:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        start = await asyncio.wait_for(reader.readexactly(20), WITHIN_S)
        answer = read_answer(KEY, start + await reader.readexactly((message_size(start) or 20) - 20))
        assert answer is not None
        assert answer.transaction == transaction
        writer.close()
        await writer.wait_closed()
        with udp_socket("127.0.0.1", port) as sock:
            await loop.sock_sendall(sock, header + data)
            assert read_answer(KEY, await asyncio.wait_for(loop.sock_recv(sock, 2000), WITHIN_S)) is not None
    assert [(seen.protocol, seen.proxied) for seen in told] == [("tcp", True), ("udp", True)]


async def test_a_connection_that_says_nothing_is_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responder, "IDLE_S", 0.05)
    port = free_port()
    async with running(Responder(a_plan(("tcp", port)))):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), WITHIN_S) == b""
        writer.close()
        await writer.wait_closed()


async def test_silent_connections_never_keep_a_probe_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responder, "CONNECTIONS", 8)
    port = free_port()
    async with running(Responder(a_plan(("tcp", port)))):
        idlers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        await ask_tcp("127.0.0.1", port)
        # The oldest made room.
        assert await asyncio.wait_for(idlers[0][0].read(), responder.IDLE_S / 2) == b""
        for _, writer in idlers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_a_probe_is_told_once_with_what_it_says_of_itself() -> None:
    port = free_port()
    told: list[Seen] = []
    plan = a_plan(("udp", port))
    loop = asyncio.get_running_loop()
    async with running(Responder(plan, seen=told.append)):
        with udp_socket("127.0.0.1", port) as sock:
            _, data = signed(port)
            for _ in range(3):
                await loop.sock_sendall(sock, data)
                await asyncio.wait_for(loop.sock_recv(sock, 2000), WITHIN_S)
            own = sock.getsockname()
    assert len(told) == 1
    assert told[0].outcome == "answered"
    assert told[0].source == own
    assert told[0].came_in_on == ("127.0.0.1", port)
    assert told[0].request[1:] == ("laptop", "chat", port)


async def test_a_probe_that_was_sent_to_another_number_is_told_as_misdirected() -> None:
    port = free_port()
    told: list[Seen] = []
    async with running(Responder(a_plan(("udp", port)), seen=told.append)):
        await ask_udp("127.0.0.1", port, sent_to=port - 1)
    assert [seen.outcome for seen in told] == ["misdirected"]


async def test_it_is_over_after_its_minutes() -> None:
    port = free_port()
    async with running(Responder(a_plan(("udp", port)), minutes=0.001)) as started:
        await asyncio.wait_for(started.over(), WITHIN_S)


async def test_after_stop_every_port_is_free_again() -> None:
    udp, tcp = free_port(), free_port()
    plan = a_plan(("udp", udp), ("tcp", tcp))
    for addresses in ((), ("127.0.0.1",)):
        for _ in range(2):
            again = Responder(plan, addresses=addresses)
            assert (await again.start()).held == ()
            await ask_tcp("127.0.0.1", tcp)
            await again.stop()
            await again.stop()


async def test_a_planned_name_that_does_not_resolve_accuses_nobody() -> None:
    port = free_port()
    plan = a_plan(("udp", port), addresses=("no such name", "192.168.77.10"))
    async with running(Responder(plan)):
        assert not (await ask_udp("127.0.0.1", port)).wrong_host
