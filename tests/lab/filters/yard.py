"""A machine with a packet filter, senders on two links before it and a host behind it: what the kernel lets through."""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.namespaces import Namespace, delete, root_ip, sweep

PORTS = (443, 8000, 8001, 8002, 8003, 9000)
"""Where the machine and the host behind it listen, with UDP and TCP."""
BEHIND = {4: "10.77.0.2", 6: "fd00:77::2"}
BOX = {
    "w0": {4: "192.0.2.1", 6: "2001:db8:2::1"},
    "w1": {4: "198.51.100.1", 6: "2001:db8:51::1"},
    "in0": {4: "10.77.0.1", 6: "fd00:77::1"},
}
SENDERS = {
    "w0": {4: ("192.0.2.10", "192.0.2.200"), 6: ("2001:db8:2::10", "2001:db8:2::200")},
    "w1": {4: ("198.51.100.10",), 6: ("2001:db8:51::10",)},
}
PATIENCE_S = 1.5
"""How long something expected is waited for before it counts as lost. On an idle machine it is there at once."""
_MAC = {name: f"02:00:00:00:00:{n:02x}" for n, name in enumerate(("e0", "e1", "w0", "w1", "in0", "i0"), 1)}
_NEXT = itertools.count()
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class Probe:
    """One packet: from a sender on a link of the box, to the box itself or through it."""

    link: str
    source: str
    destination: str
    protocol: str
    port: int
    family: int
    source_port: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """Where it arrived, `("box", 443)`, None if nowhere; whether the answer came back, and the next packet was let in
    too. A connection of TCP needs all of that: with it, none counts without the others."""

    at: tuple[str, int] | None
    answered: bool
    followed: bool


class Yard:
    """The namespaces and the sockets in them."""

    def __init__(self) -> None:
        prefix = f"hw{os.getpid()}lab{next(_NEXT)}-yard-"
        self.out, self.box, self.behind = (Namespace(prefix + name) for name in ("out", "box", "in"))
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        self._token = itertools.count(1)
        self._source_port = itertools.cycle(range(20000, 60000))

    def __enter__(self) -> Yard:
        sweep()
        try:
            self._build()
            for where, space in (("box", self.box), ("in", self.behind)):
                with space.entered():
                    self._listen(where)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take everything away."""
        for sock in self._sockets:
            sock.close()
        self._sockets = []
        self._selector.close()
        with contextlib.suppress(RuntimeError):
            delete([self.out.name, self.box.name, self.behind.name])

    def _build(self) -> None:
        out, box, behind = self.out.name, self.box.name, self.behind.name
        root_ip([f"netns add {name}" for name in (out, box, behind)])
        for space in (self.out, self.box, self.behind):
            space.route()
        pairs = (("e0", out, "w0", box), ("e1", out, "w1", box), ("in0", box, "i0", behind))
        root_ip(
            [
                f"link add {a} netns {left} address {_MAC[a]} type veth peer name {b} netns {right} address {_MAC[b]}"
                for a, left, b, right in pairs
            ]
        )
        for space, names in ((self.out, ("e0", "e1")), (self.box, ("w0", "w1", "in0")), (self.behind, ("i0",))):
            space.ip([f"link set {name} up" for name in ("lo", *names)])
        for family, (name, link, table) in itertools.product((4, 6), (("e0", "w0", 100), ("e1", "w1", 101))):
            lines = "\n".join(self._outer(family, name, link, table))
            self.out.run(["ip", f"-{family}", "-batch", "-"], lines + "\n")
        self.box.ip(
            [
                *(f"addr add {a}/{24 if f == 4 else 64} dev {n}" for n, both in BOX.items() for f, a in both.items()),
                *(_neighbour(a, n, f"e{n[1]}") for n, both in SENDERS.items() for each in both.values() for a in each),
                *(_neighbour(address, "in0", "i0") for address in BEHIND.values()),
            ]
        )
        self.behind.ip(
            [
                *(f"addr add {a}/{24 if f == 4 else 64} dev i0" for f, a in BEHIND.items()),
                *(f"route add default via {a} dev i0" for a in BOX["in0"].values()),
                *(_neighbour(a, "i0", "in0") for a in BOX["in0"].values()),
            ]
        )
        for space in (self.box, self.behind, self.out):
            with space.entered():
                for knob, value in _KNOBS.items():
                    _turn(knob, value)

    def _outer(self, family: int, name: str, link: str, table: int) -> Iterator[str]:
        for address in SENDERS[link][family]:
            yield f"addr add {address}/{24 if family == 4 else 64} dev {name}"
            yield f"rule add from {address} table {table}"
        gateway = BOX[link][family]
        yield f"route add default via {gateway} dev {name} table {table}"
        yield _neighbour(gateway, name, link)

    def _listen(self, where: str) -> None:
        for family, kind, port in itertools.product((4, 6), (socket.SOCK_STREAM, socket.SOCK_DGRAM), PORTS):
            sock = socket.socket(_FAMILY[family], kind | socket.SOCK_NONBLOCK)
            self._sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == 6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
            sock.bind(("", port))
            if kind == socket.SOCK_STREAM:
                sock.listen(64)
            self._selector.register(sock, selectors.EVENT_READ, (where, port, kind))

    @contextlib.contextmanager
    def probing(self) -> Iterator[None]:
        """Probes are sent from here on."""
        with self.out.entered():
            yield

    def socket_for(self, probe: Probe) -> socket.socket:
        """A socket bound to the sender's address, with a port of its own."""
        kind = socket.SOCK_STREAM if probe.protocol == "tcp" else socket.SOCK_DGRAM
        sock = socket.socket(_FAMILY[probe.family], kind | socket.SOCK_NONBLOCK)
        # In turn, and not as the kernel likes: to connection tracking the same port would soon be the same connection.
        sock.bind((probe.source, next(self._source_port)))
        return sock

    def send(self, sock: socket.socket, probe: Probe, expected: Seen) -> Seen:
        """What becomes of one packet. What is not expected is not waited for: it is noticed when it comes."""
        if probe.protocol == "tcp":
            return self._connect(sock, probe, expected)
        token = struct.pack("!I", next(self._token))
        sock.connect((probe.destination, probe.port))
        sock.send(token)
        at = self._arrival(token, wait=expected.at is not None)
        if not self._reply(sock, token, wait=expected.answered and at is not None):
            return Seen(at, False, False)
        token = struct.pack("!I", next(self._token))
        sock.send(token)
        return Seen(at, True, self._arrival(token, wait=expected.followed) == at)

    def _connect(self, sock: socket.socket, probe: Probe, expected: Seen) -> Seen:
        # An aborted connection leaves nothing that a later packet could belong to.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.connect_ex((probe.destination, probe.port))
        wanted = sock.getsockname()[:2]
        at = self._accepted(wanted, wait=expected.answered)
        return Seen(at, at is not None, at is not None)

    def _accepted(self, wanted: tuple[str, int], *, wait: bool) -> tuple[str, int] | None:
        until = time.monotonic() + PATIENCE_S
        while True:
            for where, port, kind, sock in self._ready(0 if not wait else max(0.0, until - time.monotonic())):
                if kind == socket.SOCK_DGRAM:
                    raise AssertionError(f"a datagram came late to {where}:{port}")
                taken, peer = sock.accept()
                taken.close()
                if peer[:2] == wanted:
                    return where, port
            if not wait or time.monotonic() >= until:
                return None

    def _arrival(self, token: bytes, *, wait: bool) -> tuple[str, int] | None:
        until = time.monotonic() + PATIENCE_S
        while True:
            for where, port, kind, sock in self._ready(0 if not wait else max(0.0, until - time.monotonic())):
                if kind == socket.SOCK_STREAM:
                    sock.accept()[0].close()
                    raise AssertionError(f"a connection came late to {where}:{port}")
                data, ancillary, _, peer = sock.recvmsg(64, 256)
                if data != token:
                    raise AssertionError(f"a datagram came late to {where}:{port}")
                # The answer leaves from the address that was asked.
                with contextlib.suppress(PermissionError):
                    sock.sendmsg([data], [(level, kind, _own(level, told)) for level, kind, told in ancillary], 0, peer)
                return where, port
            if not wait or time.monotonic() >= until:
                return None

    def _reply(self, sock: socket.socket, token: bytes, *, wait: bool) -> bool:
        sock.settimeout(PATIENCE_S if wait else 0)
        try:
            return sock.recv(64) == token
        except OSError:
            return False

    def _ready(self, wait_s: float) -> list[tuple[str, int, int, socket.socket]]:
        found = []
        for key, _ in self._selector.select(wait_s):
            assert isinstance(key.fileobj, socket.socket)
            found.append((*key.data, key.fileobj))
        return found


