"""Every error of a TURN server, provoked: by a real coturn where it can be made to, by real bytes where it cannot."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.probes.coturn import CREDENTIALS, PASSWORD, USER, Coturn, coturn
from tests.probes.far_ends import Reply as Send
from tests.probes.far_ends import tcp, udp
from wizard.model.secret import Secret
from wizard.probes.candidate import CandidateError, ServerTried
from wizard.probes.conversation import Conversation, Endpoint, Reply, converse, new_client
from wizard.probes.fault import LinkFault
from wizard.probes.ice import Options, Target, gather
from wizard.probes.server_verdict import KNOWN_CODES, Sentence, Verdict, verdict_of
from wizard.report.ice import cause_words
from wizard.wire import stun, uri
from wizard.wire.attribute import Attribute, ErrorCode
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.stun import Class, Message, Method
from wizard.wire.turn import IPV6, TCP
from wizard.wire.turn_event import Succeeded
from wizard.wire.uri import Transport

from .certificates import Authority
from .ice_command import hopwise_ice
from .ice_street import SERVER, SERVER6, street
from .namespaces import Namespace

QUICK = Timing(timeout_s=1.0)
BOB = Credentials("bob", Secret("another-4711"))
PEER = ("127.0.0.1", 9)
PROHIBIT = "reject with icmpx type admin-prohibited"


@contextlib.asynccontextmanager
async def talk(
    server: Coturn, credentials: Credentials = CREDENTIALS, transport: Transport = Transport.UDP
) -> AsyncIterator[Conversation]:
    """A conversation with the server, no request made yet."""
    client = new_client(transport, credentials, QUICK)
    async with converse(Endpoint("127.0.0.1", server.port, transport, "localhost"), client) as conversation:
        assert not isinstance(conversation, LinkFault)
        yield conversation


def told(reply: Reply) -> tuple[Verdict, int | None, str]:
    """Verdict, code and cause; the cause has words."""
    sentence = verdict_of(reply, has_credentials=True, stream=False)
    assert cause_words(sentence.cause).remedy
    return sentence.verdict, sentence.code, sentence.cause


@pytest.mark.requires("coturn")
async def test_what_the_server_refuses_of_an_allocation_has_its_own_code(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user=bob:another-4711", "denied-peer-ip=192.0.2.1"]) as server, talk(server) as one:
        client = one.client
        assert isinstance(await one.ask(client.allocate), Succeeded)
        # A second one on the same addresses and ports (RFC 8656 section 7.2).
        assert told(await one.ask(client.allocate)) == (Verdict.PROTOCOL_ERROR, 437, "code-437")
        forbidden = await one.ask(lambda now: client.create_permission(now, [("192.0.2.1", 9)]))
        assert told(forbidden) == (Verdict.FORBIDDEN, 403, "code-403")
        family = await one.ask(lambda now: client.create_permission(now, [("2001:db8::1", 9)]))
        assert told(family) == (Verdict.PROTOCOL_ERROR, 443, "code-443")
        nobody = await one.ask(lambda now: client.create_permission(now, []))
        assert told(nobody) == (Verdict.PROTOCOL_ERROR, 400, "code-400")
        assert isinstance(await one.ask(lambda now: client.create_permission(now, [PEER])), Succeeded)
        # Somebody else with a good password, over the same socket.
        client._credentials, client._session = BOB, None
        stranger = await one.ask(lambda now: client.refresh(now, 600))
        assert told(stranger) == (Verdict.AUTH_FAILED, 441, "code-441")
        client._credentials, client._session = CREDENTIALS, None
        assert isinstance(await one.ask(lambda now: client.refresh(now, 600)), Succeeded)


@pytest.mark.requires("coturn")
async def test_a_nonce_that_the_server_no_longer_knows_is_renewed_unseen(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server, talk(server) as one:
        client = one.client
        assert isinstance(await one.ask(client.allocate), Succeeded)
        assert client._session is not None
        client._session = replace(client._session, nonce=b"0123456789abcdef")
        reply = await one.ask(lambda now: client.create_permission(now, [PEER]))
        await server.says("error 438")
    assert isinstance(reply, Succeeded)


@pytest.mark.requires("coturn")
async def test_attributes_transports_and_families_that_it_does_not_know_are_told_apart(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["no-tcp-relay"], listen=("127.0.0.1",)) as server:
        async with talk(server) as one:
            unknown = await one.ask(lambda now: one.client._ask(Method.BINDING, ((Attribute.CHANGE_REQUEST, 6),), now))
            assert told(unknown) == (Verdict.PROTOCOL_ERROR, 420, "code-420")
            six = await one.ask(lambda now: one.client.allocate(now, family=IPV6))
            assert told(six) == (Verdict.PROTOCOL_ERROR, 440, "code-440")
        async with talk(server, transport=Transport.TCP) as one:
            relayed_tcp = await one.ask(lambda now: one.client.allocate(now, transport=TCP))
            assert told(relayed_tcp) == (Verdict.PROTOCOL_ERROR, 442, "code-442")


@pytest.mark.requires("coturn")
async def test_a_tcp_peer_that_is_not_there_or_already_connected_is_told(tmp_path: Path) -> None:
    async def stay(reader: Any, writer: Any) -> None:
        await reader.read()

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        async with coturn(tmp_path) as server, tcp(stay) as there, talk(server, transport=Transport.TCP) as one:
            client = one.client
            assert isinstance(await one.ask(lambda now: client.allocate(now, transport=TCP)), Succeeded)
            gone = await one.ask(lambda now: client.connect(now, closed.getsockname()))
            assert told(gone) == (Verdict.PROTOCOL_ERROR, 447, "code-447")
            assert isinstance(await one.ask(lambda now: client.connect(now, ("127.0.0.1", there))), Succeeded)
            again = await one.ask(lambda now: client.connect(now, ("127.0.0.1", there)))
            assert told(again) == (Verdict.PROTOCOL_ERROR, 446, "code-446")


@pytest.mark.requires("coturn")
async def test_a_quota_and_a_lack_of_ports_are_told_apart(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["user-quota=1"]) as server, talk(server) as one, talk(server) as two:
        assert isinstance(await one.ask(one.client.allocate), Succeeded)
        assert told(await two.ask(two.client.allocate)) == (Verdict.QUOTA, 486, "code-486")
    async with coturn(tmp_path) as server:
        port = server.relay_ports.start
    narrow = [f"min-port={port}", f"max-port={port}"]
    async with coturn(tmp_path, narrow) as server, talk(server) as one, talk(server) as two:
        assert isinstance(await one.ask(one.client.allocate), Succeeded)
        assert told(await two.ask(two.client.allocate)) == (Verdict.NO_CAPACITY, 508, "code-508")


async def sentence(text: str, credentials: Credentials | None = CREDENTIALS) -> Sentence:
    """The one error of gathering from that server."""
    options = Options(relay_only=True, timing=QUICK)
    async with contextlib.aclosing(gather([Target(uri.parse(text), credentials)], options)) as events:
        found = [event async for event in events]
    (error,) = (event for event in found if isinstance(event, CandidateError))
    (tried,) = (event for event in found if isinstance(event, ServerTried))
    assert (tried.verdict, tried.error) == (error.sentence.verdict, error.sentence.text)
    return error.sentence


@pytest.mark.requires("coturn")
async def test_an_unknown_user_and_a_wrong_password_are_refused_as_credentials(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        for one in (Credentials(USER, Secret("not-it")), Credentials("nobody", Secret(PASSWORD)), BOB):
            found = await sentence(server.uri(), one)
            assert (found.verdict, found.code, found.cause) == (Verdict.AUTH_FAILED, 401, "code-401")


@pytest.mark.requires("coturn")
async def test_a_redirection_names_the_other_server(tmp_path: Path) -> None:
    async with coturn(tmp_path, ["alternate-server=192.0.2.9:3480"]) as server:
        found = await sentence(server.uri())
    assert (found.verdict, found.code, found.cause) == (Verdict.REDIRECTED, 300, "code-300")
    assert "192.0.2.9:3480" in found.text


EXPECTED = {
    300: Verdict.REDIRECTED,
    401: Verdict.AUTH_FAILED,
    403: Verdict.FORBIDDEN,
    438: Verdict.AUTH_FAILED,
    441: Verdict.AUTH_FAILED,
    486: Verdict.QUOTA,
    508: Verdict.NO_CAPACITY,
}


@pytest.mark.parametrize("code", sorted(KNOWN_CODES | {499, 600, 699}))
async def test_each_code_has_its_verdict_and_its_cause_whoever_sends_it(code: int) -> None:
    """A server that challenges once, as RFC 8489 section 9.2 has it, and then answers nothing but that code."""
    seen: list[Message] = []

    def answer(data: bytes, reply: Send) -> None:
        request = stun.parse(data)
        seen.append(request)
        signed = request.has(Attribute.MESSAGE_INTEGRITY)
        error = ErrorCode(code if signed else 401, "as it pleases \x1b[31m")
        challenge = [(Attribute.REALM, b"example.org"), (Attribute.NONCE, b"n%d" % len(seen))]
        attributes = ((Attribute.ERROR_CODE, error), *(challenge if error.code in (401, 438) else []))
        reply(stun.write(Message(request.method, Class.ERROR, request.transaction, tuple(attributes))))

    async with udp(answer) as port:
        found = await sentence(f"turn:127.0.0.1:{port}")
    assert found.verdict is EXPECTED.get(code, Verdict.PROTOCOL_ERROR)
    assert (found.code, found.cause) == (code, f"code-{code}" if code in KNOWN_CODES else "code-other")
    assert found.text.isprintable()
    # The challenge, the answer to it, and after a 438 one more: never a guess too many.
    assert len(seen) == (3 if code == 438 else 2)


@pytest.mark.requires("root", "nft", "coturn")
async def test_what_the_network_does_to_a_server_is_told_from_what_the_server_says(tmp_path: Path) -> None:
    """Filtered, closed, without an address, and each fault of a certificate: as the command reports it."""
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    past = datetime.now(UTC) - timedelta(days=1)
    expired = authority.issue("expired.example.org", SERVER, SERVER6, expires=past)
    elsewhere = authority.issue("turn.example.org")
    unknown = stranger.issue("stranger.example.org", SERVER, SERVER6)
    with street() as there:
        there.filter(
            "udp dport 3001 drop",
            "tcp dport 3001 drop",
            "udp dport 3002 reject",
            f"udp dport 3004 {PROHIBIT}",
            f"tcp dport 3004 {PROHIBIT}",
        )
        for certificate, cause in (
            (expired, "tls-expired"),
            (elsewhere, "tls-wrong-name"),
            (unknown, "tls-unknown-issuer"),
        ):
            async with there.coturn(tmp_path, certificate=certificate) as server:
                urls = [f"turns:{host}:{server.tls_port}?transport=tcp" for host in (SERVER, f"[{SERVER6}]")]
                await expect(there.home, authority, dict.fromkeys(urls, ("tls-failed", cause)))
        faults: dict[str, tuple[str, str]] = {}
        for host in (SERVER, f"[{SERVER6}]"):
            faults |= {
                f"turn:{host}:3001?transport=udp": ("unreachable", "timed-out"),
                f"turn:{host}:3001?transport=tcp": ("unreachable", "timed-out"),
                f"turns:{host}:3001?transport=tcp": ("unreachable", "timed-out"),
                f"turn:{host}:3002?transport=udp": ("refused", "refused"),
                f"turn:{host}:3004?transport=udp": ("unreachable", "rejected"),
                # TCP over IPv4 does not tell a firewall's word from a router's.
                f"turn:{host}:3004?transport=tcp": ("unreachable", "unreachable" if host == SERVER else "rejected"),
                f"stun:{host}:3003": ("refused", "refused"),
                f"turn:{host}:3003?transport=tcp": ("refused", "refused"),
                f"turns:{host}:3003?transport=tcp": ("refused", "refused"),
            }
        # Nobody has these addresses, as the last router says when it has asked for their owner.
        faults["turn:203.0.113.99:3478?transport=udp"] = ("unreachable", "unreachable")
        faults["turn:203.0.113.99:3478?transport=tcp"] = ("unreachable", "unreachable")
        faults["turn:[2001:db8:113::99]:3478?transport=udp"] = ("unreachable", "unreachable")
        faults["turn:turn.invalid:3478?transport=udp"] = ("unresolved", "unresolved")
        await expect(there.home, authority, faults)


async def expect(home: Namespace, authority: Authority, faults: Mapping[str, tuple[str, str]]) -> None:
    """Each server has that verdict and that cause, with code 701, and no candidate but the host's."""
    servers = [option for url in faults for option in ("--server", url)]
    result = await hopwise_ice(home, *servers, "--ca", str(authority.file))
    assert result["status"] == 1
    assert {candidate["type"] for candidate in result["candidates"]} == {"host"}
    assert {server["url"]: server["verdict"] for server in result["servers"]} == {
        url: verdict for url, (verdict, _) in faults.items()
    }
    assert {error["url"]: (error["code"], error["cause"]) for error in result["errors"]} == {
        url: (701, cause_words(cause).cause) for url, (_, cause) in faults.items()
    }
