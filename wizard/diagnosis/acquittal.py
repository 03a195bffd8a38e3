"""Probes of which nothing came to the network card while it was watched: what is behind the card did not stop them.

Rules:
 1. Only signed UDP probes count, asked again and again, all of whose requests fall into the watched time.
 2. Two computers' clocks are compared by what both tell of probes that got through; where nothing did, nothing is said.
 3. A probe that a tunnel or a container hands on is sent anew on the way: it may have been stopped on the host itself.
 4. A filter is behind the card if its address is the host's own. One without an address may be a box of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from wizard.model.hop import HopKind
from wizard.model.port import Protocol
from wizard.model.project import Project
from wizard.observation import Observation, Outcome
from wizard.plan import same_address
from wizard.wire.probe import MAX_ID

ASKED_MS = 2000.0
"""Silence that was believed sooner rests on too few requests: loss may have kept all of them from the card."""
TOLD_LATE = timedelta(seconds=1)
"""A responder under load tells of a probe so much after it came, at most."""
_STOPPED = frozenset({Outcome.SILENT, Outcome.REFUSED, Outcome.REJECTED, Outcome.UNREACHABLE})
_ROUTERS = frozenset({HopKind.ROUTER, HopKind.CGNAT})


@dataclass(frozen=True, slots=True)
class Ahead:
    """By how much the responder's clock is ahead of a prober's: at least, and at most."""

    least: timedelta
    most: timedelta


def behind_card(project: Project, watch: Observation) -> int:
    """The outermost hop that is surely on the responder's host, and so behind its network card."""
    found = project.index(watch.enters)
    while found > 0:
        before = project.hops[found - 1]
        if before.kind is not HopKind.FIREWALL or same_address(before.address or "") != same_address(watch.address):
            break
        found -= 1
    return found


def stopped_before(
    project: Project, failed: Observation, watches: Iterable[Observation], ahead: Mapping[str, Ahead]
) -> int | None:
    """The outermost hop that cannot have stopped this probe, given that no report is of it; None if none is cleared."""
    if (
        failed.protocol is not Protocol.UDP
        or failed.outcome not in _STOPPED
        or failed.asked_ms is None
        or (failed.outcome is Outcome.SILENT and failed.asked_ms < ASKED_MS)
        or any(len(text.encode()) > MAX_ID for text in (failed.vantage, failed.enters))
    ):
        return None
    entry = project.index(failed.enters)
    found: list[int] = []
    for watch in watches:
        cleared = behind_card(project, watch)
        sent_anew = any(hop.kind.translates and hop.kind not in _ROUTERS for hop in project.hops[entry:cleared])
        if not sent_anew and _covers(watch, failed, ahead.get(failed.vantage)):
            found.append(cleared)
    return min(found, default=None)


def clocks(answered: Sequence[Observation], reports: Iterable[Observation]) -> dict[str, Ahead]:
    """How each vantage's clock stands to the responder's, by the probes that both tell of."""
    sent = {(o.vantage, o.enters, o.seen_as or ""): o for o in answered if o.asked_ms is not None}
    found: dict[str, Ahead] = {}
    for report in reports:
        of = sent.get((report.probe_vantage or "", report.probe_enters or "", report.seen_as or "?"))
        if of is None or of.asked_ms is None or of.came_in_on != report.came_in_on:
            continue
        least, most = report.at - of.at, report.at - of.at + timedelta(milliseconds=of.asked_ms)
        held = found.get(of.vantage)
        found[of.vantage] = Ahead(
            least if held is None else max(held.least, least), most if held is None else min(held.most, most)
        )
    # Two probes that contradict each other: a clock was set meanwhile.
    return {vantage: ahead for vantage, ahead in found.items() if ahead.least <= ahead.most + TOLD_LATE}


def _covers(watch: Observation, failed: Observation, ahead: Ahead | None) -> bool:
    if watch.watched_since is None or failed.asked_ms is None:
        return False
    began = failed.at - timedelta(milliseconds=failed.asked_ms)
    if watch.by_our_clock and watch.watched_since <= began and failed.at <= watch.at:
        return True
    return (
        ahead is not None
        and watch.watched_since <= began + ahead.least - TOLD_LATE
        and failed.at + ahead.most + TOLD_LATE <= watch.at
    )
