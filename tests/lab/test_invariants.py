"""The rules that every verdict must keep are broken by verdicts that do not keep them."""

from __future__ import annotations

from typing import Any

import pytest

from .faults import Fault
from .invariants import broken
from .path import LabHop, LabVantage, Path, Ports

PATH = Path(
    "two hops",
    "203.0.113.20",
    (LabHop("router", "router", "203.0.113.20"), LabHop("call", "service", "192.168.77.10")),
    (Ports("media", "udp", 10000, 10001),),
    (LabVantage("outside"), LabVantage("laptop", beyond="router")),
)
HOLE = (Fault.parse("router not-forwarded udp 10001"),)


def result(
    router: str = "blocked", call: str = "open", port: str = "blocked", suspect: str = "router"
) -> dict[str, Any]:
    """A true result of a hole at 10001, seen from outside and from the laptop, unless told otherwise."""

    def two(second: str) -> list[dict[str, str]]:
        if second == "open":
            return [{"protocol": "udp", "outside": "10000-10001", "state": "open"}]
        return [{"protocol": "udp", "outside": str(10000 + i), "state": s} for i, s in enumerate(("open", second))]

    def seen(vantage: str, enters: str, number: int, outcome: str) -> dict[str, Any]:
        return {"vantage": vantage, "enters": enters, "port": number, "protocol": "udp", "outcome": outcome}

    return {
        "hops": [
            {"id": "router", "state": router, "ports": two(router)},
            {"id": "call", "state": call, "ports": two(call)},
        ],
        "ports": two(port),
        "findings": [{"severity": "error", "suspects": [suspect], "protocol": "udp", "outside": "10001"}],
        "observations": [
            seen("outside", "router", 10000, "answered"),
            seen("outside", "router", 10001, "silent"),
            seen("laptop", "call", 10000, "answered"),
            seen("laptop", "call", 10001, "answered"),
        ],
    }


def test_a_true_verdict_breaks_no_rule() -> None:
    assert broken(PATH, HOLE, 1, result()) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (result(port="open"), "FALSE GREEN: ('udp', 10001) is open"),
        (result(router="open"), "FALSE GREEN: router is open"),
        (result(call="blocked"), "FALSE RED: call is blocked"),
        (result(suspect="call"), "it is stopped by ['router']"),
        (result(port="unknown"), "('udp', 10001) is unknown, accused are ['router']"),
        (result(router="suspect", suspect="call"), "router is suspect for ('udp', 10001), accused are ['call']"),
        ({**result(), "findings": []}, "('udp', 10001) is blocked, accused are None"),
        ({**result(), "observations": []}, "no probe of it failed"),
        ({**result(), "hops": []}, "the hops are"),
    ],
)
def test_a_wrong_verdict_is_named(wrong: dict[str, Any], words: str) -> None:
    assert any(words in rule for rule in broken(PATH, HOLE, 1, wrong))


def test_a_red_that_nothing_causes_is_named() -> None:
    assert any("FALSE RED: ('udp', 10001) is blocked" in rule for rule in broken(PATH, (), 1, result()))


def test_rows_that_belong_together_are_named() -> None:
    split = {**result(), "ports": [{**row, "state": "blocked"} for row in result()["ports"]]}
    assert any("10000 and 10001 are blocked both" in rule for rule in broken(PATH, HOLE, 1, split))


@pytest.mark.parametrize("status", [0, 2, 3])
def test_a_wrong_exit_status_is_named(status: int) -> None:
    assert broken(PATH, HOLE, status, result()) == [f"exit status {status}, the ports are blocked"]
