"""What goes on after a run: the same path observed again and again, and each change told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from wizard.diagnosis.history import Change, History
from wizard.diagnosis.verdict import Diagnosis
from wizard.model.project import Project
from wizard.model.vantage import Vantage
from wizard.observation import Fact, Observation
from wizard.observers import Observers
from wizard.plan import make_plan
from wizard.record import Record
from wizard.vantage.place import WatchfulPlace
from wizard.vantage.telling import together

SLOW_WATCH_S = 15.0
"""Pause between two runs from a place other than this computer, while watching."""
SETTLED_S = 1.0
"""After a change, what comes with it is waited for so long before it is looked into."""
LOOKED_AGAIN_S = 30.0
CLOCK_S = 15.0


@dataclass(frozen=True, slots=True)
class Watched:
    """While watching: it has begun, or something is different now, or a while has passed.

    `changes` are the ports that went from one state to another. With `news`, findings or hops may have changed alone.
    """

    changes: tuple[Change, ...] = ()
    news: bool = True


class Watch:
    """Watches a path from the vantages `here`; `record` is what is known of it, and `history` what became of it."""

    def __init__(
        self,
        project: Project,
        observers: Observers,
        here: Sequence[Vantage],
        record: Record,
        history: History,
        now: Callable[[], datetime],
    ) -> None:
        self._project = project
        self._observers = observers
        self._here = here
        self._record = record
        self._history = history
        self._now = now

    async def news(self) -> AsyncGenerator[Watched, None]:
        """What changes, until the iterator is closed, which closes every socket.

        This computer's own sockets see a change within a second; any other place is asked anew every `SLOW_WATCH_S`.
        """
        record, observers = self._record, self._observers
        record.begin_renewal()
        self._history.note(record.diagnosis, self._now())
        yield Watched()
        gist, changed = _gist(record.diagnosis), asyncio.Event()
        async with observers:
            await observers.respond(tells=False)
            sources = [self._watched(vantage) for vantage in self._here]
            sources += [self._looked_again(changed), self._clock()]
            async with contextlib.aclosing(together(sources)) as found:
                async for items in found:
                    if not items:
                        self._history.pass_time(self._now())
                        yield Watched(news=False)
                        continue
                    record.renew(items)
                    diagnosis = record.diagnosis
                    changes = self._history.note(diagnosis, self._now())
                    if changes:
                        changed.set()
                    if gist != (gist := _gist(diagnosis)):
                        yield Watched(changes)

    async def _watched(self, vantage: Vantage) -> AsyncGenerator[Sequence[Observation | Fact], None]:
        place, probes = self._observers.place(vantage), make_plan(self._project, vantage)
        if isinstance(place, WatchfulPlace):
            async with contextlib.aclosing(place.watch(probes, self._record.observations)) as changes:
                async for changed in changes:
                    yield changed
            return
        while probes:
            # A relay has a quota, and a login over SSH a log: these are not to be asked every second.
            await asyncio.sleep(SLOW_WATCH_S)
            async with contextlib.aclosing(self._observers.observe([(place, probes)])) as found:
                yield [item async for item in found]

    async def _looked_again(self, changed: asyncio.Event) -> AsyncGenerator[Sequence[Observation | Fact], None]:
        """What tells more about the state of things, once a change has settled, and every so often without one."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_AGAIN_S):
                    await changed.wait()
            await asyncio.sleep(SETTLED_S)
            changed.clear()
            looks = self._observers.second_looks(self._here, self._record.failed)
            async with contextlib.aclosing(self._observers.observe(looks)) as found:
                items = [item async for item in found]
            inspected = await self._observers.inspect(self._here)
            items += [inspected] if inspected is not None else []
            if items:
                yield items

    async def _clock(self) -> AsyncGenerator[Sequence[Observation | Fact], None]:
        """Nothing, every so often: for who writes down how long things have stood."""
        while True:
            await asyncio.sleep(CLOCK_S)
            yield ()


def _gist(diagnosis: Diagnosis) -> tuple[object, ...]:
    """What makes two diagnoses worth telling apart: counts in the evidence, say, do not."""
    findings = [(each.code, each.suspects, each.protocol, each.outside) for each in diagnosis.findings]
    return diagnosis.hops, diagnosis.ports, findings
