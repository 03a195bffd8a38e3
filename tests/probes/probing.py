"""Probes of far ends in tests, from this computer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tests.probes.asking import KEY
from wizard.model.hop import Hop, HopKind
from wizard.model.port import Protocol, Speaks
from wizard.observation import Observation
from wizard.plan import Probe
from wizard.vantage.local import LocalPlace

HOPS = (Hop("router", HopKind.ROUTER, address="127.0.0.1"), Hop("chat", HopKind.SERVICE))
TIMEOUT_S = 1.0
"""Short enough for a test, long enough for several requests and the watch of a connection that hangs up."""


def a_probe(
    port: int,
    protocol: str = "udp",
    address: str = "127.0.0.1",
    speaks: Speaks | None = None,
    path: str | None = None,
    arrives: int | None = None,
) -> Probe:
    """A probe that enters at the router and arrives at the service on `arrives`, or on the same number."""
    return Probe(
        vantage="laptop",
        enters="router",
        address=address,
        port=port,
        protocol=Protocol(protocol),
        outside=port,
        arrives=(("router", port), ("chat", port if arrives is None else arrives)),
        speaks=speaks,
        path=path,
    )


def a_place(timeout_s: float = TIMEOUT_S, server_name: str | None = None) -> LocalPlace:
    """This computer, with the tests' key."""
    return LocalPlace("laptop", KEY, HOPS, timeout_s, server_name)


async def observe_all(
    probes: Iterable[Probe], timeout_s: float = TIMEOUT_S, server_name: str | None = None
) -> dict[Probe, Observation]:
    """The one observation of each probe."""
    asked = list(probes)
    seen: dict[Probe, Observation] = {}
    by_place = {(one.address, one.protocol, one.port): one for one in asked}
    assert len(by_place) == len(asked), "a test asks each port once"
    async with asyncio.timeout(30 * timeout_s):
        async for observation in a_place(timeout_s, server_name).observe(asked):
            probe = by_place[observation.address, observation.protocol, observation.port]
            assert probe not in seen, f"{probe} was told twice"
            seen[probe] = observation
    assert len(seen) == len(asked)
    return seen


async def observe(probe: Probe, timeout_s: float = TIMEOUT_S, server_name: str | None = None) -> Observation:
    """The observation of one probe."""
    return (await observe_all([probe], timeout_s, server_name))[probe]
