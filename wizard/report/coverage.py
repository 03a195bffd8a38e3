"""Which planned port each configuration covers, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wizard.configs.coverage import Difference, Excess, Readings, coverage, differences, excesses
from wizard.configs.product import Order
from wizard.configs.products import product
from wizard.configs.reading import Note
from wizard.configs.words import say, say_of
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange
from wizard.model.problem import printable
from wizard.model.project import Project
from wizard.observation import Configured, Coverage
from wizard.report.wording import ENGLISH
from wizard.system.config_files import ConfigsRead, NotRead

_MARKS = {Coverage.COVERED: "✔", Coverage.UNKNOWN: "?"}
_STOPS = "✖"


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """The plan laid over the files that were read."""

    project: Project
    rows: tuple[Configured, ...]
    differences: tuple[Difference, ...]
    excesses: tuple[Excess, ...]
    lacking: tuple[tuple[str, Note], ...]
    """What a file lacks beside ports."""
    notes: tuple[tuple[str, Note], ...]
    failed: tuple[NotRead, ...]

    @property
    def status(self) -> int:
        """0 if every hop that has a configuration covers every port, 1 if one would stop a port or lacks
        something else, 3 if it cannot be told."""
        if self.lacking or any(row.coverage.blames for row in self.rows):
            return 1
        unknown = self.failed or not self.rows or any(row.coverage is Coverage.UNKNOWN for row in self.rows)
        return 3 if unknown else 0


def report(project: Project, read: ConfigsRead) -> CoverageReport:
    """Lay the plan over what was read."""
    readings: Readings = read.readings
    rows = coverage(project, readings)
    return CoverageReport(
        project,
        rows,
        differences(project, rows),
        excesses(project, readings),
        tuple(_lacking(project, readings)),
        tuple((reading.file, note) for found in readings.values() for reading in found for note in reading.notes),
        read.failed,
    )


def _lacking(project: Project, readings: Readings) -> Iterator[tuple[str, Note]]:
    for hop, found in readings.items():
        for reading in found:
            lacks = product(reading.product).lacks
            if lacks is not None:
                order = Order(project, project.hop(hop), (), reading)
                yield from ((reading.file, note) for note in lacks(order))


def dumps(told: CoverageReport) -> str:
    """The report as JSON."""
    project = told.project
    return json.dumps(
        {
            "format": 1,
            "project": project.name,
            "hops": [
                {
                    "id": hop.id,
                    "files": list(dict.fromkeys(config.file for config in project.configs if config.hop == hop.id)),
                    "ports": [_row(row) for row in told.rows if row.hop == hop.id],
                }
                for hop in project.hops
            ],
            "differences": [
                {
                    "outer": found.outer,
                    "inner": found.inner,
                    "protocol": found.protocol.value,
                    "outer_passes": [str(numbers) for numbers in found.outer_passes],
                    "inner_passes": [str(numbers) for numbers in found.inner_passes],
                }
                for found in told.differences
            ],
            "too_wide": [
                {
                    "hop": found.hop,
                    "file": found.file,
                    "line": found.line,
                    "protocol": found.protocol.value if found.protocol else None,
                    "numbers": [str(numbers) for numbers in found.numbers],
                }
                for found in told.excesses
            ],
            "notes": [{"file": file, "line": line, "text": say(phrase)} for file, line, phrase in _told(told)],
        },
        ensure_ascii=False,
        indent=2,
    )


def _told(told: CoverageReport) -> Iterator[tuple[str, int | None, Phrase]]:
    yield from ((file, note.line, note.phrase) for file, note in (*told.lacking, *told.notes))
    yield from ((bad.file, bad.error.line, bad.error.phrase) for bad in told.failed)


def _row(row: Configured) -> dict[str, object]:
    return {
        "protocol": row.protocol.value,
        "outside": str(row.outside),
        "coverage": row.coverage.value,
        "file": row.file,
        "lines": list(row.lines),
        "rule": row.rule,
    }


def to_text(told: CoverageReport, language: str = ENGLISH) -> str:
    """The report as it is read in a terminal: hop by hop, then what neighbours differ in, then the sum of it."""
    lines = [printable(told.project.name)]
    for hop in told.project.hops:
        files = dict.fromkeys(config.file for config in told.project.configs if config.hop == hop.id)
        lines += ["", f"{printable(hop.title)}  {', '.join(map(printable, files))}".rstrip()]
        mine = [row for row in told.rows if row.hop == hop.id]
        lines += [_said(row, language) for row in mine]
        lines += [f"  {say_of(bad.file, bad.error, language)}" for bad in told.failed if bad.hop == hop.id]
        if not files:
            lines.append(f"  ? {say(Phrase('no-configuration'), language)}")
    more = [*_differing(told, language), *_wide(told, language)]
    more += [f"  {_STOPS} {say_of(file, note, language)}" for file, note in told.lacking]
    more += [f"  {say_of(file, note, language)}" for file, note in told.notes]
    if more:
        lines += ["", *more]
    state = {0: "✔", 1: _STOPS}.get(told.status, "?")
    key = {0: "covers-all", 1: "has-gaps"}.get(told.status, "not-all-known")
    return "\n".join([*lines, "", f"{state} {say(Phrase(key), language)}"])


def _said(row: Configured, language: str) -> str:
    where = f"{row.protocol} {row.outside}"
    return f"  {_MARKS.get(row.coverage, _STOPS)} {where:<18} {row_text(row, language)}"


def row_text(row: Configured, language: str = ENGLISH) -> str:
    """What a configuration does with the ports of a row, and where it says so."""
    parts = [say(Phrase(f"coverage-{row.coverage}"), language)]
    if row.lines:
        parts.append(say(Phrase("in-lines", {"file": row.file, "lines": _numbers(row.lines)}), language))
    if row.rule:
        parts.append(printable(row.rule))
    return " · ".join(parts)


def _numbers(lines: Sequence[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:4])
    return shown + (", …" if len(lines) > 4 else "")


def _differing(told: CoverageReport, language: str) -> Iterator[str]:
    for found in told.differences:
        values = {
            "outer": told.project.hop(found.outer).title,
            "inner": told.project.hop(found.inner).title,
            "protocol": found.protocol.value,
            "outside": _spoken(found.outer_passes),
            "inside": _spoken(found.inner_passes),
        }
        yield f"  {say(Phrase('neighbours-differ', values), language)}"


def _wide(told: CoverageReport, language: str) -> Iterator[str]:
    for found in told.excesses:
        values = {
            "hop": told.project.hop(found.hop).title,
            "file": found.file,
            "line": str(found.line),
            "numbers": f"{found.protocol or 'tcp+udp'} {_spoken(found.numbers)}",
        }
        yield f"  {say(Phrase('too-wide', values), language)}"


def _spoken(numbers: Sequence[PortRange]) -> str:
    return ", ".join(str(stretch).replace("-", "–") for stretch in numbers[:6]) or "–"
