"""UDP probes that a relayed address sends."""

from __future__ import annotations

from time import perf_counter

from wizard.probes import icmp
from wizard.probes.carrier import Failed
from wizard.probes.conversation import Conversation, Happening
from wizard.probes.icmp import IcmpError
from wizard.probes.target import Target
from wizard.probes.udp_socket import Heard
from wizard.wire.turn_event import PeerIcmp, Received

_ICMP, _ICMP6 = 2, 3  # the origins by which icmp.meaning tells the two apart


class Carriers:
    """The carriers of one allocation, by the address that each sends to."""

    def __init__(self) -> None:
        self.conversation: Conversation | None = None
        self._by_address: dict[str, RelayCarrier] = {}

    def make(self, target: Target, _ports: frozenset[int], heard: Heard, failed: Failed) -> RelayCarrier:
        """The carrier of probes to `target`."""
        assert self.conversation is not None
        carrier = RelayCarrier(self.conversation, target.address, heard, failed)
        self._by_address[target.address] = carrier
        return carrier

    def take(self, happening: Happening) -> None:
        """Hand what a peer sent to the carrier that sends there; anything else is passed over."""
        at = perf_counter()
        if not isinstance(happening, Received | PeerIcmp):
            return
        address, port = happening.peer
        carrier = self._by_address.get(address)
        if carrier is None:
            return
        if isinstance(happening, Received):
            carrier.heard(port, happening.data, at)
            return
        origin = _ICMP6 if ":" in address else _ICMP
        outcome = icmp.meaning(origin, happening.icmp.type, happening.icmp.code)
        if outcome is not None:
            carrier.failed(IcmpError(port, outcome, ""))


class RelayCarrier:
    """Sends datagrams to one address by Send indications (RFC 8656 section 11)."""

    def __init__(self, conversation: Conversation, address: str, heard: Heard, failed: Failed) -> None:
        self._conversation = conversation
        self._address = address
        self.heard = heard
        self.failed = failed

    def send(self, port: int, data: bytes) -> None:
        """Have it sent. The relay does not say what became of it."""
        self._conversation.client.send((self._address, port), data)
        self._conversation.flush()

    def done(self, port: int) -> None:
        """The relayed address serves the other ports."""

    async def close(self) -> None:
        """The allocation is released by who made it."""
