"""Where a server's name leads: NAPTR, SRV and address records, from a real name server."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import dns.asyncresolver
import pytest

from tests.probes.coturn import CREDENTIALS, PASSWORD, USER, coturn
from tests.probes.name_server import NameServer, name_server
from wizard.probes.candidate import Candidate
from wizard.probes.directory import Directory, Found
from wizard.probes.ice import Options, Target, gather
from wizard.probes.server_verdict import Verdict
from wizard.probes.service_records import Leads, Place, Rule, relay_rules, services
from wizard.report.ice import IceResult, cause_words
from wizard.wire import uri
from wizard.wire.request import Timing
from wizard.wire.uri import Transport

from .certificates import Authority
from .ice_command import HOPWISE
from .namespaces import Namespace, delete, root_ip, sweep

QUICK = Timing(timeout_s=1.0)
_NEXT = itertools.count(760)


async def gathered(text: str, resolver: dns.asyncresolver.Resolver) -> tuple[IceResult, list[Candidate]]:
    result = IceResult()
    target = Target(uri.parse(text), CREDENTIALS)
    options = Options(timing=QUICK, relay_only=True, family=4, resolver=resolver)
    async with contextlib.aclosing(gather([target], options)) as events:
        async for event in events:
            result.add(event)
    return result, result.candidates


async def found(text: str, server: NameServer) -> tuple[Found, ...]:
    directory = Directory(server.resolver)
    try:
        return await directory.find(uri.parse(text))
    finally:
        await directory.close()


async def test_records_are_taken_by_priority_and_the_heavier_first() -> None:
    held = ["20 99 3479 c", "10 1 3480 b", "10 5 3481 a"]
    async with name_server(*(f"_turn._udp.calls SRV {one}" for one in held)) as server:
        there = await services("_turn._udp.calls.example", server.resolver)
        assert there == (Place("a.example", 3481), Place("b.example", 3480), Place("c.example", 3479))
        assert await services("_turn._tcp.calls.example", server.resolver) is None


async def test_rules_are_taken_by_order_and_preference_and_only_those_of_relays() -> None:
    async with name_server(
        'calls NAPTR 20 1 "s" "RELAY:turn.udp" "" last',
        'calls NAPTR 10 2 "a" "RELAY:turn.tcp:turn.tls" "" host',
        'calls NAPTR 10 1 "" "relay:turn.udp:turn.tcp" "" further',
        'calls NAPTR 10 1 "s" "RELAY:turn.sctp" "" none',
        'calls NAPTR 10 1 "s" "SIP+D2U" "" sip',
        'calls NAPTR 10 1 "s" "RELAY:turn.udp" "!.*!x!" .',
        'further NAPTR 1 1 "S" "RELAY:turn.tls:turn.udp" "" first',
        'loop NAPTR 1 1 "" "RELAY:turn.udp" "" loop',
    ) as server:
        assert await relay_rules("calls.example", server.resolver) == (
            Rule((Transport.UDP,), Leads.SERVICES, "first.example"),
            Rule((Transport.TCP, Transport.TLS), Leads.ADDRESSES, "host.example"),
            Rule((Transport.UDP,), Leads.SERVICES, "last.example"),
        )
        assert await relay_rules("loop.example", server.resolver) == ()
        assert await relay_rules("nobody.example", server.resolver) == ()


async def test_an_address_without_port_and_transport_is_found_as_rfc_5928_says() -> None:
    ruled = (
        'calls NAPTR 10 1 "s" "RELAY:turn.tcp" "" _turn._tcp.far',
        'calls NAPTR 20 1 "a" "RELAY:turn.udp" "" near',
        'calls NAPTR 30 1 "s" "RELAY:turn.tls" "" _turns._tcp.far',
        "_turn._tcp.far SRV 1 1 3480 one",
        "_turn._tcp.far SRV 2 1 3481 two",
        "_turns._tcp.far SRV 1 1 443 one",
        "_turn._udp.calls SRV 1 1 9 unused",
    )
    async with name_server(*ruled) as server:
        tcp = Found(Transport.TCP, (Place("one.example", 3480), Place("two.example", 3481)), recorded=True)
        udp = Found(Transport.UDP, (Place("near.example", 3478),), recorded=True)
        assert await found("turn:calls.example", server) == (tcp, udp)
        tls = Found(Transport.TLS, (Place("one.example", 443),), recorded=True)
        assert await found("turns:calls.example", server) == (tls,)
        # A transport or a port that is written down leaves nothing to ask for.
        server.asked.clear()
        by_udp = Found(Transport.UDP, (Place("unused.example", 9),), recorded=True)
        assert await found("turn:calls.example?transport=udp", server) == (by_udp,)
        assert [kind for _, kind in server.asked] == ["SRV"]
        server.asked.clear()
        assert await found("turn:calls.example:3479", server) == (
            Found(Transport.UDP, (Place("calls.example", 3479),)),
        )
        assert await found("stun:calls.example", server) == (Found(Transport.UDP, (Place("calls.example", 3478),)),)
        assert server.asked == [("_stun._udp.calls.example.", "SRV")]
    async with name_server("_turn._tcp.calls SRV 1 1 3480 one", "_turn._udp.calls SRV 0 0 0 .") as server:
        assert await found("turn:calls.example", server) == (
            Found(Transport.TCP, (Place("one.example", 3480),), recorded=True),
        )
    async with name_server() as server:
        assert await found("turn:calls.example", server) == (Found(Transport.UDP, (Place("calls.example", 3478),)),)


async def test_a_name_server_that_is_silent_or_gone_costs_no_more_than_the_time_it_is_given() -> None:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver.port = silent.getsockname()[1]
        async with asyncio.timeout(1.0):
            assert await services("_turn._udp.example.invalid", resolver, timeout_s=0.3) is None
            assert await relay_rules("example.invalid", resolver, timeout_s=0.3) == ()
    async with asyncio.timeout(1.0):
        assert await services("_turn._udp.example.invalid", resolver, timeout_s=0.3) is None


async def test_a_written_port_is_not_looked_up_and_a_dot_says_that_there_is_no_such_service() -> None:
    async with name_server("_turn._udp.turn SRV 0 0 0 .") as server:
        result, _ = await gathered("turn:turn.example?transport=udp", server.resolver)
        assert [tried.verdict for tried in result.servers] == [Verdict.UNRESOLVED]
        assert "SRV" in result.errors[0].sentence.text
        result, _ = await gathered("turn:turn.example:3478", server.resolver)
        assert "SRV" not in result.errors[0].sentence.text


async def test_without_a_record_the_name_itself_is_looked_up() -> None:
    async with name_server() as server:
        result, _ = await gathered("stun:turn.invalid", server.resolver)
    assert [tried.verdict for tried in result.servers] == [Verdict.UNRESOLVED]
    # With no name server within reach, the system's resolver cannot know.
    assert result.errors[0].sentence.text in ("there is no name turn.invalid", "the DNS server did not answer")


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("turn:example.org", "_turn._udp.example.org"),
        ("turn:example.org?transport=tcp", "_turn._tcp.example.org"),
        ("turns:example.org?transport=tcp", "_turns._tcp.example.org"),
        ("stun:example.org", "_stun._udp.example.org"),
        ("stuns:example.org", "_stuns._tcp.example.org"),
        ("turn:example.org:3478", None),
        ("turn:192.0.2.1", None),
        ("turn:[2001:db8::1]", None),
        ("turn:nas", None),
    ],
)
def test_the_service_of_an_address_is_that_of_its_scheme_and_transport(text: str, service: str | None) -> None:
    found = uri.parse(text)
    assert found.service(found.transport) == service


@contextlib.asynccontextmanager
async def island(*addresses: str) -> AsyncIterator[Namespace]:
    """A namespace of its own whose loopback has those further addresses."""
    sweep()
    space = Namespace(f"hw{os.getpid()}lab{next(_NEXT)}-names")
    root_ip([f"netns add {space.name}"])
    try:
        space.ip(["link set lo up", *(f"addr add {one} dev lo nodad" for one in addresses if ":" in one)])
        yield space
    finally:
        delete([space.name])


async def hopwise_there(space: Namespace, folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """A command of Hopwise where the system's own resolver asks the name server of the test."""
    conf = folder / "resolv.conf"
    conf.write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    command = [HOPWISE, *arguments, "--json"]
    inside = f'mount --bind {conf} /etc/resolv.conf && exec "$@"'
    with space.entered():
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--mount", "sh", "-c", inside, "sh", *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    out, err = await process.communicate(f"{PASSWORD}\n".encode())
    assert process.returncode in (0, 1, 3), err.decode()
    return process.returncode, json.loads(out)


