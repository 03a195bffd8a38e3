"""The result of `check --json`, format 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wizard.diagnosis.history import Change, Past
from wizard.diagnosis.verdict import Finding, HopVerdict, PortRow
from wizard.diagnosis.words import say, words
from wizard.observation import Observation
from wizard.report.wording import ENGLISH

if TYPE_CHECKING:
    from wizard.progress import Result

FORMAT = 1
_EXTRAS = ("stands_at", "came_in_on", "source", "service", "error", "probe_vantage", "probe_enters")


def to_json(result: Result, language: str = ENGLISH) -> dict[str, Any]:
    """The whole result as the values of a JSON document."""
    return {
        "format": FORMAT,
        "project": result.project.name,
        "started": _time(result.started),
        "seconds": round(result.seconds, 3),
        "hops": [_hop(hop, language, result.past) for hop in result.diagnosis.hops],
        "ports": [_port(row) | _since(row, result.past) for row in result.diagnosis.ports],
        "findings": [finding_to_json(finding, language) for finding in result.diagnosis.findings],
        "observations": [observation_to_json(observation) for observation in result.observations],
    } | ({} if result.past is None else {"changes": [_change(change) for change in result.past.changes]})


def stream_line(result: Result, changes: Sequence[Change], language: str = ENGLISH) -> str:
    """The whole result on one line; `changes` are those since the line before."""
    return json.dumps(to_json(result, language) | {"changes": [_change(change) for change in changes]})


def dumps(result: Result, language: str = ENGLISH) -> str:
    """The whole result as one JSON document in plain ASCII, which any terminal and any file takes."""
    return json.dumps(to_json(result, language), indent=1)


def observation_to_json(observation: Observation) -> dict[str, Any]:
    """One observation as the values of a JSON object; what was not learnt is left out."""
    record: dict[str, Any] = {
        "vantage": observation.vantage,
        "enters": observation.enters,
        "address": observation.address,
        "port": observation.port,
        "protocol": observation.protocol.value,
        "outcome": observation.outcome.value,
        "rtt_ms": None if observation.rtt_ms is None else round(observation.rtt_ms, 3),
        "seen_as": observation.seen_as,
        "at": _time(observation.at),
    }
    if observation.asked_ms is not None:
        record["asked_ms"] = round(observation.asked_ms, 3)
    if observation.watched_since is not None:
        record["watched_since"] = _time(observation.watched_since)
    return record | {key: value for key in _EXTRAS if (value := getattr(observation, key)) is not None}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _hop(hop: HopVerdict, language: str, past: Past | None) -> dict[str, Any]:
    rows = [
        _port(row) | {"reason": say(row.reason, language) if row.reason else ""} | _since(row, past, hop.id)
        for row in hop.ports
    ]
    since = {} if past is None else {"since": _time(past.hops[hop.id].since)}
    return {"id": hop.id, "state": hop.state.value} | since | {"ports": rows}


def _since(row: PortRow, past: Past | None, hop: str | None = None) -> dict[str, Any]:
    return {} if past is None else {"since": _time(past.since(row, hop))}


def _change(change: Change) -> dict[str, Any]:
    return {
        "at": _time(change.at),
        "protocol": change.protocol.value,
        "outside": str(change.outside),
        "from": change.was.value,
        "to": change.now.value,
        "stopped_by": list(change.stopped_by),
    }


def _port(row: PortRow) -> dict[str, Any]:
    return {"protocol": row.protocol.value, "outside": str(row.outside), "state": row.state.value}


def finding_to_json(finding: Finding, language: str = ENGLISH) -> dict[str, Any]:
    """One finding as the values of a JSON object."""
    said = words(finding, language)
    record: dict[str, Any] = {
        "code": finding.code,
        "severity": finding.severity.value,
        "suspects": list(finding.suspects),
        "protocol": finding.protocol.value if finding.protocol else None,
        "outside": str(finding.outside) if finding.outside else None,
        "title": said.title,
        "detail": said.detail,
        "evidence": list(said.evidence),
        "remedy": list(said.remedy),
    }
    return record | ({"next_test": said.next_test} if said.next_test else {})
