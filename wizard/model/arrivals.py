"""The numbers inside: at hops that exist, as long as outside, changed by one translator to one number each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from wizard.model.draft import Draft, PortDraft
from wizard.model.hop import Hop
from wizard.model.misspelling import misspelt
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.problem import KeyPath, key_text
from wizard.model.project import arrival_numbers, translator_of

MOST_HOPS = 64
"""No path of packets is longer."""


def check_arrivals(draft: Draft) -> None:
    """Blame `inside` entries that no path can do, and plans that arrive on the same numbers."""
    ids = [hop.id for hop in draft.hops if hop.id is not None]
    sound: list[tuple[PortDraft, PortPlan]] = []
    # Which hop translates is known only of a path whose hops are all known.
    hops = tuple(Hop(h.id, h.kind) for h in draft.hops if h.id is not None and h.kind is not None)
    known = len(hops) == len(draft.hops) <= MOST_HOPS and len(set(ids)) == len(hops)
    for plan in draft.ports:
        before = len(draft.problems)
        for hop_id, numbers in plan.inside.items():
            path = (*plan.at, "inside", hop_id)
            if hop_id not in ids:
                unknown_hop(draft, path, hop_id, ids, None if numbers is None else str(numbers))
            elif numbers is not None and plan.outside is not None and len(numbers) != len(plan.outside):
                draft.blame(path, "inside-length", str(numbers), here=str(len(numbers)), outside=str(len(plan.outside)))
        if known:
            _check_translators(draft, hops, plan)
        whole = plan.outside is not None and plan.protocol is not None and None not in plan.inside.values()
        if whole and known and len(draft.problems) == before:
            sound.append((plan, plan.plan()))
    _check_arrival_overlaps(draft, hops, sound)


def _check_translators(draft: Draft, hops: tuple[Hop, ...], plan: PortDraft) -> None:
    decided: dict[int, str] = {}
    for position, hop in enumerate(hops):
        numbers = plan.inside.get(hop.id)
        if numbers is None:
            continue
        path = (*plan.at, "inside", hop.id)
        translator = translator_of(hops, position)
        if translator is None:
            draft.blame(path, "inside-no-translator", str(numbers), hop=hop.id)
        elif translator not in decided:
            decided[translator] = hop.id
        elif plan.inside[decided[translator]] not in (None, numbers):
            draft.blame(
                path, "inside-contradicts", str(numbers), other=decided[translator], translator=hops[translator].id
            )


def _check_arrival_overlaps(draft: Draft, hops: tuple[Hop, ...], plans: list[tuple[PortDraft, PortPlan]]) -> None:
    """Blame two plans whose outside numbers differ and that arrive on the same number at a hop."""
    firsts = {id(port): arrival_numbers(hops, plan, plan.outside.first) for port, plan in plans}
    changes = {here for numbers in firsts.values() for here, (a, b) in enumerate(pairwise(numbers), 1) if a != b}
    told: set[tuple[int, int]] = set()
    for position in sorted(changes):
        for protocol in Protocol:
            ranges = [
                (PortRange(firsts[id(port)][position], firsts[id(port)][position] + len(plan.outside) - 1), port)
                for port, plan in plans
                if plan.protocol is protocol
            ]
            for earlier, later in overlaps(ranges):
                pair = id(earlier), id(later)
                if pair in told or _share(earlier.outside, later.outside):
                    continue
                told.add(pair)
                blamed, other = (later, earlier) if later.inside or not earlier.inside else (earlier, later)
                numbers = next(found for found, port in ranges if port is blamed)
                draft.blame(
                    (*blamed.at, "inside" if blamed.inside else "outside"),
                    "inside-overlap",
                    str(numbers),
                    hop=hops[position].id,
                    protocol=protocol.value,
                    other=plan_text(other),
                )


def _share(one: PortRange | None, other: PortRange | None) -> bool:
    return one is not None and other is not None and one.first <= other.last and other.first <= one.last


def unknown_hop(draft: Draft, path: KeyPath, hop_id: str, ids: list[str], value: str | None) -> None:
    if not ids:
        return  # the path is missing, which is said already
    meant = misspelt(hop_id, ids)
    if meant is not None:
        draft.blame(path, "unknown-hop-meant", value, hop=hop_id, meant=meant)
    else:
        draft.blame(path, "unknown-hop", value, hop=hop_id, hops=", ".join(ids[:12]))


def overlaps(ranges: Sequence[tuple[PortRange, PortDraft]]) -> list[tuple[PortDraft, PortDraft]]:
    """Neighbours in ascending order that share a number, each with the earlier in the file first."""
    found: list[tuple[PortDraft, PortDraft]] = []
    reach: tuple[PortRange, PortDraft] | None = None
    for numbers, plan in sorted(ranges, key=lambda pair: (pair[0], pair[1].at[1])):
        if reach is not None and numbers.first <= reach[0].last:
            first, second = sorted((reach[1], plan), key=lambda p: p.at[1])
            found.append((first, second))
        if reach is None or numbers.last > reach[0].last:
            reach = numbers, plan
    return found


def plan_text(plan: PortDraft) -> str:
    return f"{plan.name or key_text(plan.at)} ({plan.outside})"
