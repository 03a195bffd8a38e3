"""TCP probes over loopback: a connection alone proves nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable

import pytest
import trustme

from tests.probes.asking import KEY, a_plan, free_port, running
from tests.probes.far_ends import closed_port, silent_tcp, tcp
from tests.probes.probing import TIMEOUT_S, a_probe, observe, observe_all
from wizard.model.port import Speaks
from wizard.observation import Outcome
from wizard.responder import Responder
from wizard.wire.attribute import Attribute, ErrorCode
from wizard.wire.probe import answer, read_request
from wizard.wire.stun import Class, Message, Method, parse, write

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
OnConnection = Callable[[Reader, Writer], Awaitable[None]]


def saying(data: bytes) -> OnConnection:
    """Speaks first, then waits."""

    async def converse(reader: Reader, writer: Writer) -> None:
        writer.write(data)
        await reader.read()

    return converse


def http_saying(answer_with: bytes, requests: list[bytes] | None = None) -> OnConnection:
    """Answers what starts as HTTP, and hangs up on everything else."""

    async def converse(reader: Reader, writer: Writer) -> None:
        first = await reader.readexactly(4)
        if first == b"GET ":
            head = first + await reader.readuntil(b"\r\n\r\n")
            if requests is not None:
                requests.append(head)
            writer.write(answer_with)

    return converse


async def mute(reader: Reader, _: Writer) -> None:
    """Accepts, listens, says nothing."""
    await reader.read()


async def hang_up(reader: Reader, writer: Writer) -> None:
    """Accepts and closes at once, as a proxy without a back end does."""


async def reset(reader: Reader, writer: Writer) -> None:
    """Accepts and resets."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def dislike(reader: Reader, writer: Writer) -> None:
    """Waits for its client, and hangs up on bytes that it does not know."""
    await reader.readexactly(4)


