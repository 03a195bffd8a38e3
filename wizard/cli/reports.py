"""The reports that the tests of servers write beside what they print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import complain, reason

if TYPE_CHECKING:
    from wizard.report.bench import BenchResult, Part


def reported(options: argparse.Namespace, run: Callable[[Callable[[Part], object]], int]) -> int:
    """Run a test, and write the reports that were asked for of what it tells. Returns its exit status, or 2 if one
    cannot be written."""
    parts: list[Part] = []
    started = datetime.now(UTC)
    status = run(parts.append)
    if not parts:
        return status
    from wizard.report.bench import bench_of

    bench = bench_of(started, (datetime.now(UTC) - started).total_seconds(), parts)
    for name, path, write in (
        ("--markdown", options.markdown, _write_bench_markdown),
        ("--pdf", options.pdf, _write_bench_pdf),
    ):
        if path is None:
            continue
        try:
            write(bench, path)
        except OSError as error:
            status = complain(f"{name} {path}: {reason(error)}")
        else:
            print(f"The report is in {path}", file=sys.stderr)
    return status


def _write_bench_markdown(bench: BenchResult, path: Path) -> None:
    from wizard.model.atomic import write_whole
    from wizard.report.bench_markdown import to_markdown

    write_whole(path, to_markdown(bench).encode("utf-8"))


def _write_bench_pdf(bench: BenchResult, path: Path) -> None:
    from wizard.gui.bench_pdf import write_bench_pdf

    write_bench_pdf(bench, path)
