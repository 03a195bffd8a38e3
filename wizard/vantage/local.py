"""This computer as a place to probe from."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncGenerator, Callable, Sequence

from wizard.model.hop import Hop
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.probes import icmp
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement, local_fault
from wizard.probes.carrier import carry
from wizard.probes.dns import first_address
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.probes.slots import spare_files
from wizard.probes.sockets import Asker, Sockets, no_loss_yet
from wizard.probes.target import Target
from wizard.probes.tcp import connect_here
from wizard.system.interfaces import networks, own_address, source_network
from wizard.vantage.telling import found_by

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
        self._asker = Asker(vantage_id, key, tuple(hops), server_name)
        self._timeout_s = timeout_s

    def observe(self, probes: Sequence[Probe]) -> AsyncGenerator[Observation, None]:
        """Exactly one observation for each probe, as it is decided; local faults are observations, too."""
        return found_by(lambda tell: self._work(probes, tell))

    async def _work(self, probes: Sequence[Probe], tell: _Tell) -> None:
        def decided(aimed: Aimed, judgement: Judgement) -> None:
            target = aimed.target
            tell(judgement.observation(aimed.probe, target.address, target.source))

        aimed = await self._aim(probes, tell)
        # One socket serves all UDP ports of an address where the system tells of ICMP errors.
        sockets = Sockets(carry, connect_here, spare_files(), icmp.TOLD)
        await self._asker.ask(aimed, no_loss_yet(aimed), sockets, self._timeout_s, decided)

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
