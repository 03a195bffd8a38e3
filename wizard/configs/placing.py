"""Which hop of a path a configuration belongs to; a hop that is not there yet gets its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wizard.configs.reading import Piece, Reading
from wizard.model.hop import Hop, HopKind

_RANKS = {
    HopKind.CGNAT: 0,
    HopKind.SECURITY_GROUP: 1,
    HopKind.ROUTER: 2,
    HopKind.TUNNEL_SERVER: 4,
    HopKind.TUNNEL_CLIENT: 5,
    HopKind.FIREWALL: 6,
    HopKind.CONTAINER: 7,
    HopKind.SERVICE: 8,
}
"""The order in which the kinds stand on a path, outermost first."""
_BEFORE_THE_TUNNEL = 3
_TUNNEL = (HopKind.TUNNEL_SERVER, HopKind.TUNNEL_CLIENT)


@dataclass(frozen=True, slots=True)
class Given:
    """A file to import. `hop` is the id of the hop that it configures, where somebody said so."""

    reading: Reading
    hop: str | None = None


@dataclass(frozen=True, slots=True)
class Unplaced(Exception):  # noqa: N818 - a question to whoever imports, not a fault
    """It cannot be told which of `hops` a file configures."""

    file: str
    hops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A hop, and what a file says of it; `new` if the path did not have it."""

    hop: str
    piece: Piece
    reading: Reading
    new: bool


def place(hops: Sequence[Hop], given: Sequence[Given]) -> tuple[tuple[Hop, ...], tuple[Placed, ...]]:
    """The path with a hop for every part that the files describe, the service last. Raises Unplaced.

    A file belongs to the hop of its kind. Firewalls may stand on either side of a tunnel: there the order of the files
    tells, outermost first.
    """
    path = list(hops)
    placed: list[Placed] = []
    tunnels = [i for i, file in enumerate(given) for piece in file.reading.pieces if piece.kind in _TUNNEL]
    for index, file in enumerate(given):
        before = bool(tunnels) and index < tunnels[0]
        for piece in file.reading.pieces:
            hop = _found(path, piece, file, before=before if tunnels else None)
            if hop is None:
                name = file.hop if len(file.reading.pieces) == 1 else None
                hop = Hop(_new_id(path, name or piece.kind.value), piece.kind, piece.label or None, piece.address)
                path.insert(_position(path, piece.kind, before=before), hop)
            elif hop.address is None and piece.address is not None:
                path[path.index(hop)] = replace(hop, address=piece.address)
            placed.append(Placed(hop.id, piece, file.reading, new=all(old.id != hop.id for old in hops)))
    if not path or path[-1].kind is not HopKind.SERVICE:
        path.append(Hop(_new_id(path, "service"), HopKind.SERVICE))
    return tuple(path), tuple(placed)


def _found(path: Sequence[Hop], piece: Piece, file: Given, *, before: bool | None) -> Hop | None:
    """The hop that a piece describes; None if the path does not have it yet. `before`: on which side of the tunnel."""
    if file.hop is not None and len(file.reading.pieces) == 1:
        return next((hop for hop in path if hop.id == file.hop), None)
    alike = [hop for hop in path if hop.kind is piece.kind]
    if piece.kind is HopKind.FIREWALL and before is not None:
        alike = [hop for hop in alike if _stands_before(path, hop) is before]
    same = [hop for hop in alike if hop.id == file.hop or (piece.address is not None and hop.address == piece.address)]
    if len(same) == 1:
        return same[0]
    if len(alike) > 1:
        raise Unplaced(file.reading.file, tuple(hop.id for hop in alike))
    return alike[0] if alike else None


def _stands_before(path: Sequence[Hop], hop: Hop) -> bool:
    """Whether the tunnel, as far as there is one already, is further in."""
    return not any(other.kind in _TUNNEL for other in path[: path.index(hop)])


def _position(path: Sequence[Hop], kind: HopKind, *, before: bool) -> int:
    """Right behind the last hop that stands further out by its kind, and the firewalls there."""
    rank = _BEFORE_THE_TUNNEL if kind is HopKind.FIREWALL and before else _RANKS[kind]
    outer = [i for i, hop in enumerate(path) if hop.kind is not HopKind.FIREWALL and _RANKS[hop.kind] <= rank]
    position = outer[-1] + 1 if outer else 0
    while rank > _RANKS[HopKind.ROUTER] and position < len(path) and path[position].kind is HopKind.FIREWALL:
        position += 1
    return position


def _new_id(path: Sequence[Hop], wish: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", wish.lower()).strip("-")[:40] or "hop"
    taken = {hop.id for hop in path}
    return next(name for name in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)
