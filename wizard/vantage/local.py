"""This computer as a place to probe from."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from wizard.model.hop import Hop
from wizard.model.port import Protocol
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.probes import icmp
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement, local_fault
from wizard.probes.carrier import carry
from wizard.probes.dns import first_address
from wizard.probes.persistence import DEFAULT_TIMEOUT_S, Loss
from wizard.probes.slots import Slots, spare_files
from wizard.probes.target import Target
from wizard.probes.tcp import TcpProber
from wizard.probes.udp import Decided, UdpProber
from wizard.system.interfaces import networks, own_address, source_network

_Tell = Callable[[Observation], None]


class LocalPlace:
    """Sends probes from this computer's own sockets.

    `server_name` is the public name or address that clients use, for TLS and HTTP; `hops` are the whole path.
    """

    def __init__(
        self,
        vantage_id: str,
        key: bytes,
        hops: Sequence[Hop],
        timeout_s: float = DEFAULT_TIMEOUT_S,
        server_name: str | None = None,
    ) -> None:
        self._vantage_id = vantage_id
        self._key = key
        self._hops = tuple(hops)
        self._timeout_s = timeout_s
        self._server_name = server_name

    async def observe(self, probes: Sequence[Probe]) -> AsyncIterator[Observation]:
        """Exactly one observation for each probe, as it is decided; local faults are observations, too."""
        observations: asyncio.Queue[Observation | None] = asyncio.Queue()
        work = asyncio.create_task(self._work(probes, observations.put_nowait))
        work.add_done_callback(lambda _: observations.put_nowait(None))
        try:
            while (observation := await observations.get()) is not None:
                yield observation
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _work(self, probes: Sequence[Probe], tell: _Tell) -> None:
        def decided(aimed: Aimed, judgement: Judgement) -> None:
            target = aimed.target
            tell(judgement.observation(aimed.probe, target.address, target.source))

        slots = Slots(spare_files())
        aimed = await self._aim(probes, tell)
        losses = {enters: Loss(count) for enters, count in Counter(one.probe.enters for one in aimed).items()}
        udp = [one for one in aimed if one.probe.protocol is Protocol.UDP]
        tcp = [one for one in aimed if one.probe.protocol is Protocol.TCP]
        # One socket serves all UDP ports of an address where the system tells of ICMP errors.
        batch = max(1, len(udp) if icmp.TOLD else slots.capacity // 2)
        async with asyncio.TaskGroup() as group:
            for start in range(0, len(udp), batch):
                group.create_task(self._ask_udp(udp[start : start + batch], losses, slots, decided))
            if tcp:
                tcp_prober = TcpProber(
                    self._key, self._vantage_id, self._hops, self._timeout_s, self._server_name, slots, decided
                )
                group.create_task(tcp_prober.run(tcp, losses))

    async def _ask_udp(
        self, ports: Sequence[Aimed], losses: Mapping[str, Loss], slots: Slots, decided: Decided
    ) -> None:
        sockets = len({one.target for one in ports} if icmp.TOLD else ports)
        await slots.take(sockets)
        try:
            prober = UdpProber(self._key, self._vantage_id, self._hops, self._timeout_s, carry, decided)
            await prober.run(ports, losses)
        finally:
            slots.give(sockets)

    async def _aim(self, probes: Sequence[Probe], tell: _Tell) -> list[Aimed]:
        """The probes with the literal addresses that they go to; tells of those that cannot go anywhere."""
        names = list(dict.fromkeys(probe.address for probe in probes))
        found = await asyncio.gather(*(self._target(name) for name in names))
        targets = dict(zip(names, found, strict=True))
        aimed: list[Aimed] = []
        for probe in probes:
            target = targets[probe.address]
            if isinstance(target, Target):
                aimed.append(Aimed(probe, target))
            else:
                tell(target.observation(probe, probe.address, None))
        return aimed

    async def _target(self, name: str) -> Target | Judgement:
        try:
            address = _canonical(await first_address(name, self._timeout_s))
        except OSError as error:
            return Judgement(Outcome.FAILED, error=f"{name} could not be resolved: {error}")
        try:
            own = own_address(address)
        except OSError as error:
            return local_fault(error, address)
        return Target(address, own, source_network(own, networks()))


def _canonical(address: str) -> str:
    """The spelling that the system gives to the sender of an answer."""
    ip = ipaddress.ip_address(address)
    return str(getattr(ip, "ipv4_mapped", None) or ip)
