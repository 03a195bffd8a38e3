"""From people's own files to a path that is proven open: what is missing is shown, written, applied, and tested."""

from __future__ import annotations

import base64
import csv
import hmac
import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path as File
from typing import Any

import pytest

from .filters.services import Ufw
from .namespaces import Namespace
from .path import LabHop, LabVantage, Path
from .whole import Row, Whole, blamed, open_ports

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]

PUBLIC = "203.0.113.20"
SERVER = "192.168.77.10"
OUTSIDE = (LabVantage("outside"),)
HOME = Path(
    "home",
    PUBLIC,
    (LabHop("router", "router", PUBLIC), LabHop("firewall", "firewall", SERVER), LabHop("service", "service")),
    (),
    OUTSIDE,
)
TUNNEL = Path(
    "tunnel",
    PUBLIC,
    (LabHop("frps", "tunnel-server", PUBLIC), LabHop("frpc", "tunnel-client", at=SERVER)),
    (),
    OUTSIDE,
)
CLOUD = Path(
    "cloud",
    PUBLIC,
    (
        LabHop("group", "security-group"),
        LabHop("cloud", "firewall"),
        LabHop("frps", "tunnel-server", PUBLIC),
        LabHop("frpc", "tunnel-client", at="192.168.77.5"),
        LabHop("vm", "firewall", SERVER),
        LabHop("docker", "container", SERVER),
        LabHop("chat", "service", at="172.17.0.2"),
    ),
    (),
    OUTSIDE,
)


# Matrix calls at home

RTC = """\
# Matrix RTC
WEBRTC_TCP_PORT=30881
WEBRTC_UDP_PORT=30882
WEBRTC_UDP_RANGE_START=30152
WEBRTC_UDP_RANGE_END=30352
"""
ROUTER = """\
Service name,External port,Internal port,Protocol,Internal IP
rtc-tcp,30881,30881,TCP,192.168.77.10
rtc-udp,30882,30882,TCP,192.168.77.10
media,30152-30199,30152-30199,UDP,192.168.77.10
media-2,30210-30352,30210-30352,UDP,192.168.77.10
ssh,2222,22,TCP,192.168.77.10
"""
IPTABLES = """\
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 30881 -j ACCEPT
-A INPUT -s 192.168.77.0/24 -p udp -m udp --dport 30152:30352 -j ACCEPT
COMMIT
"""
NFTABLES = """\
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ct state established,related accept
        tcp dport { 22, 30881 } accept
        ip saddr 192.168.77.0/24 udp dport 30152-30352 accept
    }
}
"""
UFW = """\
ufw allow 22/tcp
ufw allow 30881/tcp
ufw allow proto udp from 192.168.77.0/24 to any port 30152:30352
"""
Live = tuple[Callable[[str], object], Callable[[], str]]
"""A packet filter that runs: how a script is run on its machine, and what it prints of its rules."""


@contextmanager
def iptables(space: Namespace, folder: File) -> Iterator[Live]:
    space.run(["iptables-restore"], IPTABLES)
    yield lambda script: space.run(["sh", "-e"], script), lambda: space.run(["iptables-save"])


@contextmanager
def nftables(space: Namespace, folder: File) -> Iterator[Live]:
    space.nft(NFTABLES)
    yield lambda script: space.run(["sh", "-e"], script), lambda: space.run(["nft", "-j", "list", "ruleset"])


@contextmanager
def ufw(space: Namespace, folder: File) -> Iterator[Live]:
    with Ufw(space, folder) as running:
        running.sh(UFW)
        yield running.sh, running.status


def rows_of(table: str) -> list[Row]:
    """The rows of a router's table in Markdown, as a person copies them into the router's page."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return [(row[3].lower(), row[1], row[4], row[2]) for row in cells[2:]]


def csv_rows(table: str) -> list[Row]:
    return [(row[3].lower(), row[1], row[4], row[2]) for row in list(csv.reader(table.splitlines()))[1:]]


def with_rows(table: str, rows: list[Row]) -> str:
    """A router's table as CSV, with rows added."""
    return table + "".join(f"added,{outer},{inner},{protocol},{host}\n" for protocol, outer, host, inner in rows)


