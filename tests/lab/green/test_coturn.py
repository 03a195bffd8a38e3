"""One's own coturn behind a router: its turnserver.conf, taken to a relay that is reached from outside."""

from __future__ import annotations

from pathlib import Path as File

import pytest

from .paths import HOME, PUBLIC, SERVER
from .router import csv_rows, rows_of, with_rows
from .turn_server import TURN_ROUTER, relayed, start_coturn
from .whole import Whole, blamed, open_ports

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]

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
