"""What one configuration file says, whatever the product: a question about a planned port, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol as Shape

from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol, Speaks
from wizard.model.secret import Secret
from wizard.model.server_list import ServerEntry
from wizard.observation import Coverage


class UnreadableError(Exception):
    """A file that cannot be read as what it seems to be. `phrase` is worded by `configs/words.py`."""

    def __init__(self, phrase: Phrase, line: int | None = None) -> None:
        super().__init__(phrase.key)
        self.phrase = phrase
        self.line = line


@dataclass(frozen=True, slots=True)
class Source:
    """A file as text. `variables` are what an env file beside it sets, `outward` the interfaces by which the internet
    comes in, where that is known."""

    text: str
    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    outward: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the file that its reader should know: a line not understood, a variable not set."""

    phrase: Phrase
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A packet from somewhere on the internet comes to this hop: is it let through, and where to?

    `number` is the port on which it arrives, `leaves` the one on which the plan has it leave; the two differ only where
    the hop `translates`. `host` is the address that it should leave for, None where the plan does not say;
    `destination` is the address that it was sent to, None where that cannot be known. `published`: behind this filter,
    on the same machine, a container engine hands the port on.
    """

    protocol: Protocol
    number: int
    leaves: int
    family: int = 4
    translates: bool = False
    host: str | None = None
    destination: str | None = None
    published: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the file does with it. `lines` are those that decide, counted from 1; `rule` is their text, or where the
    packet is led instead."""

    coverage: Coverage
    lines: tuple[int, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one rule lets in from anywhere. Protocol None: any."""

    protocol: Protocol | None
    numbers: PortRange
    line: int


@dataclass(frozen=True, slots=True)
class Forward:
    """Ports that a hop takes in and hands on. `host` None: to the next hop inward, whatever its address; `speaks` where
    the file tells what is spoken there."""

    protocol: Protocol
    outer: PortRange
    inner: PortRange
    host: str | None = None
    name: str = ""
    line: int | None = None
    speaks: Speaks | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a path that a file describes: one hop, with what it hands on or lets through.

    The numbers of `forwards` are those that arrive at the hop (outer) and that leave it (inner).
    """

    kind: HopKind
    label: str
    address: str | None = None
    forwards: tuple[Forward, ...] = ()


@dataclass(frozen=True, slots=True)
class Server:
    """A STUN or TURN server that a file names, with its secret where the file has one."""

    entry: ServerEntry
    secret: Secret | None = None


class Reading(Shape):
    """A file that was read. Nothing in it is a secret in plain text."""

    @property
    def product(self) -> str:
        """The id of the product."""

    @property
    def file(self) -> str:
        """How the file is called in findings."""

    @property
    def every(self) -> bool:
        """Of several files of one hop: whether each must let a port through (a filter), or one is enough."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was not understood, in the order of the file."""

    @property
    def allowed(self) -> tuple[Allowed, ...]:
        """What its rules let in from anywhere, rule by rule; for products that filter."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The hops that it describes, outermost first, to build a path from."""

    @property
    def servers(self) -> tuple[Server, ...]:
        """The STUN and TURN servers that it names."""

    @property
    def announced(self) -> tuple[str, ...]:
        """The addresses that the service would announce."""

    def answer(self, question: Question) -> Answer:
        """What it does with one port. UNKNOWN where a line that was not understood could decide."""
