"""Whoever mends what the findings name comes to the end of it, and is never told to mend what is whole."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import pytest

from .crew import Crew
from .faults import Fault
from .invariants import broken, suspects
from .lab import Lab
from .path import Path
from .scenario import load

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]

PATHS = {name: load(name).path for name in ("home", "double", "six")}
ALONE = {
    "home": ("router not-forwarded udp", "router reject", "router idle-host"),
    "double": ("modem not-forwarded", "modem off-by-one tcp", "router idle-host udp", "router off-by-one"),
    "six": ("router not-forwarded", "router no-route"),
}
"""Faults at hops behind each of which stands a place to test from: those must be named by themselves."""
PAIRS = {
    "home": (
        ("router not-forwarded udp 30152-30201", "firewall drop udp 30202-30251"),
        ("router idle-host tcp", "call not-running"),
    ),
    "double": (
        ("modem not-forwarded udp 10000-10004", "router not-forwarded udp 10003-10009"),
        ("modem drop", "router off-by-one tcp"),
    ),
    "six": (("router no-route", "firewall drop"),),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One whole test: the faults that were there, what came out, and the hops that errors name, in their order."""

    faults: tuple[Fault, ...]
    status: int
    result: dict[str, Any]
    named: tuple[str, ...]


def mended(crew: Crew, path: Path, faults: tuple[str, ...]) -> list[Step]:
    """Tests from every place, and between them what was named exactly is mended, until nothing is left to mend.

    The last test is left out: that a path without a fault is open is shown for each of them elsewhere.
    """
    with crew.lab(path) as lab:
        left = tuple(Fault.parse(fault) for fault in faults)
        steps: list[Step] = []
        while left and len(steps) < len(faults):
            steps.append(_tested(lab, left))
            left = tuple(fault for fault in left if fault.hop not in steps[-1].named)
        return steps


def _tested(lab: Lab, faults: tuple[Fault, ...]) -> Step:
    lab.break_(*faults)
    merged: list[File] = []
    for vantage in lab.path.vantages:
        status, result = lab.check(vantage.id, merged)
        merged = [lab.files / "so-far.json"]
        merged[0].write_text(json.dumps(result))
    errors = [finding for finding in result["findings"] if finding["severity"] == "error"]
    named = dict.fromkeys(finding["suspects"][0] for finding in errors if len(finding["suspects"]) == 1)
    return Step(faults, status, result, tuple(named))


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, crew: Crew) -> dict[tuple[str, tuple[str, ...]], Future[list[Step]]]:
    """Every case that was asked for, under way."""
    specs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    asked = [(spec.params["name"], spec.params["faults"]) for spec in specs if spec is not None]
    return {key: crew.pool.submit(mended, crew, PATHS[key[0]], key[1]) for key in asked}


def _whole(path: Path, steps: list[Step]) -> None:
    for step in steps:
        assert broken(path, step.faults, step.status, step.result) == []
        assert set(step.named) <= {fault.hop for fault in step.faults}
    assert {fault.hop for fault in steps[-1].faults} == set(steps[-1].named)


@pytest.mark.parametrize(("name", "faults"), [(name, (fault,)) for name in ALONE for fault in ALONE[name]])
def test_a_single_fault_is_named_exactly_and_nothing_else_is(
    name: str, faults: tuple[str, ...], runs: dict[tuple[str, tuple[str, ...]], Future[list[Step]]]
) -> None:
    steps = runs[name, faults].result()
    hop = Fault.parse(faults[0]).hop
    assert set(map(tuple, suspects(steps[0].result).values())) == {(hop,)}
    _whole(PATHS[name], steps)


@pytest.mark.parametrize(("name", "faults"), [(name, pair) for name in PAIRS for pair in PAIRS[name]])
def test_two_faults_are_named_one_after_the_other_the_outer_before_the_inner(
    name: str, faults: tuple[str, ...], runs: dict[tuple[str, tuple[str, ...]], Future[list[Step]]]
) -> None:
    path = PATHS[name]
    steps = runs[name, faults].result()
    for step in steps:
        assert list(step.named) == sorted(step.named, key=path.index)
    _whole(path, steps)
