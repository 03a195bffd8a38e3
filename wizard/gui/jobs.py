"""Everything that runs beside the window belongs to one task group."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

_log = logging.getLogger(__name__)

Job = Coroutine[Any, Any, object]


class Jobs:
    """Starts jobs in a task group. What one of them raises is told, and ends no other."""

    def __init__(self, group: asyncio.TaskGroup, failed: Callable[[Exception], None]) -> None:
        self._group = group
        self._failed = failed
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, job: Job) -> asyncio.Future[None]:
        """Begin a job now. Cancel what is returned to end it early; after `cancel` nothing begins any more."""
        if self._closed:
            job.close()
            never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            never.cancel()
            return never
        task = self._group.create_task(self._guard(job))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # Cancelled before its first step, the task has never looked at the job.
        task.add_done_callback(lambda _: job.close())
        return task

    def cancel(self) -> None:
        """End all of them; the task group waits until they have."""
        self._closed = True
        for task in tuple(self._running):
            task.cancel()

    async def _guard(self, job: Job) -> None:
        try:
            await job
        except Exception as error:  # noqa: BLE001 - told to the person; escaping, it would end its siblings
            _log.exception("A job of the wizard failed")
            self._failed(error)
