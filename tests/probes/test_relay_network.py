"""Probes from a relay over a real network path: silence, absent hosts, filters and loss behind the TURN server."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.probes.asking import KEY, a_plan, running
from tests.probes.coturn import PASSWORD, USER, coturn
from tests.probes.netns import FAR, NEAR, UNUSED, Cable, cable
from wizard.model.hop import Hop, HopKind
from wizard.model.port import Protocol
from wizard.model.secret import Secret
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.responder import Responder
from wizard.vantage.relay import RelayPlace

pytestmark = pytest.mark.requires("coturn", "nft")
UDP, TCP = range(30152, 30353), range(10000, 10101)


@pytest.fixture
def path() -> Iterator[Cable]:
    """The TURN server's end, and the service's."""
    with cable() as made:
        yield made


def probe(protocol: Protocol, port: int, address: str = FAR) -> Probe:
    return Probe("relay", "chat", address, port, protocol, port, (("chat", port),))


async def observe(
    path: Cable, folder: Path, probes: Sequence[Probe], options: Sequence[str] = ()
) -> dict[tuple[str, int], Observation]:
    """Observations by protocol and port, from a relay at the near end."""

    async def work() -> dict[tuple[str, int], Observation]:
        async with coturn(folder, options, listen=(NEAR,)) as server:
            place = RelayPlace(
                "relay",
                server=server.uri(host=NEAR),
                username=USER,
                password=Secret(PASSWORD),
                key=KEY,
                hops=[Hop("chat", HopKind.SERVICE, address=one) for one in (FAR, UNUSED)],
                timeout_s=DEFAULT_TIMEOUT_S,
            )
            async with contextlib.aclosing(place.observe(probes)) as items:
                seen = [item async for item in items if isinstance(item, Observation)]
        assert len(seen) == len(probes)
        return {(one.protocol.value, one.port): one for one in seen}

    return await path.in_near(work)


@pytest.mark.parametrize("loss", ["numgen inc mod 3 == 0 drop", "numgen random mod 3 == 0 drop"])
async def test_ports_are_open_though_a_third_of_the_packets_behind_the_relay_is_lost(
    path: Cable, tmp_path: Path, loss: str
) -> None:
    path.filter(path.far, f"raw meta l4proto {{ tcp, udp }} {loss}", f"out meta l4proto {{ tcp, udp }} {loss}")
    plan = a_plan(*(("udp", n) for n in UDP), *(("tcp", n) for n in TCP))
    probes = [probe(Protocol.UDP, n) for n in UDP] + [probe(Protocol.TCP, n) for n in TCP]
    async with path.at_far(lambda: running(Responder(plan))):
        seen = await observe(path, tmp_path, probes)
    assert Counter((one.protocol.value, one.outcome) for one in seen.values()) == {
        ("udp", Outcome.ANSWERED): 201,
        ("tcp", Outcome.ANSWERED): 101,
    }


@pytest.mark.alone
async def test_dropped_ports_are_silent_in_one_time_out_and_absent_hosts_unreachable(
    path: Cable, tmp_path: Path
) -> None:
    path.filter(path.far, "in meta l4proto { tcp, udp } drop")
    probes = [probe(Protocol.UDP, n) for n in UDP] + [probe(Protocol.TCP, n) for n in TCP]
    began = time.monotonic()
    seen = await observe(path, tmp_path, [*probes, probe(Protocol.TCP, 9, UNUSED)])
    assert time.monotonic() - began < 1.4 * DEFAULT_TIMEOUT_S
    assert seen.pop(("tcp", 9)).outcome is Outcome.UNREACHABLE
    assert {one.outcome for one in seen.values()} == {Outcome.SILENT}
