"""Left to choose, Hopwise probes from the places where this computer truly stands, and from no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .invariants import broken
from .lab import Lab
from .scenario import load

pytestmark = pytest.mark.requires("root", "namespaces", "nft")

STANDS = {
    "home": {"outside": {"outside"}, "laptop": {"laptop"}, "host": {"host"}},
    "chain": {"outside": {"outside"}, "cloud": {"cloud"}, "laptop": {"laptop"}, "vm": {"vm", "host"}},
}
FAULTS = {
    "home": ("", "firewall drop", "call not-running"),
    "chain": ("", "group drop", "cloud-firewall reject", "vm-firewall drop", "docker not-forwarded"),
}
CASES = [(name, machine, fault) for name in STANDS for machine in STANDS[name] for fault in FAULTS[name]]


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Lab]]:
    with (
        Lab(load("home").path, tmp_path_factory.mktemp("home")) as home,
        Lab(load("chain").path, tmp_path_factory.mktemp("chain")) as chain,
    ):
        yield {"home": home, "chain": chain}


@pytest.mark.parametrize(("name", "machine", "fault"), CASES)
def test_only_where_the_computer_stands_is_probed_from(
    labs: dict[str, Lab], name: str, machine: str, fault: str
) -> None:
    lab = labs[name]
    lab.break_(*([fault] if fault else []))
    status, result = lab.check(machine, named=False)
    probed = [seen for seen in result["observations"] if seen["outcome"] != "not-checked"]
    assert broken(lab.path, lab.faults, status, result) == []
    assert {seen["vantage"] for seen in probed} == STANDS[name][machine]
