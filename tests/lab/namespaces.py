"""Network namespaces that this process makes, enters and takes away again."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

RUN = Path("/run/netns")
ECHO_S = 10.0
_CLONE_NEWNET = 0x40000000
_ECHO_REQUEST, _ECHO_REPLY = bytes((128, 0, 0, 0, 0, 1, 0, 1)), 129  # RFC 4443 section 4
_NAME = re.compile(r"hw(\d+)lab\d+-[a-z0-9-]+")


class Namespace:
    """One network namespace. `name` is what `ip netns` calls it."""

    def __init__(self, name: str) -> None:
        self.name = name

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is inside: sockets made and programs started here belong to it, then and later."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            there = os.open(RUN / self.name, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _setns(there)
            finally:
                os.close(there)
            try:
                yield
            finally:
                _setns(home)
        finally:
            os.close(home)

    def run(self, argv: Sequence[str], script: str | None = None) -> str:
        """Standard output of a program run inside. Raises RuntimeError with its words if it fails."""
        with self.entered():
            done = subprocess.run(argv, input=script, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)} in {self.name}: {done.stderr.strip()}\n{script or ''}")
        return done.stdout

    def nft(self, script: str) -> None:
        """Load nftables rules inside, all or none."""
        self.run(["nft", "-f", "-"], script)

    def ip(self, lines: Sequence[str]) -> None:
        """Run `ip` commands inside."""
        self.run(["ip", "-batch", "-"], "\n".join(lines) + "\n")

    def route(self) -> None:
        """Hand on packets of others, of both families. Links made afterwards have their IPv6 addresses at once."""
        with self.entered():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            for links in ("all", "default"):
                Path("/proc/sys/net/ipv6/conf", links, "forwarding").write_text("1")
                # Nobody else is there to have taken an address, which would be looked for during a second.
                Path("/proc/sys/net/ipv6/conf", links, "accept_dad").write_text("0")

    def reaches(self, address: str) -> None:
        """Returns when an echo over IPv6 has come back: a new link loses what is sent first. Raises TimeoutError."""
        with self.entered(), socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
            sock.settimeout(ECHO_S)
            sock.sendto(_ECHO_REQUEST, (address, 0))
            while sock.recv(2048)[0] != _ECHO_REPLY:
                pass

    def forget_connections(self) -> None:
        """Empty the connection tracking table, so that changed rules hold for what is under way too."""
        self.run(["conntrack", "-F"])


def root_ip(lines: Sequence[str]) -> None:
    """Run `ip` commands outside of every lab namespace. Raises RuntimeError with its words if one fails."""
    done = subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"ip -batch: {done.stderr.strip()}\n" + "\n".join(lines))


def delete(names: Sequence[str]) -> None:
    """Take namespaces away; their links go with them."""
    if names:
        root_ip([f"netns del {name}" for name in names])


def sweep() -> None:
    """Take away what labs of processes that no longer live have left behind."""
    left = [path.name for path in RUN.iterdir() if _is_left(path.name)] if RUN.is_dir() else []
    for name in left:
        listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout
        for pid in listed.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        # Two test runs may sweep at once: the other may have been first.
        with contextlib.suppress(RuntimeError):
            delete([name])


def _is_left(name: str) -> bool:
    match = _NAME.fullmatch(name)
    return match is not None and not Path("/proc", match[1]).exists()


def _setns(fd: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns failed")
