"""UDP probes over loopback, against responders and against everything else that may be there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from tests.probes.asking import KEY, a_plan, free_port, running
from tests.probes.far_ends import Reply, closed_port, silent_udp, udp
from tests.probes.probing import TIMEOUT_S, a_probe, observe, observe_all
from wizard.model.port import Speaks
from wizard.observation import Outcome
from wizard.probes import carrier
from wizard.probes.udp_socket import ConnectedSockets
from wizard.responder import Responder
from wizard.vantage import local
from wizard.wire.attribute import Attribute, ErrorCode
from wizard.wire.probe import answer, read_request
from wizard.wire.stun import Class, Message, Method, parse, write


@pytest.fixture(params=["one socket for all", "a socket for each port"])
def any_carrier(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to carry datagrams: this system's, and that of systems without an error queue."""
    if request.param == "a socket for each port":
        monkeypatch.setattr(
            carrier, "open_socket", lambda target, _, heard, told: ConnectedSockets(target, heard, told)
        )
        monkeypatch.setattr(local.icmp, "TOLD", False)


def signed_answer(data: bytes, port: int, key: bytes = KEY, stands_at: str = "chat", wrong_host: bool = False) -> bytes:
    """The answer of a responder that stands at `stands_at` and got the probe on `port`."""
    asked = read_request(KEY, data)
    assert asked is not None
    return answer(key, asked.transaction, ("127.0.0.1", 5000), ("127.0.0.1", port), stands_at, wrong_host)


@pytest.mark.usefixtures("any_carrier")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_responder_on_the_planned_port_is_answered_with_all_that_it_saw(address: str) -> None:
    port = free_port()
    async with running(Responder(a_plan(("udp", port)))):
        seen = await observe(a_probe(port, address=address))
    literal = f"[{address}]" if ":" in address else address
    assert (seen.outcome, seen.address, seen.stands_at) == (Outcome.ANSWERED, address, "chat")
    assert seen.came_in_on == f"{literal}:{port}"
    assert seen.seen_as is not None
    assert seen.seen_as.startswith(f"{literal}:")
    assert seen.source == ("::1/128" if ":" in address else "127.0.0.1/8")
    assert seen.rtt_ms is not None
    assert 0 < seen.rtt_ms < 500


@pytest.mark.parametrize(
    ("arrived_on", "stands_at", "wrong_host"),
    [(1, "chat", False), (0, "chat", True), (0, "another-hop", False)],
    ids=["another port", "another host", "a hop that is not crossed"],
)
async def test_a_responder_where_the_plan_does_not_send_is_misdirected(
    arrived_on: int, stands_at: str, wrong_host: bool
) -> None:
    def on_datagram(data: bytes, reply: Reply) -> None:
        reply(signed_answer(data, ports[0] + arrived_on, stands_at=stands_at, wrong_host=wrong_host))

    async with udp(on_datagram) as port:
        ports = [port]
        seen = await observe(a_probe(port))
    assert (seen.outcome, seen.stands_at) == (Outcome.MISDIRECTED, stands_at)
    assert seen.came_in_on == f"127.0.0.1:{port + arrived_on}"


async def test_the_number_that_is_expected_is_that_of_the_hop_where_the_responder_stands() -> None:
    def on_datagram(data: bytes, reply: Reply) -> None:
        reply(signed_answer(data, 20000))

    async with udp(on_datagram) as port:
        seen = await observe(a_probe(port, arrives=20000))
    assert seen.outcome is Outcome.ANSWERED


@pytest.mark.usefixtures("any_carrier")
@pytest.mark.parametrize(
    ("reply_with", "words"),
    [
        (lambda _: b"\x00\xff\x01", "3 bytes"),
        (lambda _: b"SSH-2.0-OpenSSH_9.2\r\n", "'SSH-2.0-OpenSSH_9.2'"),
        (lambda data: data, "echo"),
        (lambda data: signed_answer(data, 1, key=b"another key"), "another probe key"),
        (lambda _: answer(KEY, b"x" * 12, ("192.0.2.1", 1), ("192.0.2.1", 1), "chat", False), "another probe"),
        (lambda data: write(Message(Method.BINDING, Class.SUCCESS, data[8:20])), "not this project's responder"),
    ],
    ids=["garbage", "banner", "echo", "another key", "another transaction", "an unsigned STUN server"],
)
async def test_bytes_that_prove_nothing_are_alien(reply_with: Callable[[bytes], bytes], words: str) -> None:
    async with udp(lambda data, reply: reply(reply_with(data))) as port:
        seen = await observe(a_probe(port), timeout_s=0.3)
    assert seen.outcome is Outcome.ALIEN
    assert words in (seen.error or "")


async def test_a_right_answer_after_garbage_is_an_answer() -> None:
    def on_datagram(data: bytes, reply: Reply) -> None:
        reply(b"garbage")
        reply(data)
        reply(signed_answer(data, ports[0]))
        reply(signed_answer(data, ports[0]))

    async with udp(on_datagram) as port:
        ports = [port]
        seen = await observe(a_probe(port))
    assert seen.outcome is Outcome.ANSWERED


async def test_an_answer_from_another_address_is_none() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))

        def on_datagram(data: bytes, reply: Reply) -> None:
            other.sendto(signed_answer(data, ports[0]), reply.to)
            asked.append(reply.to)

        async with udp(on_datagram) as port:
            ports, asked = [port], []
            seen = await observe(a_probe(port), timeout_s=0.4)
    assert asked
    assert seen.outcome is Outcome.SILENT


