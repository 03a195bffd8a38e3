"""A headless Chromium in a namespace, and what it gathers from ICE servers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .namespaces import Namespace

WITHIN_S = 30.0
_FLAGS = shlex.split(
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-extensions --disable-dev-shm-usage --no-proxy-server "
    "--disable-features=WebRtcHideLocalIpsWithMdns,OptimizationHints,MediaRouter --remote-debugging-pipe"
)
_GATHER = """
(configuration, untilError) => new Promise(resolve => {
  const began = performance.now(), events = [];
  const call = new RTCPeerConnection(configuration);
  const at = () => performance.now() - began;
  const told = candidate => ({
    time_ms: at(), type: candidate.type, protocol: candidate.protocol, address: candidate.address,
    port: candidate.port, relay_protocol: candidate.relayProtocol || null, url: candidate.url || null });
  const errors = [];
  const end = () => { call.close(); resolve({candidates: events, errors: errors, ms: at()}); };
  call.onicecandidateerror = e => {
    errors.push({ time_ms: at(), url: e.url, code: e.errorCode, text: e.errorText, address: e.address });
    if (untilError) end();
  };
  call.onicecandidate = e => {
    if (e.candidate && e.candidate.candidate) events.push(told(e.candidate));
  };
  call.onicegatheringstatechange = () => { if (call.iceGatheringState === "complete") end(); };
  call.createDataChannel("gather");
  call.createOffer().then(offer => call.setLocalDescription(offer));
})
"""


class Browser:
    """One page of a browser that speaks the DevTools protocol over a pipe."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._session: str | None = None

    async def open_page(self) -> None:
        """Attach to a fresh page."""
        target = await self._call("Target.createTarget", url="about:blank")
        attached = await self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]

    async def gather(
        self, servers: Sequence[Mapping[str, Any]], policy: str = "all", *, until_error: bool = False
    ) -> dict[str, Any]:
        """The candidates, the errors and the milliseconds until the end of gathering.

        `until_error` stops at the first error: gathering that met one may never end.
        """
        configuration = json.dumps({"iceServers": list(servers), "iceTransportPolicy": policy})
        expression = f"({_GATHER})({configuration}, {json.dumps(until_error)})"
        answer = await self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        found: dict[str, Any] = answer["result"]["value"]
        return found

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._writer.write(json.dumps(message).encode() + b"\0")
        async with asyncio.timeout(WITHIN_S):
            while True:
                answer = json.loads((await self._reader.readuntil(b"\0"))[:-1])
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    result: dict[str, Any] = answer["result"]
                    return result


@contextlib.asynccontextmanager
async def chromium(home: Namespace, folder: Path, *flags: str) -> AsyncIterator[Browser]:
    """Chromium in that namespace, with a page; killed at the end with everything that it started."""
    loop = asyncio.get_running_loop()
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    command = ["chromium", *_FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, "about:blank"]
    with home.entered(), (folder / "chromium.log").open("wb") as log:
        # Chromium reads from 3 and writes to 4.
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", f'exec 3<&{theirs_in} 4>&{theirs_out} {theirs_in}<&- {theirs_out}>&-; exec "$@"', "-"),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(theirs_in, theirs_out),
            start_new_session=True,
            env={**os.environ, "HOME": str(folder)},
        )
    os.close(theirs_in)
    os.close(theirs_out)
    reader = asyncio.StreamReader(limit=2**24)
    into, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb"))
    writer, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(ours_out, "wb"))
    try:
        browser = Browser(reader, writer)
        await browser.open_page()
        yield browser
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        await process.wait()
        writer.close()
        into.close()
        await asyncio.sleep(0)
