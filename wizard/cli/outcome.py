"""What a check tells while it runs and when it is over: progress, the report, the exit status."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import EXIT_UNPROVEN, complain, reason

if TYPE_CHECKING:
    from wizard.progress import Progress, Result


def tell_progress(progress: Progress | None) -> None:
    """Count probes on a terminal's standard error, and say which places are left out; None when it is over."""
    from wizard.progress import Learnt, Skipped

    counting = sys.stderr.isatty()
    match progress:
        case Skipped(vantage, why):
            print(f"hopwise: not tested from {vantage}: {why}", file=sys.stderr)
        case Learnt(_, done, planned) if counting:
            print(f"\r{done} of {planned} probes decided ", end="", file=sys.stderr, flush=True)
        case None if counting:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        case _:
            pass


def write_report(result: Result, pdf: Path | None) -> int:
    """Write the PDF that was asked for, if one was. Returns 2 if it cannot be written."""
    if pdf is None:
        return 0
    from wizard.gui.pdf import write_pdf

    try:
        write_pdf(result, pdf)
    except OSError as error:
        return complain(f"--pdf {pdf}: {reason(error)}")
    print(f"The report is in {pdf}", file=sys.stderr)
    return 0


def verdict_status(result: Result) -> int:
    """The exit status that the verdict has."""
    from wizard.diagnosis.verdict import State

    return {State.OPEN: 0, State.BLOCKED: 1}.get(result.diagnosis.state, EXIT_UNPROVEN)
