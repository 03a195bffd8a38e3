"""Ends a script on another host when whoever started it is gone.

Standard library only and Python 3.8, because it is sent along with the script.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time

WATCH_IDLE_S = 30.0
"""Without a byte on standard input for so long, whoever sent them is taken to be gone."""
FAREWELL_S = 3.0
"""How long the script may take to end by itself."""


def end_with_standard_input() -> None:
    """From now on this process ends, by SIGTERM first, when standard input ends or falls silent."""
    over = threading.Event()
    heard_at = time.monotonic()

    def read() -> None:
        nonlocal heard_at
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                heard_at = time.monotonic()
        over.set()

    def watch() -> None:
        while (left := heard_at + WATCH_IDLE_S - time.monotonic()) > 0 and not over.wait(left):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(FAREWELL_S)
        os._exit(0)

    for work in (read, watch):
        threading.Thread(target=work, daemon=True).start()
