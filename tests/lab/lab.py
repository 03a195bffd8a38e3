"""A path that works, in which faults are switched on and off, and Hopwise run against it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path as File
from typing import Any

from tests.probes.sshd import Sshd

from .address import is_six
from .faults import Fault, Kind
from .path import TURN_USER, Path
from .programs import Program
from .rules import mappings, table
from .topology import HOME_ROUTER, Machine, Topology

CONTROL = 7000
"""The port on which a tunnel's server hears its client."""
SSH_PORT = 2222
WAIT_S = 1.2
"""After this silence is believed here: a round trip takes less than a millisecond, a busy machine longer."""
HERE = File(__file__).parent
HOPWISE = str(File(sys.executable).with_name("hopwise"))
_TURN_PASSWORD = secrets.token_hex(8)
_ENVIRONMENT = {**os.environ, "HOPWISE_TURN_PASSWORD": _TURN_PASSWORD, "SSH_AUTH_SOCK": ""}
_HOLDERS = {Kind.LOOPBACK_ONLY: "silent", Kind.HELD: "silent", Kind.ECHO: "echo", Kind.BANNER: "banner"}


class Lab:
    """A built path. `files` is a folder for project files and logs; `responder` says what stands in for the service:
    Hopwise's own (`hopwise`), the script that it prints (`printed`), or a program that tells what it saw (`tell`)."""

    def __init__(self, path: Path, files: File, responder: str = "hopwise") -> None:
        self.path = path
        self.files = files
        self.responder = responder
        self.faults: tuple[Fault, ...] = ()
        self._rules: dict[int, str] = {}
        self._programs: dict[str, list[Program]] = {}
        self._told: dict[str, str] = {}
        self._ssh = files / "ssh"
        self._stack = ExitStack()
        self.topology = Topology(path)

    def __enter__(self) -> Lab:
        self.topology.build()
        self._stack.callback(self.topology.close)
        self._stack.callback(self._stop_all)
        try:
            self._open_home()
            self._start_relays()
            self.project = self.files / "project.toml"
            self.project.write_text(self.path.project())
            self.hosts = self.files / "hosts"
            self.hosts.write_text("".join(f"{to} {self.path.public_address}\n" for to in self.path.resolves))
            self.break_()
            self._settle()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def break_(self, *faults: Fault | str, respond_at: str | None = None) -> None:
        """Switch these faults on and all others off. `respond_at` is the hop whose place the responder takes."""
        self.faults = tuple(Fault.parse(fault) if isinstance(fault, str) else fault for fault in faults)
        changed = set()
        four = [fault for fault in self.faults if not fault.six]
        over_six = [replace(fault, six=False) for fault in self.faults if fault.six]
        for position, machine in enumerate(self.topology.machine_of):
            rules = table(self.path, position, self._mapped_to(position), machine.address, CONTROL, four)
            if machine.six is not None:
                rules += table(self.path, position, None, machine.six, CONTROL, over_six)
            if self._rules.get(position) != rules:
                machine.space.nft(rules)
                self._rules[position] = rules
                changed.add(machine.space.name)
        for position, hop in enumerate(self.path.hops):
            if hop.kind == "tunnel-client":
                self._tunnel(position)
            elif hop.userland:
                self._userland(position)
        self._serve(respond_at)
        self._show_pages()
        for machine in self.topology.machines():
            if machine.space.name in changed:
                machine.space.forget_connections()

    def check(
        self,
        vantage: str,
        merge: Iterable[File] = (),
        timeout_s: float = WAIT_S,
        *,
        named: bool = True,
        more: Sequence[str] = (),
    ) -> tuple[int, dict[str, Any]]:
        """Exit status and result of `hopwise check --json`, run on the vantage's own machine, or that of its user.

        Not `named`, it is left to Hopwise from which of the project's places that machine can probe.
        """
        argv = [HOPWISE, "check", str(self.project), "--json", "--timeout", str(timeout_s)]
        argv += ["--vantage", vantage] if named else []
        argv += more
        for file in merge:
            argv += ["--with", str(file)]
        if self.path.resolves:
            argv = ["unshare", "--mount", "sh", "-c", f'mount --bind {self.hosts} /etc/hosts && exec "$@"', "sh", *argv]
        told = self.path.vantage(vantage)
        with self.topology.vantages[told.used_by or vantage].space.entered():
            environment = {**_ENVIRONMENT, "HOME": str(self._ssh / "home")}
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120, env=environment)
        if done.returncode not in (0, 1, 3) or not done.stdout:
            raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stderr}\n{done.stdout}")
        return done.returncode, json.loads(done.stdout)

    def program(self, name: str, machine: Machine, argv: Sequence[str]) -> Program:
        """Start a program on a machine; it is ended with the lab."""
        started = Program(machine.space, argv, self.files / f"{name}.log")
        self._programs.setdefault(name, []).append(started)
        return started

    def arrivals(self) -> str:
        """What the responder has reported by now, one observation a line."""
        return self._programs["service"][-1].printed()

    def stop(self, name: str) -> str:
        """End the programs of that name; returns what they printed."""
        return "".join(program.stop() for program in self._programs.pop(name, []))

    def _stop_all(self) -> None:
        for name in list(self._programs):
            self.stop(name)

    def _mapped_to(self, position: int) -> str | None:
        translates = self.path.hops[position].kind in ("cgnat", "router", "container")
        return self.topology.machine_of[position].target if translates else None

    def _settle(self) -> None:
        last = self.topology.machine_of[-1]
        six = last.address if is_six(last.address) else last.six
        for machine in self.topology.vantages.values():
            if six is not None and is_six(machine.six or machine.address):
                machine.space.reaches(six)

    def _open_home(self) -> None:
        if self.topology.home is not None:
            self.topology.home.space.nft(
                "table ip home { chain outward { type nat hook postrouting priority 100;\n"
                f'oifname "wan" snat to {HOME_ROUTER}\n}}\n}}\n'
            )

    def _start_relays(self) -> None:
        for vantage in self.path.vantages:
            machine = self.topology.vantages[vantage.id]
            if vantage.kind == "ssh":
                assert self.log_in(machine) == vantage.server
            if vantage.kind != "turn":
                continue
            file = self.files / vantage.id / "turnserver.conf"
            file.parent.mkdir()
            lines = ["realm=example.org", "lt-cred-mech", f"user={TURN_USER}:{_TURN_PASSWORD}", "no-tls", "no-dtls"]
            lines += [f"listening-ip={machine.address}", f"relay-ip={machine.address}", "log-file=stdout", "simple-log"]
            lines += [f"userdb={file.with_suffix('.db')}", f"pidfile={file.with_suffix('.pid')}", "no-cli", "verbose"]
            lines += vantage.options
            file.write_text("\n".join(lines) + "\n")
            started = self.program("relay", machine, ["turnserver", "-c", str(file)])
            started.wait_for(f"UDP listener opened on: {machine.address}:3478")

    def log_in(self, machine: Machine) -> str:
        """Start sshd on a machine, known to whoever runs `check`. Returns the destination."""
        there = Sshd(self._ssh, machine.address, SSH_PORT)
        # It speaks on standard error.
        argv = ["sh", "-c", 'exec "$@" 2>&1', "sh", *there.command()]
        self.program("sshd", machine, argv).wait_for(f"listening on {machine.address} port {SSH_PORT}.")
        return there.destination

    def _changed(self, name: str, told: object) -> bool:
        """Whether a program has to be started anew because it is to be told something else."""
        words = json.dumps(told)
        if self._told.get(name) == words:
            return False
        self._told[name] = words
        self.stop(name)
        return True

    def _tunnel(self, position: int) -> None:
        server, client = self.topology.machine_of[position - 1], self.topology.machine_of[position]
        assert client.target is not None
        kinds = {fault.kind for fault in self.faults if fault.hop == self.path.hops[position].id}
        inner = {(m.protocol, m.number): m for m in mappings(self.path, position, client.target, self.faults)}
        ports = [
            (m.protocol, m.number, inner[m.protocol, m.inner].host, inner[m.protocol, m.inner].inner)
            for m in mappings(self.path, position - 1, client.address, self.faults)
            if (m.protocol, m.inner) in inner
        ]
        told = {"control": CONTROL, "keep": Kind.CLIENT_DOWN in kinds}
        gone = bool(kinds & {Kind.CLIENT_DOWN, Kind.CLIENT_GONE})
        if self._changed("tunnel", [told, ports, gone]):
            outer = self.program("tunnel", server, self._script("tunnel.py", "server", told))
            outer.wait_for("ready")
            dialler = {"server": [server.address, CONTROL], "ports": ports}
            started = self.program("tunnel", client, self._script("tunnel.py", "client", dialler))
            started.wait_for("ready")
            if gone:
                started.kill()
                outer.wait_for("alone")

    def _userland(self, position: int) -> None:
        machine = self.topology.machine_of[position]
        assert machine.target is not None
        ports = [
            (m.protocol, m.number, m.host, m.inner) for m in mappings(self.path, position, machine.target, self.faults)
        ]
        if self._changed("userland", ports):
            self.program("userland", machine, self._script("tunnel.py", "proxy", {"ports": ports})).wait_for("ready")

    def _serve(self, respond_at: str | None) -> None:
        last = len(self.path.hops) - 1
        machine = self.topology.machine_of[last]
        mine = [fault for fault in self.faults if fault.hop == self.path.hops[last].id]
        numbers = [
            (p.protocol, n, self.path.numbers(p, n)[last]) for p in self.path.ports for n in range(p.first, p.last + 1)
        ]
        held = {
            fault.kind: [(protocol, inner) for protocol, n, inner in numbers if fault.hits(protocol, n)]
            for fault in mine
            if fault.kind in _HOLDERS
        }
        silent = any(fault.kind is Kind.NOT_RUNNING for fault in mine)
        taken = {port for ports in held.values() for port in ports}
        if not self._changed("service", [list(held.items()), silent, respond_at]):
            return
        for kind, ports in held.items():
            address = _anywhere(machine, alone=kind is Kind.LOOPBACK_ONLY)
            self._hold(machine, address, _HOLDERS[kind], ports)
        if silent:
            return
        if self.responder == "hopwise":
            argv = [HOPWISE, "respond", str(self.project), "--minutes", "10", "--json"]
            if respond_at is not None:
                argv += ["--at", respond_at]
                machine = self.topology.machine_of[self.path.index(respond_at)]
            self.program("service", machine, argv).wait_for("ready")
        elif self.responder == "printed":
            script = self.files / "responder.py"
            script.write_text(machine.space.run([HOPWISE, "respond", "--print", str(self.project)]))
            self.program("service", machine, [sys.executable, "-IS", str(script)]).wait_for("ready")
        else:
            self._hold(
                machine, _anywhere(machine), "tell", [(p, inner) for p, _, inner in numbers if (p, inner) not in taken]
            )

    def _show_pages(self) -> None:
        pages = [
            [fault.hop, p.protocol, self.path.numbers(p, n)[self.path.index(fault.hop)]]
            for fault in self.faults
            if fault.kind is Kind.OWN_PAGE
            for p in self.path.ports
            for n in range(p.first, p.last + 1)
            if fault.hits(p.protocol, n)
        ]
        if self._changed("pages", pages):
            for hop in {str(page[0]) for page in pages}:
                machine = self.topology.machine_of[self.path.index(hop)]
                ports = [(protocol, number) for where, protocol, number in pages if where == hop]
                told = {"address": machine.address, "answer": "page", "ports": ports}
                self.program("pages", machine, self._script("holder.py", told)).wait_for("ready")

    def _hold(self, machine: Machine, address: str, answer: str, ports: list[tuple[str, int]]) -> None:
        told = {"address": address, "answer": answer, "ports": ports}
        self.program("service", machine, self._script("holder.py", told)).wait_for("ready")

    def _script(self, name: str, *told: object) -> list[str]:
        # -S: the programs need no installed package, and start sooner without looking for any.
        return [sys.executable, "-IS", str(HERE / name), *(t if isinstance(t, str) else json.dumps(t) for t in told)]


def _anywhere(machine: Machine, *, alone: bool = False) -> str:
    """What a program binds to be reached at all addresses of a machine, or from the machine itself alone."""
    if is_six(machine.address):
        return "::1" if alone else "::"
    return "127.0.0.1" if alone else "0.0.0.0"
