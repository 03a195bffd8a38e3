"""The STUN servers that are asked about a NAT: where they are, whether they answer, and why one does not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from wizard.probes.conversation import Endpoint, converse, new_client
from wizard.probes.directory import End, preferred
from wizard.probes.fault import Fault, LinkFault
from wizard.probes.nat_socket import NatSocket, Sockets, cancelled, family_of
from wizard.probes.server_verdict import NO_ANSWER, Sentence, Verdict, unresolved, verdict_of
from wizard.wire.attribute import Address, Attribute
from wizard.wire.behaviour import Measured, Sight, outermost, usable_other
from wizard.wire.request import Timing
from wizard.wire.turn_event import Succeeded
from wizard.wire.uri import IceUri, Transport

OTHER_FAMILY = "other-family"
"""The cause that is told of a server which was left out for its address family."""
_SLOW_S = 1.0
NO_ROUTE = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no route from this computer", Fault.NO_ROUTE.value)
_OTHER_FAMILY = Sentence(
    Verdict.UNREACHABLE, NO_ANSWER, "not asked: the other servers have the other address family", OTHER_FAMILY
)
_SILENCE = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no answer", Fault.TIMED_OUT.value)
_NOT_OVER_UDP = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "an answer over TCP, none over UDP", Fault.TIMED_OUT.value)
_NO_MAPPED = Sentence(Verdict.PROTOCOL_ERROR, NO_ANSWER, "an answer without a mapped address", "not-stun")


@dataclass(frozen=True, slots=True)
class ServerAsked:
    """A server as it was met. `fault` says why it gave nothing."""

    uri: IceUri
    address: Address | None = None
    mapped: Address | None = None
    other: Address | None = None
    """Its second address, if tests can use it."""
    fault: Sentence | None = None
    over_tcp: bool = False
    """Answers over TCP, and not over UDP."""


def without(one: ServerAsked, fault: Sentence) -> ServerAsked:
    """The server that gave nothing, and why."""
    return ServerAsked(one.uri, one.address, fault=fault)


async def place(uris: Sequence[IceUri]) -> list[ServerAsked]:
    """The servers with their addresses, all of one family: IPv4 if any has it, for there the NATs are."""
    asked = tuple(dict.fromkeys(uris))
    found = await asyncio.gather(*(_ends(uri) for uri in asked))
    six = all(end.family == 6 for ends in found if not isinstance(ends, str) for end in ends)
    placed = []
    for uri, ends in zip(asked, found, strict=True):
        if isinstance(ends, str):
            placed.append(ServerAsked(uri, fault=unresolved(ends)))
            continue
        fitting = [end for end in ends if (end.family == 6) is six]
        placed.append(
            ServerAsked(uri, (fitting[0].address, fitting[0].port))
            if fitting
            else ServerAsked(uri, fault=_OTHER_FAMILY)
        )
    return placed


async def _ends(uri: IceUri) -> tuple[End, ...] | str:
    try:
        return (await preferred(uri, Transport.UDP))[1]
    except OSError as fault:
        return str(fault)


def own_address(server: Address) -> str | None:
    """What this computer sends from to the server; None without a route. Connecting a UDP socket sends nothing."""
    with socket.socket(family_of(server[0]), socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(server)
        except OSError:
            return None
        return str(sock.getsockname()[0]).partition("%")[0]


async def meet(sockets: Sockets, sock: NatSocket, one: ServerAsked, timeout_s: float) -> ServerAsked:
    """Ask the server from `sock`; returns what it said, or what was in the way."""
    if one.address is None:
        return one
    asking = asyncio.create_task(sockets.ask(sock, one.address))
    # A socket of its own, connected, is told of ICMP errors wherever the program runs.
    checking = asyncio.create_task(_fault_of(one, timeout_s))
    streaming = asyncio.create_task(_answers_over_tcp(one, timeout_s))
    try:
        await asyncio.wait({asking, checking}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done() and (fault := await checking) is not None and fault.cause != Fault.TIMED_OUT.value:
            return without(one, fault)
        heard = await asking
        if heard is None:
            fault = await checking
            if fault is not None and await streaming:
                return ServerAsked(one.uri, one.address, fault=_NOT_OVER_UDP, over_tcp=True)
            return without(one, fault or _SILENCE)
    finally:
        await cancelled(asking, checking, streaming)
    if heard.mapped is None:
        return without(one, await _fault_of(one, timeout_s) or _NO_MAPPED)
    other = heard.message.address(Attribute.OTHER_ADDRESS)
    return ServerAsked(one.uri, one.address, heard.mapped, other if usable_other(one.address, other) else None)


def sights(servers: Sequence[ServerAsked]) -> tuple[Sight, ...]:
    """Where the servers that answered saw us."""
    return tuple(Sight(one.address, one.mapped) for one in servers if one.address and one.mapped)


def outermost_server(servers: Sequence[ServerAsked], local: Address) -> ServerAsked | None:
    """Of those behind the most NATs, for the others' tests say nothing of these, one that names a second address (RFC
    5780 section 4.2), else the first; None if none answered."""
    outer = {sight.server for sight in outermost(Measured(local=local, sights=sights(servers)))}
    answered = [one for one in servers if one.mapped is not None]
    fitting = [one for one in answered if one.address in outer] or answered
    return next((one for one in fitting if one.other is not None), fitting[0] if fitting else None)


async def _fault_of(one: ServerAsked, timeout_s: float) -> Sentence | None:
    """What a Binding over UDP meets; None if it is answered."""
    assert one.address is not None
    timing = Timing(timeout_s=timeout_s)
    client = new_client(Transport.UDP, timing=timing)
    async with converse(Endpoint(*one.address, Transport.UDP, one.uri.ascii_host), client) as talk:
        reply = talk if isinstance(talk, LinkFault) else await talk.ask(client.binding)
        return None if isinstance(reply, Succeeded) else verdict_of(reply, has_credentials=False, stream=False)


async def _answers_over_tcp(one: ServerAsked, timeout_s: float) -> bool:
    """Asked only if UDP is slow to answer."""
    assert one.address is not None
    await asyncio.sleep(_SLOW_S)
    client = new_client(Transport.TCP, timing=Timing(timeout_s=timeout_s))
    endpoint = Endpoint(*one.address, Transport.TCP, one.uri.ascii_host)
    async with converse(endpoint, client, connect_timeout_s=timeout_s) as talk:
        return not isinstance(talk, LinkFault) and isinstance(await talk.ask(client.binding), Succeeded)
