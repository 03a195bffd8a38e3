"""A host that is logged in to may say anything: it is either understood or refused, and never an error of ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.probes.probing import HOPS, a_probe
from wizard.probes.aimed import Aimed
from wizard.probes.sockets import Asker, no_loss_yet
from wizard.probes.target import Target
from wizard.vantage.far_end import FarEnd, FarEndError

SAYINGS: tuple[list[Any], ...] = (
    ["hello", True, 100],
    ["pong", 9],
    ["named", 1, "192.0.2.1", "192.0.2.2", 0, ""],
    ["heard", 2, 10000, "AAEC", 0.1],
    ["told", 2, 10000, 111, 2, 3, 3, "127.0.0.1"],
    ["unsent", 2, 10000, 1, "not permitted"],
    ["dialled", 3],
    ["undialled", 3, 111, "refused", [[0, 111, 2, 3, 3, ""]]],
    ["undialled", 3, 24, "too many files", []],
    ["read", 3, "AAEC", 0.1],
    ["end", 3, 104, "reset"],
)
values = st.sampled_from([[1], {"a": 1}, "x", -1, 2**70, None, True, 0.5]) | st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def sayings(draw: st.DrawFn) -> bytes:
    """A line as a host says it, with one part replaced."""
    said = list(draw(st.sampled_from(SAYINGS)))
    said[draw(st.integers(1, len(said) - 1))] = draw(values)
    return json.dumps(said).encode()


lines = sayings() | st.binary(max_size=40)


@settings(max_examples=300)
@given(st.lists(lines, max_size=12))
def test_whatever_a_host_says_is_understood_or_refused(said: list[bytes]) -> None:
    async def listen() -> None:
        far = FarEnd("another host", lambda _: None)
        far.take(json.dumps(["hello", True, 100]).encode())
        ports = [Aimed(a_probe(10000, protocol), Target("127.0.0.1")) for protocol in ("udp", "tcp")]
        asker = Asker("laptop", b"a key", HOPS, None)
        asked = asyncio.create_task(asker.ask(ports, no_loss_yet(ports), far.sockets, 0.2, lambda *_: None))
        named = asyncio.create_task(far.target("nas.example"))
        for _ in range(10):
            await asyncio.sleep(0)
        for line in said:
            with contextlib.suppress(FarEndError):
                far.take(line)
            for _ in range(10):
                await asyncio.sleep(0)
        for task in (asked, named):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(listen())
