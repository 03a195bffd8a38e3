"""A real coturn on loopback, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.probes.asking import free_port
from wizard.model.secret import Secret
from wizard.wire.long_term import Credentials

USER = "alice"
PASSWORD = "open-sesame-4711"
CREDENTIALS = Credentials(USER, Secret(PASSWORD))
WITHIN_S = 10.0
RELAY_PORTS = 200


@dataclass(frozen=True, slots=True)
class Coturn:
    """A server that listens on 127.0.0.1 and ::1."""

    port: int
    tls_port: int
    relay_ports: range
    process: asyncio.subprocess.Process
    lines: asyncio.Queue[str]

    async def says(self, text: str) -> None:
        """Return once a line of its log, of those not yet read here, has `text`. Raises TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            while text not in await self.lines.get():
                pass

    def uri(self, transport: str = "udp", host: str = "127.0.0.1", scheme: str = "turn") -> str:
        """Its TURN address."""
        port = self.tls_port if scheme.endswith("s") else self.port
        return f"{scheme}:{host}:{port}" + ("" if scheme == "turns" else f"?transport={transport}")


@contextlib.asynccontextmanager
async def coturn(
    folder: Path,
    options: Sequence[str] = (),
    *,
    certificate: tuple[Path, Path] | None = None,
    listen: Sequence[str] = ("127.0.0.1", "::1"),
) -> AsyncIterator[Coturn]:
    """Start coturn with those further lines of configuration; it is killed at the end."""
    port, tls_port, first = free_port(), free_port(), _free_range()
    lines = [
        *(f"listening-ip={address}" for address in listen),
        *(f"relay-ip={address}" for address in listen),
        f"listening-port={port}",
        f"tls-listening-port={tls_port}",
        f"min-port={first}",
        f"max-port={first + RELAY_PORTS - 1}",
        "realm=example.org",
        "lt-cred-mech",
        f"user={USER}:{PASSWORD}",
        "allow-loopback-peers",
        "no-cli",
        "no-rfc5780",
        "verbose",
        f"userdb={folder / 'turndb'}",
        f"pidfile={folder / 'turnserver.pid'}",
        "log-file=stdout",
        "simple-log",
        *([f"cert={certificate[0]}", f"pkey={certificate[1]}"] if certificate else ["no-tls", "no-dtls"]),
        *options,
    ]
    file = folder / "turnserver.conf"
    file.write_text("\n".join(lines) + "\n")
    process = await asyncio.create_subprocess_exec(
        "turnserver",
        "-c",
        str(file),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    reader: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(WITHIN_S):
            await _ready(process, [f"UDP listener opened on: {address}:{port}" for address in listen])
        server = Coturn(port, tls_port, range(first, first + RELAY_PORTS), process, asyncio.Queue())
        reader = asyncio.create_task(_read(server))
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reader is not None:
            await reader


async def _ready(process: asyncio.subprocess.Process, expected: list[str]) -> None:
    assert process.stdout is not None
    while expected:
        line = (await process.stdout.readline()).decode()
        assert line, "coturn ended before it listened"
        expected = [text for text in expected if text not in line]


async def _read(server: Coturn) -> None:
    # A full pipe would stop it.
    assert server.process.stdout is not None
    while line := await server.process.stdout.readline():
        server.lines.put_nowait(line.decode(errors="replace"))


def _free_range() -> int:
    """The first of ports that are free now, outside of what the system hands out."""
    for first in range(20000 + (free_port() % 50) * RELAY_PORTS, 32000, RELAY_PORTS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", first))
            return first
    raise OSError("no free range of ports")
