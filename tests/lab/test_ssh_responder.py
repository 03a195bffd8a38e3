"""The responder, started over SSH by the check itself: what arrives is merged while the test runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from .invariants import suspects
from .lab import SSH_PORT, Lab
from .scenario import load

pytestmark = pytest.mark.requires("root", "namespaces", "nft", "sshd")


def test_a_responder_started_over_ssh_names_the_firewall_that_lets_in_the_home_alone(tmp_path: Path) -> None:
    with Lab(load("over-ssh").path, tmp_path) as lab:
        machine = lab.topology.machine_of[-1]
        destination = lab.log_in(machine)
        # Nothing answers there until the check itself has it answer.
        lab.break_("call not-running", "firewall world-dropped udp")
        machine.space.nft(f"insert rule ip hop_1 filter_in tcp dport {SSH_PORT} accept")
        alone, before = lab.check("cloud", more=["--vantage", "laptop"])
        status, result = lab.check("cloud", more=["--vantage", "laptop", "--respond-by-ssh", destination])
    assert alone == status == 1
    assert {tuple(hops) for hops in suspects(before).values()} == {("firewall", "call")}
    assert suspects(result) == {("udp", port): ["firewall"] for port in range(10000, 10040)}
    arrived = {seen["port"] for seen in result["observations"] if seen["outcome"] == "arrived"}
    assert arrived == set(range(10000, 10040))
    assert {row["state"] for row in result["ports"] if row["protocol"] == "tcp"} == {"open"}


def test_of_two_faults_on_one_port_the_outer_is_named_first_and_the_inner_when_it_is_mended(tmp_path: Path) -> None:
    with Lab(load("over-ssh").path, tmp_path) as lab:
        machine = lab.topology.machine_of[-1]
        destination = lab.log_in(machine)
        inner = ("call not-running", "firewall drop udp 10020-10039")

        def blamed(*faults: str) -> dict[tuple[str, int], list[str]]:
            lab.break_(*faults)
            machine.space.nft(f"insert rule ip hop_1 filter_in tcp dport {SSH_PORT} accept")
            return suspects(lab.check("cloud", timeout_s=3, more=["--respond-by-ssh", destination])[1])

        assert blamed("router not-forwarded udp", *inner) == {("udp", n): ["router"] for n in range(10000, 10040)}
        # What got to the card was stopped behind it; nothing has shown yet that the call would answer there.
        assert blamed(*inner) == {("udp", n): ["firewall", "call"] for n in range(10020, 10040)}
