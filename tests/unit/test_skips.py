"""Where CI is set, nothing that CI promises is skipped without a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

WANTS = """
import pytest

@pytest.mark.requires("coturn")
def test_relays(): pass

@pytest.mark.requires("poppler")
def test_reads_a_pdf(): pass

def test_asks_by_itself():
    pytest.skip("needs network namespaces")

def test_is_for_another_system():
    pytest.skip("only on Windows")
"""
WHOLE_FILE = 'import pytest\npytest.skip("needs root", allow_module_level=True)\n'


@pytest.fixture
def counts(tmp_path: Path) -> dict[str, dict[str, int]]:
    """How many tests passed, failed or were skipped on a machine with no programs, without and with CI set."""
    (tmp_path / "conftest.py").write_bytes(Path(__file__).parents[1].joinpath("conftest.py").read_bytes())
    (tmp_path / "test_wants.py").write_text(WANTS)
    (tmp_path / "test_whole_file.py").write_text(WHOLE_FILE)
    options = f"-m pytest -q --continue-on-collection-errors -p no:cacheprovider -c {os.devnull} --rootdir"
    found = {}
    for ci in ("", "true"):
        environment = os.environ | {"CI": ci, "PATH": str(tmp_path)}
        run = subprocess.run(
            [sys.executable, *options.split(), tmp_path, tmp_path],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        words = run.stdout.splitlines()[-1].replace(",", "").replace("errors", "error").split()
        found[ci] = {word: int(count) for count, word in pairwise(words) if count.isdigit()}
    return found


def test_a_test_that_asks_for_what_is_missing_is_skipped_here_and_fails_in_ci(
    counts: dict[str, dict[str, int]],
) -> None:
    assert counts[""] == {"skipped": 5}
    # The relay, the namespaces, the whole file; a reader of PDFs and another system may be missing.
    assert counts["true"].get("skipped") == 2
    assert counts["true"].get("failed", 0) + counts["true"].get("error", 0) == 3
