"""Observations of an earlier run, or of a responder, read back for `--with`."""

from __future__ import annotations

import ipaddress
import json
import math
from datetime import UTC, datetime
from typing import Any, TypeVar

from wizard.model.port import Protocol, merge
from wizard.model.project import Project, arrival_numbers
from wizard.observation import RESPONDER, Observation, Outcome
from wizard.plan import same_address
from wizard.report.json import FORMAT

_Word = TypeVar("_Word", Protocol, Outcome)


_LONGEST = 80
"""Characters of a value that are shown where it is complained about."""


class EarlierError(ValueError):
    """The text is not the result of a run; the message is one sentence that says why."""


class _UnfitError(ValueError):
    """An observation that cannot be taken for this project. The reason may have a gap for ports, `{}`."""

    def __init__(self, reason: str, port: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.port = port


def read_observations(text: str, project: Project) -> tuple[tuple[Observation, ...], tuple[str, ...]]:
    """The observations in a `check --json` document or in lines of `respond --json`, and notes on what was left out.

    What could make a verdict false is left out: another hop, port or address than this project has, an unknown
    outcome. What is merely missing (a time, an RTT) is not asked for. Raises EarlierError for any other text.
    """
    records, notes, started = _records(text.removeprefix("\ufeff"), project)
    broken = bool(notes)
    fit: list[Observation] = []
    unfit: dict[str, list[_UnfitError]] = {}
    planned = _numbers(project)
    for record in records:
        try:
            fit.append(_observation(record, project, planned, started))
        except _UnfitError as found:
            unfit.setdefault(found.reason, []).append(found)
    notes += [_note(reason, found) for reason, found in unfit.items()]
    if unfit or broken:
        # What was left out may have been an arrival: that nothing else came is not proven.
        fit = [each for each in fit if each.watched_since is None]
    if not records:
        notes.append("it holds no observation")
    return tuple(fit), tuple(notes)


def _note(reason: str, found: list[_UnfitError]) -> str:
    count = "1 observation" if len(found) == 1 else f"{len(found)} observations"
    ports = ", ".join(str(stretch) for stretch in merge(f.port for f in found if f.port is not None))
    return f"{count} left out: {reason.replace('{}', ports) if ports else reason}"


def _records(text: str, project: Project) -> tuple[list[object], list[str], datetime]:
    start = text.lstrip()
    document = _parsed(text) if start.startswith(("{", "[")) else None
    if isinstance(document, dict) and ("observations" in document or "format" in document):
        return _of_document(document, project)
    if isinstance(document, list):
        raise EarlierError("it is a JSON list, not the result of `hopwise check --json` or `hopwise respond --json`")
    return _of_lines(text)


def _of_document(document: dict[str, Any], project: Project) -> tuple[list[object], list[str], datetime]:
    if document.get("format", FORMAT) != FORMAT:
        raise EarlierError(f"it has format {_shown(document['format'])}, and this Hopwise reads format {FORMAT}")
    records = document.get("observations")
    if not isinstance(records, list):
        raise EarlierError("it has no list of observations, so it is not a result of `hopwise check --json`")
    name = document.get("project")
    other = isinstance(name, str) and name != project.name
    notes = [f"it is about the project {_shown(name)}; this one is {project.name!r}"] if other else []
    return records, notes, _moment(document.get("started")) or _UNKNOWN_TIME


_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Earlier than every dated observation, which so goes before one without a date."""


def _of_lines(text: str) -> tuple[list[object], list[str], datetime]:
    records: list[object] = []
    broken: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.strip() == "ready":
            continue
        parsed = _parsed(line)
        if isinstance(parsed, dict):
            records.append(parsed)
        else:
            broken.append(number)
    if broken and not records:
        raise EarlierError(
            f"line {broken[0]} is neither the result of `hopwise check --json` nor a line of `hopwise respond --json`"
        )
    return records, [f"line {number} left out: it is no JSON object" for number in broken], _UNKNOWN_TIME


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


_Planned = dict[str, dict[Protocol, set[int]]]


def _numbers(project: Project) -> _Planned:
    """The numbers on which probes arrive at each hop, for each planned protocol."""
    numbers: _Planned = {hop.id: {protocol: set() for protocol in Protocol} for hop in project.hops}
    for plan in project.ports:
        for hop, first in zip(project.hops, arrival_numbers(project.hops, plan, plan.outside.first), strict=True):
            numbers[hop.id][plan.protocol].update(range(first, first + len(plan.outside)))
    return numbers


def _observation(record: object, project: Project, planned: _Planned, started: datetime) -> Observation:
    if not isinstance(record, dict):
        raise _UnfitError("it is no JSON object")
    vantage, enters, address = (_text(record, key) for key in ("vantage", "enters", "address"))
    protocol = _member(Protocol, record, "protocol")
    outcome = _member(Outcome, record, "outcome")
    port = record.get("port")
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise _UnfitError(f"port = {_shown(port)} is no port number")
    # Without `stands_at` it is the real service that answered: what is there must not be passed over.
    stands_at = _text(record, "stands_at") if record.get("stands_at") is not None else None
    probe_enters = _optional(record, "probe_enters")
    for key, hop in (("enters", enters), ("stands_at", stands_at), ("probe_enters", probe_enters)):
        if hop is not None and hop not in planned:
            raise _UnfitError(f"{key} = {_shown(hop)} is no hop of this project")
    # The protocol that is not planned is probed as well, to find a rule made for the wrong one.
    if port not in planned[enters][protocol] | planned[enters][protocol.other]:
        raise _UnfitError(f"{protocol} {{}} is not planned at {enters!r}", port)
    if outcome is Outcome.ARRIVED and vantage != RESPONDER:
        raise _UnfitError(f"only the responder can see that a probe arrived, and vantage = {_shown(vantage)}")
    # A responder names its own host's address, which need not be the one that probes are sent to.
    if vantage != RESPONDER and _elsewhere(project.hop(enters).address, address):
        raise _UnfitError(f"{address.partition('%')[0]} is not the address of {enters!r}")
    return Observation(
        vantage=vantage,
        enters=enters,
        address=address,
        port=port,
        protocol=protocol,
        outcome=outcome,
        at=_moment(record.get("at")) or started,
        rtt_ms=_number(record.get("rtt_ms")),
        seen_as=_optional(record, "seen_as"),
        error=_optional(record, "error"),
        stands_at=stands_at,
        came_in_on=_optional(record, "came_in_on"),
        source=_optional(record, "source"),
        service=_optional(record, "service"),
        probe_vantage=_optional(record, "probe_vantage"),
        probe_enters=probe_enters,
        asked_ms=_number(record.get("asked_ms")),
        watched_since=_moment(record.get("watched_since")) if vantage == RESPONDER else None,
    )


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value:
        raise _UnfitError(f"{key} is missing" if key not in record else f"{key} = {_shown(value)} is no text")
    return value


def _optional(record: dict[str, Any], key: str) -> str | None:
    value = record.get(key)
    return value if isinstance(value, str) and value else None


def _member(kind: type[_Word], record: dict[str, Any], key: str) -> _Word:
    value = _text(record, key)
    try:
        return kind(value)
    except ValueError:
        raise _UnfitError(f"{key} = {_shown(value)} is not known") from None


def _shown(value: object) -> str:
    """A value as it may be printed in one line, whatever is in it."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _elsewhere(planned: str | None, address: str) -> bool:
    """Whether both are addresses of one family and differ. The other family is another door to the same name."""
    if planned is None:
        return False
    try:
        ours, theirs = ipaddress.ip_address(planned), ipaddress.ip_address(address)
    except ValueError:
        return False
    return ours.version == theirs.version and same_address(planned) != same_address(address)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
