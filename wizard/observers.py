"""Who looks at one path: the places that probe from the vantages, and the responder where one is asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from wizard.diagnosis.hairpin import parse_ip
from wizard.model.key import probe_key
from wizard.model.port import OutsidePort, PortRange, merge
from wizard.model.project import Project
from wizard.model.secret import Secret
from wizard.model.vantage import Vantage, VantageKind
from wizard.observation import Fact, HostInspected, Observation
from wizard.plan import Probe, counterpart, entries, make_plan
from wizard.record import Asked
from wizard.system.interfaces import networks
from wizard.system.listening import inspect
from wizard.vantage.here import why_not_here
from wizard.vantage.local import LocalPlace
from wizard.vantage.place import Place
from wizard.vantage.ssh_host import SshHosts
from wizard.vantage.telling import together

if TYPE_CHECKING:
    from wizard.report.responder_over_ssh import ResponderOverSsh

SECOND_LOOK = 0.1
"""Share of the time-out that the second look gets. What it asks is answered at once or not at all."""
SECOND_LOOK_PORTS = 24
"""Ports of the second look at most: it finds words for a verdict and changes none."""

Work = Sequence[tuple[Place, Sequence[Probe]]]


class Observers:
    """Within its context, logins over SSH last. On the SSH destination `respond_on` the responder can be started."""

    def __init__(
        self, project: Project, *, timeout_s: float, passwords: Mapping[str, Secret], respond_on: str | None
    ) -> None:
        self._project = project
        self._timeout_s = timeout_s
        self._passwords = passwords
        self._respond_on = respond_on
        self._hosts = SshHosts()
        self._responder: ResponderOverSsh | None = None

    async def __aenter__(self) -> Observers:
        await self._hosts.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hosts.__aexit__(kind, error, trace)

    async def respond(self, *, tells: bool = True) -> None:
        """Start the responder if one is asked for. Raises NoResponderError."""
        if self._respond_on is not None:
            from wizard.report.responder_over_ssh import ResponderOverSsh

            self._responder = ResponderOverSsh(self._project, self._respond_on, tells=tells)
            await self._responder.start(self._hosts)

    def place(self, vantage: Vantage, *, share: float = 1.0) -> Place:
        """The place that probes from a vantage, within this share of the time-out."""
        timeout_s = self._timeout_s * share
        key = probe_key(self._project)
        if vantage.kind is VantageKind.TURN:
            # The TURN client brings aioice along, which costs a start-up that a local check need not pay.
            from wizard.vantage.relay import RelayPlace

            assert vantage.server is not None
            return RelayPlace(
                vantage.id,
                server=vantage.server,
                username=vantage.username or "",
                password=self._passwords[vantage.id],
                key=key,
                hops=self._project.hops,
                timeout_s=timeout_s,
                server_name=self._project.public_address,
            )
        if vantage.kind is VantageKind.SSH:
            from wizard.vantage.ssh import SshPlace

            assert vantage.server is not None
            return SshPlace(
                vantage.id,
                server=vantage.server,
                hosts=self._hosts,
                key=key,
                hops=self._project.hops,
                timeout_s=timeout_s,
                server_name=self._project.public_address,
            )
        return LocalPlace(
            vantage.id, key=key, hops=self._project.hops, timeout_s=timeout_s, server_name=self._project.public_address
        )

    async def observe(
        self, work: Sequence[tuple[Place, Sequence[Probe]]], extra: AsyncIterator[Observation | Fact] | None = None
    ) -> AsyncGenerator[Observation | Fact, None]:
        """All places at once, in one stream."""
        sources = [place.observe(probes) for place, probes in work]
        if extra is not None:
            sources.append(extra)
        seen = () if self._responder is None else (self._responder.seen(),)
        async with contextlib.aclosing(together(sources, seen)) as found:
            async for item in found:
                yield item

    async def finish(self) -> list[Observation]:
        """End the responder, if there is one. Returns what it saw last."""
        return [] if self._responder is None else await self._responder.finish()

    def second_looks(self, here: Sequence[Vantage], failed: Collection[Asked]) -> Work:
        """What finds words for a verdict: probes of the protocol that is not planned, where the planned one failed."""
        return [
            (self.place(vantage, share=SECOND_LOOK), asked)
            for vantage in here
            if vantage.kind is not VantageKind.TURN and (asked := _second_look(self._project, vantage, failed))
        ]

    async def inspect(self, here: Sequence[Vantage]) -> HostInspected | None:
        """The sockets of this computer, where it is the service's host; None where it is not, or may not be asked."""
        if not any(_is_on_service_host(self._project, vantage) for vantage in here):
            return None
        return await asyncio.to_thread(inspect)

    def choose(self, chosen: Sequence[str] | None) -> tuple[list[Vantage], list[tuple[Vantage, str]]]:
        """Those that run here, and those that cannot, each with the reason in words."""
        reasons = why_not_here(self._project, networks(), self._passwords)
        here: list[Vantage] = []
        skipped: list[tuple[Vantage, str]] = []
        for vantage in self._project.places():
            if chosen is not None and vantage.id not in chosen:
                continue
            reason = reasons[vantage.id]
            if reason is None or (chosen is not None and vantage.kind is VantageKind.LOCAL):
                here.append(vantage)
            else:
                skipped.append((vantage, reason))
        return here, skipped


def _second_look(project: Project, vantage: Vantage, failed: Collection[Asked]) -> list[Probe]:
    """Probes on the other protocol, at the ends and the middle of each stretch that did not get through."""
    found = entries(project, vantage)
    if not found:
        return []
    enters = project.hops[found[0]].id
    first = [probe for probe in make_plan(project, vantage) if probe.enters == enters]
    planned = {(probe.protocol, probe.port) for probe in first}
    stopped = {probe.planned for probe in first if Asked(probe.vantage, enters, probe.protocol, probe.port) in failed}
    probes = [
        counterpart(project, vantage, enters, OutsidePort(plan.protocol, number))
        for plan in project.ports
        for stretch in merge(n for n in plan.outside if OutsidePort(plan.protocol, n) in stopped)
        for number in _sample(stretch)
    ]
    # What is planned there was asked already, and by the service's own protocol if the plan says which.
    return [probe for probe in probes if (probe.protocol, probe.port) not in planned][:SECOND_LOOK_PORTS]


def _is_on_service_host(project: Project, vantage: Vantage) -> bool:
    last = project.hops[-1]
    address = parse_ip(last.address or "")
    return (
        vantage.kind is VantageKind.LOCAL
        and len(project.hops) - 1 in entries(project, vantage)
        and any(str(address) == network.address for network in networks())
    )


def _sample(stretch: PortRange) -> list[int]:
    return sorted({stretch.first, (stretch.first + stretch.last) // 2, stretch.last})
