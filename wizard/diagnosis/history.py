"""What a path was like before: since when each state holds, what changed, how long each port was up and down."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from wizard.diagnosis.verdict import Diagnosis, PortRow, State
from wizard.model.port import OutsidePort, PortRange, Protocol

MOST_CHANGES = 1000
"""Changes that are kept; older ones are forgotten, the counts are not."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A state and since when it holds. `stopped_by` are the suspects of a port that is blocked, outermost first."""

    state: State
    since: datetime
    stopped_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Neighbouring ports that went from one state to another at once. The hops are the suspects before and after."""

    at: datetime
    protocol: Protocol
    outside: PortRange
    was: State
    now: State
    was_stopped_by: tuple[str, ...] = ()
    stopped_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Uptime:
    """How often a port went up and down since it was first looked at, and how long it was open and was not."""

    ups: int = 0
    downs: int = 0
    up: timedelta = timedelta()
    down: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Past:
    """The history as it stood at `until`."""

    began: datetime
    until: datetime
    ports: Mapping[OutsidePort, Standing]
    hops: Mapping[str, Standing]
    at_hops: Mapping[tuple[str, OutsidePort], Standing]
    uptimes: Mapping[OutsidePort, Uptime]
    changes: tuple[Change, ...]
    """The latest, oldest first."""

    def since(self, row: PortRow, hop: str | None = None) -> datetime:
        """Since when all ports of a row have been as they are, over the path or at one hop."""
        ports = (OutsidePort(row.protocol, number) for number in row.outside)
        return max(self.ports[port].since if hop is None else self.at_hops[hop, port].since for port in ports)


_Key = TypeVar("_Key", str, tuple[str, OutsidePort])


class History:
    """Notes one diagnosis after another. What it keeps grows with the ports and hops, never with time."""

    def __init__(self, most_changes: int = MOST_CHANGES) -> None:
        self._began: datetime | None = None
        self._until: datetime | None = None
        self._ports: dict[OutsidePort, Standing] = {}
        self._hops: dict[str, Standing] = {}
        self._at_hops: dict[tuple[str, OutsidePort], Standing] = {}
        self._uptimes: dict[OutsidePort, Uptime] = {}
        self._changes: deque[Change] = deque(maxlen=most_changes)

    def note(self, diagnosis: Diagnosis, at: datetime) -> tuple[Change, ...]:
        """What is the case at `at`. Returns what has changed; nothing the first time."""
        self.pass_time(at)
        stopped_by = dict(_stopped_by(diagnosis))
        changed: list[tuple[OutsidePort, Standing, Standing]] = []
        for port, state in _each(diagnosis.ports):
            before = self._ports.get(port)
            if before is None or (before.state, before.stopped_by) != (state, stopped_by.get(port, ())):
                since = at if before is None or before.state is not state else before.since
                self._ports[port] = now = Standing(state, since, stopped_by.get(port, ()))
                self._uptimes.setdefault(port, Uptime())
                if before is not None:
                    changed.append((port, before, now))
                    self._count(port, before.state, state)
        for hop in diagnosis.hops:
            _renew(self._hops, hop.id, hop.state, at)
            for port, state in _each(hop.ports):
                _renew(self._at_hops, (hop.id, port), state, at)
        changes = tuple(_changes(changed, at))
        self._changes.extend(changes)
        return changes

    def pass_time(self, at: datetime) -> None:
        """Nothing has changed until `at`. A clock that was set back stands still meanwhile."""
        if self._began is None or self._until is None:
            self._began = self._until = at
        passed = max(timedelta(), at - self._until)
        self._until = max(self._until, at)
        for port, standing in self._ports.items():
            had = self._uptimes[port]
            if standing.state is State.OPEN:
                self._uptimes[port] = Uptime(had.ups, had.downs, had.up + passed, had.down)
            else:
                self._uptimes[port] = Uptime(had.ups, had.downs, had.up, had.down + passed)

    @property
    def past(self) -> Past | None:
        """All of it; None before the first diagnosis was noted."""
        if self._began is None or self._until is None:
            return None
        return Past(
            began=self._began,
            until=self._until,
            ports=dict(self._ports),
            hops=dict(self._hops),
            at_hops=dict(self._at_hops),
            uptimes=dict(self._uptimes),
            changes=tuple(self._changes),
        )

    def _count(self, port: OutsidePort, was: State, now: State) -> None:
        had = self._uptimes[port]
        up, down = now is State.OPEN, was is State.OPEN and now is not State.OPEN
        self._uptimes[port] = Uptime(had.ups + up, had.downs + down, had.up, had.down)


def _renew(held: dict[_Key, Standing], key: _Key, state: State, at: datetime) -> None:
    if key not in held or held[key].state is not state:
        held[key] = Standing(state, at)


def _each(rows: tuple[PortRow, ...]) -> Iterator[tuple[OutsidePort, State]]:
    for row in rows:
        for number in row.outside:
            yield OutsidePort(row.protocol, number), row.state


def _stopped_by(diagnosis: Diagnosis) -> Iterator[tuple[OutsidePort, tuple[str, ...]]]:
    """The hops that are blocked for a port or, where none is, those that are suspect."""
    accused: dict[OutsidePort, dict[State, list[str]]] = {}
    for hop in diagnosis.hops:
        for row in hop.ports:
            if row.state in (State.BLOCKED, State.SUSPECT):
                for number in row.outside:
                    states = accused.setdefault(OutsidePort(row.protocol, number), {})
                    states.setdefault(row.state, []).append(hop.id)
    for port, states in accused.items():
        yield port, tuple(states.get(State.BLOCKED, states.get(State.SUSPECT, [])))


def _changes(changed: list[tuple[OutsidePort, Standing, Standing]], at: datetime) -> Iterator[Change]:
    """Neighbours that changed alike as one."""
    held: Change | None = None
    for port, was, now in changed:
        outside = PortRange(port.number, port.number)
        one = Change(at, port.protocol, outside, was.state, now.state, was.stopped_by, now.stopped_by)
        if held is not None and held.outside.last + 1 == port.number:
            outside = PortRange(held.outside.first, port.number)
            if replace(held, outside=outside) == replace(one, outside=outside):
                held = replace(held, outside=outside)
                continue
        if held is not None:
            yield held
        held = one
    if held is not None:
        yield held
