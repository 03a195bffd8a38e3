"""How long a command takes to start, in proportion to a bare import of the library that it could not do without."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

ROUNDS = 9
HOPWISE = str(Path(sys.executable).with_name("hopwise"))


def seconds(command: list[str], status: int) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    taken = time.perf_counter() - start
    assert done.returncode == status, done.stdout + done.stderr
    return taken


@pytest.mark.alone
def test_help_and_check_start_in_less_than_twice_the_time_of_importing_aioice(tmp_path: Path) -> None:
    unusable = tmp_path / "unusable.toml"
    unusable.write_text("format = 1\n")
    commands: dict[str, tuple[list[str], int]] = {
        "import aioice": ([sys.executable, "-c", "import aioice"], 0),
        "hopwise --help": ([HOPWISE, "--help"], 0),
        "hopwise check": ([HOPWISE, "check", str(unusable)], 2),
    }
    # In turns, so that whatever else the machine does slows all three alike.
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, (command, status) in commands.items():
            taken[name].append(seconds(command, status))
    middle = {name: median(times) for name, times in taken.items()}
    print({name: f"{value * 1000:.0f} ms" for name, value in middle.items()})  # noqa: T201
    assert middle["hopwise --help"] < 2 * middle["import aioice"]
    assert middle["hopwise check"] < 2 * middle["import aioice"]
