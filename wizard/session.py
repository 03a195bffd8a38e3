"""The one composition: plan, probe, diagnose, told as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

from wizard.diagnosis.announced import announced_probes
from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.hairpin import parse_ip
from wizard.diagnosis.history import Change, History, Past
from wizard.diagnosis.verdict import Diagnosis
from wizard.model.key import probe_key
from wizard.model.port import OutsidePort, PortRange, Protocol, merge
from wizard.model.project import Project
from wizard.model.secret import Secret
from wizard.model.vantage import Vantage, VantageKind
from wizard.observation import RESPONDER, AnnouncedSeen, Configured, Fact, NameResolved, Observation, Outcome, subject
from wizard.plan import Probe, counterpart, entries, make_plan, plan_over, same_address
from wizard.probes.dns import resolve
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.system.interfaces import has_route, networks
from wizard.system.listening import inspect
from wizard.vantage.here import why_not_here
from wizard.vantage.local import LocalPlace
from wizard.vantage.place import Place, WatchfulPlace
from wizard.vantage.ssh_host import SshHosts
from wizard.vantage.telling import together

if TYPE_CHECKING:
    from wizard.report.responder_over_ssh import ResponderOverSsh

SECOND_LOOK = 0.1
"""Share of the time-out that the second look gets. What it asks is answered at once or not at all."""
SECOND_LOOK_PORTS = 24
"""Ports of the second look at most: it finds words for a verdict and changes none."""
DNS_TIMEOUT_S = 3.0
SLOW_WATCH_S = 15.0
"""Pause between two runs from a place other than this computer, while watching."""
SETTLED_S = 1.0
"""After a change, what comes with it is waited for so long before it is looked into."""
LOOKED_AGAIN_S = 30.0
CLOCK_S = 15.0


class NoResponderError(Exception):
    """The responder that was asked for cannot answer on its host; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The run has begun: how many probes will be sent from which vantages."""

    probes: int
    vantages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A vantage that cannot run here, and why, in words."""

    vantage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """One probe was decided, or a fact learnt. Ask the session for its diagnosis when you want to show it."""

    item: Observation | Fact
    done: int
    planned: int


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run."""

    project: Project
    started: datetime
    seconds: float
    observations: tuple[Observation, ...]
    facts: tuple[Fact, ...]
    diagnosis: Diagnosis
    past: Past | None = None
    """What was watched after the run; None if nothing was."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over."""

    result: Result


Progress = Planned | Skipped | Learnt | Finished


