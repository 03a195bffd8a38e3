"""What the first minutes of a newcomer are made of: nothing is forwarded yet, and every port is silent."""

from __future__ import annotations

from tests.bench.silent_ports import TCP_PORTS, UDP_PORTS, measure
from wizard.observation import Outcome


async def test_302_silent_ports_take_one_time_out_and_leave_the_event_loop_free() -> None:
    measured = await measure()
    assert measured.outcomes == {Outcome.SILENT: UDP_PORTS + TCP_PORTS}
    assert 1 <= measured.timeouts < 1.3
    assert measured.blocked_ms < 50
