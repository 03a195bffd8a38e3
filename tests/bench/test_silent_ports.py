"""What the first minutes of a newcomer are made of: nothing is forwarded yet, and every port is silent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.silent_ports import TCP_PORTS, UDP_PORTS

ROOT = Path(__file__).parents[2]


@pytest.mark.alone
def test_302_silent_ports_take_one_time_out_and_leave_the_event_loop_free() -> None:
    # In a program of its own: collecting the garbage of a whole test run takes longer than what is measured.
    command = [sys.executable, "-m", "tests.bench.silent_ports"]
    measured = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout)
    assert measured["silent"] == UDP_PORTS + TCP_PORTS
    assert 1 <= measured["timeouts"] < 1.3
    assert measured["blocked_ms"] < 50
