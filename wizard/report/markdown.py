"""The result as a Markdown document (CommonMark with tables), to paste into a forum post or an issue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from wizard.diagnosis.history import Past
from wizard.diagnosis.verdict import Diagnosis, Finding, State
from wizard.diagnosis.words import say, words
from wizard.model.project import Project
from wizard.report.changes import change_text, duration, uptime_rows
from wizard.report.summary import details, moment, observed, port_groups, ranges_text, sentence
from wizard.report.wording import ENGLISH, wording
from wizard.report.wrap import printable

if TYPE_CHECKING:
    from wizard.progress import Result

MARKS = {State.OPEN: "✅", State.BLOCKED: "❌", State.SUSPECT: "⚠️", State.UNKNOWN: "❔"}
# A colon only where a reader of `http://` or `:name:` would make a link or a picture of it.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&$^@]|:(?=//)|:(?=[\w+-]+:)|(?<=www)\.|(?<=WWW)\.|!(?=\[)", re.ASCII)
_OPENS_A_BLOCK = re.compile(r"^(?:[-+=:]|\d{1,9}(?=[.)]))")


def escape(text: str) -> str:
    """`text` on one line so that Markdown shows each character as it is, at the start of a line and in a table too."""
    flat = " ".join(printable(text).split())
    escaped = _SPECIAL.sub(lambda found: "\\" + found.group(), flat)
    return _OPENS_A_BLOCK.sub(_defused, escaped)


def _defused(found: re.Match[str]) -> str:
    text = found.group()
    return f"{text}\\" if text.isdigit() else f"\\{text}"


def code(text: str) -> str:
    """`text` as a code span, in a table too. The empty text is itself."""
    flat = " ".join(printable(text).split()).replace("|", "\\|")
    if not flat:
        return ""
    fence = "`" * (_longest_run(flat) + 1)
    gap = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{gap}{flat}{gap}{fence}"


def code_block(lines: Iterable[str]) -> list[str]:
    """Lines of a fenced block that none of `lines` can end."""
    shown = [printable(line) for line in lines]
    fence = "`" * max(3, max(map(_longest_run, shown), default=0) + 1)
    return [fence, *shown, fence]


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def to_markdown(result: Result, language: str = ENGLISH) -> str:
    """The whole result: verdict, path, ports, findings with what to do, observations."""
    project, diagnosis = result.project, result.diagnosis
    when = wording("tested", language, when=moment(result.started), seconds=f"{result.seconds:.1f}")
    parts = [
        [f"# {escape(project.name)}"],
        [f"{MARKS[diagnosis.state]} **{escape(sentence(project, diagnosis, language))}**"],
        [when],
        [f"## {wording('path', language)}"],
        list(_path(project, diagnosis, language)),
        [f"## {wording('ports', language)}"],
        list(_ports(project, diagnosis, language)),
        [f"## {wording('findings', language)}"],
        *_findings(diagnosis, language),
        *(() if result.past is None else _past(project, result.past, language)),
        [f"## {wording('observations', language)}"],
        list(_observations(result, language)),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _path(project: Project, diagnosis: Diagnosis, language: str) -> Iterator[str]:
    head = [wording(key, language) for key in ("hop", "kind", "address", "state")]
    rows = [
        [
            escape(hop.title),
            wording(f"kind-{hop.kind.value}", language),
            code(hop.address or ""),
            _state(verdict.state, language),
        ]
        for verdict in diagnosis.hops
        for hop in (project.hop(verdict.id),)
    ]
    return table(head, rows)


def _ports(project: Project, diagnosis: Diagnosis, language: str) -> Iterator[str]:
    head = [wording(key, language) for key in ("hop", "outside", "numbers", "state", "reason")]
    rows = [
        [
            escape(project.hop(verdict.id).title),
            code(f"{group.protocol} {ranges_text(group.outside)}"),
            code(ranges_text(group.here)),
            _state(group.state, language),
            escape(group.reason),
        ]
        for verdict in diagnosis.hops
        for group in port_groups(
            project, verdict.id, ((row, say(row.reason, language) if row.reason else "") for row in verdict.ports)
        )
    ]
    return table(head, rows)


def _findings(diagnosis: Diagnosis, language: str) -> Iterator[list[str]]:
    if not diagnosis.findings:
        yield [wording("no-findings", language)]
    for number, finding in enumerate(diagnosis.findings, start=1):
        yield from _finding(number, finding, language)


def _finding(number: int, finding: Finding, language: str) -> Iterator[list[str]]:
    said = words(finding, language)
    severity = wording(f"severity-{finding.severity}", language)
    yield [f"### {number}. {severity}{wording('colon', language)}{escape(said.title)}"]
    yield [escape(said.detail)]
    if said.evidence:
        yield [f"**{wording('evidence', language)}**"]
        yield [f"- {escape(line)}" for line in said.evidence]
    if said.remedy:
        yield [f"**{wording('remedy', language)}**"]
        yield from _remedy(said.remedy)
    if said.next_test:
        yield [f"**{wording('next-test', language)}**"]
        yield [escape(said.next_test)]


def _remedy(lines: Sequence[str]) -> Iterator[list[str]]:
    """Sentences as paragraphs; what is to be copied, which four spaces mark, as one block for each stretch of it."""
    block: list[str] = []
    for line in lines:
        if line.startswith("    "):
            block.append(line.removeprefix("    "))
            continue
        if block:
            yield code_block(block)
            block = []
        yield [escape(line)]
    if block:
        yield code_block(block)


def _past(project: Project, past: Past, language: str) -> Iterator[list[str]]:
    yield [f"## {wording('changes', language)}"]
    yield [wording("watched", language, began=moment(past.began), until=moment(past.until))]
    if not past.changes:
        yield [wording("no-changes", language)]
        return
    lines = [[moment(change.at), escape(change_text(project, change, language))] for change in past.changes]
    yield list(table([wording("time", language), wording("change-heading", language)], lines))
    head = [wording(key, language) for key in ("outside", "ups", "downs", "up", "down")]
    rows = [
        [code(f"{protocol} {outside}"), str(each.ups), str(each.downs), duration(each.up), duration(each.down)]
        for protocol, outside, each in uptime_rows(past)
    ]
    yield list(table(head, rows))


def _observations(result: Result, language: str) -> Iterator[str]:
    rows = observed(result.project, result.observations)
    if not rows:
        yield wording("no-observations", language)
        return
    head = [wording(key, language) for key in ("from", "enters", "address", "port", "outcome", "details")]
    titles = {hop.id: hop.title for hop in result.project.hops}
    cells = [
        [
            escape(row.vantage),
            escape(titles.get(row.enters, row.enters)),
            code(row.address),
            code(f"{row.protocol} {row.ports}"),
            wording(f"outcome-{row.outcome}", language),
            escape(details(row, result.project, language)),
        ]
        for row in rows
    ]
    yield from table(head, cells)


def _state(state: State, language: str) -> str:
    return f"{MARKS[state]} {wording(f'state-{state}', language)}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table whose cells are Markdown."""
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
