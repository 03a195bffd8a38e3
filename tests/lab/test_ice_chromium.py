"""Hopwise and a headless Chromium, behind the same NAT, ask the same coturn over every transport and family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.probes.coturn import PASSWORD, USER, Coturn
from wizard.report.ice import cause_words

from .browser import Browser, chromium
from .certificates import Authority
from .ice_command import hopwise_ice
from .ice_street import SERVER, SERVER6, WAN, WAN6, Street, street

pytestmark = pytest.mark.requires("root", "nft", "coturn", "chromium", "certutil")

Found = tuple[str, str, str, str | None]
"""Type, protocol, address, and how the relay was asked."""


def urls(server: Coturn) -> dict[str, tuple[str, str]]:
    """Each address with its transport and the relay protocol's name."""
    found = {}
    for host in (SERVER, f"[{SERVER6}]"):
        found[f"stun:{host}:{server.port}"] = "udp"
        found[f"turn:{host}:{server.port}?transport=udp"] = "udp"
        found[f"turn:{host}:{server.port}?transport=tcp"] = "tcp"
        found[f"turns:{host}:{server.tls_port}?transport=tcp"] = "tls"
    return found


def entry(url: str, password: str = PASSWORD) -> dict[str, Any]:
    return {"urls": [url]} | ({"username": USER, "credential": password} if url.startswith("turn") else {})


def seen(candidate: Mapping[str, Any], transport: str | None = None) -> Found:
    """What the two must agree on. Chromium brackets IPv6, and leaves the relay protocol out where it is UDP."""
    relay = candidate["relay_protocol"]
    if candidate["type"] == "relay" and relay is None:
        relay = transport
    return candidate["type"], candidate["protocol"], candidate["address"].strip("[]"), relay


async def test_hopwise_and_chromium_gather_the_same_candidates_from_each_server(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.be_believed_by_browsers_of(tmp_path)
    certificate = authority.issue(SERVER, SERVER6)
    with street() as there:
        async with (
            there.coturn(tmp_path, certificate=certificate) as server,
            chromium(there.home, tmp_path) as browser,
        ):
            for url, transport in urls(server).items():
                await agree(there, browser, server, url, transport, authority)
            both = [option for url in urls(server) for option in ("--server", url)]
            ours = await hopwise_ice(there.home, *both, "--ca", str(authority.file))
            theirs = await browser.gather([entry(url) for url in urls(server)])
            relayed = await hopwise_ice(there.home, *both, "--ca", str(authority.file), "--relay-only")
            their_relayed = await browser.gather([entry(url) for url in urls(server)], "relay")
    # Chromium asks all UDP servers from one socket: it has each address once, and a second relay of one server
    # only where the transport differs.
    assert {seen(c) for c in ours["candidates"]} == {seen(c, "udp") for c in theirs["candidates"]}
    assert {seen(c) for c in relayed["candidates"]} == {seen(c, "udp") for c in their_relayed["candidates"]}
    assert {c["type"] for c in relayed["candidates"]} == {"relay"}
    assert (ours["status"], ours["errors"], theirs["errors"]) == (0, [], [])


async def agree(
    there: Street, browser: Browser, server: Coturn, url: str, transport: str, authority: Authority
) -> None:
    """Both gather the same from that one server, and what they gather is what the network has to offer."""
    theirs = await browser.gather([entry(url)])
    ours = await hopwise_ice(there.home, "--server", url, "--ca", str(authority.file))
    assert ours["errors"] == theirs["errors"] == []
    mine = sorted(map(repr, (seen(c) for c in ours["candidates"])))
    assert mine == sorted(map(repr, (seen(c, transport) for c in theirs["candidates"]))), url
    kinds = {c["type"] for c in ours["candidates"]}
    reflexive = {"srflx"} if transport == "udp" else set()
    assert kinds == {"host", *reflexive, *({"relay"} if url.startswith("turn") else set())}, url
    for candidate in [*ours["candidates"], *theirs["candidates"]]:
        if candidate["type"] == "relay":
            assert candidate["port"] in server.relay_ports
        elif candidate["type"] == "srflx":
            assert candidate["address"].strip("[]") == (WAN6 if SERVER6 in url else WAN)


async def test_hopwise_and_chromium_give_each_fault_the_same_code(tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    known = Authority(tmp_path)
    known.be_believed_by_browsers_of(tmp_path)
    with street() as there:
        async with (
            there.coturn(tmp_path, certificate=stranger.issue(SERVER)) as server,
            chromium(there.home, tmp_path) as browser,
        ):
            faults = {
                f"turn:{SERVER}:{server.port}?transport=udp": ("not-it", "code-401"),
                f"turn:{SERVER}:{server.port}?transport=tcp": ("not-it", "code-401"),
                f"turn:{SERVER}:3334?transport=tcp": (PASSWORD, "refused"),
                f"turns:{SERVER}:{server.tls_port}?transport=tcp": (PASSWORD, "tls-unknown-issuer"),
            }
            for url, (password, cause) in faults.items():
                theirs = await browser.gather([entry(url, password)], "relay", until_error=True)
                ours = await hopwise_ice(
                    there.home, "--server", url, "--ca", str(known.file), "--relay-only", password=password
                )
                assert ours["candidates"] == theirs["candidates"] == []
                assert {e["code"] for e in ours["errors"]} == {e["code"] for e in theirs["errors"]}, (url, cause)
                assert [e["cause"] for e in ours["errors"]] == [cause_words(cause).cause]
