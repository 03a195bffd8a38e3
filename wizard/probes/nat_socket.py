"""Several UDP sockets of one address that ask STUN Bindings, and are told which of them heard what from whom."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from typing import Any, cast

from wizard.probes.persistence import DEFAULT_TIMEOUT_S, Loss
from wizard.wire import stun
from wizard.wire.attribute import Address, Attribute
from wizard.wire.stun import Class, Message, Method
from wizard.wire.turn import mapped_address


@dataclass(frozen=True, slots=True)
class Heard:
    """A Binding message with a transaction of ours: our own request, or an answer to it."""

    at: NatSocket
    sender: Address
    message: Message

    @property
    def mapped(self) -> Address | None:
        """Where the server saw us; None if this is no success."""
        return mapped_address(self.message) if self.message.cls is Class.SUCCESS else None


def family_of(address: str) -> socket.AddressFamily:
    """The family of a literal address, as sockets name it."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Sockets:
    """The sockets of one measurement, all on `address`; they share what is known of the loss on the way.

    A transaction is waited for on all of them: what one asks may be sent to another (RFC 5780 sections 3.4, 7.3).
    """

    def __init__(self, address: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self.address = address
        self._timeout_s = timeout_s
        self._loss = Loss(ports=1)
        self._waiting: dict[bytes, asyncio.Future[Heard]] = {}
        self._open: list[NatSocket] = []

    async def open(self) -> NatSocket:
        """One more socket, on a port that the system picks. Raises OSError."""
        sock = socket.socket(family_of(self.address), socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind((self.address, 0))
            _, made = await asyncio.get_running_loop().create_datagram_endpoint(lambda: NatSocket(self), sock=sock)
        except BaseException:
            sock.close()
            raise
        self._open.append(made)
        return made

    async def close(self) -> None:
        """Close every socket."""
        for one in self._open:
            one.transport.abort()
        for one in self._open:
            await one.closed.wait()

    async def ask(self, sock: NatSocket, to: Address, *attributes: tuple[Attribute, Any]) -> Heard | None:
        """What comes first for a Binding request from `sock` to `to`; None once silence is believed.

        It is sent again as RFC 8489 section 6.2.1 has it, and in between as often as the loss on the way calls for.
        """
        loop = asyncio.get_running_loop()
        transaction = os.urandom(12)
        data = stun.write(Message(Method.BINDING, Class.REQUEST, transaction, attributes))
        heard: asyncio.Future[Heard] = loop.create_future()
        self._waiting[transaction] = heard
        started = sent = loop.time()
        due: float | None = started
        attempts = 0
        try:
            while True:
                now = loop.time()
                if due is not None:
                    sock.transport.sendto(data, to)
                    attempts, sent = attempts + 1, now
                due = self._loss.next_attempt(started, now, attempts, self._timeout_s)
                until = self._loss.deadline(started, attempts, self._timeout_s) if due is None else due
                await asyncio.wait({heard}, timeout=max(0.0, until - now))
                if heard.done():
                    self._loss.answered(attempts, loop.time() - sent)
                    return heard.result()
                # Loss that another test met meanwhile gives this one longer.
                if due is None and loop.time() >= self._loss.deadline(started, attempts, self._timeout_s):
                    return None
        finally:
            del self._waiting[transaction]

    def take(self, at: NatSocket, data: bytes, sender: Address) -> None:
        """A datagram came in."""
        try:
            message = stun.parse(data)
        except stun.StunError:
            return
        heard = self._waiting.get(message.transaction)
        if heard is not None and not heard.done() and message.method is Method.BINDING:
            heard.set_result(Heard(at, sender, message))


class NatSocket(asyncio.DatagramProtocol):
    """One local port."""

    transport: asyncio.DatagramTransport

    def __init__(self, owner: Sockets) -> None:
        self._owner = owner
        self.closed = asyncio.Event()
        self.hindered = False
        """Whether this computer did not send what it should have."""

    @property
    def local(self) -> Address:
        """Our own address and port."""
        name = self.transport.get_extra_info("sockname")
        return str(name[0]).partition("%")[0], int(name[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """One datagram; whatever it is."""
        self._owner.take(self, data, (str(addr[0]).partition("%")[0], int(addr[1])))

    def error_received(self, exc: Exception) -> None:
        """An error of one datagram of many: the others are waited for all the same."""
        # An ICMP port unreachable comes as a ConnectionError, on systems that tell of it here.
        self.hindered = self.hindered or not isinstance(exc, ConnectionError)

    def connection_lost(self, _exc: Exception | None) -> None:
        """The socket is closed."""
        self.closed.set()


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Stop the tasks, and wait until they have."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
