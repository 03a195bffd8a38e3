"""Ports and ranges, and how a plan's numbers change along the path."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


class Protocol(enum.StrEnum):
    """Transport protocol of a port."""

    UDP = "udp"
    TCP = "tcp"

    @property
    def other(self) -> Protocol:
        """The other of the two."""
        return Protocol.TCP if self is Protocol.UDP else Protocol.UDP


class Speaks(enum.Enum):
    """What the real service answers on a port."""

    STUN = "stun"
    TURN = "turn"
    HTTP = "http"
    HTTPS = "https"
    WS = "ws"
    WSS = "wss"
    TLS = "tls"

    @property
    def has_path(self) -> bool:
        """Whether a request path belongs to it."""
        return self in (Speaks.HTTP, Speaks.HTTPS, Speaks.WS, Speaks.WSS)

    @property
    def over_udp(self) -> bool:
        """Whether it exists over UDP."""
        return self in (Speaks.STUN, Speaks.TURN)


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Port numbers `first` to `last`, both included."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Read "8172" or "10000-10100". Raises ValueError saying what is wrong."""
        first_text, dash, last_text = text.strip().partition("-")
        first = _number(first_text)
        last = _number(last_text) if dash else first
        if last < first:
            raise ValueError(f"the range {text!r} runs backwards; write {last}-{first}")
        return cls(first, last)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.first <= number <= self.last


def _number(text: str) -> int:
    text = text.strip()
    # isascii first: str.isdigit accepts digits of every script, and int() would take them.
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is not a port number; write 1 to 65535, or a range as 10000-10100")
    number = int(text)
    if not 1 <= number <= 65535:
        raise ValueError(f"{text} is not a port number; ports run from 1 to 65535")
    return number


def merge(numbers: Iterable[int]) -> tuple[PortRange, ...]:
    """The fewest ranges that hold exactly `numbers`, in ascending order."""
    ranges: list[PortRange] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1].last == number - 1:
            ranges[-1] = PortRange(ranges[-1].first, number)
        else:
            ranges.append(PortRange(number, number))
    return tuple(ranges)


@dataclass(frozen=True, slots=True, order=True)
class OutsidePort:
    """One planned port, named by the number that clients use."""

    protocol: Protocol
    number: int

    def __str__(self) -> str:
        return f"{self.protocol} {self.number}"


@dataclass(frozen=True, slots=True)
class PortPlan:
    """A named port or range with its numbers along the path.

    `inside` maps a hop id to the numbers on which a probe arrives at that hop and further in.
    """

    name: str
    protocol: Protocol
    outside: PortRange
    inside: Mapping[str, PortRange] = field(default_factory=dict)
    speaks: Speaks | None = None
    path: str | None = None
