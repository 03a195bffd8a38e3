"""What the wizard remembers between runs: files opened lately, servers, and work that a crash would have lost."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from wizard.model.atomic import write_whole
from wizard.model.server_list import CredentialKind, ServerEntry, Servers

_KEPT = 8


def state_folder() -> Path:
    """The user's folder for such things; not made yet."""
    import platformdirs

    return platformdirs.user_state_path("hopwise", appauthor=False)


class RecentFiles:
    """Paths of project files, the latest first. A list that cannot be read or written is an empty one."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "recent.json"

    def paths(self) -> tuple[Path, ...]:
        """Those that still exist."""
        try:
            found = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return ()
        names = found if isinstance(found, list) else []
        return tuple(Path(name) for name in names if isinstance(name, str) and Path(name).is_file())

    def add(self, path: Path) -> None:
        """Put a path first."""
        path = path.resolve()
        kept = [path, *(other for other in self.paths() if other != path)][:_KEPT]
        _keep(self._file, [str(each) for each in kept])

    def clear(self) -> None:
        """Forget them all."""
        self._file.unlink(missing_ok=True)


class KeptServers:
    """The bench's list of servers, without secrets. A list that cannot be read or written is an empty one."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "servers.json"

    def servers(self) -> Servers:
        """Those that were kept; what is no server any more is passed over."""
        try:
            found = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return ()
        return tuple(entry for each in found if (entry := _server(each)) is not None) if isinstance(found, list) else ()

    def keep(self, servers: Servers) -> None:
        """Put these in their place."""
        with contextlib.suppress(OSError):
            _keep(self._file, [asdict(entry) for entry in servers if entry.urls])


def _server(found: object) -> ServerEntry | None:
    match found:
        case {
            "urls": [*urls],
            "username": str(username),
            "kind": str(kind),
            "endpoint": str(endpoint),
            "separator": str(separator),
            "enabled": bool(enabled),
        } if all(isinstance(url, str) for url in urls) and kind in set(CredentialKind):
            return ServerEntry(tuple(urls), username, CredentialKind(kind), endpoint, separator, enabled)
    return None


@dataclass(frozen=True, slots=True)
class Rescued:
    """Work left behind by a wizard that ended without being closed."""

    file: Path
    """Where it is kept."""
    path: Path | None
    """The project file that it was made from."""
    table: Mapping[str, Any]
    """The project as it stood, in the shape of its file, unfinished as it may be."""


class Recovery:
    """This process's unsaved work, in a file of its own that a clean end removes."""

    def __init__(self, folder: Path, pid: int | None = None) -> None:
        self._folder = folder
        self._file = folder / f"unsaved-{os.getpid() if pid is None else pid}.json"

    def keep(self, path: Path | None, table: Mapping[str, Any]) -> None:
        """Write the work down. Raises OSError."""
        content = {"path": None if path is None else str(path), "table": table}
        _keep(self._file, content)

    def drop(self) -> None:
        """The work is saved or given up."""
        self._file.unlink(missing_ok=True)

    def left_behind(self) -> tuple[Rescued, ...]:
        """The work of wizards that are no more, the latest first. What cannot be read is passed over."""
        try:
            files = sorted(self._folder.glob("unsaved-*.json"), key=lambda f: f.stat().st_mtime, reverse=True)
        except OSError:
            return ()
        return tuple(found for file in files if not _owner_lives(file) and (found := _read(file)) is not None)


def _keep(file: Path, content: object) -> None:
    """Write JSON that only its owner may read. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(content, ensure_ascii=False).encode(), 0o600)


def _owner_lives(file: Path) -> bool:
    try:
        process = psutil.Process(int(file.stem.removeprefix("unsaved-")))
        # A process that began after the file was written has only inherited the number.
        return process.create_time() <= file.stat().st_mtime
    except (ValueError, psutil.Error, OSError):
        return False


def _read(file: Path) -> Rescued | None:
    try:
        content = json.loads(file.read_text("utf-8"))
        path, table = content["path"], content["table"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(table, dict) or not isinstance(path, str | None):
        return None
    return Rescued(file, Path(path) if path else None, table)
