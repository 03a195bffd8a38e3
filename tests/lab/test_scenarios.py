"""The command line, run in real networks, says of every port what was worked out by hand."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path as Folder

import pytest
from _pytest.mark import ParameterSet

from .crew import Crew, Run
from .faults import Fault
from .invariants import EXITS, Port, broken, rows, suspects
from .lab import Lab
from .path import Path, span
from .scenario import Case, Seen, load, names

pytestmark = [pytest.mark.requires("root", "namespaces", "nft"), pytest.mark.timeout(300)]

ALIKE = "no filter tells one sender from another"
"""A finding that rests on filters treating all senders alike says so."""
SCENARIOS = {name: load(name) for name in names()}
CASES = {
    f"{name}: {case.name}": (scenario.path, case) for name, scenario in SCENARIOS.items() for case in scenario.cases
}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, crew: Crew) -> dict[str, Future[list[Run]]]:
    """Every case that was asked for, under way."""
    specs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    asked = [spec.params["case"] for spec in specs if spec is not None]
    return {name: crew.pool.submit(crew.seen, *CASES[name]) for name in asked}


def _parameter(name: str) -> ParameterSet:
    kinds = {vantage.kind for vantage in CASES[name][0].vantages}
    needs = [need for kind, need in (("turn", "coturn"), ("ssh", "sshd")) if kind in kinds]
    return pytest.param(name, marks=pytest.mark.requires(*needs) if needs else ())


@pytest.mark.parametrize("case", [_parameter(name) for name in CASES])
def test_the_verdict_is_the_one_worked_out_by_hand(case: str, runs: dict[str, Future[list[Run]]]) -> None:
    path, told = CASES[case]
    for seen, run in zip(told.seen, runs[case].result(), strict=True):
        where = f"{case}, seen by {', '.join(seen.by)}{' and the arrivals' if seen.arrivals else ''}"
        if seen.misled:
            errors = [finding for finding in run.result["findings"] if finding["severity"] == "error"]
            assert all(ALIKE in " ".join(finding["evidence"]) for finding in errors), where
        else:
            assert broken(path, told.faults, run.status, run.result) == [], where
        _agrees(path, seen, run, where)


def _agrees(path: Path, seen: Seen, run: Run, where: str) -> None:
    blamed = _spread(seen.blames)
    expected = {(p.protocol, n): "open" for p in path.ports for n in range(p.first, p.last + 1)}
    expected |= dict.fromkeys(_spread(seen.unproven), "unknown") | dict.fromkeys(blamed, "blocked")
    assert suspects(run.result) == blamed, where
    assert rows(run.result["ports"]) == expected, where
    assert {hop["id"]: hop["state"] for hop in run.result["hops"]} == dict(seen.hops), where
    assert run.status == EXITS["blocked" if blamed else "unknown" if seen.unproven else "open"], where
    if seen.warns:
        assert suspects(run.result, "warning") == _spread(seen.warns), where
    found = {finding["code"] for finding in run.result["findings"]}
    assert found >= set(seen.codes), where


def _spread(stretches: tuple[str, ...]) -> dict[Port, list[str]]:
    """Each port of "udp 30152-30201: router firewall" with what follows the colon."""
    found: dict[Port, list[str]] = {}
    for stretch in stretches:
        ports, _, accused = stretch.partition(":")
        protocol, numbers = ports.split()
        first, last = span(numbers)
        found |= {(protocol, number): accused.split() for number in range(first, last + 1)}
    return found


def test_the_printed_script_proves_a_path_as_the_command_does(tmp_path: Folder) -> None:
    path = load("big").path
    with Lab(path, tmp_path, "printed") as lab:
        lab.break_("docker off-by-one tcp 10010-10019")
        status, result = lab.check("outside")
    assert broken(path, lab.faults, status, result) == []
    assert suspects(result) == _spread(("tcp 10010-10019: router docker",))


def test_all_ports_silent_take_one_time_out(crew: Crew) -> None:
    path = load("big").path
    case = Case("all silent", (Fault.parse("router not-forwarded"),), (Seen(("outside",), (), (), ()),), timeout_s=5)
    (run,) = crew.seen(path, case)
    assert {row["state"] for row in run.result["ports"]} == {"blocked"}
    assert run.result["seconds"] < 1.3 * 5
