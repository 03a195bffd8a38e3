"""This computer as a place to probe from."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence

from wizard.model.hop import Hop
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.probes import icmp
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement, local_fault
from wizard.probes.carrier import carry
from wizard.probes.dns import first_address, is_literal
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.probes.slots import spare_files
from wizard.probes.sockets import Asker, Sockets, no_loss_yet
from wizard.probes.target import Target
from wizard.probes.tcp import connect_here
from wizard.probes.watch import PortWatch
from wizard.system.interfaces import networks, own_address, source_network
from wizard.vantage.telling import found_by

_Tell = Callable[[Observation], None]
_LOOKED_UP_EVERY_S = 60.0
"""How often the address of a name is looked up while its ports are watched: dynamic DNS is good for a minute."""


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
        return self._asked(probes, {}, self._timeout_s)

    def watch(
        self, probes: Sequence[Probe], known: Iterable[Observation]
    ) -> AsyncGenerator[tuple[Observation, ...], None]:
        """What changes from now on, as it does, until closed. `known` is what was observed here before."""
        found = {
            (each.enters, each.protocol, each.port, each.address): each
            for each in known
            if each.vantage == self._asker.vantage
        }

        async def work(tell: Callable[[tuple[Observation, ...]], None]) -> None:
            targets = await self._targets({probe.address for probe in probes})
            before: dict[Probe, Observation] = {}
            for probe in probes:
                target = targets[probe.address]
                address = target.address if isinstance(target, Target) else probe.address
                if (key := (probe.enters, probe.protocol, probe.port, address)) in found:
                    before[probe] = found[key]
            watch = PortWatch(
                self._asker.key,
                self._asker.hops,
                spare_files() // 2,
                lambda asked, s: self._asked(asked, targets, s),
                tell,
            )
            async with asyncio.TaskGroup() as group:
                group.create_task(self._aim_anew(watch, targets))
                group.create_task(watch.run(probes, targets, before))

        return found_by(work)

    def _asked(
        self, probes: Sequence[Probe], targets: Mapping[str, Target | Judgement], timeout_s: float
    ) -> AsyncGenerator[Observation, None]:
        return found_by(lambda tell: self._work(probes, targets, timeout_s, tell))

    async def _aim_anew(self, watch: PortWatch, targets: dict[str, Target | Judgement]) -> None:
        """Follow names whose address changes. What cannot be looked up just now stays where it was."""
        while True:
            await asyncio.sleep(_LOOKED_UP_EVERY_S)
            names = {name for name, target in targets.items() if not is_literal(name)}
            found = await self._targets(names)
            targets.update({name: target for name, target in found.items() if isinstance(target, Target)})
            watch.aim(targets)

    async def _work(
        self,
        probes: Sequence[Probe],
        targets: Mapping[str, Target | Judgement],
        timeout_s: float,
        tell: _Tell,
    ) -> None:
        def decided(aimed: Aimed, judgement: Judgement) -> None:
            target = aimed.target
            tell(judgement.observation(aimed.probe, target.address, target.source))

        aimed = await self._aim(probes, targets, tell)
        # One socket serves all UDP ports of an address where the system tells of ICMP errors.
        sockets = Sockets(carry, connect_here, spare_files(), icmp.TOLD)
        await self._asker.ask(aimed, no_loss_yet(aimed), sockets, timeout_s, decided)

    async def _aim(self, probes: Sequence[Probe], known: Mapping[str, Target | Judgement], tell: _Tell) -> list[Aimed]:
        """The probes with the literal addresses that they go to; tells of those that cannot go anywhere."""
        names = dict.fromkeys(probe.address for probe in probes)
        where = {name: known[name] for name in names if isinstance(known.get(name), Target)}
        targets = where | await self._targets([name for name in names if name not in where])
        aimed: list[Aimed] = []
        for probe in probes:
            target = targets[probe.address]
            if isinstance(target, Target):
                aimed.append(Aimed(probe, target))
            else:
                tell(target.observation(probe, probe.address, None))
        return aimed

    async def _targets(self, names: Iterable[str]) -> dict[str, Target | Judgement]:
        listed = list(names)
        return dict(zip(listed, await asyncio.gather(*(self._target(name) for name in listed)), strict=True))

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