@pytest.fixture(scope="module")
def server_tls() -> ssl.SSLContext:
    """TLS of a server whose certificate nobody here trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("calls.example").configure_cert(context)
    return context


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_responder_on_the_planned_port_is_answered_with_all_that_it_saw(address: str) -> None:
    port = free_port()
    async with running(Responder(a_plan(("tcp", port)))):
        seen = await observe(a_probe(port, "tcp", address))
    literal = f"[{address}]" if ":" in address else address
    assert (seen.outcome, seen.address, seen.stands_at) == (Outcome.ANSWERED, address, "chat")
    assert seen.came_in_on == f"{literal}:{port}"
    assert seen.seen_as is not None
    assert seen.seen_as.startswith(f"{literal}:")
    assert seen.source == ("::1/128" if ":" in address else "127.0.0.1/8")


async def test_a_responder_on_another_port_than_planned_is_misdirected() -> None:
    async def off_by_one(reader: Reader, writer: Writer) -> None:
        asked = read_request(KEY, await reader.readexactly(240))
        assert asked is not None
        here = writer.get_extra_info("sockname")
        reply = answer(KEY, asked.transaction, ("127.0.0.1", 9), (here[0], here[1] + 1), "chat", False)
        for at in range(0, len(reply), 7):  # the answer comes in pieces
            writer.write(reply[at : at + 7])
            await writer.drain()

    async with tcp(off_by_one) as port:
        seen = await observe(a_probe(port, "tcp"))
    assert (seen.outcome, seen.came_in_on) == (Outcome.MISDIRECTED, f"127.0.0.1:{port + 1}")


@pytest.mark.alone
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_closed_port_is_refused_long_before_the_time_out(address: str) -> None:
    began = time.perf_counter()
    seen = await observe(a_probe(closed_port(socket.SOCK_STREAM, address), "tcp", address), timeout_s=5.0)
    assert seen.outcome is Outcome.REFUSED
    assert time.perf_counter() - began < 2.5


@pytest.mark.alone
async def test_a_port_that_drops_every_syn_is_silent_after_one_time_out() -> None:
    with silent_tcp() as port:
        began = time.perf_counter()
        seen = await observe(a_probe(port, "tcp"))
    assert seen.outcome is Outcome.SILENT
    assert TIMEOUT_S <= time.perf_counter() - began < 1.3 * TIMEOUT_S


async def test_a_service_that_says_nothing_is_accepted_and_no_more() -> None:
    async with tcp(mute) as port:
        seen = await observe(a_probe(port, "tcp"))
    assert (seen.outcome, seen.error) == (Outcome.ACCEPTED, None)


@pytest.mark.parametrize("far_end", [hang_up, reset])
@pytest.mark.parametrize("speaks", [None, Speaks.HTTP, Speaks.TLS, Speaks.HTTPS, Speaks.STUN])
async def test_whoever_hangs_up_on_everyone_is_a_proxy_without_a_back_end(
    far_end: OnConnection, speaks: Speaks | None
) -> None:
    async with tcp(far_end) as port:
        seen = await observe(a_probe(port, "tcp", speaks=speaks))
    assert seen.outcome is Outcome.CLOSED


@pytest.mark.parametrize("speaks", [None, Speaks.HTTP, Speaks.TLS])
async def test_whoever_hangs_up_on_our_bytes_only_is_not_blamed(speaks: Speaks | None) -> None:
    async with tcp(dislike) as port:
        seen = await observe(a_probe(port, "tcp", speaks=speaks))
    assert seen.outcome is Outcome.ACCEPTED


async def test_a_responder_that_hung_up_once_is_asked_again() -> None:
    calls: list[int] = []

    async def busy_at_first(reader: Reader, writer: Writer) -> None:
        calls.append(1)
        if len(calls) > 1:
            asked = read_request(KEY, await reader.readexactly(240))
            if asked is not None:
                here = writer.get_extra_info("sockname")
                writer.write(answer(KEY, asked.transaction, ("127.0.0.1", 9), here, "chat", False))

    async with tcp(busy_at_first) as port:
        seen = await observe(a_probe(port, "tcp"))
    assert seen.outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("banner", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "'SSH-2.0-OpenSSH_9.2'"),
        (b"220 mail.example ESMTP\r\n", "'220 mail.example ESMTP'"),
        (bytes(range(256)) * 1000, "bytes"),
    ],
)
async def test_a_banner_is_alien(banner: bytes, words: str) -> None:
    async with tcp(saying(banner)) as port:
        seen = await observe(a_probe(port, "tcp"))
    assert seen.outcome is Outcome.ALIEN
    assert words in (seen.error or "")


async def test_an_echo_is_alien() -> None:
    async def echo(reader: Reader, writer: Writer) -> None:
        while data := await reader.read(1000):
            writer.write(data)

    async with tcp(echo) as port:
        seen = await observe(a_probe(port, "tcp"))
    assert seen.outcome is Outcome.ALIEN
    assert "echo" in (seen.error or "")


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "404 Not Found", "401 Unauthorized", "500 Oops"])
async def test_any_http_status_of_the_service_proves_a_port_that_speaks_http(status: str) -> None:
    requests: list[bytes] = []
    async with tcp(http_saying(f"HTTP/1.1 {status}\r\nLocation: http://192.0.2.1/\r\n\r\n".encode(), requests)) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.HTTP, path="/ui"), server_name="calls.example")
    assert (seen.outcome, seen.stands_at) == (Outcome.ANSWERED, None)
    assert len(requests) == 1
    assert requests[0].startswith(b"GET /ui HTTP/1.1\r\n")
    assert f"\r\nHost: calls.example:{port}\r\n".encode() in requests[0]


async def test_a_name_and_a_path_in_any_script_make_one_well_formed_request() -> None:
    requests: list[bytes] = []
    async with tcp(http_saying(b"HTTP/1.1 200 OK\r\n\r\n", requests)) as port:
        probe = a_probe(port, "tcp", speaks=Speaks.HTTP, path="/通话 1?a=b%20c\r\nX: y")
        seen = await observe(probe, server_name="bücher.example")
    assert seen.outcome is Outcome.ANSWERED
    lines = requests[0].split(b"\r\n")
    assert lines[0] == b"GET /%E9%80%9A%E8%AF%9D%201?a=b%20c%0D%0AX:%20y HTTP/1.1"
    assert f"Host: xn--bcher-kva.example:{port}".encode() in lines


@pytest.mark.parametrize("name", ["a..b", "a" * 70 + ".example", ".example"])
async def test_a_name_that_no_tls_server_can_have_is_said_so(server_tls: ssl.SSLContext, name: str) -> None:
    async with tcp(mute, tls=server_tls) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.TLS), server_name=name)
    assert seen.outcome is Outcome.FAILED
    assert name in (seen.error or "")


@pytest.mark.parametrize("status", [502, 503, 504, 521])
async def test_a_proxy_whose_back_end_is_missing_proves_nothing(status: int) -> None:
    async with tcp(http_saying(f"HTTP/1.1 {status} Alas\r\n\r\n".encode())) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.HTTP))
    assert (seen.outcome, seen.error) == (Outcome.ALIEN, f"a proxy answered {status}, its back end did not")


@pytest.mark.parametrize("status", [407, 511])
async def test_what_a_network_says_on_the_way_proves_no_service(status: int) -> None:
    async with tcp(http_saying(f"HTTP/1.1 {status} Sign in first\r\n\r\n".encode())) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.HTTP))
    assert (seen.outcome, seen.error) == (Outcome.ALIEN, f"the network on the way answered {status}, not the service")


async def test_what_is_no_http_is_no_proof_of_http() -> None:
    async with tcp(saying(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.HTTP))
    assert seen.outcome is Outcome.ALIEN


def websocket(accept: Callable[[bytes], bytes]) -> OnConnection:
    """A WebSocket server; `accept` makes its Sec-WebSocket-Accept of the key."""

    async def converse(reader: Reader, writer: Writer) -> None:
        first = await reader.readexactly(4)
        if first == b"GET ":
            head = await reader.readuntil(b"\r\n\r\n")
            key = next(line[19:] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: "))
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"sec-websocket-accept: " + accept(key) + b"\r\n\r\n"
            )
            await reader.read()

    return converse


def rightly(key: bytes) -> bytes:
    """RFC 6455 section 4.2.2."""
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


async def test_a_websocket_handshake_proves_a_port_that_speaks_ws() -> None:
    async with tcp(websocket(rightly)) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.WS, path="/ws/probe"))
    assert (seen.outcome, seen.stands_at) == (Outcome.ANSWERED, None)


@pytest.mark.parametrize(
    ("far_end", "words"),
    [
        (websocket(lambda key: key), "wrong Sec-WebSocket-Accept"),
        (http_saying(b"HTTP/1.1 200 OK\r\n\r\n"), "HTTP 200 came back in place of a WebSocket"),
        (http_saying(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), "a proxy answered 502"),
    ],
)
async def test_anything_but_the_right_handshake_is_no_websocket(far_end: OnConnection, words: str) -> None:
    async with tcp(far_end) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.WS, path="/ws/probe"))
    assert seen.outcome is Outcome.ALIEN
    assert words in (seen.error or "")


async def test_a_tls_handshake_proves_a_port_that_speaks_tls_whoever_signed(server_tls: ssl.SSLContext) -> None:
    names: list[str | None] = []
    server_tls.sni_callback = lambda _, name, __: names.append(name)
    async with tcp(mute, tls=server_tls) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.TLS), server_name="calls.example")
        by_address = await observe(a_probe(port, "tcp", speaks=Speaks.TLS))
    assert (seen.outcome, seen.stands_at) == (Outcome.ANSWERED, None)
    assert by_address.outcome is Outcome.ANSWERED
    assert set(names) == {"calls.example", None}


async def test_plain_text_is_no_proof_of_tls() -> None:
    async with tcp(saying(b"220 mail.example ESMTP\r\n")) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.TLS))
    assert seen.outcome is Outcome.ALIEN
    assert "TLS handshake failed" in (seen.error or "")


@pytest.mark.parametrize("speaks", [Speaks.HTTPS, Speaks.WSS])
async def test_http_within_tls_proves_https_and_wss(server_tls: ssl.SSLContext, speaks: Speaks) -> None:
    far_end = http_saying(b"HTTP/1.1 404 Not Found\r\n\r\n") if speaks is Speaks.HTTPS else websocket(rightly)
    async with tcp(far_end, tls=server_tls) as port:
        seen = await observe(a_probe(port, "tcp", speaks=speaks, path="/"))
    assert (seen.outcome, seen.stands_at) == (Outcome.ANSWERED, None)


@pytest.mark.parametrize("far_end", [http_saying(b"HTTP/1.1 503 Alas\r\n\r\n"), hang_up])
async def test_tls_without_the_service_within_is_no_proof_of_https(
    server_tls: ssl.SSLContext, far_end: OnConnection
) -> None:
    async with tcp(far_end, tls=server_tls) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.HTTPS))
    assert seen.outcome is Outcome.ALIEN


@pytest.mark.parametrize("speaks", list(Speaks))
async def test_a_responder_that_stands_in_for_a_service_is_recognised(speaks: Speaks) -> None:
    port = free_port()
    async with running(Responder(a_plan(("tcp", port)))):
        seen = await observe(a_probe(port, "tcp", speaks=speaks))
    assert (seen.outcome, seen.stands_at) == (Outcome.ANSWERED, "chat")


def stun_server(reply: Callable[[Message], Message | None]) -> OnConnection:
    """A STUN server over TCP."""

    async def converse(reader: Reader, writer: Writer) -> None:
        while True:
            head = await reader.readexactly(20)
            message = parse(head + await reader.readexactly(int.from_bytes(head[2:4], "big")))
            answered = reply(message)
            if answered is not None:
                writer.write(write(answered))

    return converse


def binding(asked: Message) -> Message | None:
    """The answer of a plain STUN server."""
    if asked.method is not Method.BINDING:
        return None
    return Message(
        Method.BINDING, Class.SUCCESS, asked.transaction, ((Attribute.XOR_MAPPED_ADDRESS, ("192.0.2.7", 4242)),)
    )


def refused_allocation(asked: Message) -> Message | None:
    """The answer of a TURN server that answers no Binding."""
    if asked.method is not Method.ALLOCATE:
        return None
    return Message(
        Method.ALLOCATE, Class.ERROR, asked.transaction, ((Attribute.ERROR_CODE, ErrorCode(401, "Unauthorized")),)
    )


@pytest.mark.parametrize(
    ("speaks", "reply", "outcome"),
    [
        (Speaks.STUN, binding, Outcome.ANSWERED),
        (Speaks.TURN, binding, Outcome.ANSWERED),
        (Speaks.TURN, refused_allocation, Outcome.ANSWERED),
        (Speaks.STUN, refused_allocation, Outcome.ACCEPTED),
    ],
)
async def test_a_real_server_proves_a_tcp_port_that_speaks_stun_or_turn(
    speaks: Speaks, reply: Callable[[Message], Message | None], outcome: Outcome
) -> None:
    async with tcp(stun_server(reply)) as port:
        seen = await observe(a_probe(port, "tcp", speaks=speaks))
    assert (seen.outcome, seen.stands_at) == (outcome, None)


async def test_each_port_gets_its_own_verdict_when_all_are_asked_at_once() -> None:
    open_ports = [free_port() for _ in range(30)]
    async with running(Responder(a_plan(*(("tcp", port) for port in open_ports)))), tcp(mute) as quiet:
        closed = {closed_port(socket.SOCK_STREAM) for _ in range(30)} - {*open_ports, quiet}
        seen = await observe_all(a_probe(port, "tcp") for port in {*open_ports, *closed, quiet})
    outcomes = {probe.port: one.outcome for probe, one in seen.items()}
    assert {port for port, outcome in outcomes.items() if outcome is Outcome.ANSWERED} == set(open_ports)
    assert {port for port, outcome in outcomes.items() if outcome is Outcome.REFUSED} == closed
    assert outcomes[quiet] is Outcome.ACCEPTED


def page(title: str, *head: str) -> bytes:
    lines = [
        "HTTP/1.1 200 OK",
        "Content-Type: text/html",
        *head,
        "",
        f"<html><head><title>{title}</title></head></html>",
    ]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (page("FRITZ!Box"), "FRITZ!Box"),
        (page("Login", "Server: TP-LINK Router"), "TP-LINK"),
        (page("OpenWrt - LuCI"), "OpenWrt"),
        (b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="NETGEAR R7000"\r\n\r\n', "NETGEAR"),
    ],
)
async def test_the_page_of_a_router_is_not_taken_for_the_service(answer: bytes, name: str) -> None:
    async with tcp(http_saying(answer)) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.HTTP))
    assert seen.outcome is Outcome.ALIEN
    assert name in (seen.error or "")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (page("Video &amp; Chat", "Server: nginx/1.22"), "Video & Chat"),
        (page("\x1b[2Jevil\nname"), "[2Jevil name"),
        (b"HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n", "nginx"),
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
    ],
)
async def test_a_web_service_is_known_by_what_it_calls_itself(answer: bytes, says: str | None) -> None:
    async with tcp(http_saying(answer)) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.HTTP))
    assert (seen.outcome, seen.service) == (Outcome.ANSWERED, says)


async def test_a_web_service_that_never_ends_its_page_is_proven_all_the_same() -> None:
    async with tcp(saying(b"HTTP/1.1 200 OK\r\nX: y\r\n")) as port:
        seen = await observe(a_probe(port, "tcp", speaks=Speaks.HTTP))
    assert (seen.outcome, seen.service) == (Outcome.ANSWERED, None)
