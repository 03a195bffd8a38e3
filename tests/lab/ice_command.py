"""`hopwise ice` as a person in that namespace runs it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.probes.coturn import PASSWORD, USER

from .namespaces import Namespace

HOPWISE = str(Path(sys.executable).with_name("hopwise"))


async def hopwise_ice(space: Namespace, *arguments: str, password: str = PASSWORD, user: str = USER) -> dict[str, Any]:
    """Its result, with its exit status under `status`."""
    command = [HOPWISE, "ice", *arguments, "--username", user, "--password-stdin", "--json"]
    with space.entered():
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name != "HOPWISE_TURN_PASSWORD"},
        )
    out, err = await process.communicate(f"{password}\n".encode())
    assert process.returncode in (0, 1), err.decode()
    result: dict[str, Any] = json.loads(out)
    return result | {"status": process.returncode}
