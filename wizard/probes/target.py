"""Where probes of one address go, as sockets want it.

Standard library only and Python 3.8, because the sockets that are printed for another host carry this file along.
"""

from __future__ import annotations

import socket
from typing import NamedTuple


class Target(NamedTuple):
    """A literal IP address to probe."""

    address: str
    own: str | None = None
    """The address that the sending computer sends from to get there, where known."""
    source: str | None = None
    """`own` with its network's prefix, `192.168.77.20/24`."""
    sender: str = "this computer"
    """Who sends, in words."""

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
