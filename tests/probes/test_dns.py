"""Names, by this computer's own resolver."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.probes.netns import FAR, cable
from wizard.observation import NameResolved
from wizard.probes.dns import first_address, resolve


async def test_a_name_has_the_addresses_that_the_system_knows() -> None:
    four, six = await resolve("localhost")
    assert four == NameResolved("localhost", 4, ("127.0.0.1",))
    assert six.family == 6
    # Where the hosts file has no such line, the DNS server is asked, and tests have none.
    assert set(six.addresses) <= {"::1"}


async def test_a_family_without_a_record_is_no_error() -> None:
    four, six = await resolve("127.0.0.1")
    assert four == NameResolved("127.0.0.1", 4, ("127.0.0.1",))
    assert six == NameResolved("127.0.0.1", 6, ())


async def test_a_name_that_does_not_exist_is_said_so() -> None:
    for fact in await resolve("chat.invalid"):
        assert fact.addresses == ()
        assert fact.error


async def test_a_name_that_dns_cannot_hold_is_said_so() -> None:
    for fact in await resolve("a" * 70 + ".example"):
        assert fact.addresses == ()
        assert fact.error


async def test_ipv4_comes_first_and_addresses_stand_for_themselves() -> None:
    assert await first_address("localhost") == "127.0.0.1"
    assert await first_address("2001:db8::1") == "2001:db8::1"
    with pytest.raises(OSError, match=r"chat\.invalid|DNS"):
        await first_address("chat.invalid")


@pytest.mark.requires("nft")
def test_a_name_server_that_is_silent_holds_up_neither_the_run_nor_the_end_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text(f"nameserver {FAR}\n")
    (tmp_path / "run.py").write_text(
        textwrap.dedent(
            """
            import asyncio
            from wizard.probes.dns import resolve

            for fact in asyncio.run(resolve("calls.example", 0.3)):
                print(fact.addresses, fact.error)
            """
        )
    )
    with cable() as path:
        path.filter(path.far, "in udp dport 53 drop")
        inside = f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec {sys.executable} {tmp_path}/run.py"
        began = time.perf_counter()
        run = subprocess.run(
            ["ip", "netns", "exec", path.near, "unshare", "--mount", "sh", "-c", inside],
            capture_output=True,
            text=True,
            check=True,
        )
    assert run.stdout == "() the resolver did not answer within 0.3 s\n" * 2
    assert run.stderr == ""
    assert time.perf_counter() - began < 4
