"""Jobs beside the window."""

import asyncio

from wizard.gui.jobs import Jobs


async def test_a_job_that_fails_is_told_and_ends_no_other():
    told = []
    ended = asyncio.Event()

    async def bad():
        raise OSError("no such thing")

    async def good():
        await asyncio.sleep(0)
        ended.set()

    async with asyncio.TaskGroup() as group:
        jobs = Jobs(group, told.append)
        jobs.start(bad())
        jobs.start(good())
    assert ended.is_set()
    assert [str(error) for error in told] == ["no such thing"]


async def test_after_the_end_nothing_begins_any_more():
    begun = []

    async def job():
        begun.append(1)
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        jobs = Jobs(group, begun.append)
        jobs.start(job())
        await asyncio.sleep(0)
        jobs.start(job())
        jobs.cancel()
        late = jobs.start(job())
    assert late.cancelled()
    assert begun == [1]
