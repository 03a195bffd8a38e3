"""Writing project files: whole or not at all, and with what a person wrote into them kept."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wizard.model.problem import ProjectError
from wizard.model.project import Project
from wizard.model.table import KEYS, to_table

_HEAD = """\
# A Hopwise project: the path from the internet to a service, and the ports that must get through.
# Passwords are never in this file.

"""
_COMMENTS: Mapping[str, str] = {
    "hops": "# The path, outermost hop first; the last hop is the service itself.\n\n",
    "ports": "# The ports that clients use, and the numbers on which they arrive further in.\n\n",
    "vantages": "# Where probes are sent from.\n\n",
    "ice_servers": "# STUN and TURN servers to test.\n\n",
}
LISTS = tuple(_COMMENTS)


def dumps(project: Project) -> str:
    """The text of a new file for `project`. It is not validated."""
    table = to_table(project)
    parts = [_HEAD + table_text({key: value for key, value in table.items() if key not in LISTS})]
    for kind in LISTS:
        if table[kind]:
            parts.append(_COMMENTS[kind] + "\n".join(element_text(kind, item) for item in table[kind]))
    return "\n".join(parts)


def save(project: Project, path: Path | str) -> None:
    """Write `project` to a file: the old one stays whole until the new one is. It is not validated.

    Comments, order and unknown keys of an existing project file are kept. Raises OSError.
    """
    # A link stays a link: what it points to is replaced.
    target = Path(os.path.realpath(path))
    _replace(target, merged(project, target).encode("utf-8"))


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


def element_text(kind: str, table: Mapping[str, Any]) -> str:
    """A `[[kind]]` table of known keys."""
    return f"[[{kind}]]\n{table_text({key: table[key] for key in KEYS[kind] if key in table})}"


def table_text(table: Mapping[str, Any]) -> str:
    """A `key = value` line for each entry."""
    return "".join(f"{key} = {value_text(value)}\n" for key, value in table.items())


def value_text(value: object) -> str:
    """A value of a project file in TOML."""
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML does not allow as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key_text(key)} = {value_text(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, Iterable):
        return "[" + ", ".join(value_text(inner) for inner in value) + "]"
    return str(value)


def key_text(key: str) -> str:
    """A key in TOML, quoted if it must be."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else value_text(key)


def _replace(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    # Made with the process's own umask, as an editor would; mkstemp's 0600 would lock out whoever shares the file.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner_and_mode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _keep_owner_and_mode(target: Path, temporary: Path) -> None:
    try:
        old = target.stat()
    except FileNotFoundError:
        return
    if sys.platform != "win32":
        # Only root may give files away; anybody else's file is then their own, as with every editor.
        with contextlib.suppress(PermissionError):
            os.chown(temporary, old.st_uid, old.st_gid)
    temporary.chmod(stat.S_IMODE(old.st_mode))


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        # Some file systems cannot; the file itself is on the disk already.
        return
    finally:
        os.close(handle)
