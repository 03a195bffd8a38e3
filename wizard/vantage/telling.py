"""Work that tells what it finds, as an iterator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


async def found_by(work: Callable[[Callable[[_T], None]], Coroutine[Any, Any, None]]) -> AsyncGenerator[_T, None]:
    """What `work` tells through the function that it is given, as it tells it. Closing the iterator ends the work."""
    found: asyncio.Queue[tuple[_T] | None] = asyncio.Queue()
    task = asyncio.create_task(work(lambda item: found.put_nowait((item,))))
    task.add_done_callback(lambda _: found.put_nowait(None))
    try:
        while (told := await found.get()) is not None:
            yield told[0]
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
