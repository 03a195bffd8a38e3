"""The project file that a command is given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import complain, reason

if TYPE_CHECKING:
    from wizard.model.project import Project


def load_project(path: Path) -> Project | None:
    """The project in a file; None if it cannot be used, which is said on standard error."""
    from wizard.model.load import ProjectError, load

    try:
        return load(path)
    except ProjectError as error:
        for problem in error.problems:
            print(f"hopwise: {problem}", file=sys.stderr)
    except OSError as error:
        complain(f"{path}: {reason(error)}")
    return None
