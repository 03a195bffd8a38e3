"""What carries UDP probes to one address and back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from wizard.probes import icmp
from wizard.probes.icmp import IcmpError
from wizard.probes.network_error import NetworkError
from wizard.probes.target import Target
from wizard.probes.udp_socket import Heard, open_socket


class Carrier(Protocol):
    """Sends datagrams to one address; what comes back from there goes to the functions that it was made with."""

    def send(self, port: int, data: bytes) -> None:
        """Send at once. Raises BlockingIOError when the system's buffers are full, OSError for a local fault."""
        ...

    def done(self, port: int) -> None:
        """Nothing more is sent to that port."""
        ...

    async def close(self) -> None:
        """Close every socket."""
        ...


@dataclass(frozen=True, slots=True)
class Unsent:
    """A datagram to `port` that seemed to be sent and, as is told later, was not."""

    port: int
    fault: OSError


Failed = Callable[[IcmpError | Unsent], None]
Carry = Callable[[Target, frozenset[int], Heard, Failed], Carrier]


def carry(target: Target, ports: Collection[int], heard: Heard, failed: Failed) -> Carrier:
    """This computer's own sockets as a carrier."""

    def told(error: NetworkError) -> None:
        meant = icmp.read(error)
        if meant is not None:
            failed(meant)

    return open_socket(target, ports, heard, told)
