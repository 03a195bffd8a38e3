"""A home network, its NAT, and a host on the internet with a coturn: for IPv4 and for IPv6."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.probes.coturn import Coturn, coturn

from .namespaces import RUN, Namespace, delete, root_ip, sweep

HOME, HOME6 = "192.168.77.20", "2001:db8:77::20"
WAN, WAN6 = "203.0.113.20", "2001:db8:113::20"
SERVER, SERVER6 = "203.0.113.7", "2001:db8:113::7"
_GATEWAY, _GATEWAY6 = "192.168.77.1", "2001:db8:77::1"
_NEXT = itertools.count(700)


@dataclass(frozen=True, slots=True)
class Street:
    """`home` is behind NAT, `router` has the NAT, `server` is outside."""

    home: Namespace
    router: Namespace
    server: Namespace

    def filter(self, *rules: str) -> None:
        """Have the server's firewall obey those nft rules of an input chain, and no earlier ones."""
        chain = "add chain inet wall in { type filter hook input priority 0; }\n"
        self.server.nft("add table inet wall\ndelete table inet wall\nadd table inet wall\n" + chain)
        self.server.nft("".join(f"add rule inet wall in {rule}\n" for rule in rules))

    @contextlib.asynccontextmanager
    async def coturn(
        self, folder: Path, options: Sequence[str] = (), certificate: tuple[Path, Path] | None = None
    ) -> AsyncIterator[Coturn]:
        """A coturn on the server's two addresses."""
        running = coturn(folder, options, certificate=certificate, listen=(SERVER, SERVER6))
        with self.server.entered():
            server = await running.__aenter__()
        try:
            yield server
        finally:
            await running.__aexit__(None, None, None)


@contextlib.contextmanager
def street() -> Iterator[Street]:
    """Build it. Needs root."""
    sweep()
    prefix = f"hw{os.getpid()}lab{next(_NEXT)}-ice-"
    home, router, server = (Namespace(f"{prefix}{name}") for name in ("home", "router", "server"))
    try:
        root_ip([f"netns add {space.name}" for space in (home, router, server)])
        for space, link in ((home, "lan"), (server, "wan")):
            command = ["ip", "-n", space.name, "link", "add", link, "type", "veth", "peer", "name", link]
            subprocess.run([*command, "netns", router.name], check=True)
        home.ip(
            [
                "link set lo up",
                "link set lan up",
                f"addr add {HOME}/24 dev lan",
                f"addr add {HOME6}/64 dev lan nodad",
                f"route add default via {_GATEWAY}",
                f"route add ::/0 via {_GATEWAY6}",
            ]
        )
        router.ip(
            [
                "link set lo up",
                "link set lan up",
                "link set wan up",
                f"addr add {_GATEWAY}/24 dev lan",
                f"addr add {_GATEWAY6}/64 dev lan nodad",
                f"addr add {WAN}/24 dev wan",
                f"addr add {WAN6}/64 dev wan nodad",
            ]
        )
        server.ip(
            [
                "link set lo up",
                "link set wan up",
                f"addr add {SERVER}/24 dev wan",
                f"addr add {SERVER6}/64 dev wan nodad",
            ]
        )
        with router.entered():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
        router.nft(
            "add table inet nat\n"
            "add chain inet nat post { type nat hook postrouting priority 100; }\n"
            'add rule inet nat post oifname "wan" masquerade random\n'
        )
        yield Street(home, router, server)
    finally:
        delete([space.name for space in (home, router, server) if (RUN / space.name).exists()])