@pytest.mark.requires("iptables")
def test_matrix_calls_at_home_from_the_files_of_router_and_host_to_green(tmp_path: File) -> None:
    with Whole(HOME, tmp_path) as whole, iptables(whole.machine("firewall").space, tmp_path) as (run, listing):
        whole.file("rtc.env", RTC)
        whole.file("router.csv", ROUTER)
        whole.file("rules.v4", listing())
        whole.imported("router.csv", "rules.v4", "rtc.env", address=PUBLIC, vantage="outside")
        whole.forward("router", csv_rows(ROUTER))
        whole.respond("service")

        assert whole.gaps() == {
            "router": {("udp", "30200-30209", "missing"), ("udp", "30882", "wrong-protocol")},
            "firewall": {("udp", "30152-30352", "restricted"), ("udp", "30882", "missing")},
        }
        status, found = whole.check("outside")
        assert (status, blamed(found)) == (
            1,
            {
                ("filtered-drop", ("firewall",), "udp", "30152-30199"),
                ("not-forwarded", ("router",), "udp", "30200-30209"),
                ("filtered-drop", ("firewall",), "udp", "30210-30352"),
                ("wrong-protocol", ("router",), "udp", "30882"),
            },
        )

        added = rows_of(whole.generated("router-table").text)
        whole.forward("router", csv_rows(ROUTER) + added)
        whole.file("router.csv", with_rows(ROUTER, added))
        assert set(whole.gaps()) == {"firewall"}
        run(whole.generated("iptables").text)
        whole.file("rules.v4", listing())
        assert whole.gaps() == {}
        status, found = whole.check("outside")
        assert (status, open_ports(found)) == (0, True)


@pytest.mark.parametrize("running", [nftables, pytest.param(ufw, marks=pytest.mark.requires("iptables", "ufw"))])
def test_with_the_router_right_the_rules_of_another_firewall_are_taken_to_green(
    tmp_path: File, running: Callable[[Namespace, File], AbstractContextManager[Live]]
) -> None:
    table = with_rows(ROUTER, [("udp", "30200-30209", SERVER, "30200-30209"), ("udp", "30882", SERVER, "30882")])
    with Whole(HOME, tmp_path) as whole, running(whole.machine("firewall").space, tmp_path) as (run, listing):
        whole.file("rtc.env", RTC)
        whole.file("router.csv", table)
        whole.file("rules", listing())
        whole.imported("router.csv", "rules", "rtc.env", address=PUBLIC, vantage="outside")
        whole.forward("router", csv_rows(table))
        whole.respond("service")

        assert whole.gaps() == {"firewall": {("udp", "30152-30352", "restricted"), ("udp", "30882", "missing")}}
        status, found = whole.check("outside")
        assert (status, blamed(found)) == (
            1,
            {
                ("filtered-drop", ("firewall",), "udp", "30152-30352"),
                ("filtered-drop", ("firewall",), "udp", "30882"),
            },
        )

        run(whole.generated(running.__name__).text)
        whole.file("rules", listing())
        assert whole.gaps() == {}
        status, found = whole.check("outside")
        assert (status, open_ports(found)) == (0, True)


# A GPU server behind frp, without STUN

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


def without_paragraphs(text: str, lines: set[int]) -> str:
    """A file without the paragraphs that have one of those lines."""
    kept, first = [], 1
    for paragraph in text.split("\n\n"):
        last = first + paragraph.count("\n")
        if not lines & set(range(first, last + 1)):
            kept.append(paragraph)
        first = last + 2
    return "\n\n".join(kept)


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


# Your own coturn

SECRET = "f7c1d9e04a5b6c8d9e0f1122334455667788"
TURNSERVER = f"""\
listening-port=3478
min-port=49160
max-port=49200
realm=turn.example.org
fingerprint
use-auth-secret
static-auth-secret={SECRET}
no-tls
no-dtls
no-cli
"""
TURN_ROUTER = """\
Service name,External port,Internal port,Protocol,Internal IP
turn,3478,3478,TCP,192.168.77.10
turn,3478,3478,UDP,192.168.77.10
"""


def start_coturn(whole: Whole, hop: str, file: str) -> None:
    """Start coturn with a file as it is; its log comes to the lab."""
    whole.stop("coturn")
    machine = whole.machine(hop)
    place = [f"--{kind}={whole.files / f'turn.{kind}'}" for kind in ("userdb", "pidfile")]
    argv = ["turnserver", "-c", str(whole.files / file), "--log-file=stdout", "--simple-log", "--verbose", *place]
    whole.start("coturn", machine, argv, f"UDP listener opened on: {machine.address}:3478")


def minted(secret: str) -> tuple[str, str]:
    """User and password that end in an hour, as a web service with the secret grants them."""
    user = f"{int(time.time()) + 3600}:alice"
    return user, base64.b64encode(hmac.digest(secret.encode(), user.encode(), "sha1")).decode()


