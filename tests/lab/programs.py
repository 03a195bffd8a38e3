"""Programs that run inside a namespace, told apart by what they print and ended by their own process id."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from .namespaces import Namespace

START_S = 20.0
"""Longest that a program may take to say a word: Python, on a machine with other things to do."""


class Program:
    """One running program. Its words on standard error go to `log`."""

    def __init__(self, space: Namespace, argv: Sequence[str], log: Path) -> None:
        self.log = log
        self._read = b""
        with log.open("ab") as errors, space.entered():
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, "NO_COLOR": "1"}
            )

    def wait_for(self, word: str) -> None:
        """Returns when it has printed that line. Raises RuntimeError with its words if it ends or takes too long."""
        assert self._process.stdout is not None
        until = time.monotonic() + START_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while word.encode() not in self._read.splitlines():
                if not selector.select(until - time.monotonic()):
                    raise RuntimeError(f"no {word!r} in {START_S} s: {self._words()}")
                data = os.read(self._process.stdout.fileno(), 65536)
                if not data:
                    raise RuntimeError(f"it ended before {word!r}: {self._words()}")
                self._read += data

    def stop(self) -> str:
        """End it; returns everything that it printed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._process.stdout.closed:
            return self._read.decode()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.terminate()
        self._read += self._process.stdout.read()
        self._process.stdout.close()
        self._process.wait(START_S)
        return self._read.decode()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self.stop()

    def _words(self) -> str:
        return f"{self._process.args!r}\n{self._read.decode(errors='replace')}\n{self.log.read_text()}"
