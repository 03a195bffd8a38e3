"""The responder in a network of its own: firewalls before it, and hosts that are not the planned one."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from tests.probes.asking import WITHIN_S, udp_socket
from tests.probes.netns import cable
from tests.probes.test_responder_command import KEY, ask, command, started, until_ready
from wizard.wire.probe import Answer, read_answer, request
from wizard.wire.syn import TURNS, syn_mark

pytestmark = pytest.mark.requires("namespaces")

T = TypeVar("T")
PROJECT = """
format = 1
name = "Chat at home"
public_address = "203.0.113.20"
probe_key = "k"
hops = [
  {id = "router", kind = "router", address = "203.0.113.20"},
  {id = "nas-firewall", kind = "firewall", address = "PLANNED"},
  {id = "chat", kind = "service"},
]
ports = [{name = "media", protocol = "udp", outside = "10000-10009"}]
vantages = [{id = "laptop", kind = "local"}]
"""
FIREWALL = """
table inet filter {
  chain input { type filter hook input priority 0; udp dport 10005-10009 drop; }
}
"""


@contextlib.contextmanager
def responding(
    folder: Path,
    planned: str,
    own: list[str],
    firewall: str = "",
    arguments: tuple[str, ...] = ("--json",),
    project: str = PROJECT,
) -> Iterator[subprocess.Popen[str]]:
    """A responder on a host with those addresses."""
    path = folder / "chat.toml"
    path.write_text(project.replace("PLANNED", planned))
    rules = folder / "rules.nft"
    rules.write_text(firewall)
    # Without a prefix length: a whole network on lo would be this host's own, each address of it.
    steps = ["ip link set lo up", *(f"ip addr add {address} dev lo" for address in own)]
    steps += [f"nft -f {rules}"] if firewall else []
    script = " && ".join([*steps, 'exec "$@"'])
    with started(["unshare", "--net", "sh", "-c", script, "sh", *command(path, *arguments)]) as process:
        until_ready(process)
        yield process


def inside(process: subprocess.Popen[str], work: Callable[[], T]) -> T:
    """What `work` returns in the network of the process."""

    with Path(f"/proc/{process.pid}/ns/net").open() as namespace, entered(namespace.fileno()) as thread:
        return thread.submit(work).result()


def entered(namespace: int) -> ThreadPoolExecutor:
    """A thread in that network namespace."""

    def enter() -> None:
        assert ctypes.CDLL(None, use_errno=True).setns(namespace, 0) == 0

    return ThreadPoolExecutor(1, initializer=enter)


def answer_at(process: subprocess.Popen[str], address: str) -> Answer:
    answer = read_answer(KEY.encode(), inside(process, lambda: ask(address, 10000)))
    assert answer is not None
    assert answer.came_in_on == (address, 10000)
    return answer


def test_on_the_planned_host_every_address_is_right(tmp_path: Path) -> None:
    with responding(tmp_path, "192.168.77.10", ["192.168.77.10", "10.8.0.1", "fd00::10"]) as process:
        for address in ("192.168.77.10", "10.8.0.1", "fd00::10"):
            assert not answer_at(process, address).wrong_host


def test_on_another_host_a_probe_is_told_that_it_went_astray(tmp_path: Path) -> None:
    with responding(tmp_path, "192.168.77.10", ["192.168.77.11", "203.0.113.9", "fd00::11"]) as process:
        assert answer_at(process, "192.168.77.11").wrong_host
        for incomparable in ("127.0.0.1", "203.0.113.9", "fd00::11"):
            assert not answer_at(process, incomparable).wrong_host
        process.terminate()
        lines, _ = process.communicate(timeout=WITHIN_S)
    outcomes = {
        line["came_in_on"]: line["outcome"]
        for line in map(json.loads, lines.splitlines())
        if line["outcome"] != "arrived"
    }
    assert outcomes == {
        "192.168.77.11:10000": "misdirected",
        "127.0.0.1:10000": "answered",
        "203.0.113.9:10000": "answered",
        "[fd00::11]:10000": "answered",
    }


def test_a_cloud_host_behind_one_to_one_nat_is_the_right_host(tmp_path: Path) -> None:
    with responding(tmp_path, "203.0.113.5", ["10.0.0.4"]) as process:
        assert not answer_at(process, "10.0.0.4").wrong_host


def signed(port: int) -> bytes:
    """A probe from the laptop."""
    return request(KEY.encode(), os.urandom(12), "laptop", "nas-firewall", port)


def send_to(address: str, port: int) -> None:
    """One probe of a port."""
    with udp_socket(address, port) as sock:
        sock.send(signed(port))


def ask_all(process: subprocess.Popen[str], address: str) -> None:
    """Three probes of each port, the last of a port that the firewall lets through; returns when that is answered."""

    def send() -> None:
        for port in range(10009, 9999, -1):
            with udp_socket(address, port) as sock:
                data = signed(port)
                for _ in range(3):
                    sock.send(data)
        ask(address, 10000, enters="nas-firewall")

    inside(process, send)


@pytest.mark.requires("nft")
@pytest.mark.parametrize("address", ["192.168.77.10", "fd00::10"])
def test_what_a_firewall_stops_is_seen_to_arrive_once_for_each_probe(tmp_path: Path, address: str) -> None:
    own = ["192.168.77.10", "fd00::10"]
    with responding(tmp_path, "192.168.77.10", own, FIREWALL) as process:
        ask_all(process, address)
        process.terminate()
        lines, _ = process.communicate(timeout=WITHIN_S)
    told: dict[str, list[int]] = {"arrived": [], "answered": []}
    for line in map(json.loads, lines.splitlines()):
        told[line["outcome"]].append(line["port"])
        assert (line["probe_vantage"], line["probe_enters"]) == ("laptop", "nas-firewall")
        assert (line["vantage"], line["enters"], line["stands_at"]) == ("responder", "chat", "chat")
    # The last one asked for comes twice: from two sockets.
    assert sorted(told["arrived"]) == [10000, *range(10000, 10010)]
    assert sorted(told["answered"]) == [10000, *range(10000, 10005)]


@pytest.mark.requires("nft")
def test_a_person_is_told_at_the_end_what_the_firewall_stopped(tmp_path: Path) -> None:
    with responding(tmp_path, "192.168.77.10", ["192.168.77.10"], FIREWALL, ()) as process:
        ask_all(process, "192.168.77.10")
        process.terminate()
        lines, _ = process.communicate(timeout=WITHIN_S)
    assert lines.splitlines() == [
        "answered    udp 10000-10004",
        "stopped     udp 10005-10009: reached this host's network card and no further; its firewall stops them",
    ]


@pytest.mark.requires("nft")
def test_an_answer_that_may_not_leave_is_told_with_its_reason(tmp_path: Path) -> None:
    firewall = "table inet filter { chain output { type filter hook output priority 0; udp sport 10003 drop; }; }"
    with responding(tmp_path, "192.168.77.10", ["192.168.77.10"], firewall) as process:
        ask_all(process, "192.168.77.10")
        process.terminate()
        lines, _ = process.communicate(timeout=WITHIN_S)
    errors = {
        line["port"]: line.get("error")
        for line in map(json.loads, lines.splitlines())
        if line["outcome"] == "answered" and "error" in line
    }
    assert errors == {10003: "the answer could not be sent: Operation not permitted"}


WITH_TCP = PROJECT.replace("udp", "tcp")
BOTH = PROJECT.replace("ports = [", 'ports = [{name = "web", protocol = "tcp", outside = "10000-10009"}, ')
TCP_FIREWALL = """
table inet filter {
  chain input { type filter hook input priority 0; tcp dport 10005-10009 drop; }
}
"""


def knock(address: str, ports: Iterable[int], vantage: str = "laptop") -> contextlib.ExitStack:
    """Connections to each port by both marks, under way; those to ports below 10005 are made."""
    stack = contextlib.ExitStack()
    for turn in range(TURNS):
        for port in ports:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            stack.enter_context(sock)
            mark = syn_mark(KEY.encode(), vantage, "nas-firewall", port, turn)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mark)
            sock.settimeout(WITHIN_S if port < 10005 else 0)
            with contextlib.suppress(BlockingIOError):
                sock.connect((address, port))
    return stack


@pytest.mark.requires("nft")
@pytest.mark.parametrize("address", ["192.168.77.10", "fd00::10"])
def test_over_tcp_what_a_firewall_stops_is_seen_to_arrive_and_what_it_lets_in_is_not_told(
    tmp_path: Path, address: str
) -> None:
    own = ["192.168.77.10", "fd00::10"]
    with responding(tmp_path, "192.168.77.10", own, TCP_FIREWALL, project=WITH_TCP) as process:
        for vantage in ("a-place-of-another-project", "laptop"):
            inside(process, lambda vantage=vantage: knock(address, range(10009, 9999, -1), vantage).close())  # type: ignore[misc]
        process.terminate()
        lines, _ = process.communicate(timeout=WITHIN_S)
    told = [json.loads(line) for line in lines.splitlines()]
    assert {(line["outcome"], line["protocol"]) for line in told} == {("arrived", "tcp")}
    assert {(line["probe_vantage"], line["probe_enters"]) for line in told} == {("laptop", "nas-firewall")}
    assert sorted(line["port"] for line in told) == [*range(10005, 10010)]


@pytest.mark.requires("nft")
def test_arrivals_are_seen_on_a_bridge_that_came_up_after_the_responder(tmp_path: Path) -> None:
    def ip(side: str, *lines: str) -> None:
        for line in lines:
            subprocess.run(["ip", "-n", side, *line.split()], check=True)

    project = tmp_path / "chat.toml"
    project.write_text(BOTH.replace("PLANNED", "10.78.0.2"))
    with cable() as path:
        path.filter(path.far, "in meta l4proto { tcp, udp } drop")
        with started(["ip", "netns", "exec", path.far, *command(project, "--json")]) as process:
            until_ready(process)
            for side, address in ((path.near, "10.78.0.1"), (path.far, "10.78.0.2")):
                ip(side, "link add br0 type bridge forward_delay 0", "link set c0 master br0")
                ip(side, f"addr add {address}/24 dev br0", "link set br0 up")
            assert process.stdout is not None
            with Path(f"/run/netns/{path.near}").open() as namespace, entered(namespace.fileno()) as near:
                knocking = near.submit(knock, "10.78.0.2", (10007,)).result()
                told = [json.loads(process.stdout.readline())]
                near.submit(send_to, "10.78.0.2", 10003).result()
                told.append(json.loads(process.stdout.readline()))
            knocking.close()
            process.terminate()
            rest, _ = process.communicate(timeout=WITHIN_S)
    assert [(line["protocol"], line["outcome"], line["port"]) for line in told] == [
        ("tcp", "arrived", 10007),
        ("udp", "arrived", 10003),
    ]
    assert rest == ""
