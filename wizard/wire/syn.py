"""TCP SYNs by which a responder knows a prober of its project.

Nothing signed fits into a SYN. But the prober may choose the segment size that it announces (RFC 9293 section 3.7.1),
and no router raises it. So that size is drawn from the probe key, the sender's place and the port, anew for every other
connection. One such size may be chance; both from one source within a minute are not: that is one in 360,000.

Standard library only and Python 3.8, because the printed responder carries this file along.
"""

from __future__ import annotations

import collections
import hashlib
import hmac
from typing import Dict, Iterator, Optional, Tuple

from wizard.wire.probe import Request
from wizard.wire.response import Address, ResponderPlan, Seen

MARK_FIRST, MARKS = 600, 600
"""Sizes that every network carries and no system announces by itself."""
TURNS = 2
TOGETHER_S = 60.0
AGAIN_AFTER_S = 10.0
KEPT = 16_384
"""Senders and ports that are remembered."""

_Sender = Tuple[str, str, int, str, int]
"""Vantage, hop that it enters, number that it sent to, source address, number on which it came in."""
_Turns = Dict[int, Tuple[float, int]]
"""When the latest SYN of each turn came, and from which port."""


def syn_mark(key: bytes, vantage: str, enters: str, port: int, turn: int) -> int:
    """The segment size, in bytes, that the `turn`-th connection to `port` announces; turns 0 and 1 differ."""
    text = "\0".join(("syn", vantage, enters, str(port))).encode()
    digest = hmac.new(key, text, hashlib.sha1).digest()
    first, other = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")
    return MARK_FIRST + (first + (turn % TURNS) * (1 + other % (MARKS - 1))) % MARKS


class Syns:
    """Tells which SYNs of a plan's probers reached this host and were not agreed to."""

    def __init__(self, plan: ResponderPlan) -> None:
        self._plan = plan
        self._turns: collections.OrderedDict[_Sender, _Turns] = collections.OrderedDict()
        self._told: Dict[_Sender, float] = {}
        self._agreed: collections.OrderedDict[Tuple[Address, int], None] = collections.OrderedDict()

    def came(self, source: Address, destination: Address, size: int, now: float) -> Optional[Seen]:
        """What a SYN that announces `size` says at `now` (seconds of any monotonic clock), None if nothing yet."""
        # A port of its system may be used again; and a SYN sent again is agreed to again.
        self._agreed.pop((source, destination[1]), None)
        found: Optional[Seen] = None
        for vantage, enters, port in self._senders(destination[1]):
            for turn in range(TURNS):
                if syn_mark(self._plan.key, vantage, enters, port, turn) == size:
                    sender = (vantage, enters, port, source[0], destination[1])
                    if self._is_stopped(sender, turn, now, source[1]) and self._is_due(sender, now):
                        request = Request(b"", vantage, enters, port)
                        found = Seen("arrived", "tcp", source, destination, request)
        return found

    def agreed(self, source: Address, destination: Address) -> None:
        """This host answered `source`'s SYN to `destination` with a SYN of its own: it let that sender in.

        What fails afterwards fails on the way back.
        """
        self._agreed[source, destination[1]] = None
        if len(self._agreed) > KEPT:
            self._agreed.popitem(last=False)

    def _senders(self, number: int) -> Iterator[Tuple[str, str, int]]:
        for route in self._plan.routes:
            port = route.first + number - route.arrives
            if route.protocol == "tcp" and route.first <= port <= route.last:
                for vantage in self._plan.vantages:
                    yield vantage, route.enters, port

    def _is_stopped(self, sender: _Sender, turn: int, now: float, port: int) -> bool:
        """Whether SYNs of both turns have come, and the host has agreed to neither."""
        seen = {t: held for t, held in self._turns.pop(sender, {}).items() if now - held[0] < TOGETHER_S}
        seen[turn] = (now, port)
        self._turns[sender] = seen
        if len(self._turns) > KEPT:
            oldest, _ = self._turns.popitem(last=False)
            self._told.pop(oldest, None)
        ways = [((sender[3], held), sender[4]) for _, held in seen.values()]
        return len(seen) == TURNS and not any(way in self._agreed for way in ways)

    def _is_due(self, sender: _Sender, now: float) -> bool:
        told = self._told.get(sender)
        if told is not None and now - told < AGAIN_AFTER_S:
            return False
        self._told[sender] = now
        return True
