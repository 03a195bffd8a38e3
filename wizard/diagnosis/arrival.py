"""What was seen at the network card of the responder's host, laid beside the probe that got no answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from wizard.diagnosis.hairpin import parse_ip
from wizard.model.hop import HopKind
from wizard.observation import Observation, Outcome

CLOCKS_DIFFER = timedelta(minutes=10)
"""An arrival that is told so much before or after a probe failed was another probe's: clocks differ by less."""
ANSWERED_WITHIN = timedelta(seconds=5)
"""A responder tells that a probe arrived and that it answered it within far less, by one clock."""


def card(
    failed: Observation,
    reports: Iterable[Observation],
    sent: Iterable[Observation],
    positions: Mapping[str, int],
    kinds: Sequence[HopKind],
) -> int | None:
    """The first hop behind the network card at which the probe that failed arrived, if it did and got no answer.

    The card is on the responder's own host: outward of the host's firewalls that stand right before it. What was
    answered there passed those, and its answer was lost anywhere on the way back. `sent` are all probes of the port:
    where a place asked it over both families, only an arrival over the same one is about the probe that failed.
    """
    families = {_family(o.address) for o in sent if (o.vantage, o.enters) == (failed.vantage, failed.enters)}
    mine = [
        report
        for report in reports
        if (report.probe_vantage, report.probe_enters) == (failed.vantage, failed.enters)
        and (len(families) < 2 or _family(report.came_in_on or "") == _family(failed.address))
    ]
    answered = [report for report in mine if report.outcome is Outcome.ANSWERED and report.error is None]
    cards = [
        positions[report.enters]
        for report in mine
        if report.outcome is Outcome.ARRIVED
        and abs(report.at - failed.at) <= CLOCKS_DIFFER
        and not any(_same_probe(report, other) for other in answered)
    ]
    if not cards:
        return None
    found = min(cards)
    while found > 0 and kinds[found - 1] is HopKind.FIREWALL:
        found -= 1
    return found


def _same_probe(arrived: Observation, answered: Observation) -> bool:
    """Whether two reports of one responder are about one probe: a later run may send from the same port again."""
    return arrived.seen_as == answered.seen_as and abs(arrived.at - answered.at) <= ANSWERED_WITHIN


def _family(address: str) -> int:
    ip = parse_ip(address)
    return 0 if ip is None else ip.version
