"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from pathlib import Path


def write_whole(target: Path, data: bytes, mode: int = 0o666) -> None:
    """Put `data` in the place of a file at once: until then the old one stays as it was. Raises OSError.

    An existing file keeps its mode and, where the system allows it, its owner; a new one gets `mode` less the umask.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    # Made with the process's own umask, as an editor would; mkstemp's 0600 would lock out whoever shares the file.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
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
