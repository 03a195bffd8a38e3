"""Ports that a real TURN server holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probes.coturn import coturn
from tests.probes.probing import a_probe, observe_all
from wizard.model.port import Speaks
from wizard.observation import Outcome

pytestmark = pytest.mark.requires("coturn")


@pytest.mark.parametrize("options", [(), ("no-stun",)], ids=["default", "no-stun"])
async def test_coturn_proves_a_port_that_speaks_turn(tmp_path: Path, options: tuple[str, ...]) -> None:
    async with coturn(tmp_path, options) as server:
        seen = await observe_all(
            a_probe(server.port, protocol, address, Speaks.TURN)
            for protocol in ("udp", "tcp")
            for address in ("127.0.0.1", "::1")
        )
    assert {(one.outcome, one.stands_at) for one in seen.values()} == {(Outcome.ANSWERED, None)}


async def test_coturn_is_no_responder(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        seen = await observe_all(a_probe(server.port, protocol) for protocol in ("udp", "tcp"))
    assert {one.outcome for one in seen.values()} <= {Outcome.ALIEN, Outcome.ACCEPTED, Outcome.SILENT}
