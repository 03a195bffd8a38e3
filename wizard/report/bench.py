"""What was tested of STUN and TURN servers, as one value and as the JSON that scripts read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from wizard.audit.finding import Audit
from wizard.report import audit, ice, nat, turn
from wizard.report.ice import IceResult
from wizard.report.nat import NatResult
from wizard.report.turn import TurnResult
from wizard.report.wording import ENGLISH

FORMAT = 1


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Whatever was tested together; None for what was not."""

    started: datetime
    seconds: float
    ice: IceResult | None = None
    turn: TurnResult | None = None
    nat: NatResult | None = None
    audit: Audit | None = None
    users: tuple[str, ...] = ()
    """The names that were logged in with: no report says them, and a redacted one knows by them what to leave out."""


Part = IceResult | TurnResult | NatResult | Audit


def bench_of(started: datetime, seconds: float, parts: Iterable[Part]) -> BenchResult:
    """Those parts as one result; of two of a kind the later one counts."""
    bench = BenchResult(started, seconds)
    for part in parts:
        match part:
            case IceResult():
                bench = replace(bench, ice=part)
            case TurnResult():
                bench = replace(bench, turn=part)
            case NatResult():
                bench = replace(bench, nat=part)
            case Audit():
                bench = replace(bench, audit=part)
    return bench


def to_json(bench: BenchResult, language: str = ENGLISH) -> dict[str, Any]:
    """All of it; each part as the command of its name prints it, null for what was not tested."""
    measured = bench.nat
    return {
        "format": FORMAT,
        "started": bench.started.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "seconds": round(bench.seconds, 3),
        "ice": None if bench.ice is None else ice.to_json(bench.ice, language),
        "turn": None if bench.turn is None else turn.to_json(bench.turn, language),
        "nat": None
        if measured is None
        else nat.to_json(measured.survey, measured.verdict, measured.interface, language),
        "audit": None if bench.audit is None else audit.to_json(bench.audit, language),
    }


def dumps(bench: BenchResult, language: str = ENGLISH) -> str:
    """All of it as one JSON document in plain ASCII, which any terminal and any file takes."""
    return json.dumps(to_json(bench, language), indent=1)
