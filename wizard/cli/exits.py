"""Exit statuses, and the one line that says why a command cannot go on."""

from __future__ import annotations

import sys

EXIT_USAGE = 2
EXIT_UNPROVEN = 3
EXIT_DEFECT = 70
"""Of Hopwise itself, as in sysexits.h. Python's own is 1, which here says that a port is blocked."""
EXIT_INTERRUPTED = 130


def complain(message: str) -> int:
    """Say it on standard error. Returns the status for arguments that cannot be used."""
    print(f"hopwise: {message}", file=sys.stderr)
    return EXIT_USAGE


def reason(error: BaseException) -> str:
    """What went wrong, without the numbers and names that Python puts around it."""
    return getattr(error, "strerror", None) or str(error)
