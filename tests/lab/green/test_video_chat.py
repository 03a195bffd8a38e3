"""Video chat in Docker on a NAS, through frp on a cloud host: the files of six hops, taken to green."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path as File
from typing import Any

import pytest

from .paths import CLOUD, PUBLIC, SERVER
from .whole import Whole, blamed, open_ports, without_paragraphs

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]


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
