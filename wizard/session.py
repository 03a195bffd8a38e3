"""The one composition: plan, probe, diagnose, told as it happens."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

from wizard.diagnosis.announced import announced_probes
from wizard.diagnosis.hairpin import parse_ip
from wizard.diagnosis.history import History
from wizard.diagnosis.verdict import Diagnosis
from wizard.model.port import OutsidePort, Protocol
from wizard.model.project import Project
from wizard.model.secret import Secret
from wizard.model.vantage import Vantage, VantageKind
from wizard.observation import RESPONDER, AnnouncedSeen, Configured, Fact, NameResolved, Observation, Outcome
from wizard.observers import Observers
from wizard.plan import Probe, make_plan, plan_over, same_address
from wizard.probes.dns import resolve
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.progress import Finished, Learnt, Planned, Progress, Result, Skipped
from wizard.record import Record
from wizard.system.interfaces import has_route, networks
from wizard.vantage.place import Place
from wizard.watch import Watch, Watched

DNS_TIMEOUT_S = 3.0


class Session:
    """One run over one project. `diagnosis` and `result` may be asked for at any time."""

    def __init__(
        self,
        project: Project,
        *,
        vantages: Sequence[str] | None = None,
        earlier: Iterable[Observation] = (),
        configured: Iterable[Configured] = (),
        timeout_s: float = DEFAULT_TIMEOUT_S,
        passwords: Mapping[str, Secret] | None = None,
        respond_on: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`vantages` are run as named; None runs each that can run here. `passwords` are by vantage id, and
        `configured` is what the hops' configurations say. On the SSH destination `respond_on`, the responder answers
        for the time of the run."""
        self.project = project
        self._chosen = vantages
        self._observers = Observers(project, timeout_s=timeout_s, passwords=passwords or {}, respond_on=respond_on)
        self._record = Record(project)
        self._now = now
        self._started = now()
        self._began = perf_counter()
        self._seconds: float | None = None
        self._strangers: dict[tuple[str, str, Protocol, int], OutsidePort] = {}
        self._planned = 0
        self._done = 0
        self._here: list[Vantage] = []
        self._history = History()
        for observation in earlier:
            # Nothing was seen later than now: a clock that is ahead must not set what it saw above this run.
            self._record.take(replace(observation, at=min(observation.at, self._started)))
        for row in configured:
            self._record.take(row)

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take in what was learnt beside the run."""
        for fact in facts:
            self._record.take(fact)

    @property
    def diagnosis(self) -> Diagnosis:
        """What is known by now."""
        return self._record.diagnosis

    @property
    def result(self) -> Result:
        """The run as far as it got."""
        return Result(
            project=self.project,
            started=self._started,
            seconds=self._seconds if self._seconds is not None else perf_counter() - self._began,
            observations=tuple(self._record.observations),
            facts=tuple(self._record.facts),
            diagnosis=self.diagnosis,
            past=self._history.past,
        )

    def hear(self, observation: Observation) -> None:
        """Take in what somebody else saw meanwhile: the responder, where it runs in this very program."""
        if observation.watched_since is not None:
            # What other computers saw before this run has times of other clocks.
            observation = replace(observation, watched_since=max(observation.watched_since, self._started))
        self._record.take(observation)

    async def run(self) -> AsyncGenerator[Progress, None]:
        """Probe from every vantage that was chosen, at once. Closing the iterator closes every socket.

        Raises NoResponderError if the responder that was asked for cannot answer, before anything is probed.
        """
        async with self._observers:
            await self._observers.respond()
            async with contextlib.aclosing(self._steps()) as steps:
                async for step in steps:
                    yield step

    def watch(self) -> AsyncGenerator[Watched, None]:
        """After the run, go on observing until the iterator is closed, which closes every socket."""
        self._seconds = None
        return Watch(self.project, self._observers, self._here, self._record, self._history, self._now).news()

    async def _steps(self) -> AsyncGenerator[Progress, None]:
        self._began = perf_counter()
        here, skipped = self._observers.choose(self._chosen)
        self._here = here
        work: list[tuple[Place, Sequence[Probe]]] = []
        for vantage in here:
            probes = make_plan(self.project, vantage)
            if probes:
                announced = announced_probes(self.project, vantage)
                self._strangers.update({(p.vantage, p.address, p.protocol, p.port): p.planned for p in announced})
                work.append((self._observers.place(vantage), (*probes, *announced)))
                self._planned += len(probes)
        yield Planned(self._planned, tuple(vantage.id for vantage in here))
        for vantage, reason in skipped:
            yield Skipped(vantage.id, reason)
            if vantage.kind is not VantageKind.LOCAL or self._chosen is not None:
                for probe in make_plan(self.project, vantage):
                    self._record.take(self._not_checked(probe, reason))

        extra = self._names(here) if any(v.kind is VantageKind.LOCAL for v in here) else None
        async with contextlib.aclosing(self._observers.observe(work, extra)) as found:
            async for item in found:
                yield self._learn(self._of_stranger(item))
        inspected = await self._observers.inspect(here)
        if inspected is not None:
            yield self._learn(inspected)
        second = self._observers.second_looks(here, self._record.failed)
        self._planned += sum(len(probes) for _, probes in second)
        async with contextlib.aclosing(self._observers.observe(second)) as found:
            async for item in found:
                yield self._learn(item)
        for item in await self._observers.finish():
            yield self._learn(item)
        self._seconds = perf_counter() - self._began
        yield Finished(self.result)

    def _of_stranger(self, item: Observation | Fact) -> Observation | Fact:
        """An observation of an announced address that is none of the path's says nothing about a hop."""
        if not isinstance(item, Observation):
            return item
        port = self._strangers.get((item.vantage, item.address, item.protocol, item.port))
        if port is None:
            return item
        return AnnouncedSeen(item.vantage, item.address, port.protocol, port.number, item.outcome, item.error)

    async def _names(self, here: Sequence[Vantage]) -> AsyncIterator[Observation | Fact]:
        """What DNS says of the public name, and whether the ports answer on its address of the other family too."""
        name = self.project.public_address
        if parse_ip(name) is not None:
            return
        facts = await resolve(name, DNS_TIMEOUT_S)
        for fact in facts:
            yield fact
            for vantage in here:
                probes = self._other_family(vantage, fact, facts)
                if probes:
                    place = self._observers.place(vantage)
                    async with contextlib.aclosing(self._observers.observe([(place, probes)])) as found:
                        async for item in found:
                            yield item

    def _other_family(self, vantage: Vantage, fact: NameResolved, facts: Sequence[NameResolved]) -> list[Probe]:
        """Every planned port, at an address of the family that the path does not plan."""
        address = next(iter(fact.addresses), None)
        if (
            vantage.kind is not VantageKind.LOCAL
            or address is None
            or self._planned_family(facts) in (None, fact.family)
        ):
            return []
        near = [ipaddress.ip_interface(str(network)).network for network in networks()]
        if vantage.beyond is not None and not any(ipaddress.ip_address(address) in network for network in near):
            # Who knows which hops lie between.
            return []
        probes = plan_over(self.project, vantage, address)
        # Where no packet can leave, one says so for all.
        return list(probes if has_route(address) else probes[:1])

    def _planned_family(self, facts: Sequence[NameResolved]) -> int | None:
        """4 or 6: over which clients come in by the path as it is planned; None if that cannot be told."""
        entrance = next((hop.address for hop in self.project.hops if hop.address is not None), "")
        planned = parse_ip(entrance)
        if planned is not None:
            return planned.version
        if same_address(entrance) != same_address(self.project.public_address):
            return None
        return next((fact.family for fact in facts if fact.addresses), None)

    def _not_checked(self, probe: Probe, reason: str) -> Observation:
        return Observation(
            vantage=probe.vantage,
            enters=probe.enters,
            address=probe.address,
            port=probe.port,
            protocol=probe.protocol,
            outcome=Outcome.NOT_CHECKED,
            at=self._now(),
            error=reason,
        )

    def _learn(self, item: Observation | Fact) -> Learnt:
        self._record.take(item)
        if isinstance(item, Observation) and item.vantage != RESPONDER:
            self._done += 1
        return Learnt(item, min(self._done, self._planned), self._planned)
