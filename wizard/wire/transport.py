"""Transport protocols by the numbers that port mapping protocols write."""

from __future__ import annotations

import enum


class Transport(enum.IntEnum):
    """IANA's protocol numbers."""

    TCP = 6
    UDP = 17
