"""A TURN server in production: an app's list of servers and an unsafe turnserver.conf, taken to hardened and green."""

from __future__ import annotations

import json
import re
from pathlib import Path as File

import pytest

from .paths import HOME, PUBLIC, SERVER
from .router import csv_rows, with_rows
from .turn_server import TURN_ROUTER, relayed, start_coturn
from .whole import Whole, open_ports

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]

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
