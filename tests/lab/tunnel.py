"""A tunnel as frp is one, and a userland proxy as Docker has one: `server`, `client` and `proxy`, each a program.

The client registers its ports over one control connection; the server then binds them. A TCP connection is accepted
at once; only then is the client asked to dial, and if it cannot, the connection is closed without a byte. A UDP
sender gets a local socket of its own at the client, so that the service sees the client's address; 30 s idle end it.
The programs take one JSON document as argument, print `ready`, and end when standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import resource
import struct
import sys
from collections.abc import Callable, Coroutine

UDP_IDLE_S = 30.0
"""An idle UDP session of frp ends after this."""
_HEAD = struct.Struct("!IB")
_DATAGRAM = struct.Struct("!H4sH")
_CALL = struct.Struct("!IH")
REGISTER, READY, OPEN, FAILED, DATA, UDP = range(6)

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Address = tuple[str, int]


def frame(kind: int, payload: bytes = b"") -> bytes:
    """One message of the control connection."""
    return _HEAD.pack(len(payload), kind) + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next message. Raises IncompleteReadError at the end of the stream."""
    size, kind = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    return kind, await reader.readexactly(size)


def pack_datagram(port: int, sender: Address, data: bytes) -> bytes:
    """A datagram on its way between server and client: the tunnel's port, its sender, its bytes."""
    return frame(UDP, _DATAGRAM.pack(port, bytes(map(int, sender[0].split("."))), sender[1]) + data)


def read_datagram(payload: bytes) -> tuple[int, Address, bytes]:
    """What `pack_datagram` packed."""
    port, address, source = _DATAGRAM.unpack_from(payload)
    return port, (".".join(map(str, address)), source), payload[_DATAGRAM.size :]


async def splice(one: Stream, other: Stream) -> None:
    """Carry bytes both ways until both ends are done or one breaks."""
    pumps = [asyncio.create_task(_pump(one[0], other[1])), asyncio.create_task(_pump(other[0], one[1]))]
    try:
        await asyncio.gather(*pumps)
    except OSError:
        for pump in pumps:
            pump.cancel()
    finally:
        one[1].close()
        other[1].close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


