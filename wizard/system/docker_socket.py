"""What Docker's own socket tells of the containers that run: their ports, and nothing of their secrets."""

from __future__ import annotations

import http.client
import json
import os
import socket
from pathlib import Path
from typing import Any

SOCKET = Path("/var/run/docker.sock")
TIMEOUT_S = 5.0
_LARGEST = 4 * 1024 * 1024


class DockerError(Exception):
    """Docker does not answer as it should; the message says why."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket of this computer."""

    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self._path))


def may_ask(path: Path = SOCKET) -> bool:
    """Whether Docker is there, and talks to us."""
    return path.is_socket() and os.access(path, os.R_OK | os.W_OK)


def containers(path: Path = SOCKET) -> str:
    """The containers that run, as `docker inspect` shows them, with their names, networks and ports only.

    Their environment, where passwords are, is left out. Raises DockerError.
    """
    found = [_told(_asked(path, f"/containers/{each['Id']}/json")) for each in _asked(path, "/containers/json")]
    return json.dumps(found, indent=2)


def _told(container: dict[str, Any]) -> dict[str, Any]:
    host = container.get("HostConfig") or {}
    network = container.get("NetworkSettings") or {}
    return {
        "Name": container.get("Name", ""),
        "HostConfig": {key: host.get(key) for key in ("NetworkMode", "PortBindings")},
        "NetworkSettings": {"Ports": network.get("Ports")},
    }


def _asked(path: Path, what: str) -> Any:
    connection = _Connection(path)
    try:
        connection.request("GET", what)
        answer = connection.getresponse()
        body = answer.read(_LARGEST + 1)
        if answer.status != 200 or len(body) > _LARGEST:
            raise DockerError(f"{path}: {what} is answered with {answer.status} {answer.reason}")
        return json.loads(body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DockerError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    finally:
        connection.close()
