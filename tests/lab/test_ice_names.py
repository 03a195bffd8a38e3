"""Where a server's name leads: SRV records from a real name server, and an own authority for its certificate."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.probes.coturn import CREDENTIALS, coturn
from tests.probes.far_ends import Reply, udp
from wizard.probes.dns import Place, services
from wizard.probes.ice import Candidate, Options, Target, gather
from wizard.probes.server_verdict import Verdict
from wizard.report.ice import IceResult, cause_words
from wizard.wire import uri
from wizard.wire.request import Timing

QUICK = Timing(timeout_s=1.0)


@contextlib.asynccontextmanager
async def name_server(records: Mapping[str, Sequence[str]]) -> AsyncIterator[dns.asyncresolver.Resolver]:
    """A resolver that asks a name server which holds those SRV records."""

    def answer(data: bytes, reply: Reply) -> None:
        query = dns.message.from_wire(data)
        response = dns.message.make_response(query)
        name = query.question[0].name
        held = records.get(name.to_text(omit_final_dot=True))
        if held is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            response.answer = [dns.rrset.from_text(name, 60, "IN", "SRV", *held)]
        reply(response.to_wire())

    async with udp(answer) as port:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = port
        yield resolver


async def gathered(text: str, resolver: dns.asyncresolver.Resolver) -> tuple[IceResult, list[Candidate]]:
    result = IceResult()
    target = Target(uri.parse(text), CREDENTIALS)
    options = Options(timing=QUICK, relay_only=True, family=4, resolver=resolver)
    async with contextlib.aclosing(gather([target], options)) as events:
        async for event in events:
            result.add(event)
    return result, result.candidates


async def test_records_are_taken_by_priority_and_the_heavier_first() -> None:
    held = ["20 99 3479 c.invalid.", "10 1 3480 b.invalid.", "10 5 3481 a.invalid."]
    async with name_server({"_turn._udp.example.invalid": held}) as resolver:
        found = await services("_turn._udp.example.invalid", resolver)
        assert found == (Place("a.invalid", 3481), Place("b.invalid", 3480), Place("c.invalid", 3479))
        assert await services("_turn._tcp.example.invalid", resolver) is None


async def test_a_name_server_that_is_silent_or_gone_costs_no_more_than_the_time_it_is_given() -> None:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver.port = silent.getsockname()[1]
        async with asyncio.timeout(1.0):
            assert await services("_turn._udp.example.invalid", resolver, timeout=0.3) is None
    async with asyncio.timeout(1.0):
        assert await services("_turn._udp.example.invalid", resolver, timeout=0.3) is None


@pytest.mark.requires("coturn")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_name_without_a_port_leads_where_its_srv_record_says_and_that_is_told(
    tmp_path: Path, transport: str
) -> None:
    async with coturn(tmp_path) as server:
        records = {f"_turn._{transport}.turn.invalid": [f"0 0 {server.port} localhost."]}
        async with name_server(records) as resolver:
            result, candidates = await gathered(f"turn:turn.invalid?transport={transport}", resolver)
    (tried,) = result.servers
    assert (tried.verdict, tried.family, tried.url) == (Verdict.OK, 4, f"turn:turn.invalid?transport={transport}")
    assert candidates[0].port in server.relay_ports
    (note,) = result.errors
    assert note.sentence.cause == "by-service-record"
    assert f"localhost:{server.port}" in note.sentence.text
    assert not result.harmless(note)
    assert "SRV" in cause_words(note.sentence.cause).cause


async def test_a_written_port_is_not_looked_up_and_a_dot_says_that_there_is_no_such_service() -> None:
    async with name_server({"_turn._udp.turn.invalid": ["0 0 0 ."]}) as resolver:
        result, _ = await gathered("turn:turn.invalid", resolver)
        assert [tried.verdict for tried in result.servers] == [Verdict.UNRESOLVED]
        assert "SRV" in result.errors[0].sentence.text
        result, _ = await gathered("turn:turn.invalid:3478", resolver)
        assert "SRV" not in result.errors[0].sentence.text


async def test_without_a_record_the_name_itself_is_looked_up() -> None:
    async with name_server({}) as resolver:
        result, _ = await gathered("stun:turn.invalid", resolver)
    assert [tried.verdict for tried in result.servers] == [Verdict.UNRESOLVED]
    assert "turn.invalid" in result.errors[0].sentence.text
    assert "SRV" not in result.errors[0].sentence.text


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
    assert uri.parse(text).service == service
