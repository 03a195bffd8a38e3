"""A host that is reached over SSH as the place that probes are sent from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from wizard.model.hop import Hop
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement
from wizard.probes.persistence import DEFAULT_TIMEOUT_S, Loss
from wizard.probes.sockets import Asker, no_loss_yet
from wizard.probes.target import Target
from wizard.vantage.far_end import FarEnd
from wizard.vantage.ssh_host import HostError, SshHosts
from wizard.vantage.telling import found_by

_ROUNDS = 3
_NAME_S = 10.0
"""Longest wait for an address of a name: resolvers ask a second server after 5 s."""
_LONGEST = 3.0
"""Time-outs of a round at most, however slow the connection is."""
_LAG_SHARE, _LAG_S, _LAG_MOST = 0.2, 0.5, 0.4
"""Orders may take that share of the time-out, or of a short time-out those seconds, but no larger a share than that.
If they take longer, too little time is left for answers: then silence is asked again, with more time."""
_Tell = Callable[[Observation], None]
_WITHOUT_PROOF = frozenset({Outcome.SILENT, Outcome.ACCEPTED})


class SshPlace:
    """Sends probes from the sockets of a host that the user can log in to. The probe key stays here.

    Nothing that becomes of the connection to the host counts as a failure of a port.
    """

    def __init__(
        self,
        vantage_id: str,
        *,
        server: str,
        hosts: SshHosts,
        key: bytes,
        hops: Sequence[Hop],
        timeout_s: float = DEFAULT_TIMEOUT_S,
        server_name: str | None = None,
    ) -> None:
        """`server_name` is the public name that clients use, for services that want one."""
        self._asker = Asker(vantage_id, key, tuple(hops), server_name)
        self._server = server
        self._hosts = hosts
        self._timeout_s = timeout_s

    def observe(self, probes: Sequence[Probe]) -> AsyncGenerator[Observation, None]:
        """Send the probes; yield one Observation for each as it is decided. It may be asked again and again."""
        return found_by(lambda tell: self._observe(probes, tell))

    async def _observe(self, probes: Sequence[Probe], tell: _Tell) -> None:
        try:
            far = await (await self._hosts.host(self._server)).far()
        except HostError as error:
            for probe in probes:
                judgement = Judgement(Outcome.FAILED, error=str(error))
                tell(judgement.observation(probe, probe.address, None))
            return
        await _Run(self._asker, far, self._timeout_s, tell).all(probes)


class _Run:
    def __init__(self, asker: Asker, far: FarEnd, timeout_s: float, tell: _Tell) -> None:
        self._asker = asker
        self._far = far
        self._timeout_s = timeout_s
        self._found = tell
        self._open: dict[Probe, str] = {}
        """What is not decided yet, and the address to tell of it."""

    async def all(self, probes: Sequence[Probe]) -> None:
        self._open = {probe: probe.address for probe in probes}
        work = asyncio.create_task(self._ask(probes))
        lost = asyncio.create_task(self._far.lost())
        try:
            await asyncio.wait((work, lost), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
        finally:
            for task in (work, lost):
                task.cancel()
            await asyncio.gather(work, lost, return_exceptions=True)
        words = f"{self._far.why_lost} before this port was decided"
        for probe, address in list(self._open.items()):
            self._tell(probe, Judgement(Outcome.FAILED, error=words), Target(address))

    async def _ask(self, probes: Sequence[Probe]) -> None:
        ports = await self._aimed(probes)
        losses = no_loss_yet(ports)
        timeout_s = self._timeout_s
        unproven: dict[Aimed, Judgement] = dict.fromkeys(ports, Judgement(Outcome.SILENT))
        for _ in range(_ROUNDS):
            unproven, lag_s = await self._round(list(unproven), losses, timeout_s)
            doubtful = lag_s > max(_LAG_SHARE * timeout_s, min(_LAG_S, _LAG_MOST * timeout_s))
            if not unproven or not doubtful:
                break
            timeout_s = min(_LONGEST * self._timeout_s, self._timeout_s + 2 * lag_s)
        slow = (
            f"the SSH connection to {self._far.name} stood still for {lag_s:.1f} s, "
            "which is too long to tell whether this port is silent"
        )
        for aimed, judgement in unproven.items():
            silent = judgement.outcome is Outcome.SILENT
            verdict = Judgement(Outcome.NOT_CHECKED, error=slow) if silent and doubtful else judgement
            self._tell(aimed.probe, verdict, aimed.target)

    async def _round(
        self, ports: Sequence[Aimed], losses: Mapping[str, Loss], timeout_s: float
    ) -> tuple[dict[Aimed, Judgement], float]:
        """Ask those ports. Returns those without proof, and the longest time that an order took."""
        unproven: dict[Aimed, Judgement] = {}

        def decided(aimed: Aimed, judgement: Judgement) -> None:
            if judgement.outcome in _WITHOUT_PROOF:
                unproven[aimed] = judgement
            elif self._far.why_lost is None:
                self._tell(aimed.probe, judgement, aimed.target)

        async with self._far.timed() as lag:
            await self._asker.ask(ports, losses, self._far.sockets, timeout_s, decided)
            await self._far.catch_up()
            return unproven, lag()

    async def _aimed(self, probes: Sequence[Probe]) -> list[Aimed]:
        """The probes with the addresses that their names have over there; those that have none are told."""
        names = tuple({probe.address for probe in probes})
        targets = dict(zip(names, await asyncio.gather(*(self._target(name) for name in names)), strict=True))
        aimed: list[Aimed] = []
        for probe in probes:
            target = targets[probe.address]
            if isinstance(target, Judgement):
                self._tell(probe, target, Target(probe.address))
            else:
                self._open[probe] = target.address
                aimed.append(Aimed(probe, target))
        return aimed

    async def _target(self, name: str) -> Target | Judgement:
        try:
            async with asyncio.timeout(_NAME_S):
                return await self._far.target(name)
        except TimeoutError:
            words = f"{name} could not be resolved on {self._far.name}: the DNS server did not answer"
            return Judgement(Outcome.FAILED, error=words)

    def _tell(self, probe: Probe, judgement: Judgement, target: Target) -> None:
        if self._open.pop(probe, None) is not None:
            self._found(judgement.observation(probe, target.address, target.source))
