"""Which further test would split several suspects best."""

from __future__ import annotations

from wizard.diagnosis.case import Case
from wizard.model.phrase import Phrase
from wizard.model.port import OutsidePort
from wizard.observation import Outcome
from wizard.plan import entries


def next_test(case: Case, suspects: tuple[int, ...], port: OutsidePort) -> Phrase | None:
    """The one test to do next, or None where the hop is already known.

    A probe that enters at hop m, or a responder that stands in for hop m, tells the suspects before m from the rest.
    """
    if len(suspects) < 2:
        return None
    hops = case.project.hops
    if not any(o.outcome is Outcome.ANSWERED for held in case.observations.values() for o in held):
        return Phrase("next-responder", {"hop": hops[-1].title})
    probed = {(o.vantage, o.enters) for o in case.observations[port]}
    middle = len(suspects) / 2
    splits = sorted(range(1, len(suspects)), key=lambda before: (abs(before - middle), before))
    for before in splits:
        split = suspects[before]
        for vantage in case.project.vantages:
            if split in entries(case.project, vantage) and (vantage.id, hops[split].id) not in probed:
                return Phrase("next-vantage", {"vantage": vantage.id, "hop": hops[split].title})
    for before in splits:
        split = suspects[before]
        address = hops[split].address
        if address is not None and not any(enters == hops[split].id for _, enters in probed):
            behind = hops[split - 1]
            values = {"behind": behind.title, "hop": hops[split].title, "address": address, "beyond": behind.id}
            return Phrase("next-place", values)
    split = suspects[splits[0]]
    return Phrase("next-stand-in", {"hop": hops[split].title, "id": hops[split].id})
