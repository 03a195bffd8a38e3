"""The ports that a TURN server relays on, and whether packets pass between them and a plain socket."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import functools
import ipaddress
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from wizard.probes.relay_leg import Leg
from wizard.probes.server_verdict import Sentence
from wizard.wire import media
from wizard.wire.attribute import Address
from wizard.wire.behaviour import is_public
from wizard.wire.media import Packet
from wizard.wire.turn_event import Refused, Succeeded

PORTS = 12
"""Relayed addresses that are asked for, at most."""
_WAITS_S = (0.2, 0.4, 0.8, 1.0)
"""After each sending; the loss of three of four leaves a port unproven, not more."""
_FORBIDDEN = 403


class Direct(enum.StrEnum):
    """What became of packets between a relayed address and a plain socket, as of a party without a relay."""

    BOTH_WAYS = "both-ways"
    IN_ONLY = "in-only"
    """They reached the relayed address, and what it sent back was not seen."""
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
    passed: dict[Leg, Direct] = {}
    for family in {_family(leg.relayed[0]) for leg in waiting}:
        passed |= await _Exchange({leg for leg in waiting if _family(leg.relayed[0]) is family}).run(family)
    return [passed.get(leg, direct) for leg, direct in zip(own, found, strict=True)]


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


class _Exchange(asyncio.DatagramProtocol):
    """A plain socket that sends to relayed addresses, which send everything back."""

    def __init__(self, targets: set[Leg]) -> None:
        self._targets = targets
        self._by_source = {secrets.randbits(32): leg for leg in targets}
        self._passed = dict.fromkeys(targets, Direct.SILENT)
        self._complete = asyncio.Event()

    async def run(self, family: socket.AddressFamily) -> dict[Leg, Direct]:
        """What passed, for each of them."""
        any_address = "::" if family is socket.AF_INET6 else "0.0.0.0"
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(any_address, 0))
        for source, leg in self._by_source.items():
            leg.hear = functools.partial(self._came, source, leg)
        try:
            for sequence, wait_s in enumerate(_WAITS_S):
                for source, leg in self._by_source.items():
                    if self._passed[leg] is not Direct.BOTH_WAYS:
                        packet = Packet(source, sequence, perf_counter())
                        transport.sendto(media.write(packet, media.SMALLEST), leg.relayed)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._complete.wait(), wait_s)
                    break
        finally:
            transport.close()
            for leg in self._targets:
                leg.hear = None
        return self._passed

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """A relayed address sent back."""
        packet = media.read(data)
        leg = None if packet is None else self._by_source.get(packet.source)
        # From another address it would pass no ordinary NAT or firewall, and no ICE agent.
        if leg is None or addr[:2] != leg.relayed:
            return
        self._passed[leg] = Direct.BOTH_WAYS
        if all(direct is Direct.BOTH_WAYS for direct in self._passed.values()):
            self._complete.set()

    def _came(self, source: int, leg: Leg, peer: Address, data: bytes, _now: float) -> None:
        packet = media.read(data)
        if packet is None or packet.source != source:
            return
        if self._passed[leg] is Direct.SILENT:
            self._passed[leg] = Direct.IN_ONLY
        leg.conversation.client.send(peer, data)
        leg.conversation.flush()


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
