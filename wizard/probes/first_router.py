"""Whether the first router holds the public address, told by packets that may cross no router, or only one.

What is sent to a router's own address ends there however few routers it may cross; what is to be passed on comes back
as an ICMP error (RFC 792: time exceeded). Linux alone tells a program of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from wizard.probes import icmp
from wizard.wire import stun
from wizard.wire.attribute import Address
from wizard.wire.behaviour import Known
from wizard.wire.stun import Class, Message, Method

_ROUNDS = 3
_WAIT_S = 0.5
"""Routers next door answer sooner, those of mobile networks too."""
_DISCARD = 9  # RFC 863; no mapping has a number so low, so that nothing turns round


@dataclass(frozen=True, slots=True)
class FirstRouter:
    """`holds`: whether the mapped address is its own. `second` is the address of the router behind it, if it told."""

    holds: Known = Known.UNKNOWN
    second: str | None = None


async def first_router(own: str, server: Address, mapped: str) -> FirstRouter:
    """Ask for the way from our address `own` to the server and to the mapped address; 1.5 s at most."""
    if not icmp.TOLD or ":" in own:
        return FirstRouter()
    try:
        return await _asked(own, server, mapped)
    except OSError:
        # This computer will not send there: from an address that may not leave it, or for a rule of its own.
        return FirstRouter()


async def _asked(own: str, server: Address, mapped: str) -> FirstRouter:
    with (
        _limited(own, (mapped, _DISCARD), 1) as tested,
        _limited(own, server, 1) as control,
        _limited(own, server, 2) as beyond,
    ):
        for _ in range(_ROUNDS):
            for one in (tested, beyond, control):
                one.send()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WAIT_S):
                    # What was sent first is answered first, as far as this router answers at all.
                    await control.told.wait()
                    await beyond.told.wait()
            for one in (tested, beyond, control):
                one.take()
        second = next(iter(beyond.offenders), None)
        if tested.offenders and set(tested.offenders) <= set(control.offenders):
            return FirstRouter(Known.NO, second)
        if not tested.offenders and len(control.offenders) == _ROUNDS:
            return FirstRouter(Known.YES, second)
        return FirstRouter(Known.UNKNOWN, second)


class _Limited:
    """A socket whose packets may cross so many routers less one."""

    def __init__(self, sock: socket.socket) -> None:
        self.offenders: list[str] = []
        self.told = asyncio.Event()
        self._socket = sock

    def send(self) -> None:
        """Send one Binding request."""
        self.told.clear()
        with contextlib.suppress(OSError):
            self._socket.send(stun.write(Message(Method.BINDING, Class.REQUEST, os.urandom(12))))

    def take(self) -> None:
        """Read what has come: errors count, answers do not."""
        self.offenders += [error.offender for error in icmp.drain(self._socket) if error.expired]
        with contextlib.suppress(OSError):
            self._socket.recv(2048)
        self.told.set()


@contextlib.contextmanager
def _limited(own: str, to: Address, hops: int) -> Iterator[_Limited]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
        icmp.listen(sock)
        sock.bind((own, 0))
        sock.connect(to)
        one = _Limited(sock)
        loop.add_reader(sock, one.take)
        try:
            yield one
        finally:
            loop.remove_reader(sock)
