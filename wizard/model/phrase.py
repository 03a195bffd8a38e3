"""A sentence without its words: what is said, to be worded where it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence by its key in a catalogue, with what fills its gaps."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)