class Receiver(asyncio.DatagramProtocol):
    """Hands on each datagram. ICMP errors are passed over, as frp and Docker's proxy do."""

    def __init__(self, take: Callable[[bytes, Address], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._take(data, addr)


class Sessions:
    """One local UDP socket per sender and port. `answer` gets what comes back: port, sender, bytes."""

    def __init__(self, answer: Callable[[int, Address, bytes], None]) -> None:
        self._answer = answer
        self._open: dict[tuple[int, Address], asyncio.DatagramTransport] = {}
        self._idle: dict[tuple[int, Address], asyncio.TimerHandle] = {}
        self._lock = asyncio.Lock()

    async def send(self, port: int, sender: Address, data: bytes, to: Address) -> None:
        """Hand a datagram to the local service, from this sender's own socket."""
        key = (port, sender)
        loop = asyncio.get_running_loop()
        async with self._lock:
            if key not in self._open:
                take = Receiver(lambda reply, _: self._answer(port, sender, reply))
                self._open[key], _ = await loop.create_datagram_endpoint(lambda: take, remote_addr=to)
        if key in self._idle:
            self._idle[key].cancel()
        self._idle[key] = loop.call_later(UDP_IDLE_S, self._end, key)
        self._open[key].sendto(data)

    def _end(self, key: tuple[int, Address]) -> None:
        self._open.pop(key).close()
        del self._idle[key]


class Jobs:
    """Tasks that run until they are done, kept from the garbage collector."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, job: Coroutine[None, None, None]) -> None:
        """Run a coroutine beside everything else."""
        task = asyncio.create_task(job)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


class Server:
    """The public end. With `keep`, ports stay bound after the client has gone, and each connection is closed."""

    def __init__(self, keep: bool) -> None:
        self._keep = keep
        self._control: asyncio.StreamWriter | None = None
        self._calls: dict[int, asyncio.Future[Stream | None]] = {}
        self._number = itertools.count()
        self._udp: dict[int, asyncio.DatagramTransport] = {}
        self._tcp: list[asyncio.Server] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from the client: control, or the data of one call."""
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            kind, payload = await read_frame(reader)
            if kind == DATA:
                self._calls.pop(_CALL.unpack(payload)[0]).set_result((reader, writer))
                return
            self._control = writer
            for protocol, port in json.loads(payload):
                await self._bind(protocol, port)
            writer.write(frame(READY))
            while True:
                kind, payload = await read_frame(reader)
                if kind == FAILED:
                    self._calls.pop(_CALL.unpack(payload)[0]).set_result(None)
                elif kind == UDP:
                    port, sender, data = read_datagram(payload)
                    self._udp[port].sendto(data, sender)
        writer.close()
        self._lost()

    def _lost(self) -> None:
        self._control = None
        for call in self._calls.values():
            call.set_result(None)
        self._calls.clear()
        if not self._keep:
            for listener in self._tcp:
                listener.close()
            for socket in self._udp.values():
                socket.close()
        say("alone")

    async def _bind(self, protocol: str, port: int) -> None:
        if protocol == "tcp":
            take = lambda reader, writer: self._accepted(port, (reader, writer))  # noqa: E731
            self._tcp.append(await asyncio.start_server(take, "0.0.0.0", port, backlog=512))
        else:
            take_udp = Receiver(lambda data, sender: self._received(port, sender, data))
            loop = asyncio.get_running_loop()
            self._udp[port], _ = await loop.create_datagram_endpoint(lambda: take_udp, ("0.0.0.0", port))

    def _received(self, port: int, sender: Address, data: bytes) -> None:
        if self._control is not None:
            self._control.write(pack_datagram(port, sender, data))

    async def _accepted(self, port: int, stream: Stream) -> None:
        if self._control is None:
            stream[1].close()
            return
        number = next(self._number)
        call = self._calls[number] = asyncio.get_running_loop().create_future()
        self._control.write(frame(OPEN, _CALL.pack(number, port)))
        back = await call
        if back is None:
            stream[1].close()
        else:
            await splice(stream, back)


class Client:
    """The end at home. `ports` maps (protocol, port at the server) to the local address that it dials."""

    def __init__(self, server: Address, ports: dict[tuple[str, int], Address]) -> None:
        self._server = server
        self._ports = ports
        self._jobs = Jobs()

    async def run(self) -> None:
        """Register, then serve calls until the server goes."""
        reader, writer = await asyncio.open_connection(*self._server)
        sessions = Sessions(lambda port, sender, data: writer.write(pack_datagram(port, sender, data)))
        writer.write(frame(REGISTER, json.dumps(list(self._ports)).encode()))
        while True:
            kind, payload = await read_frame(reader)
            if kind == READY:
                say("ready")
            elif kind == OPEN:
                self._jobs.start(self._dial(writer, *_CALL.unpack(payload)))
            elif kind == UDP:
                port, sender, data = read_datagram(payload)
                await sessions.send(port, sender, data, self._ports["udp", port])

    async def _dial(self, control: asyncio.StreamWriter, number: int, port: int) -> None:
        try:
            local = await asyncio.open_connection(*self._ports["tcp", port])
        except OSError:
            control.write(frame(FAILED, _CALL.pack(number, port)))
            return
        back = await asyncio.open_connection(*self._server)
        back[1].write(frame(DATA, _CALL.pack(number, port)))
        await splice(back, local)


async def proxy(ports: dict[tuple[str, int], Address]) -> None:
    """Accept on every port, then dial; close if that fails. Serves until cancelled."""
    bound: dict[int, asyncio.DatagramTransport] = {}
    sessions = Sessions(lambda port, sender, data: bound[port].sendto(data, sender))
    jobs = Jobs()
    loop = asyncio.get_running_loop()

    async def accepted(stream: Stream, to: Address) -> None:
        try:
            inner = await asyncio.open_connection(*to)
        except OSError:
            stream[1].close()
            return
        await splice(stream, inner)

    for (protocol, port), to in ports.items():
        if protocol == "tcp":
            await asyncio.start_server(lambda r, w, to=to: accepted((r, w), to), "0.0.0.0", port, backlog=512)
        else:
            take = Receiver(lambda data, sender, p=port, to=to: jobs.start(sessions.send(p, sender, data, to)))
            bound[port], _ = await loop.create_datagram_endpoint(lambda take=take: take, ("0.0.0.0", port))
    say("ready")
    await loop.create_future()


def say(word: str) -> None:
    """Tell the lab."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


async def input_ends() -> None:
    """Returns when whoever started this program is gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def main(role: str, told: dict[str, object]) -> None:
    """Play one role until standard input ends."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ports = {(protocol, port): (host, inner) for protocol, port, host, inner in told.get("ports", [])}  # type: ignore[attr-defined]
    work: list[asyncio.Task[None]] = []
    if role == "server":
        server = Server(bool(told["keep"]))
        await asyncio.start_server(server.serve, "0.0.0.0", told["control"])
        say("ready")
    elif role == "client":
        work.append(asyncio.create_task(Client(tuple(told["server"]), ports).run()))  # type: ignore[arg-type]
    else:
        work.append(asyncio.create_task(proxy(ports)))
    await asyncio.wait([asyncio.create_task(input_ends()), *work], return_when=asyncio.FIRST_COMPLETED)
    for task in work:
        if task.done():
            task.result()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
