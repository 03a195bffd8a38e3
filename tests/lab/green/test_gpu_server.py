"""A GPU server behind frp, without STUN: its frpc.toml and its offer, taken to green."""

from __future__ import annotations

import json
from pathlib import Path as File

import pytest

from .paths import PUBLIC, TUNNEL
from .whole import Whole, blamed, open_ports, without_paragraphs

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]

AVATAR = """\
format = 1
name = "Avatar on the GPU box"
public_address = "203.0.113.20"

[[hops]]
id = "frps"
kind = "tunnel-server"
address = "203.0.113.20"

[[hops]]
id = "frpc"
kind = "tunnel-client"

[[hops]]
id = "avatar"
kind = "service"

[[ports]]
name = "signalling"
protocol = "tcp"
outside = "10110"
inside = { avatar = "9000" }

[[ports]]
name = "media"
protocol = "udp"
outside = "10111-10115"
"""
FRPC = """\
# The GPU box dials out to the cloud host.
serverAddr = "203.0.113.20"
serverPort = 7000
auth.method = "token"
auth.token = "{{ .Envs.FRP_TOKEN }}"

[[proxies]]
name = "signalling"
type = "tcp"
localIP = "127.0.0.1"
localPort = 9001
remotePort = 10110

[[proxies]]
name = "media-10111"
type = "udp"
localIP = "127.0.0.1"
localPort = 10111
remotePort = 10111

[[proxies]]
name = "media-10112"
type = "tcp"
localIP = "127.0.0.1"
localPort = 10112
remotePort = 10112
"""
OFFER = """\
v=0
o=- 4611 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 54821 UDP/TLS/RTP/SAVPF 111
c=IN IP4 192.168.77.10
a=mid:0
a=rtpmap:111 opus/48000/2
a=sendrecv
a=rtcp-mux
a=ice-ufrag:8hhY
a=ice-pwd:asd88fgpdd777uzjYhagZg
a=setup:actpass
a=candidate:1 1 udp 2130706431 192.168.77.10 54821 typ host
a=end-of-candidates
"""


def test_a_gpu_server_behind_frp_from_its_frpc_toml_to_green(tmp_path: File) -> None:
    with Whole(TUNNEL, tmp_path) as whole:
        whole.file("project.toml", AVATAR)
        whole.file("frpc.toml", FRPC)
        whole.imported("frpc.toml", vantage="outside")
        whole.tunnel("frps", "frpc", FRPC)
        whole.respond("frpc")

        assert whole.gaps() == {
            "frpc": {
                ("tcp", "10110", "translated-elsewhere"),
                ("udp", "10112", "wrong-protocol"),
                ("udp", "10113-10115", "missing"),
            }
        }
        status, found = whole.check("outside")
        assert status == 1
        assert blamed(found) == {
            ("wrong-translation", ("frpc",), "tcp", "10110"),
            ("wrong-protocol", ("frpc",), "udp", "10112"),
            ("not-forwarded", ("frpc",), "udp", "10113-10115"),
        }

        added = whole.generated("frpc")
        mended = without_paragraphs(FRPC, added.told_lines) + "\n" + added.text
        whole.file("frpc.toml", mended)
        whole.tunnel("frps", "frpc", mended)
        assert whole.gaps() == {}
        status, found = whole.check("outside")
        assert (status, open_ports(found)) == (0, True)

        whole.file("offer.sdp", OFFER)
        said = whole.hopwise("sdp", "offer.sdp", "--project", "project.toml", "--json")
        told = json.loads(said.stdout)
        assert said.returncode == 1
        assert {problem["code"] for problem in told["problems"]} == {"media-port", "connection"}
        assert [candidate["code"] for media in told["media"] for candidate in media["candidates"]] == ["private"]
        assert [tuple(line.split()[4:6]) for line in told["static_candidates"]] == [
            (PUBLIC, str(number)) for number in range(10111, 10116)
        ]
        whole.file("offer.sdp", told["rewritten"]["sdp"])
        said = whole.hopwise("sdp", "offer.sdp", "--project", "project.toml", "--json")
        assert (said.returncode, json.loads(said.stdout)["ok"]) == (0, True), said.stdout
        configuration = whole.generated("rtc-configuration").text
        assert json.loads(configuration) == {"iceServers": []}
