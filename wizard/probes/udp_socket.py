"""The UDP sockets that carry probes: one for all ports of an address where the system tells which port an ICMP
error is about, one for each port elsewhere.

Standard library only and Python 3.8, because the sockets that are printed for another host carry this file along.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from time import perf_counter
from typing import Callable, Collection

from wizard.probes.network_error import TOLD, NetworkError, drain, listen, of_the_network
from wizard.probes.target import Target

_READ_AT_ONCE = 64
"""Datagrams read before the event loop gets its turn."""
_RECEIVE_BUFFER = 1 << 20
_BINDS = 16

Heard = Callable[[int, bytes, float], None]
"""Told the port that bytes came from, the bytes, and when, by `perf_counter`."""
Told = Callable[[NetworkError], None]
"""Told what the network says of a datagram."""


class SharedSocket:
    """One unconnected socket for all ports. The error queue names the port that an ICMP error is about."""

    def __init__(self, target: Target, ports: Collection[int], heard: Heard, told: Told) -> None:
        self._target = target
        self._host = target.address.partition("%")[0]
        self._heard = heard
        self._told = told
        self._socket = bound_apart(target, ports)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)

    def send(self, port: int, data: bytes) -> None:
        """Send at once; an ICMP error of another port that is waiting does not get in the way."""
        address = self._target.sockaddr(port)
        for _ in range(_READ_AT_ONCE):
            self._take_errors()
            try:
                self._socket.sendto(data, address)
            except OSError as error:
                if not of_the_network(error) or not self._take_errors():
                    raise
            else:
                return
        raise BlockingIOError(errno.EAGAIN, "ICMP errors come in faster than probes go out")

    def done(self, port: int) -> None:
        """The socket serves the other ports."""

    async def close(self) -> None:
        """Close the socket."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _take_errors(self) -> bool:
        errors = drain(self._socket)
        for error in errors:
            self._told(error)
        return bool(errors)

    def _readable(self) -> None:
        self._take_errors()
        for _ in range(_READ_AT_ONCE):
            try:
                data, sender = self._socket.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                # The pending ICMP error that the queue tells more about.
                self._take_errors()
                continue
            now = perf_counter()
            if sender[0].partition("%")[0] == self._host:
                self._heard(sender[1], data, now)


class ConnectedSockets:
    """A connected socket for each port, which is how other systems tell of ICMP errors."""

    def __init__(self, target: Target, heard: Heard, told: Told) -> None:
        self._target = target
        self._heard = heard
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[int, socket.socket] = {}
        self._readers: dict[int, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def send(self, port: int, data: bytes) -> None:
        """Send at once, from the port's own socket."""
        sock = self._sockets.get(port) or self._open(port)
        try:
            sock.send(data)
        except OSError as error:
            if not of_the_network(error):
                raise
            self._told(NetworkError(port, error.errno or 0))
            sock.send(data)

    def done(self, port: int) -> None:
        """Close the port's socket."""
        self._sockets.pop(port, None)
        reader = self._readers.pop(port, None)
        if reader is not None:
            reader.cancel()
            self._ending.add(reader)
            reader.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Close every socket."""
        for port in list(self._readers):
            self.done(port)
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _open(self, port: int) -> socket.socket:
        sock = socket.socket(self._target.family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect(self._target.sockaddr(port))
        except OSError:
            sock.close()
            raise
        self._sockets[port] = sock
        reader = self._loop.create_task(self._read(port, sock))
        # Not before the loop has let go of it: its number may be another socket's by then.
        reader.add_done_callback(lambda _: sock.close())
        self._readers[port] = reader
        return sock

    async def _read(self, port: int, sock: socket.socket) -> None:
        while True:
            try:
                data = await self._loop.sock_recv(sock, 2048)
            except OSError as error:
                if not of_the_network(error):
                    return
                self._told(NetworkError(port, error.errno or 0))
            else:
                self._heard(port, data, perf_counter())


def bound_apart(target: Target, ports: Collection[int]) -> socket.socket:
    """A socket whose own port is none of `ports`: it would answer itself where the target is this computer."""
    unfit: list[socket.socket] = []
    try:
        while True:
            sock = socket.socket(target.family, socket.SOCK_DGRAM)
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
                if target.family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listen(sock)
                sock.bind(("::" if target.family == socket.AF_INET6 else "0.0.0.0", 0))
            except OSError:
                sock.close()
                raise
            if sock.getsockname()[1] not in ports or len(unfit) >= _BINDS:
                return sock
            unfit.append(sock)
    finally:
        for other in unfit:
            other.close()


def open_socket(target: Target, ports: Collection[int], heard: Heard, told: Told) -> SharedSocket | ConnectedSockets:
    """The kind of sockets that this system can tell most with. Raises OSError."""
    if TOLD:
        return SharedSocket(target, ports, heard, told)
    return ConnectedSockets(target, heard, told)
