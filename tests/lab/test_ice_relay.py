"""A relayed address of either family, asked for over every transport and family, carries data both ways."""

from __future__ import annotations

import asyncio
from itertools import product
from pathlib import Path

import pytest

from tests.probes.coturn import CREDENTIALS, coturn
from tests.probes.far_ends import Reply, udp
from wizard.probes.conversation import Endpoint, Happening, converse, new_client, trust
from wizard.probes.fault import LinkFault
from wizard.wire.request import Timing
from wizard.wire.turn import IPV4, IPV6
from wizard.wire.turn_event import Received, Succeeded
from wizard.wire.uri import Transport

from .certificates import Authority

LOOPBACK = {4: "127.0.0.1", 6: "::1"}
RELAYED = {4: IPV4, 6: IPV6}


def back(data: bytes, reply: Reply) -> None:
    reply(data[::-1])


@pytest.mark.requires("coturn", "ipv6")
async def test_each_transport_and_family_carries_data_to_peers_of_each_family(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = trust(authority.file)
    certificate = authority.issue("localhost", *LOOPBACK.values())
    async with (
        coturn(tmp_path, certificate=certificate) as server,
        udp(back, LOOPBACK[4]) as peer4,
        udp(back, LOOPBACK[6]) as peer6,
    ):
        peers = {4: (LOOPBACK[4], peer4), 6: (LOOPBACK[6], peer6)}
        for transport, control, family in product(Transport, LOOPBACK, RELAYED):
            port = server.tls_port if transport is Transport.TLS else server.port
            heard: asyncio.Queue[Happening] = asyncio.Queue()
            client = new_client(transport, CREDENTIALS, Timing(timeout_s=2.0))
            to = Endpoint(LOOPBACK[control], port, transport, "localhost")
            async with converse(to, client, tls, heard.put_nowait) as talk:
                assert not isinstance(talk, LinkFault), (transport, control, talk)
                asked = await talk.ask(lambda now, c=client, f=family: c.allocate(now, family=RELAYED[f]))
                assert isinstance(asked, Succeeded), (transport, control, family, asked)
                assert client.allocation is not None
                ((relayed, relay_port),) = client.allocation.relayed
                assert (relayed, relay_port in server.relay_ports) == (LOOPBACK[family], True)
                peer = peers[family]
                permitted = await talk.ask(lambda now, c=client, p=peer: c.create_permission(now, [p]))
                assert isinstance(permitted, Succeeded)
                async with asyncio.timeout(5):
                    # By indication, then on a channel (RFC 8656 sections 11 and 12).
                    client.send(peer, b"indicated")
                    talk.flush()
                    assert await heard.get() == Received(peer, b"detacidni")
                    bound = await talk.ask(lambda now, c=client, p=peer: c.channel_bind(now, p))
                    assert isinstance(bound, Succeeded)
                    client.send(peer, b"channelled")
                    talk.flush()
                    assert await heard.get() == Received(peer, b"dellennahc")
                renewed = await talk.ask(lambda now, c=client: c.refresh(now, 600))
                assert isinstance(renewed, Succeeded)
            assert client.allocation is None
            await server.says("lifetime=0")
