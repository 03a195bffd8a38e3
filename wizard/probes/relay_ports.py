"""The ports that a TURN server relays on, and whether a packet that is sent to one directly comes through."""

from __future__ import annotations

import asyncio
import enum
import ipaddress
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from wizard.probes.relay_leg import Leg
from wizard.probes.server_verdict import Sentence
from wizard.wire import media
from wizard.wire.behaviour import is_public
from wizard.wire.media import Packet
from wizard.wire.stun import Address
from wizard.wire.turn_event import Refused, Succeeded

PORTS = 12
"""Relayed addresses that are asked for, at most."""
_WAITS_S = (0.2, 0.4, 0.8, 1.0)
"""After each sending; the loss of three of four leaves a port unproven, not more."""
_FORBIDDEN = 403


class Direct(enum.StrEnum):
    """What became of packets that were sent to a relayed address directly, as a party without a relay sends them."""

    ARRIVED = "arrived"
    SILENT = "silent"
    NOT_PERMITTED = "not-permitted"
    """The server's policy does not let this computer's address be a peer."""
    NOT_CHECKED = "not-checked"


class Place(enum.StrEnum):
    """Where the relayed address is, beside the server's own."""

    FITS = "fits"
    DIFFERS = "differs"
    """Another than the server's: right for a server of several addresses or behind a NAT, else a wrong external-ip."""
    PRIVATE = "private"
    """Peers elsewhere cannot send to it, though the server is public."""


@dataclass(frozen=True, slots=True)
class RelayPort:
    """One relayed address, and whether packets reach it."""

    address: Address
    direct: Direct


@dataclass(frozen=True, slots=True)
class Survey:
    """The relayed addresses that the server gave, and why it gave no more, if it did not."""

    ports: tuple[RelayPort, ...]
    refused: Sentence | None


def place_of(server: str, relayed: str) -> Place:
    """Where a relayed address is, beside the literal address that the server is reached at."""
    ip = ipaddress.ip_address(relayed)
    if server == relayed:
        return Place.FITS
    if (ip.is_unspecified or not is_public(relayed)) and is_public(server):
        return Place.PRIVATE
    # Of the other family there is nothing to compare.
    return Place.DIFFERS if ip.version == ipaddress.ip_address(server).version else Place.FITS


async def survey(server: str, given: Sequence[Leg | Sentence]) -> Survey:
    """Send a packet directly to each relayed address that the server at that literal address gave.

    No packet goes to a private address that a public server names: a stranger may have it here.
    """
    own = [one for one in given if isinstance(one, Leg)]
    refused = next((one for one in given if isinstance(one, Sentence)), None)
    reached = await _reached(server, own)
    return Survey(tuple(RelayPort(leg.relayed, direct) for leg, direct in zip(own, reached, strict=True)), refused)


async def _reached(server: str, own: Sequence[Leg]) -> list[Direct]:
    found = await asyncio.gather(*(_permitted(server, leg) for leg in own))
    waiting = {leg for leg, direct in zip(own, found, strict=True) if direct is Direct.SILENT}
    arrived: set[Leg] = set()
    if waiting:
        for family in {_family(leg.relayed[0]) for leg in waiting}:
            arrived |= await _send(family, {leg for leg in waiting if _family(leg.relayed[0]) is family})
    return [Direct.ARRIVED if leg in arrived else direct for leg, direct in zip(own, found, strict=True)]


async def _permitted(server: str, leg: Leg) -> Direct:
    """Have our own address permitted as a peer; SILENT until something arrives."""
    mapped = leg.mapped
    if mapped is None or _family(mapped[0]) is not _family(leg.relayed[0]):
        return Direct.NOT_CHECKED
    if place_of(server, leg.relayed[0]) is Place.PRIVATE:
        return Direct.NOT_CHECKED
    reply = await leg.conversation.ask(lambda now: leg.conversation.client.create_permission(now, [mapped]))
    if isinstance(reply, Succeeded):
        return Direct.SILENT
    forbidden = isinstance(reply, Refused) and reply.code == _FORBIDDEN
    return Direct.NOT_PERMITTED if forbidden else Direct.NOT_CHECKED


async def _send(family: socket.AddressFamily, targets: set[Leg]) -> set[Leg]:
    """Those of the legs that a packet from a socket of ours reached."""
    loop = asyncio.get_running_loop()
    arrived: set[Leg] = set()
    complete = asyncio.Event()
    sources = {leg: secrets.randbits(32) for leg in targets}

    def listen(leg: Leg) -> None:
        def hear(_peer: Address, data: bytes, _now: float) -> None:
            packet = media.read(data)
            if packet is not None and packet.source == sources[leg]:
                arrived.add(leg)
                if arrived == targets:
                    complete.set()

        leg.hear = hear

    for leg in targets:
        listen(leg)
    any_address = "::" if family is socket.AF_INET6 else "0.0.0.0"
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(any_address, 0))
    try:
        for sequence, wait_s in enumerate(_WAITS_S):
            for leg in targets - arrived:
                data = media.write(Packet(sources[leg], sequence, perf_counter()), media.SMALLEST)
                transport.sendto(data, leg.relayed)
            try:
                await asyncio.wait_for(complete.wait(), wait_s)
            except TimeoutError:
                continue
            break
    finally:
        transport.close()
        for leg in targets:
            leg.hear = None
    return arrived


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