@pytest.mark.alone
@pytest.mark.usefixtures("any_carrier")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_closed_port_is_refused_long_before_the_time_out(address: str) -> None:
    began = time.perf_counter()
    seen = await observe(a_probe(closed_port(socket.SOCK_DGRAM, address), address=address), timeout_s=5.0)
    assert seen.outcome is Outcome.REFUSED
    assert time.perf_counter() - began < 2.5


@pytest.mark.alone
@pytest.mark.usefixtures("any_carrier")
async def test_a_port_that_never_answers_is_silent_after_one_time_out() -> None:
    with silent_udp() as port:
        began = time.perf_counter()
        seen = await observe(a_probe(port))
    assert seen.outcome is Outcome.SILENT
    assert TIMEOUT_S <= time.perf_counter() - began < 1.3 * TIMEOUT_S


@pytest.mark.usefixtures("any_carrier")
async def test_each_port_gets_its_own_verdict_when_all_are_asked_at_once() -> None:
    open_ports = [free_port() for _ in range(40)]
    closed = {closed_port(socket.SOCK_DGRAM) for _ in range(40)} - set(open_ports)
    async with running(Responder(a_plan(*(("udp", port) for port in open_ports)))):
        with silent_udp() as mute:
            seen = await observe_all(a_probe(port) for port in {*open_ports, *closed, mute})
    outcomes = {probe.port: one.outcome for probe, one in seen.items()}
    assert {port for port, outcome in outcomes.items() if outcome is Outcome.ANSWERED} == set(open_ports)
    assert {port for port, outcome in outcomes.items() if outcome is Outcome.REFUSED} == closed
    assert outcomes[mute] is Outcome.SILENT


async def test_an_answer_to_the_third_request_is_enough() -> None:
    heard: list[bytes] = []

    def on_datagram(data: bytes, reply: Reply) -> None:
        heard.append(data)
        if len(heard) == 3:
            reply(signed_answer(data, ports[0]))

    async with udp(on_datagram) as port:
        ports = [port]
        seen = await observe(a_probe(port), timeout_s=3.0)
    assert seen.outcome is Outcome.ANSWERED
    assert len(heard) == 3


@pytest.mark.parametrize("speaks", [Speaks.STUN, Speaks.TURN])
async def test_a_real_stun_server_proves_a_port_that_speaks_stun(speaks: Speaks) -> None:
    def on_datagram(data: bytes, reply: Reply) -> None:
        asked = parse(data)
        if asked.method is Method.BINDING:
            mapped = ((Attribute.XOR_MAPPED_ADDRESS, ("192.0.2.7", 4242)),)
            reply(write(Message(Method.BINDING, Class.SUCCESS, asked.transaction, mapped)))

    async with udp(on_datagram) as port:
        seen = await observe(a_probe(port, speaks=speaks))
    assert (seen.outcome, seen.stands_at, seen.seen_as) == (Outcome.ANSWERED, None, "192.0.2.7:4242")


async def test_a_turn_server_that_answers_no_binding_is_proven_by_its_refusal_of_an_allocation() -> None:
    def on_datagram(data: bytes, reply: Reply) -> None:
        asked = parse(data)
        if asked.method is Method.ALLOCATE:
            error = ((Attribute.ERROR_CODE, ErrorCode(401, "Unauthorized")),)
            reply(write(Message(Method.ALLOCATE, Class.ERROR, asked.transaction, error)))

    async with udp(on_datagram) as port:
        seen = await observe(a_probe(port, speaks=Speaks.TURN))
    assert (seen.outcome, seen.stands_at) == (Outcome.ANSWERED, None)


async def test_an_allocation_that_an_open_turn_server_grants_is_given_back() -> None:
    lifetimes: list[int | None] = []

    def on_datagram(data: bytes, reply: Reply) -> None:
        asked = parse(data)
        if asked.method is Method.ALLOCATE:
            reply(write(Message(Method.ALLOCATE, Class.SUCCESS, asked.transaction)))
        elif asked.method is Method.REFRESH:
            lifetimes.append(asked.number(Attribute.LIFETIME))
            if len(lifetimes) == 2:  # the first is lost
                reply(write(Message(Method.REFRESH, Class.SUCCESS, asked.transaction)))

    async with udp(on_datagram) as port:
        seen = await observe(a_probe(port, speaks=Speaks.TURN))
    assert seen.outcome is Outcome.ANSWERED
    assert lifetimes == [0, 0]


@pytest.mark.parametrize("speaks", [Speaks.STUN, Speaks.TURN])
async def test_a_responder_that_stands_in_for_a_stun_server_is_recognised(speaks: Speaks) -> None:
    port = free_port()
    async with running(Responder(a_plan(("udp", port)))):
        seen = await observe(a_probe(port, speaks=speaks))
    assert (seen.outcome, seen.stands_at) == (Outcome.ANSWERED, "chat")


async def test_an_echo_is_no_stun_server() -> None:
    async with udp(lambda data, reply: reply(data)) as port:
        seen = await observe(a_probe(port, speaks=Speaks.TURN), timeout_s=0.3)
    assert seen.outcome is Outcome.ALIEN
