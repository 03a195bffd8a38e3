"""`hopwise presets`: the services that Hopwise knows."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Add it to the commands."""
    presets = commands.add_parser("presets", help="list the services that Hopwise knows")
    presets.set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    from wizard.model.presets import presets

    for preset in presets():
        print(f"{preset.id:22} {preset.title.en}")
    return 0
