"""Where probes of one address go, as sockets want it."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from wizard.plan import Probe


@dataclass(frozen=True, slots=True)
class Target:
    """A literal IP address to probe."""

    address: str
    own: str | None = None
    """The address that this computer sends from to get there, where known."""
    source: str | None = None
    """`own` with its network's prefix, `192.168.77.20/24`."""

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET or AF_INET6."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def sockaddr(self, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """The address as connect() and sendto() take it. Raises OSError for an unknown scope."""
        host, _, scope = self.address.partition("%")
        if self.family == socket.AF_INET:
            return host, port
        if not scope:
            return host, port, 0, 0
        return host, port, 0, int(scope) if scope.isdigit() else socket.if_nametoindex(scope)


@dataclass(frozen=True, slots=True)
class Aimed:
    """A probe and the address that it is sent to."""

    probe: Probe
    target: Target
