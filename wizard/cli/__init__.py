"""The commands: each has a file, and prints what report/ makes."""

from wizard.cli.entry import main

__all__ = ["main"]
