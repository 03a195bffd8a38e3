"""A computer with two ways out asks through the one that it is told to."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from .certificates import Authority
from .ice_command import HOPWISE, hopwise_ice
from .ice_street import HOME, SERVER, WAN, Street, street

pytestmark = pytest.mark.requires("root", "nft", "coturn")
MOBILE = "198.51.100.20"


def second_way_out(there: Street) -> None:
    """A cable from the home straight to the server's network, which the home's routes do not use."""
    cable = ["ip", "-n", there.home.name, "link", "add", "mobile", "type", "veth", "peer", "name", "far"]
    subprocess.run([*cable, "netns", there.server.name], check=True)
    there.home.ip(
        [
            "link set mobile up",
            f"addr add {MOBILE}/24 dev mobile",
            f"route add {SERVER}/32 via 198.51.100.1 dev mobile metric 500",
        ]
    )
    there.home.ip([f"route add {SERVER}/32 via 192.168.77.1 dev lan metric 100"])
    there.server.ip(["link set far up", "addr add 198.51.100.1/24 dev far"])


async def test_what_is_asked_leaves_through_the_chosen_interface_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with street() as there:
        second_way_out(there)
        async with there.coturn(tmp_path, certificate=authority.issue(SERVER)) as server:
            urls = [
                f"turn:{SERVER}:{server.port}?transport=udp",
                f"turn:{SERVER}:{server.port}?transport=tcp",
                f"turns:{SERVER}:{server.tls_port}?transport=tcp",
            ]
            asked = [option for url in urls for option in ("--server", url)]
            seen = {}
            for interface in ("lan", "mobile"):
                result = await hopwise_ice(there.home, *asked, "--interface", interface, "--ca", str(authority.file))
                assert result["status"] == 0, result["errors"]
                candidates = result["candidates"]
                seen[interface] = {c["related_address"] for c in candidates if c["type"] == "relay"}
                hosts = {c["address"] for c in candidates if c["type"] == "host" and ":" not in c["address"]}
                assert hosts == {HOME if interface == "lan" else MOBILE}
            # Filtered on one way, a server answers on the other all the same.
            there.filter('iifname "far" drop')
            blocked = await hopwise_ice(there.home, "--server", urls[0], "--interface", "mobile")
            open_ = await hopwise_ice(there.home, "--server", urls[0], "--interface", "lan")
    assert seen == {"lan": {WAN}, "mobile": {MOBILE}}
    assert [server["verdict"] for server in blocked["servers"]] == ["unreachable"]
    assert [server["verdict"] for server in open_["servers"]] == ["ok"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--interface", "nowhere0"], "--interface nowhere0: no such interface"),
        (["--ca", "no-such.pem"], "--ca no-such.pem: No such file"),
        (["--ca", "empty.pem"], "--ca empty.pem: holds no certificate"),
    ],
)
async def test_an_interface_or_authority_that_is_not_there_is_named_in_one_line(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    (tmp_path / "empty.pem").write_text("nothing\n")
    process = await asyncio.create_subprocess_exec(
        HOPWISE,
        "ice",
        "--server",
        "turns:127.0.0.1:5349",
        *arguments,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert says in err.decode()
    assert err.count(b"\n") == 1
