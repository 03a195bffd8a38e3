"""A hop: one thing on the path that can let a port through or stop it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class HopKind(enum.Enum):
    """What a hop is, in the words of the project file."""

    CGNAT = "cgnat"
    SECURITY_GROUP = "security-group"
    ROUTER = "router"
    FIREWALL = "firewall"
    TUNNEL_SERVER = "tunnel-server"
    TUNNEL_CLIENT = "tunnel-client"
    CONTAINER = "container"
    SERVICE = "service"

    @property
    def translates(self) -> bool:
        """Whether the hop can change addresses and port numbers; the others only filter."""
        return self in _TRANSLATING

    @property
    def proxies_tcp(self) -> bool:
        """Whether the hop may accept a TCP connection itself before its back end does."""
        return self in _PROXYING


_PROXYING = frozenset({HopKind.TUNNEL_SERVER, HopKind.TUNNEL_CLIENT, HopKind.CONTAINER})
_TRANSLATING = _PROXYING | {HopKind.CGNAT, HopKind.ROUTER}


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop. `address` is where a probe enters the path here; None if it cannot be addressed."""

    id: str
    kind: HopKind
    label: str | None = None
    address: str | None = None

    @property
    def title(self) -> str:
        """The name to show: the label, or else the id."""
        return self.label or self.id
