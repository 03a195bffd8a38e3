"""Scenarios: a path in TOML, the faults switched on in it, and the verdicts worked out by hand."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from .faults import Fault
from .path import LabHop, LabVantage, Path, Ports, span

FOLDER = File(__file__).with_name("scenarios")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the vantages in `by`, merged, must conclude. The last of them runs last.

    `blames` has, for each blocked stretch of ports, "udp 30152-30201: router firewall": its suspects, outermost first.
    `unproven` has the stretches that nothing failed on and nothing proved. `hops` is the state of each hop, `codes` are
    findings that must be among those made. `arrivals`: what the responder saw at its network card is merged too.
    `warns` are such stretches of warnings, about another way than the planned one.
    `misled`: a filter tells senders apart, so that the verdict is wrong; then the findings must say what they rest on.
    """

    by: tuple[str, ...]
    blames: tuple[str, ...]
    unproven: tuple[str, ...]
    hops: tuple[tuple[str, str], ...]
    codes: tuple[str, ...] = ()
    arrivals: bool = False
    misled: bool = False
    warns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """Some faults, switched on together, and what is seen of them. The responder stands in at `respond_at`."""

    name: str
    faults: tuple[Fault, ...]
    seen: tuple[Seen, ...]
    timeout_s: float | None = None
    respond_at: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One path and its cases."""

    path: Path
    cases: tuple[Case, ...]


def load(name: str) -> Scenario:
    """The scenario of that file name, without its ending."""
    told = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    return Scenario(_path(told), tuple(_case(case) for case in told.get("cases", [])))


def names() -> list[str]:
    """Every scenario there is."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def _path(told: dict[str, Any]) -> Path:
    return Path(
        told["name"],
        told["public_address"],
        tuple(LabHop(**hop) for hop in told["hops"]),
        tuple(_ports(ports) for ports in told["ports"]),
        tuple(LabVantage(**{**vantage, "options": tuple(vantage.get("options", ()))}) for vantage in told["vantages"]),
        tuple(told.get("resolves", ())),
    )


def _ports(told: dict[str, Any]) -> Ports:
    inside = tuple((hop, span(numbers)[0]) for hop, numbers in told.get("inside", {}).items())
    return Ports(told["name"], told["protocol"], *span(told["outside"]), inside, told.get("speaks"))


def _case(told: dict[str, Any]) -> Case:
    faults = tuple(Fault.parse(fault) for fault in told["faults"])
    return Case(
        told["name"], faults, tuple(_seen(seen) for seen in told["seen"]), told.get("timeout_s"), told.get("respond_at")
    )


def _seen(told: dict[str, Any]) -> Seen:
    hops = tuple((hop, state) for hop, state in (pair.split() for pair in told["hops"].split(",")))
    return Seen(
        tuple(told["by"]),
        tuple(told.get("blames", ())),
        tuple(told.get("unproven", ())),
        hops,
        tuple(told.get("codes", ())),
        told.get("arrivals", False),
        told.get("misled", False),
        tuple(told.get("warns", ())),
    )
