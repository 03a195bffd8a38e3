"""Saving a project: whole or not at all, and with what a person wrote into the file kept."""

from __future__ import annotations

import os
from pathlib import Path

from wizard.model.atomic import write_whole
from wizard.model.problem import ProjectError
from wizard.model.project import Project
from wizard.model.text import dumps


def save(project: Project, path: Path | str) -> None:
    """Write `project` to a file: the old one stays whole until the new one is. It is not validated.

    Comments, order and unknown keys of an existing project file are kept. Raises OSError.
    """
    # A link stays a link: what it points to is replaced.
    target = Path(os.path.realpath(path))
    write_whole(target, merged(project, target).encode("utf-8"))


def merged(project: Project, target: Path) -> str:
    """The new text of `target`: its present one with only what changed, or a new one if it is no project file."""
    if not target.exists():
        return dumps(project)
    # tomlkit takes longer to import than everything else here, and only this needs it.
    from wizard.model.merge import merge

    try:
        text = merge(project, target)
    except ProjectError:
        text = None
    return dumps(project) if text is None else text
