"""What changed while a path was watched, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from wizard.diagnosis.history import Change, Past, Uptime
from wizard.diagnosis.verdict import State
from wizard.model.port import PortRange, Protocol
from wizard.model.project import Project
from wizard.report.wording import wording


def change_text(project: Project, change: Change, language: str) -> str:
    """`udp 30152-30352: open → blocked, at Home router`."""
    key, stoppers = "change", change.stopped_by
    if change.now is State.OPEN:
        key, stoppers = "change-mended", change.was_stopped_by
    elif change.stopped_by:
        key = "change-stopped" if change.was is not change.now else "change-moved"
    return wording(
        key if stoppers else "change",
        language,
        ports=f"{change.protocol} {change.outside}",
        was=wording(f"state-{change.was}", language),
        now=wording(f"state-{change.now}", language),
        hops=_hops(project, stoppers, language),
    )


def uptime_rows(past: Past) -> list[tuple[Protocol, PortRange, Uptime]]:
    """How long ports were up and down, neighbours that fared alike in one row."""
    rows: list[tuple[Protocol, PortRange, Uptime]] = []
    for port, uptime in sorted(past.uptimes.items(), key=lambda item: (item[0].protocol, item[0].number)):
        held = rows[-1] if rows else None
        if held is not None and (held[0], held[1].last + 1, held[2]) == (port.protocol, port.number, uptime):
            rows[-1] = (port.protocol, PortRange(held[1].first, port.number), uptime)
        else:
            rows.append((port.protocol, PortRange(port.number, port.number), uptime))
    return rows


def duration(time: timedelta) -> str:
    """`0:02:31`, or `3 d 4:05:06`."""
    days, rest = divmod(int(time.total_seconds()), 86_400)
    clock = f"{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days} d {clock}" if days else clock


def _hops(project: Project, hops: Sequence[str], language: str) -> str:
    titles = [project.hop(hop).title for hop in hops]
    if len(titles) < 2:
        return "".join(titles)
    return wording("or", language, hops=wording("list", language).join(titles[:-1]), last=titles[-1])
