"""The lab does on the wire what it says, shown with plain sockets and none of Hopwise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .knock import ARP_S, knock
from .lab import Lab
from .namespaces import RUN, Namespace, sweep
from .scenario import load

pytestmark = pytest.mark.requires("root", "namespaces", "nft")

HOME = "203.0.113.20"
CLOUD = "203.0.113.30"
SERVER = "192.168.77.10"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(load("home").path, tmp_path_factory.mktemp("home"), "tell") as lab:
        yield lab


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(load("chain").path, tmp_path_factory.mktemp("chain"), "tell") as lab:
        yield lab


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(load("docker").path, tmp_path_factory.mktemp("docker"), "tell") as lab:
        yield lab


def space(lab: Lab, vantage: str) -> Namespace:
    return lab.topology.vantages[vantage].space


def test_a_healthy_router_forwards_every_planned_port_and_keeps_the_sender(home: Lab) -> None:
    home.break_()
    assert knock(space(home, "outside"), "udp", HOME, [30152, 30352]) == {
        30152: "30152 198.51.100.10",
        30352: "30352 198.51.100.10",
    }
    assert knock(space(home, "outside"), "tcp", HOME, [30881]) == {30881: "30881 198.51.100.10"}


def test_unplanned_ports_are_silent(home: Lab) -> None:
    home.break_()
    assert knock(space(home, "outside"), "udp", HOME, [30151, 30353]) == {30151: "silent", 30353: "silent"}
    assert knock(space(home, "laptop"), "tcp", SERVER, [30882]) == {30882: "silent"}


@pytest.mark.parametrize(
    ("fault", "protocol", "says"),
    [
        ("router not-forwarded udp 30160-30169", "udp", "silent"),
        ("router not-forwarded tcp", "tcp", "silent"),
        ("router drop udp 30160-30169", "udp", "silent"),
        ("router reject udp 30160-30169", "udp", "rejected"),
        ("router idle-host udp 30160-30169", "udp", "refused"),
        ("router other-protocol udp 30160-30169", "udp", "silent"),
        ("router off-by-one udp 30160-30169", "udp", "30170 198.51.100.10"),
        ("router one-port udp 30160-30169", "udp", "30152 198.51.100.10"),
        ("firewall drop udp 30160-30169", "udp", "silent"),
        ("firewall drop tcp", "tcp", "silent"),
        ("firewall reject udp 30160-30169", "udp", "rejected"),
        ("firewall reject tcp", "tcp", "unreachable"),
        ("firewall port-unreachable udp 30160-30169", "udp", "refused"),
        ("firewall port-unreachable tcp", "tcp", "refused"),
        ("firewall reset tcp", "tcp", "refused"),
        ("firewall world-dropped", "udp", "silent"),
        ("call not-running", "udp", "refused"),
        ("call not-running", "tcp", "refused"),
        ("call loopback-only udp 30160-30169", "udp", "refused"),
        ("call held udp 30160-30169", "udp", "silent"),
        ("call held tcp", "tcp", "accepted"),
        ("call echo udp 30160-30169", "udp", "knock"),
        ("call banner tcp", "tcp", "220 not what you look for\r\n"),
    ],
)
def test_a_fault_at_home_touches_its_ports_and_no_other(home: Lab, fault: str, protocol: str, says: str) -> None:
    home.break_(fault)
    if protocol == "tcp":
        assert knock(space(home, "outside"), "tcp", HOME, [30881]) == {30881: says}
        return
    found = knock(space(home, "outside"), "udp", HOME, [30158, 30169, 30171])
    assert found[30169] == says
    if "30160" in fault:
        assert found[30158] == "30158 198.51.100.10"
        assert found[30171] == "30171 198.51.100.10"


def test_tcp_in_place_of_udp_is_forwarded(home: Lab) -> None:
    home.break_("router other-protocol udp 30160-30169")
    # The firewall lets only udp in on these ports, the router forwards only tcp.
    assert knock(space(home, "outside"), "tcp", HOME, [30160]) == {30160: "silent"}
    rules = home.topology.machine_of[0].space.run(["nft", "list", "ruleset"])
    assert "tcp dport 30160-30169 dnat" in rules


def test_a_host_that_does_not_exist_is_reported_after_arp_has_given_up(home: Lab) -> None:
    home.break_("router unused-host udp 30160-30169")
    assert knock(space(home, "outside"), "udp", HOME, [30160], ARP_S) == {30160: "unreachable"}


def test_the_firewall_that_drops_the_world_lets_the_home_network_in(home: Lab) -> None:
    home.break_("firewall world-dropped")
    assert knock(space(home, "laptop"), "udp", SERVER, [30152]) == {30152: "30152 192.168.77.20"}
    assert knock(space(home, "outside"), "udp", HOME, [30152]) == {30152: "silent"}


def test_with_a_third_of_all_packets_lost_some_answers_come_and_some_do_not(home: Lab) -> None:
    home.break_("router loss")
    said = knock(space(home, "outside"), "udp", HOME, range(30152, 30182)).values()
    assert 5 <= sum(words != "silent" for words in said) <= 25


def test_a_router_that_rewrites_the_source_shows_its_own_address(home: Lab) -> None:
    home.break_("router source-rewritten")
    assert knock(space(home, "outside"), "udp", HOME, [30152]) == {30152: "30152 192.168.77.1"}


def test_hairpin_works_until_it_is_switched_off(home: Lab) -> None:
    home.break_()
    assert knock(space(home, "laptop"), "udp", HOME, [30152]) == {30152: "30152 192.168.77.1"}
    home.break_("router no-hairpin")
    assert knock(space(home, "laptop"), "udp", HOME, [30152]) == {30152: "refused"}
    assert knock(space(home, "outside"), "udp", HOME, [30152]) == {30152: "30152 198.51.100.10"}


def test_a_service_on_loopback_answers_its_own_host_alone(home: Lab) -> None:
    home.break_("call loopback-only udp 30160-30169")
    assert knock(space(home, "host"), "udp", SERVER, [30160, 30170]) == {30160: "refused", 30170: "30170 192.168.77.10"}


def test_two_faults_are_switched_on_together_and_off_again(home: Lab) -> None:
    home.break_("router not-forwarded udp 30152-30161", "firewall reject udp 30162-30171")
    found = knock(space(home, "outside"), "udp", HOME, [30161, 30162, 30172])
    assert found == {30161: "silent", 30162: "rejected", 30172: "30172 198.51.100.10"}
    home.break_()
    assert knock(space(home, "outside"), "udp", HOME, [30161]) == {30161: "30161 198.51.100.10"}


def test_the_tunnel_carries_both_protocols_and_the_service_sees_the_tunnels_client(chain: Lab) -> None:
    chain.break_()
    assert knock(space(chain, "outside"), "tcp", CLOUD, [10000, 10100, 8172]) == {
        10000: "10000 192.168.77.5",
        10100: "10100 192.168.77.5",
        8172: "8172 192.168.77.5",
    }
    assert knock(space(chain, "outside"), "udp", CLOUD, [10004]) == {10004: "20004 192.168.77.5"}
    assert knock(space(chain, "cloud"), "tcp", CLOUD, [10000]) == {10000: "10000 192.168.77.5"}
    assert knock(space(chain, "laptop"), "tcp", SERVER, [20000]) == {20000: "10000 192.168.77.20"}
    assert knock(space(chain, "vm"), "udp", SERVER, [20000]) == {20000: "20000 192.168.77.10"}


@pytest.mark.parametrize(
    ("fault", "protocol", "says"),
    [
        ("group drop tcp 10010-10014", "tcp", "silent"),
        ("group reject udp 10001-10002", "udp", "rejected"),
        ("cloud-firewall reset tcp 10010-10014", "tcp", "refused"),
        ("frps not-forwarded tcp 10010-10014", "tcp", "refused"),
        ("frps not-forwarded udp 10001-10002", "udp", "refused"),
        ("frpc off-by-one tcp 10010-10014", "tcp", "10013 192.168.77.5"),
        ("frpc off-by-one udp 10001-10002", "udp", "20003 192.168.77.5"),
        ("frpc idle-host tcp 10010-10014", "tcp", "closed"),
        ("frpc idle-host udp 10001-10002", "udp", "silent"),
        ("frpc unused-host tcp 10010-10014", "tcp", "accepted"),
        ("frpc client-down", "tcp", "closed"),
        ("frpc client-down", "udp", "silent"),
        ("frpc client-gone", "tcp", "refused"),
        ("frpc client-gone", "udp", "refused"),
        ("vm-firewall drop tcp 10010-10014", "tcp", "accepted"),
        ("vm-firewall reset tcp 10010-10014", "tcp", "closed"),
        ("docker not-forwarded tcp 10010-10014", "tcp", "closed"),
        ("docker not-forwarded udp 10001-10002", "udp", "silent"),
        ("docker off-by-one tcp 10010-10014", "tcp", "10013 192.168.77.5"),
        ("chat not-running", "tcp", "closed"),
        ("chat not-running", "udp", "silent"),
    ],
)
def test_a_fault_on_the_chain_touches_its_ports_and_no_other(chain: Lab, fault: str, protocol: str, says: str) -> None:
    chain.break_(fault)
    inside, outside = (10012, 10015) if protocol == "tcp" else (10002, 10000)
    found = knock(space(chain, "outside"), protocol, CLOUD, [inside, outside])
    assert found[inside] == says
    if "10" in fault:
        assert found[outside].endswith(" 192.168.77.5")


def test_the_carriers_nat_and_the_container_translate_as_planned(docker: Lab) -> None:
    docker.break_()
    outside = space(docker, "outside")
    assert knock(outside, "udp", "203.0.113.40", [10000, 10019]) == {
        10000: "20000 198.51.100.10",
        10019: "20019 198.51.100.10",
    }
    assert knock(outside, "tcp", "203.0.113.40", [8443]) == {8443: "443 198.51.100.10"}
    assert knock(space(docker, "laptop"), "tcp", SERVER, [443]) == {443: "443 192.168.77.20"}


@pytest.mark.parametrize(
    ("fault", "protocol", "port", "says"),
    [
        ("carrier not-forwarded", "udp", 10000, "silent"),
        ("docker other-protocol udp", "udp", 10000, "refused"),
        ("docker not-forwarded udp 10000-10004", "udp", 10000, "refused"),
        ("docker not-forwarded tcp", "tcp", 8443, "refused"),
        ("docker off-by-one udp", "udp", 10000, "20001 198.51.100.10"),
        ("docker idle-host tcp", "tcp", 8443, "refused"),
    ],
)
def test_a_fault_of_the_container_or_the_carrier_shows(
    docker: Lab, fault: str, protocol: str, port: int, says: str
) -> None:
    docker.break_(fault)
    assert knock(space(docker, "outside"), protocol, "203.0.113.40", [port]) == {port: says}


def test_a_userland_proxy_accepts_and_then_closes(tmp_path: Path) -> None:
    path = load("userland").path
    with Lab(path, tmp_path, "tell") as lab:
        outside = space(lab, "outside")
        assert knock(outside, "tcp", HOME, [8443]) == {8443: "8443 172.17.0.1"}
        assert knock(outside, "udp", HOME, [10000]) == {10000: "20000 172.17.0.1"}
        lab.break_("call not-running")
        assert knock(outside, "tcp", HOME, [8443]) == {8443: "closed"}
        assert knock(outside, "udp", HOME, [10000]) == {10000: "silent"}
        lab.break_("docker not-forwarded tcp")
        assert knock(outside, "tcp", HOME, [8443]) == {8443: "refused"}


def test_nothing_is_left_when_a_lab_is_closed(tmp_path: Path) -> None:
    with Lab(load("home").path, tmp_path, "tell") as lab:
        names = {machine.space.name for machine in lab.topology.machines()}
        assert names <= {path.name for path in RUN.iterdir()}
    assert not names & {path.name for path in RUN.iterdir()}


def test_a_lab_whose_process_was_killed_is_swept_away_by_the_next() -> None:
    script = (
        "import sys, tempfile, time; from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from lab.lab import Lab; from lab.scenario import load\n"
        "with Lab(load('home').path, Path(tempfile.mkdtemp()), 'tell'):\n"
        "    print('ready', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as crashed:
        assert crashed.stdout is not None
        assert crashed.stdout.readline() == "ready\n"
        mine = f"hw{crashed.pid}lab"
        assert any(path.name.startswith(mine) for path in RUN.iterdir())
        sweep()
        assert any(path.name.startswith(mine) for path in RUN.iterdir()), "a living lab is left alone"
        os.kill(crashed.pid, signal.SIGKILL)
    sweep()
    assert not any(path.name.startswith(mine) for path in RUN.iterdir())