@dataclass(frozen=True, slots=True)
class Watched:
    """While watching: it has begun, or something is different now, or a while has passed.

    `changes` are the ports that went from one state to another. With `news`, findings or hops may have changed alone.
    """

    changes: tuple[Change, ...] = ()
    news: bool = True


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
        self._timeout_s = timeout_s
        self._passwords = passwords or {}
        self._hosts = SshHosts()
        self._respond_on = respond_on
        self._responder: ResponderOverSsh | None = None
        self._now = now
        self._started = now()
        self._began = perf_counter()
        self._seconds: float | None = None
        self._diagnoser = Diagnoser(project)
        self._diagnosis: Diagnosis | None = None
        self._observations: list[Observation] = []
        self._facts: list[Fact] = []
        self._failed: set[tuple[str, str, Protocol, int]] = set()
        self._strangers: dict[tuple[str, str, Protocol, int], OutsidePort] = {}
        self._planned = 0
        self._done = 0
        self._here: list[Vantage] = []
        self._history = History()
        self._places: dict[tuple[object, ...], int] = {}
        """Where the latest observation of each probe stands among them."""
        for observation in earlier:
            # Nothing was seen later than now: a clock that is ahead must not set what it saw above this run.
            self._take(replace(observation, at=min(observation.at, self._started)))
        for row in configured:
            self._take(row)

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take in what was learnt beside the run."""
        for fact in facts:
            self._take(fact)

    @property
    def diagnosis(self) -> Diagnosis:
        """What is known by now."""
        if self._diagnosis is None:
            self._diagnosis = self._diagnoser.diagnosis()
        return self._diagnosis

    @property
    def result(self) -> Result:
        """The run as far as it got."""
        return Result(
            project=self.project,
            started=self._started,
            seconds=self._seconds if self._seconds is not None else perf_counter() - self._began,
            observations=tuple(self._observations),
            facts=tuple(self._facts),
            diagnosis=self.diagnosis,
            past=self._history.past,
        )

    def hear(self, observation: Observation) -> None:
        """Take in what somebody else saw meanwhile: the responder, where it runs in this very program."""
        self._take(observation)

    async def run(self) -> AsyncGenerator[Progress, None]:
        """Probe from every vantage that was chosen, at once. Closing the iterator closes every socket.

        Raises NoResponderError if the responder that was asked for cannot answer, before anything is probed.
        """
        async with self._hosts:
            await self._respond()
            async with contextlib.aclosing(self._steps()) as steps:
                async for step in steps:
                    yield step

    async def _respond(self, *, tells: bool = True) -> None:
        if self._respond_on is not None:
            from wizard.report.responder_over_ssh import ResponderOverSsh

            self._responder = ResponderOverSsh(self.project, self._respond_on, tells=tells)
            await self._responder.start(self._hosts)

    async def _steps(self) -> AsyncGenerator[Progress, None]:
        self._began = perf_counter()
        here, skipped = self._choose()
        self._here = here
        work: list[tuple[Place, Sequence[Probe]]] = []
        for vantage in here:
            probes = make_plan(self.project, vantage)
            if probes:
                announced = announced_probes(self.project, vantage)
                self._strangers.update({(p.vantage, p.address, p.protocol, p.port): p.planned for p in announced})
                work.append((self._place(vantage, self._timeout_s), (*probes, *announced)))
                self._planned += len(probes)
        yield Planned(self._planned, tuple(vantage.id for vantage in here))
        for vantage, reason in skipped:
            yield Skipped(vantage.id, reason)
            if vantage.kind is not VantageKind.LOCAL or self._chosen is not None:
                for probe in make_plan(self.project, vantage):
                    self._take(self._not_checked(probe, reason))

        extra = self._names(here) if any(v.kind is VantageKind.LOCAL for v in here) else None
        async with contextlib.aclosing(self._observe(work, extra)) as found:
            async for item in found:
                yield self._learn(self._of_stranger(item))
        if any(self._is_on_service_host(vantage) for vantage in here):
            inspected = await asyncio.to_thread(inspect)
            if inspected is not None:
                yield self._learn(inspected)
        second = self._second_looks()
        self._planned += sum(len(probes) for _, probes in second)
        async with contextlib.aclosing(self._observe(second, None)) as found:
            async for item in found:
                yield self._learn(item)
        for item in await self._responder.finish() if self._responder is not None else ():
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

    async def watch(self) -> AsyncGenerator[Watched, None]:
        """After the run, go on observing until the iterator is closed, which closes every socket.

        This computer's own sockets see a change within a second; any other place is asked anew every `SLOW_WATCH_S`.
        """
        self._seconds = None
        self._places = {_same_probe(each): place for place, each in enumerate(self._observations)}
        self._history.note(self.diagnosis, self._now())
        yield Watched()
        gist, changed = _gist(self.diagnosis), asyncio.Event()
        async with self._hosts:
            await self._respond(tells=False)
            sources = [self._watched(vantage) for vantage in self._here]
            sources += [self._looked_again(changed), self._clock()]
            async with contextlib.aclosing(together(sources)) as found:
                async for items in found:
                    if not items:
                        self._history.pass_time(self._now())
                        yield Watched(news=False)
                        continue
                    self._renew(items)
                    diagnosis = self.diagnosis
                    changes = self._history.note(diagnosis, self._now())
                    if changes:
                        changed.set()
                    if gist != (gist := _gist(diagnosis)):
                        yield Watched(changes)

    async def _watched(self, vantage: Vantage) -> AsyncGenerator[Sequence[Observation | Fact], None]:
        place, probes = self._place(vantage, self._timeout_s), make_plan(self.project, vantage)
        if isinstance(place, WatchfulPlace):
            async with contextlib.aclosing(place.watch(probes, self._observations)) as changes:
                async for changed in changes:
                    yield changed
            return
        while probes:
            # A relay has a quota, and a login over SSH a log: these are not to be asked every second.
            await asyncio.sleep(SLOW_WATCH_S)
            async with contextlib.aclosing(self._observe([(place, probes)], None)) as found:
                yield [item async for item in found]

    async def _looked_again(self, changed: asyncio.Event) -> AsyncGenerator[Sequence[Observation | Fact], None]:
        """What tells more about the state of things, once a change has settled, and every so often without one."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_AGAIN_S):
                    await changed.wait()
            await asyncio.sleep(SETTLED_S)
            changed.clear()
            async with contextlib.aclosing(self._observe(self._second_looks(), None)) as found:
                items = [item async for item in found]
            if any(self._is_on_service_host(vantage) for vantage in self._here):
                inspected = await asyncio.to_thread(inspect)
                items += [inspected] if inspected is not None else []
            if items:
                yield items

    async def _clock(self) -> AsyncGenerator[Sequence[Observation | Fact], None]:
        """Nothing, every so often: for who writes down how long things have stood."""
        while True:
            await asyncio.sleep(CLOCK_S)
            yield ()

    def _second_looks(self) -> list[tuple[Place, Sequence[Probe]]]:
        return [
            (self._place(vantage, self._timeout_s * SECOND_LOOK), asked)
            for vantage in self._here
            if vantage.kind is not VantageKind.TURN and (asked := self._second_look(vantage))
        ]

    def _choose(self) -> tuple[list[Vantage], list[tuple[Vantage, str]]]:
        reasons = why_not_here(self.project, networks(), self._passwords)
        here: list[Vantage] = []
        skipped: list[tuple[Vantage, str]] = []
        for vantage in self.project.places():
            if self._chosen is not None and vantage.id not in self._chosen:
                continue
            reason = reasons[vantage.id]
            if reason is None or (self._chosen is not None and vantage.kind is VantageKind.LOCAL):
                here.append(vantage)
            else:
                skipped.append((vantage, reason))
        return here, skipped

    def _place(self, vantage: Vantage, timeout_s: float) -> Place:
        key = probe_key(self.project)
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
                hops=self.project.hops,
                timeout_s=timeout_s,
                server_name=self.project.public_address,
            )
        if vantage.kind is VantageKind.SSH:
            from wizard.vantage.ssh import SshPlace

            assert vantage.server is not None
            return SshPlace(
                vantage.id,
                server=vantage.server,
                hosts=self._hosts,
                key=key,
                hops=self.project.hops,
                timeout_s=timeout_s,
                server_name=self.project.public_address,
            )
        return LocalPlace(
            vantage.id, key=key, hops=self.project.hops, timeout_s=timeout_s, server_name=self.project.public_address
        )

    async def _observe(
        self, work: Sequence[tuple[Place, Sequence[Probe]]], extra: AsyncIterator[Observation | Fact] | None
    ) -> AsyncGenerator[Observation | Fact, None]:
        """All places at once, in one stream."""
        sources = [place.observe(probes) for place, probes in work]
        if extra is not None:
            sources.append(extra)
        seen = () if self._responder is None else (self._responder.seen(),)
        async with contextlib.aclosing(together(sources, seen)) as found:
            async for item in found:
                yield item

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
                    place = self._place(vantage, self._timeout_s)
                    async with contextlib.aclosing(self._observe([(place, probes)], None)) as found:
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

    def _second_look(self, vantage: Vantage) -> list[Probe]:
        """Probes on the other protocol, at the ends and the middle of each stretch that did not get through."""
        found = entries(self.project, vantage)
        if not found:
            return []
        enters = self.project.hops[found[0]].id
        first = [probe for probe in make_plan(self.project, vantage) if probe.enters == enters]
        planned = {(probe.protocol, probe.port) for probe in first}
        failed = {
            probe.planned for probe in first if (probe.vantage, enters, probe.protocol, probe.port) in self._failed
        }
        probes = [
            counterpart(self.project, vantage, enters, OutsidePort(plan.protocol, number))
            for plan in self.project.ports
            for stretch in merge(n for n in plan.outside if OutsidePort(plan.protocol, n) in failed)
            for number in _sample(stretch)
        ]
        # What is planned there was asked already, and by the service's own protocol if the plan says which.
        return [probe for probe in probes if (probe.protocol, probe.port) not in planned][:SECOND_LOOK_PORTS]

    def _is_on_service_host(self, vantage: Vantage) -> bool:
        last = self.project.hops[-1]
        address = parse_ip(last.address or "")
        return (
            vantage.kind is VantageKind.LOCAL
            and len(self.project.hops) - 1 in entries(self.project, vantage)
            and any(str(address) == network.address for network in networks())
        )

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
        self._take(item)
        if isinstance(item, Observation) and item.vantage != RESPONDER:
            self._done += 1
        return Learnt(item, min(self._done, self._planned), self._planned)

    def _renew(self, items: Sequence[Observation | Fact]) -> None:
        """Put what was seen anew in the place of what was seen before, so that a day of it is no more than an hour."""
        renewed = {subject(item) for item in items if not isinstance(item, Observation)}
        self._facts = [fact for fact in self._facts if subject(fact) not in renewed]
        for item in items:
            if not isinstance(item, Observation):
                self._facts.append(item)
                continue
            key = _same_probe(item)
            place = self._places.setdefault(key, len(self._observations))
            self._observations[place : place + 1] = [item]
            failed = (item.vantage, item.enters, item.protocol, item.port)
            (self._failed.add if item.outcome.blames else self._failed.discard)(failed)
        self._diagnoser.renew(items)
        self._diagnosis = None

    def _take(self, item: Observation | Fact) -> None:
        if isinstance(item, Observation):
            self._observations.append(item)
            if item.outcome.blames:
                self._failed.add((item.vantage, item.enters, item.protocol, item.port))
        else:
            self._facts.append(item)
        self._diagnoser.add(item)
        self._diagnosis = None


def _same_probe(observation: Observation) -> tuple[object, ...]:
    family = ":" in observation.address
    return (observation.vantage, observation.enters, observation.protocol, observation.port, family)


def _gist(diagnosis: Diagnosis) -> tuple[object, ...]:
    """What makes two diagnoses worth telling apart: counts in the evidence, say, do not."""
    findings = [(each.code, each.suspects, each.protocol, each.outside) for each in diagnosis.findings]
    return diagnosis.hops, diagnosis.ports, findings


def _sample(stretch: PortRange) -> list[int]:
    return sorted({stretch.first, (stretch.first + stretch.last) // 2, stretch.last})
