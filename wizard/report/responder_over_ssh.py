"""The responder on the service's host, started and ended over SSH for the time of a run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime

from wizard.model.project import Project
from wizard.observation import Observation
from wizard.progress import NoResponderError
from wizard.report.earlier import EarlierError, read_observations
from wizard.report.responder import printed
from wizard.vantage.ssh_host import HostError, Running, SshHosts

_BIND_S = 20.0
"""Longest wait until every port is bound."""
_FAREWELL_S = 1.5
"""How long it may take to tell what it saw last."""
_MINUTES = 7 * 24 * 60.0
"""It ends with the connection; so long at most if it should not notice."""


class ResponderOverSsh:
    """The printed responder on a host. Nothing is installed there and nothing stays.

    One that does not tell what reaches it may answer for days.
    """

    def __init__(self, project: Project, server: str, *, tells: bool = True) -> None:
        self._tells = tells
        self._project = project
        self._server = server
        self._heard: asyncio.Queue[Observation] = asyncio.Queue()
        self._running: Running | None = None
        self._over = asyncio.Event()
        self._watch: Observation | None = None
        """What was told first of the watched network card, and when by our clock."""
        self._watch_told = datetime.now(UTC)
        self._ended: datetime | None = None
        self._missed = False

    async def start(self, hosts: SshHosts) -> None:
        """Returns once it answers on every port that is free. Raises NoResponderError."""
        ready = asyncio.Event()
        try:
            host = await hosts.host(self._server)
            arguments = ["--json"] if self._tells else []
            self._running = await host.serve(printed(self._project, None, _MINUTES), *arguments)
        except HostError as error:
            raise NoResponderError(f"no responder on {self._server}: {error}") from None
        host.keep(self._follow(self._running, ready))
        waits = {asyncio.create_task(event.wait()) for event in (ready, self._over)}
        try:
            await asyncio.wait(waits, timeout=_BIND_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        if not ready.is_set():
            said = await self._running.complaint()
            raise NoResponderError(f"no responder on {self._server}: {said or 'it did not get ready'}")

    async def seen(self) -> AsyncGenerator[Observation, None]:
        """What reaches it, as it comes. Never ends by itself; may be asked again after it was closed."""
        while True:
            yield await self._heard.get()

    async def finish(self) -> list[Observation]:
        """End it. Returns what it saw last."""
        if self._running is not None:
            self._ended = datetime.now(UTC)
            self._running.end()
            try:
                async with asyncio.timeout(_FAREWELL_S):
                    await self._over.wait()
            except TimeoutError:
                pass
        return [self._heard.get_nowait() for _ in range(self._heard.qsize())]

    async def _follow(self, running: Running, ready: asyncio.Event) -> None:
        try:
            async for line in running.lines():
                if line.strip() == b"ready":
                    ready.set()
                    continue
                try:
                    observations, unfit = read_observations(line.decode(errors="replace"), self._project)
                except EarlierError:
                    # What a login shell prints is nothing that the responder saw.
                    continue
                # What is not understood may have been an arrival.
                self._missed = self._missed or bool(unfit)
                for observation in observations:
                    if observation.watched_since is None:
                        self._heard.put_nowait(_dated_here(observation))
                    elif self._watch is None:
                        self._watch, self._watch_told = observation, datetime.now(UTC)
                    elif json.loads(line).get("over") is True:
                        self._watched_throughout(observation)
        finally:
            self._over.set()

    def _watched_throughout(self, last: Observation) -> None:
        """Tell of the watched time, if it is one from before the run until it was asked to end: so no clocks matter."""
        first = self._watch
        if first is None or self._ended is None or self._missed:
            return
        if (last.address, last.watched_since) == (first.address, first.watched_since):
            watched = replace(last, watched_since=self._watch_told, at=self._ended, by_our_clock=True)
            self._heard.put_nowait(watched)


def _dated_here(observation: Observation) -> Observation:
    # The host's clock may be wrong, and what is told has just been seen.
    return replace(observation, at=datetime.now(UTC))
