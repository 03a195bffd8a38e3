"""The sockets that programs on this computer listen on."""

from __future__ import annotations

import os
import socket

import psutil

from wizard.model.port import Protocol
from wizard.observation import HostInspected, Listening


def inspect() -> HostInspected | None:
    """Every listening TCP and unconnected UDP socket of other programs; None where the system shows them to root only.

    Programs of other users have no name unless root asks.
    """
    try:
        connections = psutil.net_connections("inet")
    except psutil.AccessDenied:
        return None
    names: dict[int, str] = {}
    found: dict[Listening, None] = {}
    for connection in connections:
        tcp = connection.type == socket.SOCK_STREAM
        waits = connection.status == psutil.CONN_LISTEN if tcp else not connection.raddr
        if not waits or not connection.laddr or connection.pid == os.getpid():
            continue
        pid = connection.pid
        if pid is not None and pid not in names:
            names[pid] = _name(pid)
        found[
            Listening(
                protocol=Protocol.TCP if tcp else Protocol.UDP,
                port=connection.laddr.port,
                address=connection.laddr.ip,
                program="" if pid is None else names[pid],
                pid=pid,
            )
        ] = None
    return HostInspected(tuple(sorted(found, key=lambda s: (s.protocol, s.port, s.address, s.pid or 0))))


def _name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        # It ended meanwhile, or is not ours to look at.
        return ""
