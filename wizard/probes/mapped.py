"""At which address a STUN server sees this computer."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime

from wizard.observation import MappedSeen
from wizard.probes.nat_server import NO_ROUTE, meet, own_address, place
from wizard.probes.nat_socket import Sockets
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.wire.uri import IceUri


async def mapped(uri: IceUri) -> MappedSeen | str:
    """What the server says, or in words why it says nothing."""
    (placed,) = await place([uri])
    own = own_address(placed.address) if placed.address is not None else None
    if own is None:
        return (placed.fault or NO_ROUTE).text
    async with AsyncExitStack() as stack:
        sockets = Sockets(own)
        stack.push_async_callback(sockets.close)
        met = await meet(sockets, await sockets.open(), placed, DEFAULT_TIMEOUT_S)
    if met.mapped is None:
        return met.fault.text if met.fault is not None else "no answer"
    return MappedSeen(uri.text, met.mapped[0], datetime.now(UTC))
