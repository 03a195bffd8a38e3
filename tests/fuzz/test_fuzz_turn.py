"""Whatever a server sends, each request ends once, in time, with memory bounded: the client without sockets."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.hostile_server import play
from wizard.wire.stun import Method

HERE = Path(__file__).parent
SECONDS = 15


@settings(max_examples=400)
@given(st.binary(max_size=400))
@example(b"")
@example(b"\x01\x00" + b"\x08\x00\x00\x00" * 20)
def test_no_server_makes_the_client_raise_hang_or_hoard(script: bytes) -> None:
    play(script)


STEP = st.one_of(
    st.tuples(st.sampled_from([4, 5, 6, 7, 8]), st.integers(0, 255), st.binary(max_size=60)).map(
        lambda step: bytes(step[:2]) + bytes([len(step[2])]) + step[2]
    ),
    st.tuples(st.just(2), st.integers(0, 6)).map(bytes),
    st.tuples(st.just(1), st.integers(0, 255)).map(bytes),
)


@settings(max_examples=400)
@given(st.integers(0, 1), st.integers(0, 6), st.lists(STEP, max_size=30))
def test_nor_does_one_whose_answers_are_nearly_right(stream: int, first: int, steps: list[bytes]) -> None:
    play(bytes([stream, first]) + b"".join(steps))


def test_the_hostile_server_can_also_be_a_good_one() -> None:
    """Else the rules above would be kept by a client that hears nothing."""
    # Allocate; the challenge; the grant.
    on = play(bytes([0, 0, 7, 0, 0, 8, 0, 200, 0]))
    assert on.client.allocation is not None
    assert [message.method for message in on.asked[:2]] == [Method.ALLOCATE, Method.ALLOCATE]


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not for this Python or system")
def test_a_fuzzer_that_sees_the_code_finds_no_way_to_break_the_rules(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.atheris_turn", f"-max_total_time={SECONDS}", "-max_len=600"]
    limits = ["-rss_limit_mb=512", "-timeout=5", f"-artifact_prefix={tmp_path}/", str(tmp_path)]
    done = subprocess.run(
        [*command, *limits],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=SECONDS * 3,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done" in done.stderr
