"""By which networks packets would leave, told by a computer in networks of its own."""

from __future__ import annotations

import subprocess

import pytest

from tests.probes.netns import FAR, FAR6, NEAR, NEAR6, cable
from wizard.system.interfaces import Ways, ways_out

pytestmark = pytest.mark.requires("root", "namespaces")


def ip(side: str, *words: str) -> None:
    subprocess.run(["ip", "-n", side, *words], check=True)


async def test_a_change_of_the_way_out_is_seen_without_a_packet() -> None:
    async def look() -> Ways:
        return ways_out()

    with cable() as path:
        assert await path.in_near(look) == Ways()
        ip(path.near, "route", "add", "default", "via", FAR)
        home = await path.in_near(look)
        assert home == Ways(f"{NEAR}/24")
        assert home.connected
        ip(path.near, "-6", "route", "add", "default", "via", FAR6)
        assert await path.in_near(look) == Ways(f"{NEAR}/24", f"{NEAR6}/64")
        ip(path.near, "link", "set", "c0", "down")
        assert not (await path.in_near(look)).connected
