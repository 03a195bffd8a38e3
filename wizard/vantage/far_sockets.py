"""Sockets on another host, for a Hopwise elsewhere that has the probe key, asks the questions and judges the answers.

Standard library only and Python 3.8, because it is printed and sent to hosts where nothing is installed. Orders come
as lines of JSON on standard input, what happens goes out as lines of JSON on standard output:

    ["ping", n]                      ["pong", n]
    ["name", n, host]                ["named", n, address or null, own address or null, errno, words]
    ["udp", s, address, [port, ...]]
    ["send", s, port, data]          ["heard", s, port, data, seconds since that transaction was sent, or null]
                                     ["told", s, NetworkError ...]  ["unsent", s, port, errno, words]
    ["done", s, port]  ["shut", s]
    ["dial", c, address, port,       ["dialled", c]   ["undialled", c, errno, words, NetworkErrors or null]
     segment size or null]
    ["write", c, data]               ["read", c, data, seconds since the last write]   ["end", c, errno, words]
    ["hang", c]

Data is in base64. It ends when standard input does, and when no order has come for IDLE_S.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import queue
import socket
import threading
from time import perf_counter
from typing import Any, Callable, Coroutine, Dict, List, Optional, Set, Union

from wizard.probes.network_error import TOLD, NetworkError
from wizard.probes.target import Target
from wizard.probes.tcp_dial import NotConnectedError, dial
from wizard.probes.udp_socket import ConnectedSockets, SharedSocket, open_socket

IDLE_S = 20.0
"""Without an order for so long, whoever gave them is taken to be gone: pings come more often than that."""
MOST_FILES = 2000
SPARED_FILES = 32
_ORDERS_SIZE = 65_536
_CHUNK = 16 * 1024

Say = Callable[[List[Any]], None]


class FarSockets:
    """Obeys orders; `say` is given what happens."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._datagrams: Dict[int, FarDatagrams] = {}
        self._connections: Dict[int, FarConnection] = {}
        self._tasks: Set[asyncio.Task[None]] = set()

    def obey(self, order: List[Any]) -> None:
        """Do what one order says."""
        word, number, *rest = order
        if word == "ping":
            self._say(["pong", number])
        elif word == "name":
            self._start(self._name(number, *rest))
        elif word == "udp":
            self._datagrams[number] = FarDatagrams(number, self._say, *rest)
        elif word == "send" and number in self._datagrams:
            self._datagrams[number].send(*rest)
        elif word == "done" and number in self._datagrams:
            self._datagrams[number].done(*rest)
        elif word == "shut" and number in self._datagrams:
            self._start(self._datagrams.pop(number).close())
        elif word == "dial":
            connection = self._connections[number] = FarConnection(number, self._say)
            connection.task = self._start(connection.talk(*rest))
        elif word == "write" and number in self._connections:
            self._connections[number].write(*rest)
        elif word == "hang" and number in self._connections:
            self._connections.pop(number).task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _name(self, number: int, host: str) -> None:
        address: Optional[str] = None
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
            # Ports are forwarded in IPv4.
            address = str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])
            with socket.socket(Target(address).family, socket.SOCK_DGRAM) as sock:
                # Connecting a UDP socket sends nothing; it asks the routing table for our address.
                sock.connect(Target(address).sockaddr(9))
                own = str(sock.getsockname()[0]).partition("%")[0]
        except (OSError, UnicodeError) as fault:
            self._say(["named", number, address, None, getattr(fault, "errno", 0) or 0, _reason(fault)])
        else:
            self._say(["named", number, address, own, 0, ""])


