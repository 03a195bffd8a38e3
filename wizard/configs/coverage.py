"""The planned ports laid over what each hop's configuration says."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from wizard.configs.product import Wanted
from wizard.configs.reading import Answer, Question, Reading
from wizard.model.hop import HopKind
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol, merge
from wizard.model.project import Project, arrival_numbers
from wizard.observation import Configured, Coverage

Readings = Mapping[str, Sequence[Reading]]
"""By the hop's id, the files that configure it."""

_WORST = (
    Coverage.MISSING,
    Coverage.WRONG_PROTOCOL,
    Coverage.WRONG_TARGET,
    Coverage.TRANSLATED_ELSEWHERE,
    Coverage.RESTRICTED,
    Coverage.UNKNOWN,
    Coverage.COVERED,
)
_NEAREST = (Coverage.COVERED, Coverage.UNKNOWN, *reversed(_WORST[:-2]))


@dataclass(frozen=True, slots=True)
class Excess:
    """A rule that lets more in than is planned: beside planned ports, `numbers` that nobody asked for."""

    hop: str
    file: str
    line: int
    protocol: Protocol | None
    numbers: tuple[PortRange, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two neighbours that do not let the same ports through, of the planned ones, by their outside numbers."""

    outer: str
    inner: str
    protocol: Protocol
    outer_passes: tuple[PortRange, ...]
    inner_passes: tuple[PortRange, ...]


def coverage(project: Project, readings: Readings) -> tuple[Configured, ...]:
    """What each hop that has a configuration does with the planned ports: neighbours of one plan
    that fare alike are one row."""
    rows: list[Configured] = []
    for position, hop in enumerate(project.hops):
        files = readings.get(hop.id, ())
        if not files:
            continue
        for plan in project.ports:
            mine: list[Configured] = []
            for number in plan.outside:
                reading, answer = _of_all(files, _question(project, position, plan, number))
                row = Configured(
                    hop=hop.id,
                    protocol=plan.protocol,
                    outside=PortRange(number, number),
                    coverage=answer.coverage,
                    file=reading.file,
                    lines=answer.lines,
                    rule=answer.rule,
                )
                _append(mine, row)
            rows += mine
    return tuple(rows)


def wanted(project: Project, hop_id: str, rows: Sequence[Configured] | None = None) -> tuple[Wanted, ...]:
    """What is to be written for a hop: every planned port, or with `rows` those that these say it does not cover."""
    position = project.index(hop_id)
    found: list[Wanted] = []
    for plan in project.ports:
        missing = (
            (plan.outside,)
            if rows is None
            else merge(n for row in _blaming(rows, hop_id, plan.protocol) for n in row.outside if n in plan.outside)
        )
        for outside in missing:
            arrives, leaves = (
                _stretch(_numbers(project, plan, outside.first), position + step, len(outside)) for step in (0, 1)
            )
            found.append(Wanted(plan.name, plan.protocol, arrives, leaves, _target(project, position)))
    return tuple(found)


def _blaming(rows: Sequence[Configured], hop_id: str, protocol: Protocol) -> Iterator[Configured]:
    return (row for row in rows if row.hop == hop_id and row.protocol is protocol and row.coverage.blames)


def differences(project: Project, rows: Sequence[Configured]) -> tuple[Difference, ...]:
    """Where a hop lets other ports through than the next one inward that has a configuration, too."""
    known = [hop.id for hop in project.hops if any(row.hop == hop.id for row in rows)]
    found: list[Difference] = []
    for outer, inner in pairwise(known):
        for protocol in Protocol:
            outside, inside = (_passing(rows, hop, protocol) for hop in (outer, inner))
            told = [row for row in rows if row.hop in (outer, inner) and row.protocol is protocol]
            if outside != inside and not any(row.coverage is Coverage.UNKNOWN for row in told):
                found.append(Difference(outer, inner, protocol, outside, inside))
    return tuple(found)


def _passing(rows: Sequence[Configured], hop_id: str, protocol: Protocol) -> tuple[PortRange, ...]:
    mine = [row for row in rows if (row.hop, row.protocol, row.coverage) == (hop_id, protocol, Coverage.COVERED)]
    return merge(number for row in mine for number in row.outside)


def excesses(project: Project, readings: Readings) -> tuple[Excess, ...]:
    """The rules that let in more than planned. A rule that has nothing to do with a planned port is none of ours."""
    found: list[Excess] = []
    for position, hop in enumerate(project.hops):
        planned = {
            OutsidePort(plan.protocol, _numbers(project, plan, number)[position])
            for plan in project.ports
            for number in plan.outside
        }
        for reading in readings.get(hop.id, ()):
            for rule in reading.allowed:
                ours = {p.number for p in planned if rule.protocol in (None, p.protocol) and p.number in rule.numbers}
                more = merge(number for number in rule.numbers if number not in ours)
                if ours and more:
                    found.append(Excess(hop.id, reading.file, rule.line, rule.protocol, more))
    return tuple(found)


def _question(project: Project, position: int, plan: PortPlan, number: int) -> Question:
    hop = project.hops[position]
    numbers = _numbers(project, plan, number)
    inward = project.hops[position + 1] if position + 1 < len(project.hops) else None
    return Question(
        protocol=plan.protocol,
        number=numbers[position],
        leaves=numbers[position + 1],
        family=family(project, position),
        translates=hop.kind.translates,
        host=_target(project, position),
        destination=_destination(project, position),
        published=not hop.kind.translates and inward is not None and inward.kind is HopKind.CONTAINER,
    )


def family(project: Project, position: int) -> int:
    """The address family in which packets come to a hop: 4 where only a name is known."""
    return _family(_destination(project, position) or project.public_address)


def _destination(project: Project, position: int) -> str | None:
    """The address that packets are sent to when they come to a hop, where the plan says it."""
    hop = project.hops[position]
    if hop.kind.translates:
        outermost = not any(h.kind.translates for h in project.hops[:position])
        return hop.address or (project.public_address if outermost else None)
    # A filter without an address of its own stands before what it protects, and sees packets sent to that.
    return hop.address or _target(project, position)


def _numbers(project: Project, plan: PortPlan, number: int) -> tuple[int, ...]:
    """The number at each hop, and behind the last, which changes nothing."""
    numbers = arrival_numbers(project.hops, plan, number)
    return (*numbers, numbers[-1])


def _target(project: Project, position: int) -> str | None:
    """Where the hop hands on to. What stands behind the next translator is that one's to know."""
    for hop in project.hops[position + 1 :]:
        if hop.address is not None:
            return hop.address
        if hop.kind.translates:
            break
    return None


def _family(address: str) -> int:
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 4


def _of_all(files: Sequence[Reading], question: Question) -> tuple[Reading, Answer]:
    """What the files of one hop do together: each filter must let the port through, and one of the others must."""
    answers = [(reading, reading.answer(question)) for reading in files]
    # A file that has nothing to tell, such as one for the other address family, leaves it to the others.
    answers = [found for found in answers if found[1] != Answer(Coverage.UNKNOWN)] or answers
    forwards = [found for found in answers if not found[0].every]
    chosen = [found for found in answers if found[0].every]
    if forwards:
        chosen.append(min(forwards, key=lambda found: _NEAREST.index(found[1].coverage)))
    return min(chosen, key=lambda found: _WORST.index(found[1].coverage))


def _append(rows: list[Configured], row: Configured) -> None:
    last = rows[-1] if rows else None
    if last is None or not _alike(last, row):
        rows.append(row)
        return
    rows[-1] = replace(
        last,
        outside=PortRange(last.outside.first, row.outside.last),
        lines=tuple(dict.fromkeys((*last.lines, *row.lines))),
        rule=last.rule if last.rule == row.rule else "",
    )


def _alike(a: Configured, b: Configured) -> bool:
    return (a.hop, a.protocol, a.coverage, a.file, a.outside.last + 1) == (
        *(b.hop, b.protocol, b.coverage, b.file, b.outside.first),
    )


def _stretch(numbers: Sequence[int], position: int, length: int) -> PortRange:
    return PortRange(numbers[position], numbers[position] + length - 1)
