"""The sockets of an SSH place in a process on this computer, without SSH."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.probes.asking import KEY, WITHIN_S
from tests.probes.probing import HOPS, TIMEOUT_S
from wizard.vantage.far_end import FarEnd
from wizard.vantage.far_script import sockets_script
from wizard.vantage.ssh import SshPlace


class FarProcess:
    """Stands in for the hosts of a run: each of them is that process."""

    def __init__(self, end: FarEnd) -> None:
        self._end = end

    async def host(self, _: str) -> FarProcess:
        return self

    async def far(self) -> FarEnd:
        return self._end


@contextlib.asynccontextmanager
async def far_place(
    folder: Path, python: str = sys.executable, timeout_s: float = TIMEOUT_S, server_name: str | None = None
) -> AsyncIterator[SshPlace]:
    """A place whose sockets are another process's."""
    script = folder / "far.py"
    await asyncio.to_thread(script.write_text, sockets_script())
    process = await asyncio.create_subprocess_exec(
        python, "-I", "-S", "-W", "error", str(script), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    end = FarEnd("another host", process.stdin.write)
    tasks = [asyncio.create_task(_follow(process, end)), asyncio.create_task(end.keep_time())]
    try:
        async with asyncio.timeout(WITHIN_S):
            await end.ready.wait()
        yield SshPlace(
            "laptop",
            server="another host",
            hosts=FarProcess(end),  # type: ignore[arg-type]
            key=KEY,
            hops=HOPS,
            timeout_s=timeout_s,
            server_name=server_name,
        )
    finally:
        process.stdin.close()
        async with asyncio.timeout(WITHIN_S):
            # It ends by itself when its standard input does.
            assert await process.wait() == 0
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(process: asyncio.subprocess.Process, end: FarEnd) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        end.take(line)
    end.lose("the process ended")
