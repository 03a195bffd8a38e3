"""Who answers an SSDP search on one of this computer's networks."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Sequence

from wizard.probes.source import Source, bound
from wizard.wire import ssdp

_PAUSES_S = (0.4, ssdp.WAIT_S + 0.2)
"""After each search: multicast is lost on wireless networks more often than other packets, so that it is sent twice,
and after the second time an answer may take as long as it was given, and the way there and back."""
_MOST = 16
"""Gateways of one network at most: a flood of forged answers is not followed."""


async def search(source: Source, prefix: int, known: Sequence[str]) -> dict[str, ssdp.Found]:
    """Ask the network behind an interface, and the `known` gateways there one by one; by the address that answered.

    Takes 1.6 s, for so long devices may think. Raises OSError if nothing can be sent there.
    """
    network = ipaddress.ip_interface(f"{source.address}/{prefix}").network
    found: dict[str, ssdp.Found] = {}

    def may_answer(sender: str) -> bool:
        return sender in known or ipaddress.ip_address(sender) in network

    def heard(data: bytes, sender: str) -> None:
        answer = ssdp.read(data, sender)
        if answer is not None and may_answer(sender) and len(found) < _MOST:
            # Some have a description for each version, and only the newer one tells of IPv6.
            before = found.get(sender)
            found[sender] = answer if before is None or answer.version > before.version else before

    with bound(source, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source.address))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        reader = asyncio.create_task(_read(sock, heard))
        try:
            for turn, pause_s in enumerate(_PAUSES_S):
                for host in (ssdp.GROUP, *known):
                    for target in ssdp.TARGETS:
                        try:
                            sock.sendto(ssdp.search(target, host), (host, ssdp.PORT))
                        except OSError:
                            # A network that takes no multicast may still take what is for its gateway alone.
                            if turn == 0 and host == ssdp.GROUP and not known:
                                raise
                await asyncio.sleep(pause_s)
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
    return found


async def _read(sock: socket.socket, heard: Callable[[bytes, str], None]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            data, sender = await loop.sock_recvfrom(sock, ssdp.LONGEST + 1)
        except OSError:
            # A host that was asked alone refused: that says nothing of the others.
            continue
        heard(data, sender[0])
