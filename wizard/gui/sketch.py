"""A project as far as its table can be read, so that the picture is there while the person still types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wizard.model.config_file import ConfigFile
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.vantage import Vantage, VantageKind


def sketch(table: Mapping[str, Any]) -> Project:
    """What `table` says, without what cannot be read of it."""
    hops = tuple(hop for item in _items(table, "hops") if (hop := _hop(item)) is not None)
    ids = {hop.id for hop in hops}
    return Project(
        name=text_of(table, "name"),
        public_address=text_of(table, "public_address"),
        hops=hops,
        ports=tuple(plan for item in _items(table, "ports") if (plan := _plan(item, ids)) is not None),
        vantages=tuple(place for item in _items(table, "vantages") if (place := _vantage(item, ids)) is not None),
        configs=tuple(
            ConfigFile(text_of(item, "hop"), text_of(item, "file"), text_of(item, "product") or None)
            for item in _items(table, "configs")
            if text_of(item, "hop") in ids and text_of(item, "file")
        ),
    )


def text_of(table: Mapping[str, Any], key: str) -> str:
    """A text of the table; empty if it is not there."""
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _items(table: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    found = table.get(kind)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _hop(item: Mapping[str, Any]) -> Hop | None:
    try:
        kind = HopKind(item.get("kind"))
    except ValueError:
        return None
    return Hop(text_of(item, "id"), kind, text_of(item, "name") or None, text_of(item, "address") or None)


def _plan(item: Mapping[str, Any], ids: set[str]) -> PortPlan | None:
    outside = _range(item.get("outside"))
    try:
        protocol = Protocol(text_of(item, "protocol"))
    except ValueError:
        return None
    if outside is None:
        return None
    inside = item.get("inside")
    numbers = {
        hop: found
        for hop, value in (inside.items() if isinstance(inside, Mapping) else ())
        if hop in ids and (found := _range(value)) is not None and len(found) == len(outside)
    }
    return PortPlan(text_of(item, "name"), protocol, outside, numbers)


def _range(value: object) -> PortRange | None:
    try:
        return PortRange.parse(str(value))
    except ValueError:
        return None


def _vantage(item: Mapping[str, Any], ids: set[str]) -> Vantage | None:
    try:
        kind = VantageKind(text_of(item, "kind"))
    except ValueError:
        return None
    beyond = item.get("beyond")
    return Vantage(
        id=text_of(item, "id"),
        kind=kind,
        beyond=beyond if beyond in ids else None,
        server=text_of(item, "server") or None,
        username=text_of(item, "username") or None,
    )
