"""What must hold of every result of `check --json`, worked out from its own observations alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from .faults import Fault, Kind, stopped
from .path import Path, span

Port = tuple[str, int]
EXITS = {"open": 0, "blocked": 1, "unknown": 3}
_FAILURES = frozenset({"misdirected", "closed", "refused", "rejected", "unreachable", "silent"})


def rows(listed: list[dict[str, Any]]) -> dict[Port, str]:
    """The state of each port in rows of the result. Raises AssertionError if rows overlap."""
    found: dict[Port, str] = {}
    for row in listed:
        first, last = span(row["outside"])
        for number in range(first, last + 1):
            assert (row["protocol"], number) not in found, f"two rows hold {row['protocol']} {number}"
            found[row["protocol"], number] = row["state"]
    return found


def suspects(result: dict[str, Any], severity: str = "error") -> dict[Port, list[str]]:
    """The hops that findings of a severity accuse, for each port, outermost first."""
    order = [hop["id"] for hop in result["hops"]]
    found: dict[Port, set[str]] = {}
    for finding in result["findings"]:
        if finding["severity"] == severity and finding.get("outside"):
            first, last = span(finding["outside"])
            for number in range(first, last + 1):
                found.setdefault((finding["protocol"], number), set()).update(finding["suspects"])
    return {port: [hop for hop in order if hop in accused] for port, accused in found.items()}


def broken(path: Path, faults: tuple[Fault, ...], status: int, result: dict[str, Any]) -> list[str]:
    """Every rule that the result breaks, in words; empty if none."""
    return list(_broken(path, faults, status, result))


def _broken(path: Path, faults: tuple[Fault, ...], status: int, result: dict[str, Any]) -> Iterator[str]:
    planned = {(p.protocol, n) for p in path.ports for n in range(p.first, p.last + 1)}
    ids = [hop.id for hop in path.hops]
    states = rows(result["ports"])
    per_hop = {hop["id"]: rows(hop["ports"]) for hop in result["hops"]}
    accused = suspects(result)
    truth = stopped(path, faults)
    answered, failed = _evidence(path, result)

    if [hop["id"] for hop in result["hops"]] != ids:
        yield f"the hops are {list(per_hop)}, not {ids}"
        return
    if set(states) != planned or any(set(listed) != planned for listed in per_hop.values()):
        yield "rows and planned ports differ"
        return
    yield from _merged("ports", result["ports"])
    for hop in result["hops"]:
        yield from _merged(hop["id"], hop["ports"])
        found = {row["state"] for row in hop["ports"]}
        worst = next(state for state in ("blocked", "suspect", "unknown", "open") if state in found)
        if hop["state"] != worst:
            yield f"{hop['id']} is {hop['state']}, its ports make it {worst}"

    for port in sorted(planned):
        state = states[port]
        proven = answered.get(port, len(ids))
        if state == "open" and (proven > 0 or port in truth):
            yield f"FALSE GREEN: {port} is open; {truth.get(port, 'no answer entered at the outermost hop')}"
        if (state == "blocked") != (port in accused):
            yield f"{port} is {state}, accused are {accused.get(port)}"
        if state == "blocked" and port not in failed:
            yield f"{port} is blocked, and no probe of it failed"
        if state == "blocked" and port not in truth:
            yield f"FALSE RED: {port} is blocked, and nothing stops it"
        if state == "blocked" and port in truth and not truth[port] & set(accused.get(port, ())):
            yield f"{port}: accused are {accused.get(port)}, it is stopped by {sorted(truth[port])}"
        for position, hop in enumerate(ids):
            here = per_hop[hop][port]
            if here == "open" and proven > position:
                yield f"FALSE GREEN: {hop} is open for {port}, no answer crossed it"
            if here == "open" and hop in truth.get(port, ()) and not _tells_senders_apart(faults, hop):
                yield f"FALSE GREEN: {hop} is open for {port}, which it stops"
            if here == "blocked" and hop not in truth.get(port, ()):
                yield f"FALSE RED: {hop} is blocked for {port}, which it lets through"
            if here == "blocked" and accused.get(port) != [hop] and accused.get(port, []).count(hop) != 1:
                yield f"{hop} is blocked for {port}, accused are {accused.get(port)}"
            if here == "suspect" and hop not in accused.get(port, ()):
                yield f"{hop} is suspect for {port}, accused are {accused.get(port)}"
    overall = "blocked" if "blocked" in states.values() else "open" if set(states.values()) == {"open"} else "unknown"
    if status != EXITS[overall]:
        yield f"exit status {status}, the ports are {overall}"


def _evidence(path: Path, result: dict[str, Any]) -> tuple[dict[Port, int], set[Port]]:
    """For each port the outermost position at which an answered probe entered, and the ports that a probe failed on."""
    arrives: dict[tuple[str, str, int], int] = {}
    for ports in path.ports:
        for outside in range(ports.first, ports.last + 1):
            for hop, number in zip(path.hops, path.numbers(ports, outside), strict=False):
                arrives[hop.id, ports.protocol, number] = outside
    answered: dict[Port, int] = {}
    failed: set[Port] = set()
    for seen in result["observations"]:
        crossed = arrives.get((seen["enters"], seen["protocol"], seen["port"]))
        if crossed is None or seen["vantage"] == "responder":
            continue
        port = (seen["protocol"], crossed)
        if seen["outcome"] == "answered":
            answered[port] = min(answered.get(port, len(path.hops)), path.index(seen["enters"]))
        elif seen["outcome"] in _FAILURES:
            failed.add(port)
    return answered, failed


def _merged(where: str, listed: list[dict[str, Any]]) -> Iterator[str]:
    for one, other in itertools.pairwise(listed):
        neighbours = span(one["outside"])[1] + 1 == span(other["outside"])[0]
        if neighbours and (one["protocol"], one["state"]) == (other["protocol"], other["state"]):
            yield f"{where}: {one['outside']} and {other['outside']} are {one['state']} both, in two rows"


def _tells_senders_apart(faults: tuple[Fault, ...], hop: str) -> bool:
    return any(fault.hop == hop and fault.kind is Kind.WORLD_DROPPED for fault in faults)