class FarDatagrams:
    """The UDP sockets for one address."""

    def __init__(self, number: int, say: Say, address: str, ports: List[int]) -> None:
        self._number = number
        self._say = say
        self._target = Target(address)
        self._ports = ports
        self._sent_at: Dict[bytes, float] = {}
        self._carrier: Union[SharedSocket, ConnectedSockets, None] = None

    def send(self, port: int, text: str) -> None:
        """Send one datagram, or say why it was not sent."""
        data = base64.b64decode(text)
        self._sent_at[_transaction(data)] = perf_counter()
        try:
            if self._carrier is None:
                self._carrier = open_socket(self._target, self._ports, self._heard, self._told)
            self._carrier.send(port, data)
        except OSError as fault:
            self._say(["unsent", self._number, port, fault.errno or 0, _reason(fault)])

    def done(self, port: int) -> None:
        """Nothing more is sent to that port."""
        if self._carrier is not None:
            self._carrier.done(port)

    async def close(self) -> None:
        """Close the sockets."""
        if self._carrier is not None:
            await self._carrier.close()

    def _heard(self, port: int, data: bytes, at: float) -> None:
        sent = self._sent_at.get(_transaction(data))
        self._say(["heard", self._number, port, _text(data), None if sent is None else at - sent])

    def _told(self, error: NetworkError) -> None:
        self._say(["told", self._number, *error])


class FarConnection:
    """One TCP connection."""

    def __init__(self, number: int, say: Say) -> None:
        self._number = number
        self._say = say
        self._writer: Optional[asyncio.StreamWriter] = None
        self._wrote_at = 0.0
        self.task: asyncio.Task[None]

    async def talk(self, address: str, port: int, segment: Optional[int]) -> None:
        """Connect, and say what comes until the end."""
        try:
            sock = await dial(Target(address), port, segment)
        except NotConnectedError as error:
            told = None if error.told is None else [list(found) for found in error.told]
            self._say(["undialled", self._number, error.fault.errno or 0, _reason(error.fault), told])
            return
        reader, self._writer = await asyncio.open_connection(sock=sock)
        self._say(["dialled", self._number])
        try:
            while True:
                data = await reader.read(_CHUNK)
                if not data:
                    break
                self._say(["read", self._number, _text(data), perf_counter() - self._wrote_at])
        except OSError as fault:
            self._say(["end", self._number, fault.errno or 0, _reason(fault)])
        else:
            self._say(["end", self._number, 0, ""])
        finally:
            self._writer.transport.abort()

    def write(self, text: str) -> None:
        """Send bytes."""
        if self._writer is not None and not self._writer.transport.is_closing():
            self._wrote_at = perf_counter()
            self._writer.write(base64.b64decode(text))


def _transaction(data: bytes) -> bytes:
    # RFC 8489 section 5
    return data[8:20]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _reason(fault: Exception) -> str:
    return getattr(fault, "strerror", None) or str(fault)


def _room() -> int:
    """How many sockets this process may open."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return MOST_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES + SPARED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_FILES if soft == resource.RLIM_INFINITY else max(8, min(MOST_FILES, soft - SPARED_FILES))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    said: queue.SimpleQueue[List[Any]] = queue.SimpleQueue()
    sockets = FarSockets(said.put)
    last_order_at = loop.time()

    def take(lines: List[bytes]) -> None:
        nonlocal last_order_at
        last_order_at = loop.time()
        for line in lines:
            if not over.is_set():
                sockets.obey(json.loads(line))

    def read() -> None:
        held = b""
        with contextlib.suppress(OSError):
            while True:
                data = os.read(0, _ORDERS_SIZE)
                if not data:
                    break
                *lines, held = (held + data).split(b"\n")
                loop.call_soon_threadsafe(take, lines)
        loop.call_soon_threadsafe(over.set)

    def write() -> None:
        with contextlib.suppress(OSError):
            while True:
                data = json.dumps(said.get()).encode() + b"\n"
                while data:
                    data = data[os.write(1, data) :]
        # Nobody listens any more.
        loop.call_soon_threadsafe(over.set)

    said.put(["hello", TOLD, _room()])
    for work in (read, write):
        threading.Thread(target=work, daemon=True).start()
    while not over.is_set() and loop.time() < last_order_at + IDLE_S:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(over.wait(), last_order_at + IDLE_S - loop.time())
    # At once: a name that is being looked up would hold up an orderly end.
    os._exit(0)


def serve_standard_input() -> None:
    """Obey standard input until it ends; then end this process, whatever is under way."""
    asyncio.run(_serve())
