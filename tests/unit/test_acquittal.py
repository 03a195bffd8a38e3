"""What was not even seen at the watched network card acquits what stands behind it, and only then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.verdict import Severity
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.vantage import Vantage
from wizard.observation import RESPONDER, Observation, Outcome

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOST = "192.168.77.10"
PROJECT = Project(
    name="Calls at home",
    public_address="203.0.113.20",
    hops=(
        Hop("router", HopKind.ROUTER, None, "203.0.113.20"),
        Hop("wall", HopKind.FIREWALL, None, HOST),
        Hop("call", HopKind.SERVICE, None, HOST),
    ),
    ports=(PortPlan("media", Protocol.UDP, PortRange(10000, 10001)),),
    vantages=(Vantage("outside"),),
)
ALL = ("router", "wall", "call")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def by(vantage: str, outcome: Outcome, seconds: float, **more: object) -> Observation:
    base = Observation(vantage, "router", "203.0.113.20", 10000, Protocol.UDP, outcome, at(seconds), asked_ms=4000)
    return replace(base, **more)  # type: ignore[arg-type]


def told(outcome: Outcome, seconds: float, port: int = 10000, **more: object) -> Observation:
    base = Observation(RESPONDER, "call", HOST, port, Protocol.UDP, outcome, at(seconds))
    return replace(base, **({"probe_vantage": "outside", "probe_enters": "router"} | more))  # type: ignore[arg-type]


SILENT = by("outside", Outcome.SILENT, 10)
WATCH = Observation(
    RESPONDER, "call", HOST, 10000, Protocol.UDP, Outcome.NOT_CHECKED, at(60), watched_since=T0, by_our_clock=True
)


def named(*items: Observation, project: Project = PROJECT) -> tuple[str, ...]:
    """The suspects of port 10000; the same whatever the order in which it was learnt."""
    found = set()
    for order in (items, items[::-1]):
        diagnoser = Diagnoser(project)
        diagnoser.extend(order)
        errors = [f for f in diagnoser.diagnosis().findings if f.severity is Severity.ERROR]
        found.add(next(f.suspects for f in errors if f.outside is not None and 10000 in f.outside))
    assert len(found) == 1
    return found.pop()


def test_what_never_came_to_the_watched_card_was_stopped_before_the_host() -> None:
    assert named(SILENT) == ALL
    assert named(SILENT, WATCH) == ("router",)
    diagnoser = Diagnoser(PROJECT)
    diagnoser.extend([SILENT, WATCH])
    assert "not-arrived" in {phrase.key for phrase in diagnoser.diagnosis().findings[0].evidence}


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.REJECTED, Outcome.UNREACHABLE])
def test_who_refused_it_before_the_card_was_not_the_host(outcome: Outcome) -> None:
    assert named(by("outside", outcome, 10, asked_ms=600), WATCH) == ("router",)


@pytest.mark.parametrize(
    ("why", "items"),
    [
        ("the watch began after its first request", (SILENT, replace(WATCH, watched_since=at(6.5)))),
        ("the watch was over before its last request", (SILENT, replace(WATCH, at=at(9)))),
        ("nothing says how the two clocks stand", (SILENT, replace(WATCH, by_our_clock=False))),
        ("too few requests were sent", (replace(SILENT, asked_ms=1000), WATCH)),
        ("nothing says how long it was asked", (replace(SILENT, asked_ms=None), WATCH)),
        ("it came to the wrong number", (SILENT, WATCH, told(Outcome.MISDIRECTED, 7, port=10001))),
        ("it came to a number that is not planned", (SILENT, WATCH, told(Outcome.MISDIRECTED, 7, port=4))),
    ],
)
def test_nothing_changes_where(why: str, items: tuple[Observation, ...]) -> None:
    assert named(*items) == ALL, why


def test_what_arrived_is_not_acquitted_whenever_it_arrived() -> None:
    assert named(SILENT, WATCH, told(Outcome.ARRIVED, 8)) == ("wall", "call")
    assert named(SILENT, WATCH, told(Outcome.ARRIVED, -3600)) == ALL
    assert named(SILENT, WATCH, told(Outcome.ARRIVED, 8, probe_vantage="laptop")) == ("router",)


def hops(*found: Hop) -> Project:
    return replace(PROJECT, hops=found)


R, W, C = PROJECT.hops
DOCKER = Hop("docker", HopKind.CONTAINER, None, HOST)


@pytest.mark.parametrize(
    ("project", "suspects"),
    [
        (hops(R, replace(W, address=None), C), ("router", "wall")),
        (hops(R, replace(W, address="192.168.77.1"), C), ("router", "wall")),
        (hops(R, replace(W, kind=HopKind.SECURITY_GROUP), C), ("router", "wall")),
        (hops(replace(R, kind=HopKind.TUNNEL_SERVER), W, C), ALL),
        (hops(R, W, replace(DOCKER, address=None), C), ("router", "wall", "docker", "call")),
        (hops(replace(R, kind=HopKind.CGNAT), W, C), ("router",)),
    ],
)
def test_only_what_is_surely_behind_the_card_is_acquitted(project: Project, suspects: tuple[str, ...]) -> None:
    assert named(SILENT, WATCH, project=project) == suspects


def test_a_place_whose_name_does_not_fit_into_a_probe_is_not_known_at_the_card() -> None:
    long = "o" * 64
    project = replace(PROJECT, vantages=(Vantage(long),))
    assert named(by(long, Outcome.SILENT, 10), WATCH, project=project) == ALL


def through(vantage: str, seconds: float, ahead: float, asked_ms: float = 20.0) -> list[Observation]:
    """A probe of the other port that got through, as both ends tell of it; the responder's clock is ahead."""
    answered = by(
        vantage,
        Outcome.ANSWERED,
        seconds,
        port=10001,
        asked_ms=asked_ms,
        stands_at="call",
        seen_as="198.51.100.7:5000",
        came_in_on=f"{HOST}:10001",
    )
    report = told(
        Outcome.ANSWERED,
        seconds + ahead,
        port=10001,
        probe_vantage=vantage,
        seen_as="198.51.100.7:5000",
        came_in_on=f"{HOST}:10001",
    )
    return [answered, report]


