"""The project file that a command is given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import complain, reason

if TYPE_CHECKING:
    from wizard.configs.coverage import Readings
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


def usable_configs(project: Project, folder: Path, language: str = "en") -> Readings:
    """What the project's configuration files say, by hop. One that cannot be read is told and passed over."""
    from wizard.configs.words import say_of
    from wizard.system.config_files import read_configs

    read = read_configs(project, folder)
    for bad in read.failed:
        print(f"hopwise: {say_of(bad.file, bad.error, language)}", file=sys.stderr)
    return read.readings
