"""Programs that run inside a namespace, told apart by what they print and ended by their own process id."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from .namespaces import Namespace

START_S = 30.0
"""Longest that a program may take to say a word: Python, on a machine with other things to do."""


class Program:
    """One running program. Its words on standard error go to `log`."""

    def __init__(self, space: Namespace, argv: Sequence[str], log: Path) -> None:
        self.log = log
        self._lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        with log.open("ab") as errors, space.entered():
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "NO_COLOR": "1"},
            )
        # A pipe that nobody empties would stop a program that prints a line for each probe.
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, end: str) -> None:
        """Returns when it has printed a line that ends so. Raises RuntimeError with its words if it never does."""
        with self._news:
            self._news.wait_for(lambda: self._ended or self._said(end), START_S)
            if self._said(end):
                return
        raise RuntimeError(f"no {end!r}: {self._process.args!r}\n{self.printed()}\n{self.log.read_text()}")

    def _said(self, end: str) -> bool:
        return any(line.endswith(end) for line in self._lines)

    def printed(self) -> str:
        """Everything that it has printed by now."""
        with self._news:
            return "\n".join([*self._lines, ""])

    def stop(self) -> str:
        """End it; returns everything that it printed."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.terminate()
        self._reader.join(START_S)
        self._process.wait(START_S)
        return self.printed()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self.stop()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._news:
                    self._lines.append(line.rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
