"""Lets atheris look for a server that breaks the client: `python -m tests.fuzz.atheris_turn -max_total_time=60`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["wizard.wire", "tests.fuzz.hostile_server"]):
    from tests.fuzz.hostile_server import play


def main() -> None:
    """Run until told to stop."""
    atheris.Setup(sys.argv, lambda data: play(data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
