"""Changes to a project's table, each giving a new table. No Qt."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any

from wizard.model.hop import HopKind
from wizard.model.problem import KeyPath
from wizard.model.vantage import VantageKind

Table = dict[str, Any]

_KEPT_EMPTY = frozenset({"name", "public_address", "outside", "protocol", "id", "kind"})
"""Keys that a file must have: emptied, they stay, so that what is missing can be said beside the field."""


def with_value(table: Table, path: KeyPath, value: object) -> Table:
    """The value at `path` replaced; "" and None take away a key that a file may leave out."""
    changed = copy.deepcopy(table)
    *way, last = path
    parent: Any = changed
    for part in way:
        parent = parent.setdefault(part, {}) if isinstance(parent, dict) else parent[part]
    optional = last not in _KEPT_EMPTY or (path[0] == "hops" and last == "name")
    if optional and value in ("", None, []):
        parent.pop(last, None)
        if way and way[-1] == "inside" and not parent:
            changed["ports"][way[1]].pop("inside")
    else:
        parent[last] = value
    return changed


def with_public_address(table: Table, address: str) -> Table:
    """Another address for clients; the hops that probes entered by the old one follow."""
    changed = with_value(table, ("public_address",), address)
    for hop in changed.get("hops", []):
        if "address" in hop and hop["address"] == table.get("public_address"):
            hop["address"] = address
    return changed


def with_hop(table: Table, position: int, kind: HopKind, label: str) -> Table:
    """A new hop at `position`."""
    changed = copy.deepcopy(table)
    hops = changed.setdefault("hops", [])
    hops.insert(position, {"id": free_id(kind.value, (hop["id"] for hop in hops)), "kind": kind.value, "name": label})
    return changed


def without_hop(table: Table, position: int) -> Table:
    """A hop taken out, with what pointed at it pointing at its neighbour."""
    changed = copy.deepcopy(table)
    hops = changed["hops"]
    gone = hops.pop(position)["id"]
    heir = hops[position]["id"] if position < len(hops) else None
    for port in changed.get("ports", []):
        inside = port.get("inside", {})
        if gone in inside:
            numbers = inside.pop(gone)
            if heir is not None:
                inside.setdefault(heir, numbers)
        if "inside" in port and not inside:
            del port["inside"]
    if "configs" in changed:
        changed["configs"] = [config for config in changed["configs"] if config.get("hop") != gone]
    for vantage in changed.get("vantages", []):
        if vantage.get("beyond") == gone:
            if position:
                vantage["beyond"] = hops[position - 1]["id"]
            else:
                del vantage["beyond"]
    return changed


def with_hop_moved(table: Table, position: int, by: int) -> Table:
    """A hop moved along the path; `by` -1 is outward."""
    changed = copy.deepcopy(table)
    hops = changed["hops"]
    hops.insert(position + by, hops.pop(position))
    return changed


def with_port(table: Table) -> Table:
    """A new line of the port table, still to be filled in."""
    changed = copy.deepcopy(table)
    ports = changed.setdefault("ports", [])
    names = [port.get("name", "") for port in ports]
    name = next(f"port {n}" for n in range(len(ports) + 1, len(ports) + len(names) + 2) if f"port {n}" not in names)
    ports.append({"name": name, "protocol": ports[-1].get("protocol", "udp") if ports else "udp", "outside": ""})
    return changed


def with_vantage(table: Table, kind: VantageKind) -> Table:
    """A new place to test from, outside of everything."""
    changed = copy.deepcopy(table)
    vantages = changed.setdefault("vantages", [])
    stem = {VantageKind.LOCAL: "this-computer", VantageKind.TURN: "relay", VantageKind.SSH: "host"}[kind]
    found: Table = {"id": free_id(stem, (vantage.get("id", "") for vantage in vantages)), "kind": kind.value}
    if kind is not VantageKind.LOCAL:
        found["server"] = ""
    vantages.append(found)
    return changed


def without(table: Table, kind: str, position: int) -> Table:
    """An element of one of the lists taken out."""
    changed = copy.deepcopy(table)
    del changed[kind][position]
    return changed


def free_id(stem: str, taken: Iterable[str]) -> str:
    """`stem` as an id, numbered if it is taken."""
    stem = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "item"
    used = set(taken)
    return (
        stem if stem not in used else next(f"{stem}-{n}" for n in range(2, len(used) + 3) if f"{stem}-{n}" not in used)
    )


def value_at(table: Mapping[str, Any], path: KeyPath) -> Any:
    """The value at `path`; None if there is none."""
    found: Any = table
    for part in path:
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            return None
    return found
