"""What never came to the host's network card acquits what is behind it, by the files of three programs put together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.verdict import Severity
from wizard.model.load import load as load_project
from wizard.report.earlier import read_observations

from .lab import Lab
from .scenario import load

pytestmark = pytest.mark.requires("root", "namespaces", "nft")

OUTER, INNER = "router not-forwarded udp 30152-30201", "firewall drop udp 30170-30189"


def named(lab: Lab, *texts: str) -> set[tuple[str, tuple[str, ...]]]:
    """The errors that those files together give."""
    project = load_project(lab.project)
    diagnoser = Diagnoser(project)
    for text in texts:
        observations, notes = read_observations(text, project)
        assert notes == ()
        diagnoser.extend(observations)
    return {(str(f.outside), f.suspects) for f in diagnoser.diagnosis().findings if f.severity is Severity.ERROR}


@pytest.mark.parametrize(
    ("faults", "without", "merged"),
    [
        (
            (OUTER, INNER),
            {("30152-30201", ("router", "firewall"))},
            {("30152-30201", ("router",))},
        ),
        ((INNER,), {("30170-30189", ("router", "firewall"))}, {("30170-30189", ("firewall",))}),
    ],
)
def test_of_two_faults_on_the_same_ports_the_outer_is_named_alone_and_the_inner_when_it_is_mended(
    faults: tuple[str, ...],
    without: set[tuple[str, tuple[str, ...]]],
    merged: set[tuple[str, tuple[str, ...]]],
    tmp_path: Path,
) -> None:
    with Lab(load("home").path, tmp_path) as lab:
        lab.break_(*faults)
        # So the watch begins well before the test from outside, and ends well after it.
        lab.check("laptop")
        host, outside = (json.dumps(lab.check(vantage, timeout_s=3)[1]) for vantage in ("host", "outside"))
        lab.check("laptop")
        told = lab.stop("service")
        assert named(lab, host, outside) == without
        assert named(lab, host, outside, told) == merged
