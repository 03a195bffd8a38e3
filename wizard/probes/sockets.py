"""Ports of both protocols, asked at once through the sockets of one computer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wizard.model.hop import Hop
from wizard.model.port import Protocol
from wizard.probes.aimed import Aimed
from wizard.probes.carrier import Carry
from wizard.probes.persistence import Loss
from wizard.probes.slots import Slots
from wizard.probes.tcp import Connect, TcpProber
from wizard.probes.udp import Decided, UdpProber


@dataclass(frozen=True, slots=True)
class Sockets:
    """The sockets of a computer."""

    carry: Carry
    connect: Connect
    capacity: int
    """How many it may have open at once."""
    shared: bool
    """Whether one UDP socket serves all ports of an address: only where the system tells which an error is about."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, in whose name. `hops` are the whole path; `server_name` is the public name that clients use."""

    vantage: str
    key: bytes
    hops: Sequence[Hop]
    server_name: str | None

    async def ask(
        self,
        ports: Sequence[Aimed],
        losses: Mapping[str, Loss],
        sockets: Sockets,
        timeout_s: float,
        decided: Decided,
    ) -> None:
        """Ask `ports` until all are decided. `decided` is called once for each."""
        slots = Slots(sockets.capacity)
        udp = [one for one in ports if one.probe.protocol is Protocol.UDP]
        tcp = [one for one in ports if one.probe.protocol is Protocol.TCP]
        batch = max(1, len(udp) if sockets.shared else slots.capacity // 2)

        async def ask_udp(some: Sequence[Aimed]) -> None:
            count = len({one.target for one in some} if sockets.shared else some)
            await slots.take(count)
            try:
                prober = UdpProber(self.key, self.vantage, self.hops, timeout_s, sockets.carry, decided)
                await prober.run(some, losses)
            finally:
                slots.give(count)

        async with asyncio.TaskGroup() as group:
            for start in range(0, len(udp), batch):
                group.create_task(ask_udp(udp[start : start + batch]))
            if tcp:
                prober = TcpProber(
                    self.key, self.vantage, self.hops, timeout_s, self.server_name, slots, decided, sockets.connect
                )
                group.create_task(prober.run(tcp, losses))


def no_loss_yet(ports: Sequence[Aimed]) -> dict[str, Loss]:
    """For each entry what is known of loss on the way there: nothing."""
    losses: dict[str, Loss] = {}
    for aimed in ports:
        losses.setdefault(aimed.probe.enters, Loss(0)).ports += 1
    return losses
