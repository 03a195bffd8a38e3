"""A configuration file that a hop of the path runs with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """Where it is, and which hop it configures. `product` None: told by what is in it.

    `file` is a path as the project file has it: relative to that file, or absolute.
    """

    hop: str
    file: str
    product: str | None = None