def rows(result: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    return [(row["url"], row["transport"], row["family"], row["verdict"]) for row in result["servers"]]


def told(result: dict[str, Any], url: str) -> list[tuple[str, str]]:
    return [(error["address"], error["text"]) for error in result["errors"] if error["url"] == url]


@pytest.mark.requires("root", "namespaces", "coturn", "ipv6")
async def test_a_relay_is_found_by_its_records_and_each_address_that_was_tried_is_told(tmp_path: Path) -> None:
    """Real records, the system's own resolver, real sockets: rules, services and addresses, dead ones among them."""
    authority = Authority(tmp_path)
    certificate = authority.issue("tls.example")
    async with island("2001:db8::2/128") as space, contextlib.AsyncExitStack() as stack:
        with space.entered():
            relays = coturn(tmp_path, certificate=certificate, listen=("127.0.0.3", "127.0.0.4", "2001:db8::2"))
            server = await stack.enter_async_context(relays)
            port, tls = server.port, server.tls_port
            lines = (
                # Two transports by rule; UDP's best target answers nothing, nor does the first address of the next.
                'ruled NAPTR 1 1 "s" "RELAY:turn.udp" "" _turn._udp.ruled',
                'ruled NAPTR 2 1 "s" "RELAY:turn.tcp" "" _turn._tcp.ruled',
                f"_turn._udp.ruled SRV 1 1 {port} gone",
                f"_turn._udp.ruled SRV 2 9 {port} heavy",
                f"_turn._udp.ruled SRV 2 1 {port} light",
                f"_turn._tcp.ruled SRV 1 1 {port} light",
                "gone A 127.0.0.2",
                'one NAPTR 1 1 "s" "RELAY:turn.udp" "" _turn._udp.one',
                f"_turn._udp.one SRV 1 1 {port} heavy",
                "heavy A 127.0.0.3",
                "light A 127.0.0.4",
                # Several addresses of one name, of both families; RFC 6724 puts the dead ones first.
                "many A 127.0.0.1",
                "many A 127.0.0.3",
                "many AAAA ::1",
                "many AAAA 2001:db8::2",
                *(f"dead A 127.0.0.{last}" for last in range(10, 16)),
                # The certificate is for the name in the address, wherever the records lead.
                f"_turns._tcp.tls SRV 1 1 {tls} heavy",
                f"_turns._tcp.other SRV 1 1 {tls} heavy",
            )
            await stack.enter_async_context(name_server(*lines, port=53))
        ruled, many, dead = "turn:ruled.example", f"turn:many.example:{port}", f"turn:dead.example:{port}"
        secure, wrong = "turns:tls.example", "turns:other.example"
        servers = [option for url in (ruled, many, dead, secure, wrong) for option in ("--server", url)]
        login = ("--username", USER, "--password-stdin")
        trust = ("--ca", str(authority.file))
        status, result = await hopwise_there(space, tmp_path, "ice", *servers, "--relay-only", *login, *trust)
        # The other commands find their server in the same way.
        _, called = await hopwise_there(space, tmp_path, "turn", secure, "--seconds", "1", *login, *trust)
        _, audited = await hopwise_there(space, tmp_path, "audit", "turn:one.example", *login)
        _, measured = await hopwise_there(space, tmp_path, "nat", "--server", "turn:one.example")
    assert (called["address"], called["transport"]) == ("127.0.0.3", "tls")
    assert called["rtt_ms"]["median"] < 100
    assert "loopback-peers" in [finding["code"] for finding in audited["findings"]]
    assert [(one["url"], one["error"]) for one in measured["servers"]] == [("turn:one.example", None)]
    assert status == 1
    assert rows(result) == [
        (ruled, "udp", 4, "ok"),
        (ruled, "tcp", 4, "ok"),
        (many, "udp", 4, "ok"),
        (many, "udp", 6, "ok"),
        (dead, "udp", 4, "refused"),
        (secure, "tls", 4, "ok"),
        (wrong, "tls", 4, "tls-failed"),
    ]
    first = [error for error in result["errors"] if error["url"] == ruled and error["address"] == "127.0.0.2"]
    assert [error["text"] for error in first] == [f"gone.example:{port}: connection refused"]
    assert "Another address of the same name answers" in first[0]["cause"]
    assert sorted(told(result, many)) == [("127.0.0.1", "connection refused"), ("::1", "connection refused")]
    assert len(told(result, dead)) == 4
    assert told(result, dead)[-1][1] == "connection refused; not tried: 2 more addresses of the name"
    assert {candidate["relay_protocol"] for candidate in result["candidates"]} == {"udp", "tcp", "tls"}
    assert all(candidate["port"] in server.relay_ports for candidate in result["candidates"])
    assert "SRV" in cause_words("by-service-record").cause
