"""A computer behind a NAT, and the STUN servers that it asks on the internet."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.namespaces import Namespace, delete, root_ip, sweep
from tests.lab.programs import START_S, Program
from wizard.wire.probe import COOKIE

FIRST, SECOND = "198.51.100.7", "198.51.100.8"
"""The two addresses of the server that does the tests of RFC 5780."""
PLAIN, OTHER_PLAIN = "198.51.100.50", "198.51.100.60"
"""Two servers with one address each."""
HOME = "203.0.113.20"
INNER = "192.168.77.20"
_NEXT = itertools.count()
_DEVICE = "nat0"


@dataclass(frozen=True)
class Rules:
    """What the box does, in the words of RFC 4787."""

    mapping: str = "endpoint-independent"
    filtering: str = "endpoint-independent"
    hairpin: bool = True
    preserves: bool = False
    lifetime_s: float = 300.0
    outside: tuple[str, ...] = (HOME,)


class Street:
    """Namespaces `computer`, `router`, `internet` and `servers`. The router has no rules until it is given some."""

    def __init__(self, files: Path) -> None:
        sweep()
        self._prefix = f"hw{os.getpid()}lab{next(_NEXT)}-nat-"
        self._files = files
        self.programs: list[Program] = []
        names = ("computer", "router", "internet", "servers")
        self.computer, self.router, self.internet, self.servers = (Namespace(self._prefix + name) for name in names)
        self._names = [self._prefix + name for name in names]
        root_ip([f"netns add {name}" for name in self._names])
        try:
            self._cable()
        except BaseException:
            delete(self._names)
            raise

    def close(self) -> None:
        """End what runs, and take the namespaces away."""
        for program in self.programs:
            program.stop()
        delete(self._names)

    def box(self, rules: Rules) -> None:
        """Have the router do exactly that."""
        self.router.ip(
            [
                f"tuntap add dev {_DEVICE} mode tun",
                f"link set {_DEVICE} up",
                f"route add default dev {_DEVICE} table 100",
                "rule add iif lan lookup 100",
                *(f"route add {address}/32 dev {_DEVICE}" for address in rules.outside),
            ]
        )
        self.internet.ip([f"route add {address}/32 via 203.0.113.2" for address in rules.outside])
        told = {**vars(rules), "device": _DEVICE}
        # -S: it needs no installed package, and starts sooner without looking for any.
        argv = [sys.executable, "-IS", str(Path(__file__).with_name("box.py")), json.dumps(told)]
        self._start(self.router, argv, "box").wait_for("ready")

    def masquerade(self, words: str = "", more: str = "") -> None:
        """Have the router do what Linux does, with nft: `masquerade` and those words, and further rules."""
        self.router.ip(
            [
                "addr del 203.0.113.2/24 dev wan",
                f"addr add {HOME}/24 dev wan",
                "route add default via 203.0.113.1",
            ]
        )
        self.router.nft(_masquerade(words) + more)

    def second_router(self, between: str, *, first_translates: bool = True) -> None:
        """Put another Linux router, which masquerades, outward of the first, with the network `between`.0/24 in the
        middle."""
        outer = Namespace(self._prefix + "outer")
        root_ip([f"netns add {outer.name}"])
        self._names.append(outer.name)
        self.router.ip([f"link set wan netns {outer.name}"])
        root_ip([f"link add wan netns {self.router.name} type veth peer name lan netns {outer.name}"])
        self.router.ip([f"addr add {between}.20/24 dev wan", *_UP, f"route add default via {between}.1"])
        outer.ip(
            [
                f"addr add {between}.1/24 dev lan",
                f"addr add {HOME}/24 dev wan",
                "link set lan up",
                *_UP,
                "route add default via 203.0.113.1",
            ]
        )
        outer.route()
        outer.nft(_masquerade())
        if first_translates:
            self.router.nft(_masquerade())
        else:
            outer.ip([f"route add 192.168.77.0/24 via {between}.20"])

    def go_public(self) -> None:
        """Give the computer a public address, which the router passes on untranslated."""
        self.computer.ip(
            [f"addr add {HOME}/32 dev wan", f"route replace default via 192.168.77.1 src {HOME}"],
        )
        self.router.ip([f"route add {HOME}/32 via {INNER} dev lan"])
        self.internet.ip([f"route add {HOME}/32 via 203.0.113.2"])

    def coturn(self, addresses: Sequence[str], *options: str, at: Namespace | None = None) -> None:
        """Start a STUN server that listens on those addresses; it has the tests of RFC 5780 if there are two."""
        at = at or self.servers
        name = f"coturn-{len(self.programs)}"
        lines = [
            *(f"listening-ip={address}" for address in addresses),
            "stun-only",
            "no-tls",
            "no-dtls",
            "no-cli",
            "log-file=stdout",
            "simple-log",
            f"userdb={self._files / name}.db",
            f"pidfile={self._files / name}.pid",
            *options,
        ]
        file = self._files / f"{name}.conf"
        file.write_text("\n".join(lines) + "\n")
        self._start(at, ["turnserver", "-c", str(file)], name)
        for address in addresses:
            _await_answer(at, address)

    def _start(self, space: Namespace, argv: list[str], name: str) -> Program:
        program = Program(space, argv, self._files / f"{name}.log")
        self.programs.append(program)
        return program

    def _cable(self) -> None:
        computer, router, internet, servers = self._names
        root_ip(
            [
                f"link add wan netns {computer} type veth peer name lan netns {router}",
                f"link add wan netns {router} type veth peer name homes netns {internet}",
                f"link add wan netns {servers} type veth peer name servers netns {internet}",
            ]
        )
        self.computer.ip([f"addr add {INNER}/24 dev wan", *_UP, "route add default via 192.168.77.1"])
        self.router.ip(
            [
                "addr add 192.168.77.1/24 dev lan",
                "addr add 203.0.113.2/24 dev wan",
                "link set lan up",
                *_UP,
                "route add default via 203.0.113.1",
            ]
        )
        self.internet.ip(
            [
                "addr add 203.0.113.1/25 dev homes",
                "addr add 198.51.100.1/24 dev servers",
                "link set homes up",
                "link set servers up",
                "link set lo up",
            ]
        )
        addresses = (FIRST, SECOND, PLAIN, OTHER_PLAIN)
        self.servers.ip([*(f"addr add {address}/24 dev wan" for address in addresses), *_UP])
        self.servers.ip(["route add default via 198.51.100.1"])
        for space in (self.router, self.internet):
            space.route()


_UP = ("link set wan up", "link set lo up")


def _masquerade(words: str = "") -> str:
    return (
        "table ip nat {\n"
        f'chain out {{ type nat hook postrouting priority 100; oifname "wan" masquerade {words}\n}}\n'
        'chain in { type filter hook input priority 0; iifname "wan" meta l4proto udp drop\n}\n}\n'
    )


def _await_answer(space: Namespace, address: str) -> None:
    """Return once a STUN server answers there. Raises TimeoutError."""
    request = bytes([0, 1, 0, 0]) + COOKIE.to_bytes(4, "big") + os.urandom(12)
    until = time.monotonic() + START_S
    with space.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        while time.monotonic() < until:
            sock.sendto(request, (address, 3478))
            with contextlib.suppress(TimeoutError):
                sock.recv(2000)
                return
    raise TimeoutError(f"no STUN server on {address}")


@contextlib.contextmanager
def street(files: Path) -> Iterator[Street]:
    """A street for as long as a test needs it. Needs root."""
    made = Street(files)
    try:
        yield made
    finally:
        made.close()
