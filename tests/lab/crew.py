"""Many labs at once: checks spend their time waiting, so several share the machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from .lab import WAIT_S, Lab
from .path import Path
from .scenario import Case

WORKERS = 4


@dataclass(frozen=True, slots=True)
class Run:
    """Exit status and result of one `hopwise check --json`, also in `file`."""

    status: int
    result: dict[str, Any]
    file: File


class Crew:
    """Labs by path, built when needed, used again when free, and closed together."""

    def __init__(self, files: File) -> None:
        self.pool = ThreadPoolExecutor(WORKERS)
        self._files = files
        self._free: dict[str, list[Lab]] = {}
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._count = 0

    def close(self) -> None:
        """End what is under way, take all labs away."""
        self.pool.shutdown(cancel_futures=True)
        self._open.close()

    def seen(self, path: Path, case: Case) -> list[Run]:
        """What is seen of a case, in its order."""
        with self.lab(path) as lab:
            lab.break_(*case.faults, respond_at=case.respond_at)
            done: dict[tuple[tuple[str, ...], bool], Run] = {}
            return [self._run(lab, case, seen.by, seen.arrivals, done) for seen in case.seen]

    @contextmanager
    def lab(self, path: Path) -> Iterator[Lab]:
        """A lab of that path, for one's own use; not used again if what is done with it fails."""
        lab = self._take(path)
        yield lab
        self._free[path.name].append(lab)

    def _run(
        self, lab: Lab, case: Case, by: tuple[str, ...], arrivals: bool, done: dict[tuple[tuple[str, ...], bool], Run]
    ) -> Run:
        if (by, arrivals) in done:
            return done[by, arrivals]
        merge = [self._run(lab, case, by[:-1], False, done).file] if len(by) > 1 else []
        file = lab.files / f"{'-'.join(by)}{'-arrivals' if arrivals else ''}.json"
        if arrivals:
            merge.append(lab.files / "arrivals.jsonl")
            merge[-1].write_text(lab.arrivals())
        status, result = lab.check(by[-1], merge, case.timeout_s or WAIT_S)
        file.write_text(json.dumps(result))
        done[by, arrivals] = Run(status, result, file)
        return done[by, arrivals]

    def _take(self, path: Path) -> Lab:
        with self._lock:
            free = self._free.setdefault(path.name, [])
            if free:
                return free.pop()
            self._count += 1
            files = self._files / str(self._count)
            files.mkdir()
        lab = Lab(path, files).__enter__()
        with self._lock:
            self._open.callback(lab.__exit__)
        return lab
