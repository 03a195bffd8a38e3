"""Reading project files. Everything that is wrong with one is said at once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from wizard.model.lines import Layout
from wizard.model.problem import Problem, ProjectError
from wizard.model.project import Project
from wizard.model.validate import read

__all__ = ["Problem", "ProjectError", "load", "loads"]

LARGEST = 1024 * 1024
"""Bytes of a project file at most."""
DEEPEST = 16
"""Dots of a dotted key at most: tomllib takes quadratic time for more."""

# Strings and comments, which may hold dots of their own; one that does not end takes all that follows,
# lest each quote in it be looked at as a beginning.
_OPAQUE = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|""".*|'
    r"'''.*?'''|'''.*|"
    r'"(?:[^"\\\n]|\\.)*+"|"[^\n]*|'
    r"'[^'\n]*+'|'[^\n]*|"
    r"#[^\n]*",
    re.DOTALL,
)
_DOTTED = re.compile(rf"\.(?:[ \t]*+[\w-]*+[ \t]*+\.){{{DEEPEST}}}")
_AT = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


def load(path: Path | str) -> Project:
    """The project in a file. Raises ProjectError with every problem, also if the file cannot be read."""
    return loads(read_text(path), str(path))


def loads(text: str, name: str) -> Project:
    """The project in a text; `name` is what messages call the file. Raises ProjectError with every problem."""
    table = parse(text, name)
    project, problems = read(table)
    if problems or project is None:
        raise ProjectError(_placed(problems, text, name), project)
    return project


def read_text(path: Path | str) -> str:
    """The text of a file in UTF-8, without byte order mark. Raises ProjectError if it is none or too large."""
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            # One byte more than allowed tells a file that is too large without reading all of it.
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ProjectError((Problem((), "file-unreadable", None, {"why": why}, name),)) from None
    if len(data) > LARGEST:
        raise ProjectError((_too_large(name),))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProjectError((Problem((), "not-utf8", None, {}, name, line),)) from None


def parse(text: str, name: str) -> dict[str, Any]:
    """The table of a TOML text. Raises ProjectError if it is none, is too large or is nested too deeply."""
    if len(text) > LARGEST:
        raise ProjectError((_too_large(name),))
    if _DOTTED.search(_OPAQUE.sub("_", text)):
        raise ProjectError((Problem((), "too-deep", None, {}, name),))
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ProjectError((Problem((), "too-deep", None, {}, name),)) from None
    except ValueError as error:  # also for a number of more than 4300 digits, which is no TOMLDecodeError
        raise ProjectError((_syntax(error, text, name),)) from None


def _too_large(name: str) -> Problem:
    return Problem((), "file-too-large", None, {}, name)


def _syntax(error: ValueError, text: str, name: str) -> Problem:
    message = str(error)
    place = _AT.search(message)
    if place is None:
        why = message if isinstance(error, tomllib.TOMLDecodeError) else "a number is far too large"
        return Problem((), "syntax", None, {"why": why}, name)
    line = int(place["line"]) if place["line"] else text.count("\n") + 1
    return Problem((), "syntax", None, {"why": message[: place.start()]}, name, line)


def _placed(problems: tuple[Problem, ...], text: str, name: str) -> tuple[Problem, ...]:
    """The problems with file and line, in the order of the file."""
    try:
        layout = Layout(text)
    except RecursionError:
        return tuple(replace(problem, file=name) for problem in problems)
    placed = [replace(problem, file=name, line=layout.line(problem.path)) for problem in problems]
    return tuple(sorted(placed, key=lambda problem: problem.line or 0))
