"""Work that tells what it finds, as an iterator; and many iterators as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
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


async def together(
    sources: Sequence[AsyncIterator[_T]], endless: Sequence[AsyncIterator[_T]] = ()
) -> AsyncGenerator[_T, None]:
    """What all of them tell, in one stream, until the `sources` have ended.

    What one raises is raised here, and ends the others.
    """
    queue: asyncio.Queue[tuple[_T] | BaseException | None] = asyncio.Queue()

    async def pump(source: AsyncIterator[_T]) -> None:
        try:
            async for item in source:
                queue.put_nowait((item,))
        except Exception as error:  # noqa: BLE001 - carried to the reader, not swallowed
            queue.put_nowait(error)
        finally:
            if isinstance(source, AsyncGenerator):
                await source.aclose()
            queue.put_nowait(None)

    tasks = [asyncio.create_task(pump(source)) for source in (*sources, *endless)]
    try:
        running = len(sources)
        while running:
            item = await queue.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item[0]
        while not queue.empty():
            # What the endless ones told at the very end.
            item = queue.get_nowait()
            if isinstance(item, tuple):
                yield item[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