def moved(seconds: float) -> Observation:
    """The watch of another computer, whose clock is ahead."""
    ahead = timedelta(seconds=seconds)
    return replace(WATCH, watched_since=T0 + ahead, at=at(20) + ahead, by_our_clock=False)


@pytest.mark.parametrize("ahead", [-7200.0, 0.0, 300.0])
def test_a_probe_that_got_through_tells_how_the_clocks_stand(ahead: float) -> None:
    assert named(SILENT, moved(ahead), *through("outside", 5, ahead)) == ("router",)
    late = by("outside", Outcome.SILENT, 19.5)
    assert named(late, moved(ahead), *through("outside", 5, ahead)) == ALL
    early = by("outside", Outcome.SILENT, 4.5)
    assert named(early, moved(ahead), *through("outside", 5, ahead)) == ALL


def test_clocks_are_not_compared_by_another_places_probes_nor_by_such_as_contradict_each_other() -> None:
    assert named(SILENT, moved(0), *through("laptop", 5, 0)) == ALL
    assert named(SILENT, moved(0), *through("outside", 5, 0, asked_ms=12_000)) == ALL
    again = told(Outcome.ANSWERED, 30, port=10001, seen_as="198.51.100.7:5000", came_in_on=f"{HOST}:10001")
    assert named(SILENT, moved(0), *through("outside", 5, 0), again) == ALL


@pytest.mark.parametrize("again", [lambda o: replace(o, at=at(30)), lambda o: replace(o, port=10001, at=at(30))])
def test_once_anything_is_observed_anew_the_watched_time_is_over(again: Callable[[Observation], Observation]) -> None:
    diagnoser = Diagnoser(PROJECT)
    diagnoser.extend([SILENT, WATCH])
    diagnoser.renew([again(SILENT)])
    errors = [f for f in diagnoser.diagnosis().findings if f.severity is Severity.ERROR]
    assert {f.suspects for f in errors} == {ALL}
