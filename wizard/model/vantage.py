"""Where probes are sent from, and the TURN servers that may carry them."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class VantageKind(enum.StrEnum):
    """How probes get to the place they are sent from."""

    LOCAL = "local"
    TURN = "turn"
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class Vantage:
    """A place to probe from.

    `beyond` is the innermost hop already behind it; None means outside of everything.
    `server` is a TURN URI for `turn` and a `user@host` for `ssh`.
    """

    id: str
    kind: VantageKind = VantageKind.LOCAL
    beyond: str | None = None
    server: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server to test: the W3C RTCIceServer shape without its credential."""

    urls: tuple[str, ...]
    username: str | None = None
