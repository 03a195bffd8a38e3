"""`hopwise check --watch`: tells each change as it happens, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from wizard.cli.exits import complain, reason
from wizard.cli.outcome import tell_progress, verdict_status, write_report
from wizard.diagnosis.history import Change
from wizard.model.atomic import write_whole
from wizard.model.vantage import VantageKind
from wizard.progress import NoResponderError, Planned, Result
from wizard.report.json import stream_line
from wizard.report.metrics import to_metrics
from wizard.report.text import change_line, terminal, to_text
from wizard.session import Session
from wizard.watch import SLOW_WATCH_S, Watched


class _OutputError(Exception):
    """Something cannot be written; says what."""


def watch(session: Session, *, as_json: bool, metrics: Path | None, pdf: Path | None) -> int:
    """Watch until Ctrl-C. Returns the exit status of the last verdict; before the first one Ctrl-C ends as always."""
    try:
        asyncio.run(_Watch(session, as_json, metrics).follow())
    except _OutputError as error:
        return complain(str(error))
    except NoResponderError as error:
        return complain(f"--respond-by-ssh: {error}")
    return write_report(session.result, pdf) or verdict_status(session.result)


class _Watch:
    def __init__(self, session: Session, as_json: bool, metrics: Path | None) -> None:
        self._session = session
        self._as_json = as_json
        self._metrics = metrics
        self._begun = False

    async def follow(self) -> None:
        """Tell what happens. Being cancelled is how it ends."""
        try:
            async with contextlib.aclosing(self._session.run()) as progress:
                async for step in progress:
                    tell_progress(step)
                    if isinstance(step, Planned):
                        self._tell_slow(step.vantages)
            tell_progress(None)
            async with contextlib.aclosing(self._session.watch()) as watched:
                async for news in watched:
                    self._tell(news)
        except asyncio.CancelledError:
            if not self._begun:
                raise

    def _tell_slow(self, vantages: Sequence[str]) -> None:
        slow = [v.id for v in self._session.project.places() if v.id in vantages and v.kind is not VantageKind.LOCAL]
        for vantage in slow:
            print(f"hopwise: from {vantage} every {SLOW_WATCH_S:g} s only, to spare the server", file=sys.stderr)

    def _tell(self, watched: Watched) -> None:
        result = self._session.result
        if self._metrics is not None and result.past is not None:
            try:
                write_whole(self._metrics, to_metrics(result.project.name, result.past).encode())
            except OSError as error:
                raise _OutputError(f"--metrics {self._metrics}: {reason(error)}") from error
        if watched.news:
            self._print(result, watched.changes)
        self._begun = True

    def _print(self, result: Result, changes: Sequence[Change]) -> None:
        on = terminal(sys.stdout, os.environ)
        if self._as_json:
            lines = [stream_line(result, changes)]
        elif not self._begun:
            lines = [to_text(result, on), "", "Watching. Each change is told here; Ctrl-C ends."]
        else:
            lines = [change_line(result.project, change, on) for change in changes]
        try:
            print(*lines, sep="\n", end="\n" if lines else "", flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _OutputError(f"the result cannot be written: {reason(error)}") from error
