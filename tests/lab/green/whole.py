"""A path whose hops run with people's own configurations: files in, gaps shown, the fix generated and applied."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from ruamel.yaml import YAML

from tests.lab.lab import CONTROL, HERE, HOME_ROUTER, WAIT_S
from tests.lab.path import Path
from tests.lab.programs import Program
from tests.lab.topology import Machine, Topology
from tests.unit.configs import frp_schema

HOPWISE = str(File(sys.executable).with_name("hopwise"))
Row = tuple[str, str, str, str]
"""What a router forwards: protocol, external port or range, inner host, inner port or range."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A configuration that Hopwise wrote, and what it said of it."""

    text: str
    said: str

    @property
    def told_lines(self) -> set[int]:
        """The lines that are to be removed from the file that there is."""
        return {int(n) for found in re.findall(r"lines? ([0-9, ]+)", self.said) for n in re.findall(r"[0-9]+", found)}


class Whole:
    """The machines of a path, with nothing configured. `files` is a folder for the configurations and the project."""

    def __init__(self, path: Path, files: File) -> None:
        self.files = files
        self.project = files / "project.toml"
        self.topology = Topology(path)
        self._path = path
        self._programs: dict[str, list[Program]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Whole:
        self.topology.build()
        self._stack.callback(self.topology.close)
        self._stack.callback(self.stop)
        if self.topology.home is not None:
            chain = f'type nat hook postrouting priority 100\noifname "wan" snat to {HOME_ROUTER}'
            self.topology.home.space.nft(f"table ip home {{\nchain outward {{\n{chain}\n}}\n}}")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def machine(self, hop: str) -> Machine:
        """The machine that carries a hop."""
        return self.topology.machine_of[self._path.index(hop)]

    def file(self, name: str, text: str) -> File:
        """Write a configuration file."""
        path = self.files / name
        path.write_text(text)
        return path

    def hopwise(self, *arguments: str, at: Machine | None = None, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in the folder of the files, on a machine or outside of the lab."""
        with at.space.entered() if at is not None else nullcontext():
            return subprocess.run(
                [HOPWISE, *arguments],
                input=typed,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                cwd=self.files,
            )

    def imported(self, *files: str, address: str | None = None, vantage: str | None = None) -> None:
        """Build the project from files, or add them to it, and a vantage as the wizard would."""
        public = ("--public-address", address) if address is not None else ()
        done = self.hopwise("import", *files, "-o", "project.toml", *public)
        assert done.returncode == 0, done.stderr
        if vantage is not None:
            with self.project.open("a") as project:
                project.write(f'\n[[vantages]]\nid = "{vantage}"\nkind = "local"\n')

    def gaps(self) -> dict[str, set[tuple[str, str, str]]]:
        """What coverage finds wanting, by hop: protocol, ports, how."""
        found = {
            hop["id"]: {
                (row["protocol"], row["outside"], row["coverage"])
                for row in hop["ports"]
                if row["coverage"] != "covered"
            }
            for hop in self._coverage()["hops"]
        }
        return {hop: rows for hop, rows in found.items() if rows}

    def notes(self) -> list[str]:
        """What coverage says beside the ports."""
        return [note["text"] for note in self._coverage()["notes"]]

    def _coverage(self) -> dict[str, Any]:
        done = self.hopwise("coverage", "project.toml", "--json")
        assert done.returncode in (0, 1), done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def generated(self, product: str, *more: str) -> Generated:
        """What Hopwise writes for a product."""
        done = self.hopwise("generate", product, "project.toml", *more)
        assert done.returncode == 0, done.stderr
        return Generated(done.stdout, done.stderr)

    def respond(self, hop: str) -> None:
        """Start the responder on the service's host."""
        self.stop("responder")
        self.start("responder", self.machine(hop), [HOPWISE, "respond", str(self.project)])

    def start(self, name: str, machine: Machine, argv: list[str], ready: str = "ready") -> None:
        """Start a program, and wait for its word."""
        program = Program(machine.space, argv, self.files / f"{name}.log")
        self._programs.setdefault(name, []).append(program)
        program.wait_for(ready)

    def stop(self, name: str | None = None) -> None:
        """End the programs of that name, or all."""
        for known in [name] if name is not None else list(self._programs):
            for program in self._programs.pop(known, []):
                program.stop()

    def check(self, vantage: str) -> tuple[int, dict[str, Any]]:
        """Exit status and result of a check from a vantage's machine."""
        machine = self.topology.vantages[vantage]
        done = self.hopwise("check", "project.toml", "--json", "--timeout", str(WAIT_S), at=machine)
        assert done.returncode in (0, 1, 3), done.stderr
        return done.returncode, json.loads(done.stdout)

    def forward(self, hop: str, rows: list[Row]) -> None:
        """Have a router forward exactly these rows, port by port."""
        machine = self.machine(hop)
        lines = []
        for protocol, outer, host, inner in rows:
            first, last = (int(part) for part in (outer.split("-") * 2)[:2])
            shift = int(inner.split("-")[0]) - first
            lines += [f"{protocol} dport {n} dnat to {host}:{n + shift}" for n in range(first, last + 1)]
        rules = "\n".join(f'iifname "wan" {line}' for line in lines)
        chain = f"chain p {{ type nat hook prerouting priority -100;\n{rules}\n}}"
        table = f"table ip forwards {{}}\ndelete table ip forwards\ntable ip forwards {{\n{chain}\n}}"
        machine.space.nft(table)
        machine.space.forget_connections()

    def tunnel(self, server: str, client: str, frpc: str, frps: str = "") -> None:
        """Have a tunnel run with a client's configuration and a server's, read as strictly as frp documents them."""
        self.stop("tunnel")
        at, dials = self.machine(server), self.machine(client)
        text = frp_schema.filled(frpc)
        assert frp_schema.client(text) == []
        assert frp_schema.server(frps) == []
        permitted = tomllib.loads(frps).get("allowPorts", [{"start": 1, "end": 65535}])
        spans = [(each.get("single", each.get("start")), each.get("single", each.get("end"))) for each in permitted]
        ports = [
            (proxy["type"], proxy["remotePort"], proxy.get("localIP", "127.0.0.1"), proxy["localPort"])
            for proxy in tomllib.loads(text)["proxies"]
            if any(first <= proxy["remotePort"] <= last for first, last in spans)
        ]
        script = [sys.executable, "-IS", str(HERE / "tunnel.py")]
        self.start("tunnel", at, [*script, "server", json.dumps({"control": CONTROL, "keep": False})])
        told = json.dumps({"server": [at.address, CONTROL], "ports": ports})
        self.start("tunnel", dials, [*script, "client", told])

    def publish(self, hop: str, *compose: str) -> None:
        """Have a container engine publish what Compose files say together, by chains such as Docker makes."""
        machine = self.machine(hop)
        rules = []
        for text in compose:
            for service in YAML(typ="safe").load(text)["services"].values():
                for entry in service["ports"]:
                    numbers, _, protocol = str(entry).partition("/")
                    outer, inner = numbers.split(":")
                    assert outer == inner
                    rules.append(f"{protocol or 'tcp'} dport {outer} dnat to {machine.target}")
        docker = "\n".join(["chain DOCKER {", *rules, "}"])
        hook = "type nat hook prerouting priority dstnat\nfib daddr type local jump DOCKER"
        machine.space.nft(
            f"table ip nat {{}}\ndelete table ip nat\ntable ip nat {{\n{docker}\nchain PREROUTING {{\n{hook}\n}}\n}}"
        )
        machine.space.forget_connections()

    def announce(self, *addresses: str) -> None:
        """Have the project say which addresses the service announces."""
        text = self.project.read_text()
        line = f"announced = {json.dumps(addresses)}\npublic_address"
        self.project.write_text(re.sub("^public_address", line, text, flags=re.MULTILINE))


def open_ports(result: dict[str, Any]) -> bool:
    """Whether every port is proven open."""
    return all(row["state"] == "open" for row in result["ports"])


def blamed(result: dict[str, Any]) -> set[tuple[str, tuple[str, ...], str, str]]:
    """What explains the blocked ports: code, suspects, protocol, ports."""
    return {
        (f["code"], tuple(f["suspects"]), f["protocol"], f["outside"])
        for f in result["findings"]
        if f["severity"] == "error"
    }


def without_paragraphs(text: str, lines: set[int]) -> str:
    """A file without the paragraphs that have one of those lines."""
    kept, first = [], 1
    for paragraph in text.split("\n\n"):
        last = first + paragraph.count("\n")
        if not lines & set(range(first, last + 1)):
            kept.append(paragraph)
        first = last + 2
    return "\n\n".join(kept)
