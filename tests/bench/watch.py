"""302 watched ports behind a router and a firewall: what watching costs while nothing changes, and how soon it shows
that a rule was added or taken away.

`python -m tests.bench.watch` prints both (as root).
"""

from __future__ import annotations

import json
import queue
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import psutil

from tests.lab.lab import HOPWISE, Lab
from tests.lab.namespaces import Namespace
from tests.lab.path import LabHop, LabVantage, Path, Ports, spell
from wizard.probes.pace import QUIET_AFTER_S

PATH = Path(
    "Watched",
    "203.0.113.20",
    (
        LabHop("router", "router", "203.0.113.20"),
        LabHop("firewall", "firewall", "192.168.77.10"),
        LabHop("call", "service", "192.168.77.10"),
    ),
    (Ports("media", "udp", 30152, 30352), Ports("rtc", "tcp", 10000, 10100)),
    (LabVantage("outside"),),
)
CHANGES = 50
MEASURED_S = 8.0
"""How long the cost of watching is measured, once it is quiet."""
WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found."""

    ports: int
    cpu: float
    """Processor time of the watching program, its own and the kernel's for it, as a share of one core."""
    delays_s: tuple[float, ...]
    """From each rule's taking effect to the line that has the new state, shortest first."""

    @property
    def p95_s(self) -> float:
        """The 95th percentile of the delays."""
        return self.delays_s[int(len(self.delays_s) * 0.95)]


def measure(changes: int = CHANGES) -> Measured:
    """Watch the path from outside; measure first the cost and then the delays."""
    with tempfile.TemporaryDirectory() as folder, Lab(PATH, File(folder)) as lab, _watching(lab) as (lines, process):
        first = lines.get(timeout=WAIT_S)[1]
        assert {row["state"] for row in first["ports"]} == {"open"}
        time.sleep(QUIET_AFTER_S + 1)
        before, began = process.cpu_times(), time.monotonic()
        time.sleep(MEASURED_S)
        after, took = process.cpu_times(), time.monotonic() - began
        assert lines.empty(), "something changed while nothing did"
        cpu = (after.user + after.system - before.user - before.system) / took
        delays = list(_delays(lab.topology.machine_of[0].space, lines, changes))
    ports = sum(ports.last - ports.first + 1 for ports in PATH.ports)
    return Measured(ports, cpu, tuple(sorted(delays)))


Line = tuple[float, dict[str, Any]]


@contextmanager
def _watching(lab: Lab) -> Iterator[tuple[queue.Queue[Line], psutil.Process]]:
    """The command, watching from outside, and what it prints with the time at which it did."""
    lines: queue.Queue[Line] = queue.Queue()
    with lab.topology.vantages["outside"].space.entered():
        argv = [HOPWISE, "check", str(lab.project), "--watch", "--json", "--vantage", "outside", "--timeout", "1.2"]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE)

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put((time.monotonic(), json.loads(line)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield lines, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def _delays(router: Namespace, lines: queue.Queue[Line], changes: int) -> Iterator[float]:
    """Rules of the router that stop one port or a stretch are added and taken away by turns."""
    chance = random.Random(4)
    router.nft("table ip bench { chain stop { type filter hook prerouting priority -160; }; }\n")
    for _ in range(changes // 2):
        ports = chance.choice(PATH.ports)
        first = chance.randint(ports.first, ports.last)
        last = min(ports.last, first + chance.choice((0, 0, 9, 100)))
        # As most routers have it: what is established goes on, and a new rule meets new flows.
        rule = f"add rule ip bench stop {ports.protocol} dport {spell(first, last)} ct state new drop\n"
        for script, state in ((rule, "blocked"), ("flush chain ip bench stop\n", "open")):
            # At any moment of the watch's own beat, not at one that its last line has set.
            time.sleep(chance.uniform(0.0, 0.5))
            router.nft(script)
            done = time.monotonic()
            yield _seen(lines, ports.protocol, range(first, last + 1), state) - done


def _seen(lines: queue.Queue[Line], protocol: str, numbers: range, state: str) -> float:
    """When the first line came in which all these ports have that state."""
    while True:
        at, result = lines.get(timeout=WAIT_S)
        states = {
            number: row["state"]
            for row in result["ports"]
            if row["protocol"] == protocol
            for first, _, last in (row["outside"].partition("-"),)
            for number in range(int(first), int(last or first) + 1)
        }
        if {states[number] for number in numbers} == {state}:
            return at


def main() -> None:
    """Measure and print."""
    measured = measure()
    delays = [round(delay, 3) for delay in measured.delays_s]
    figures = {"ports": measured.ports, "cpu": round(measured.cpu, 4), "p95_s": round(measured.p95_s, 3)}
    print(json.dumps(figures | {"delays_s": delays}))  # noqa: T201


if __name__ == "__main__":
    main()
