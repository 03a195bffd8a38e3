"""Matrix calls at home: a router's table, a host's rules and an env file, taken to green."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path as File

import pytest

from tests.lab.filters.services import Ufw
from tests.lab.namespaces import Namespace

from .paths import HOME, PUBLIC, SERVER
from .router import csv_rows, rows_of, with_rows
from .whole import Whole, blamed, open_ports

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]

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


def begin(whole: Whole, table: str, rules: str) -> None:
    """A project of the user's three files, the router as its table says, and the responder in the service's place."""
    whole.file("rtc.env", RTC)
    whole.file("router.csv", table)
    whole.file("rules", rules)
    whole.imported("router.csv", "rules", "rtc.env", address=PUBLIC, vantage="outside")
    whole.forward("router", csv_rows(table))
    whole.respond("service")


@pytest.mark.requires("iptables")
def test_matrix_calls_at_home_from_the_files_of_router_and_host_to_green(tmp_path: File) -> None:
    with Whole(HOME, tmp_path) as whole, iptables(whole.machine("firewall").space, tmp_path) as (run, listing):
        begin(whole, ROUTER, listing())
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
        whole.file("rules", listing())
        assert whole.gaps() == {}
        status, found = whole.check("outside")
        assert (status, open_ports(found)) == (0, True)


@pytest.mark.parametrize("running", [nftables, pytest.param(ufw, marks=pytest.mark.requires("iptables", "ufw"))])
def test_with_the_router_right_the_rules_of_another_firewall_are_taken_to_green(
    tmp_path: File, running: Callable[[Namespace, File], AbstractContextManager[Live]]
) -> None:
    table = with_rows(ROUTER, [("udp", "30200-30209", SERVER, "30200-30209"), ("udp", "30882", SERVER, "30882")])
    with Whole(HOME, tmp_path) as whole, running(whole.machine("firewall").space, tmp_path) as (run, listing):
        begin(whole, table, listing())
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
