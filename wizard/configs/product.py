"""What a product is to Hopwise: how its files are told from others, read and written. Each has a file in this folder,
with one constant PRODUCT; `products.py` finds them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from wizard.configs.reading import Note, Reading, Source
from wizard.model.hop import Hop, HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol
from wizard.model.project import Project


class Likeness(enum.IntEnum):
    """How sure it is that a text is a product's own."""

    NO = 0
    MAYBE = 1
    """It has the look of it, and could be another's."""
    SURE = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ports that a hop is to let through: they arrive on `arrives` and leave on `leaves`, for `host`."""

    name: str
    protocol: Protocol
    arrives: PortRange
    leaves: PortRange
    host: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written for one hop. `existing` is its configuration as it is, where that was read.

    `language` is that of the comments and steps: `en` or `zh_CN`.
    """

    project: Project
    hop: Hop
    wanted: tuple[Wanted, ...]
    existing: Reading | None = None
    language: str = "en"

    @property
    def position(self) -> int:
        """Where the hop stands on the path, 0 outermost."""
        return self.project.index(self.hop.id)


@dataclass(frozen=True, slots=True)
class Written:
    """A configuration as text, and how to take it back. `cautions` say what is dangerous in it."""

    text: str
    undo: str
    cautions: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """`kinds` are the hops that it can be, the likeliest first. What cannot be read or written has None there."""

    id: str
    """On the command line and in files: lower case, with hyphens."""
    title: str
    """Its name as its makers write it."""
    kinds: tuple[HopKind, ...]
    recognise: Callable[[str], Likeness]
    read: Callable[[Source], Reading] | None
    """Raises UnreadableError."""
    write: Callable[[Order], Written] | None
    lacks: Callable[[Order], tuple[Note, ...]] | None = None
    """What the existing file of an order lacks for the plan beside ports."""