def relayed(whole: Whole, secret: str) -> tuple[int, set[tuple[str, str]], set[str]]:
    """What `hopwise ice` finds from outside: its status, each server's verdict, the relay's addresses."""
    user, password = minted(secret)
    servers = [f"turn:{PUBLIC}:3478?transport={transport}" for transport in ("udp", "tcp")]
    argv = ["ice", *(word for server in servers for word in ("--server", server)), "--username", user]
    done = whole.hopwise(*argv, "--password-stdin", "--json", at=whole.topology.vantages["outside"], typed=password)
    told = json.loads(done.stdout)
    verdicts = {(server["transport"], server["verdict"]) for server in told["servers"]}
    return done.returncode, verdicts, {c["address"] for c in told["candidates"] if c["type"] == "relay"}


@pytest.mark.requires("coturn")
def test_a_coturn_behind_a_router_from_its_turnserver_conf_to_a_relay_at_the_public_address(tmp_path: File) -> None:
    with Whole(HOME, tmp_path) as whole:
        whole.file("turnserver.conf", TURNSERVER)
        whole.file("router.csv", TURN_ROUTER)
        whole.imported("router.csv", "turnserver.conf", address=PUBLIC, vantage="outside")
        whole.forward("router", csv_rows(TURN_ROUTER))
        start_coturn(whole, "service", "turnserver.conf")

        assert whole.gaps() == {"router": {("udp", "49160-49200", "missing")}}
        assert any(f"external-ip={PUBLIC}" in note for note in whole.notes())
        whole.respond("service")
        status, found = whole.check("outside")
        assert (status, blamed(found)) == (1, {("not-forwarded", ("router",), "udp", "49160-49200")})
        # It holds the ports that coturn would relay from.
        whole.stop("responder")
        assert relayed(whole, SECRET) == (0, {("udp", "ok"), ("tcp", "ok")}, {SERVER})

        added = rows_of(whole.generated("router-table").text)
        whole.forward("router", csv_rows(TURN_ROUTER) + added)
        whole.file("router.csv", with_rows(TURN_ROUTER, added))
        whole.file("turnserver.conf", TURNSERVER + whole.generated("coturn").text)
        start_coturn(whole, "service", "turnserver.conf")
        whole.respond("service")
        assert (whole.gaps(), whole.notes()) == ({}, [])
        status, found = whole.check("outside")
        assert (status, open_ports(found)) == (0, True)
        whole.stop("responder")
        assert relayed(whole, SECRET) == (0, {("udp", "ok"), ("tcp", "ok")}, {PUBLIC})


# Video chat in Docker on a NAS, through frp on a cloud host


def permission(protocol: str, first: int, last: int, cidr: str = "0.0.0.0/0") -> dict[str, Any]:
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": cidr}]}


GROUP = [
    permission("tcp", 22, 22, "198.51.100.77/32"),
    permission("tcp", 7000, 7000),
    permission("tcp", 8172, 8172),
    permission("tcp", 10000, 10059),
]
CLOUD_RULES = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,7000,8172 -j ACCEPT
-A INPUT -p udp -m udp --dport 10000:10100 -j ACCEPT
COMMIT
"""
FRPS = """\
bindPort = 7000
allowPorts = [
  { single = 8172 },
  { start = 10000, end = 10090 },
]
"""
CHAT_FRPC = """\
serverAddr = "203.0.113.20"
serverPort = 7000

[[proxies]]
name = "web"
type = "tcp"
localIP = "192.168.77.10"
localPort = 8127
remotePort = 8172

{{- range $_, $v := parseNumberRangePair "10000-10100" "10000-10100" }}
[[proxies]]
name = "media-{{ $v.First }}"
type = "tcp"
localIP = "192.168.77.10"
localPort = {{ $v.First }}
remotePort = {{ $v.Second }}
{{- end }}
"""
VM_RULES = """\
table inet filter {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        tcp dport { 8172, 10000-10079 } accept
    }
}
"""
COMPOSE = """\
services:
  aquarhome:
    image: registry.example.org/aquarhome
    ports:
      - "8172:8172"
      - "10000-10049:10000-10049"
      - "10060-10100:10060-10100"
