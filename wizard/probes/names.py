"""Addresses of names, by the system's resolver."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable

from wizard.wire.stun import shown

RESOLVE_TIMEOUT_S = 5.0
"""The resolver's own first time-out: the second of two name servers is not waited for."""

_SOCKET_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_ABSENT = frozenset(
    number
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")
    if (number := getattr(socket, name, None)) is not None
)


def family_of(address: str) -> int:
    """4 or 6, of a literal address."""
    return 6 if ":" in address else 4


def socket_family(address: str) -> socket.AddressFamily:
    """The same as sockets name it."""
    return _SOCKET_FAMILIES[family_of(address)]


def has_route(address: str) -> bool:
    """Whether this computer knows a way to a literal address. Connecting a UDP socket sends nothing."""
    with socket.socket(socket_family(address), socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((address, 9))
        except OSError:
            return False
    return True


async def look_up(host: str, family: int) -> tuple[str, ...] | str:
    """The addresses of that family, none if there is no such record, or the resolver's fault in words."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...] | str] = loop.create_future()

    def tell(found: tuple[str, ...] | str) -> None:
        if not answer.done():
            answer.set_result(found)

    # A thread of its own: the loop's executor would make the program wait for it at its end.
    threading.Thread(target=_resolve, args=(host, family, lambda found: _post(loop, tell, found)), daemon=True).start()
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            return await answer
    except TimeoutError:
        return f"the name server gave no answer within {RESOLVE_TIMEOUT_S:g} s"


def _post(
    loop: asyncio.AbstractEventLoop, tell: Callable[[tuple[str, ...] | str], None], found: tuple[str, ...] | str
) -> None:
    # The program may have ended meanwhile.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(tell, found)


def _resolve(host: str, family: int, tell: Callable[[tuple[str, ...] | str], None]) -> None:
    try:
        entries = socket.getaddrinfo(host, None, _SOCKET_FAMILIES[family], socket.SOCK_DGRAM)
    except socket.gaierror as fault:
        tell(() if fault.errno in _ABSENT else shown(fault.strerror or str(fault)))
    except (OSError, UnicodeError) as fault:
        tell(shown(str(fault)))
    else:
        tell(tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in entries)))