_KNOBS = {
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/icmp_ratelimit": "0",
    "netfilter/nf_conntrack_udp_timeout": "2",
    "netfilter/nf_conntrack_udp_timeout_stream": "2",
    "netfilter/nf_conntrack_tcp_timeout_close": "1",
    "netfilter/nf_conntrack_tcp_timeout_established": "2",
    "netfilter/nf_conntrack_tcp_timeout_syn_sent": "2",
    "netfilter/nf_conntrack_tcp_timeout_syn_recv": "2",
}


def _turn(knob: str, value: str) -> None:
    # Some are there only when what they are about was used.
    with contextlib.suppress(FileNotFoundError):
        Path("/proc/sys/net", knob).write_text(value)


def _own(level: int, told: bytes) -> bytes:
    """Packet information to send from: of the address alone, the route chooses the link."""
    if level == socket.IPPROTO_IPV6:
        return told[:16] + b"\0\0\0\0"
    return b"\0\0\0\0" + told[8:12] + b"\0\0\0\0"


def _neighbour(address: str, link: str, of: str) -> str:
    # Rule sets drop neighbour discovery too; it is not what they are asked about.
    return f"neigh add {address} lladdr {_MAC[of]} dev {link} nud permanent"


def probes(families: Iterable[int]) -> Iterator[Probe]:
    """To each port, with each protocol and family, from each sender; every fourth to the host behind."""
    numbers = itertools.count()
    for port, protocol, family in itertools.product(PORTS, ("udp", "tcp"), families):
        for link, senders in SENDERS.items():
            for source in senders[family]:
                through = next(numbers) % 4 == 3
                destination = BEHIND[family] if through else BOX[link][family]
                yield Probe(link, source, destination, protocol, port, family)