"""


def group_file(permissions: list[dict[str, Any]]) -> str:
    groups = [{"GroupId": "sg-0a1b2c3d", "GroupName": "chat", "IpPermissions": permissions}]
    return json.dumps({"SecurityGroups": groups}, indent=2)


def apply_group(whole: Whole, permissions: list[dict[str, Any]]) -> None:
    """Have the cloud let in what a security group says, and nothing else."""
    rules = [
        f"ip saddr {source['CidrIp']} {each['IpProtocol']} dport {each['FromPort']}-{each['ToPort']} accept"
        for each in permissions
        for source in each["IpRanges"]
    ]
    head = ["type filter hook forward priority 0; policy drop", "ct state established,related accept"]
    chain = "\n".join([*head, *rules])
    whole.machine("group").space.nft(
        f"table ip group {{}}\ndelete table ip group\ntable ip group {{\nchain forward {{\n{chain}\n}}\n}}"
    )


def authorized(script: str) -> list[dict[str, Any]]:
    """The permissions that commands of `aws` add."""
    lines = [shlex.split(line) for line in script.splitlines() if line.startswith("aws ")]
    assert all(words[2] == "authorize-security-group-ingress" for words in lines)
    return [each for words in lines for each in json.loads(words[words.index("--ip-permissions") + 1])]


@pytest.mark.requires("iptables")
def test_a_video_chat_behind_seven_hops_from_six_files_to_green(tmp_path: File) -> None:
    with Whole(CLOUD, tmp_path) as whole:
        cloud, vm = whole.machine("cloud").space, whole.machine("vm").space
        whole.file("group.json", group_file(GROUP))
        apply_group(whole, GROUP)
        cloud.run(["iptables-restore"], CLOUD_RULES)
        whole.file("cloud.rules", cloud.run(["iptables-save"]))
        whole.file("frps.toml", FRPS)
        whole.file("frpc.toml", CHAT_FRPC)
        whole.tunnel("frps", "frpc", CHAT_FRPC, FRPS)
        vm.nft(VM_RULES)
        whole.file("compose.yml", COMPOSE)
        whole.publish("docker", COMPOSE)
        whole.file("vm.json", vm.run(["nft", "-j", "list", "ruleset"]))
        whole.imported(
            *("group.json", "cloud.rules", "frps.toml", "frpc.toml", "vm.json", "compose.yml"),
            address=PUBLIC,
            vantage="outside",
        )
        whole.announce(PUBLIC, "203.0.113.99", SERVER)
        whole.respond("chat")

        behind = {
            "tunnel-server": {("tcp", "10091-10100", "missing")},
            "tunnel-client": {("tcp", "8172", "translated-elsewhere")},
            "firewall-2": {("tcp", "10080-10100", "missing")},
            "container": {("tcp", "10050-10059", "missing")},
        }
        assert whole.gaps() == {
            "security-group": {("tcp", "10060-10100", "missing")},
            "firewall": {
                ("tcp", numbers, "wrong-protocol") for numbers in ("10000-10049", "10050-10059", "10060-10100")
            },
            **behind,
        }
        status, found = whole.check("outside")
        assert (status, blamed(found)) == (
            1,
            {
                ("filtered-drop", ("security-group",), "tcp", "10060-10100"),
                ("wrong-protocol", ("firewall",), "tcp", "10000-10049"),
                ("wrong-protocol", ("firewall",), "tcp", "10050-10059"),
                ("wrong-translation", ("tunnel-client",), "tcp", "8172"),
            },
        )
        assert [f["title"] for f in found["findings"] if f["code"] == "announced-stale"] == [
            "The service announces 203.0.113.99, which is not an address of this path."
        ]

        added = authorized(whole.generated("aws").text)
        whole.file("group.json", group_file(GROUP + added))
        apply_group(whole, GROUP + added)
        cloud.run(["sh", "-e"], whole.generated("iptables", "--hop", "firewall").text)
        whole.file("cloud.rules", cloud.run(["iptables-save"]))
        assert whole.gaps() == behind
        status, found = whole.check("outside")
        assert (status, blamed(found)) == (
            1,
            {
                ("not-forwarded", ("tunnel-server",), "tcp", "10091-10100"),
                ("wrong-translation", ("tunnel-client",), "tcp", "8172"),
                ("no-back-end", ("container",), "tcp", "10050-10059"),
            },
        )
        # The tunnel takes connections for what the NAS drops: that proves nothing, either way.
        states = {(row["outside"], row["state"]) for row in found["ports"]}
        assert {("10080-10090", "unknown"), ("10000-10049", "open"), ("10060-10079", "open")} <= states
        assert ("config-gap", ["firewall-2"], "10080-10100") in [
            (f["code"], f["suspects"], f["outside"]) for f in found["findings"]
        ]

        # "In place of allowPorts in the file that you have."
        frps = re.sub(r"allowPorts = \[.*?^\]\n", whole.generated("frps").text, FRPS, flags=re.DOTALL | re.MULTILINE)
        whole.file("frps.toml", frps)
        proxies = whole.generated("frpc")
        frpc = without_paragraphs(CHAT_FRPC, proxies.told_lines) + "\n" + proxies.text
        whole.file("frpc.toml", frpc)
        whole.tunnel("frps", "frpc", frpc, frps)
        override = whole.generated("docker-compose").text
        whole.file("compose.override.yaml", override)
        whole.publish("docker", COMPOSE, override)
        whole.imported("container=compose.override.yaml")
        vm.run(["sh", "-e"], whole.generated("nftables", "--hop", "firewall-2").text)
        whole.file("vm.json", vm.run(["nft", "-j", "list", "ruleset"]))
        assert whole.gaps() == {}
        status, found = whole.check("outside")
        assert (status, open_ports(found)) == (0, True)


# A TURN server in production

ICE_SERVERS = """\
const configuration = {
  iceServers: [
    { urls: "stun:203.0.113.20:3478" },
    {
      urls: ["turn:203.0.113.20:3478?transport=udp", "turn:203.0.113.20:3478?transport=tcp"],
      username: "alice",
      credential: "letmein",
    },
    { urls: "turn:203.0.113.20:3479?transport=udp", username: "alice", credential: "letmein" },
    { urls: "turn:203.0.113.20:3478?transport=udp", username: "alice", credential: "letmeout" },
  ],
};
const connection = new RTCPeerConnection(configuration);
"""
UNSAFE = """\
listening-port=3478
min-port=49160
max-port=49200
external-ip=203.0.113.20/192.168.77.10
realm=turn.example.org
lt-cred-mech
user=alice:letmein
no-tls
no-dtls
"""


def audited(whole: Whole, *more: str, typed: str = "", at: str | None = None) -> set[str]:
    """The codes of the errors that an audit finds."""
    machine = None if at is None else whole.topology.vantages[at]
    done = whole.hopwise("audit", *more, "--json", typed=typed, at=machine)
    assert done.returncode in (0, 1), done.stderr
    return {found["code"] for found in json.loads(done.stdout)["findings"] if found["severity"] == "error"}


@pytest.mark.requires("coturn")
def test_a_turn_server_in_production_from_its_list_and_file_to_hardened_and_green(tmp_path: File) -> None:
    table = with_rows(TURN_ROUTER, [("udp", "49160-49200", SERVER, "49160-49200")])
    with Whole(HOME, tmp_path) as whole:
        whole.file("turnserver.conf", UNSAFE)
        whole.file("servers.js", ICE_SERVERS)
        whole.file("router.csv", table)
        whole.imported("router.csv", "turnserver.conf", "servers.js", address=PUBLIC, vantage="outside")
        whole.forward("router", csv_rows(table))
        start_coturn(whole, "service", "turnserver.conf")
        assert whole.gaps() == {}

        outside = whole.topology.vantages["outside"]
        done = whole.hopwise("ice", "--servers", "servers.js", "--json", at=outside)
        assert done.returncode == 1
        assert sorted((server["url"], server["verdict"]) for server in json.loads(done.stdout)["servers"]) == [
            (f"stun:{PUBLIC}:3478", "ok"),
            (f"turn:{PUBLIC}:3478?transport=tcp", "ok"),
            (f"turn:{PUBLIC}:3478?transport=udp", "auth-failed"),
            (f"turn:{PUBLIC}:3478?transport=udp", "ok"),
            (f"turn:{PUBLIC}:3479?transport=udp", "refused"),
        ]
        url = f"turn:{PUBLIC}:3478?transport=udp"
        assert audited(whole, url, "--username", "alice", "--password-stdin", typed="letmein", at="outside") == {
            "weak-password",
            "private-peers",
        }
        assert audited(whole, "turnserver.conf", "--harden", "safer.conf") == {"weak-password", "private-peers"}

        hardened = (whole.files / "safer.conf").read_text()
        secret = re.findall(r"^static-auth-secret=(.+)$", hardened, re.MULTILINE)[-1]
        whole.file("turnserver.conf", hardened)
        start_coturn(whole, "service", "turnserver.conf")
        whole.respond("service")
        assert audited(whole, "turnserver.conf") == set()
        assert (whole.gaps(), whole.notes()) == ({}, [])
        status, found = whole.check("outside")
        assert (status, open_ports(found)) == (0, True)
        whole.stop("responder")
        done = whole.hopwise("ice", "--servers", "servers.js", "--json", at=outside)
        assert {server["verdict"] for server in json.loads(done.stdout)["servers"] if "turn:" in server["url"]} == {
            "auth-failed",
            "refused",
        }
        assert audited(whole, url, "--secret-stdin", typed=secret, at="outside") == set()
        assert relayed(whole, secret) == (0, {("udp", "ok"), ("tcp", "ok")}, {PUBLIC})
