"""What a rule set does with one packet."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.configs.packet_filter.packet import Fate, Packet, Phase
from wizard.configs.packet_filter.rules import RuleSet, Verdict
from wizard.configs.packet_filter.walk import walk


@dataclass(frozen=True, slots=True)
class Decision:
    """`verdict` on the first packet, `reply` on the answer to it, `following` on the sender's next; `lines` decide, or
    keep it from being known.

    `host` and `number` are where an accepted packet is led; None where that cannot be told.
    """

    verdict: Verdict
    reply: Verdict
    following: Verdict
    lines: tuple[int, ...]
    local: bool = True
    host: int | None = None
    number: int | None = None


def decide(rules: RuleSet, packet: Packet) -> Decision:
    """Exact for a packet of which everything is known, where every rule that counts was understood."""
    fates = walk(rules, packet)
    verdicts = [_reached(fates, phase) for phase in (Phase.FIRST, Phase.REPLY, Phase.NEXT)]
    passed = [fate for fate in fates if fate.phase is not Phase.FIRST]
    ends = {(fate.way.now.local, fate.way.now.destination, fate.way.now.number) for fate in passed}
    local, host, number = ends.pop() if len(ends) == 1 else (False, None, None)
    return Decision(verdicts[0], verdicts[1], verdicts[2], _lines(fates), local, host, number)


def _reached(fates: tuple[Fate, ...], phase: Phase) -> Verdict:
    """The verdict in one phase: those that end later were accepted in it."""
    order = list(Phase)
    later = [fate for fate in fates if order.index(fate.phase) >= order.index(phase)]
    return _one({fate.verdict if fate.phase is phase else Verdict.ACCEPT for fate in later})


def _lines(fates: tuple[Fate, ...]) -> tuple[int, ...]:
    rules = {rule for fate in fates for rule in (*fate.deciding, *fate.way.doubts)}
    return tuple(sorted({rule.line for rule in rules if rule.line}))


def _one(verdicts: set[Verdict]) -> Verdict:
    """Their common one. Dropped or rejected, a packet is stopped."""
    if verdicts <= {Verdict.DROP, Verdict.REJECT} and len(verdicts) > 1:
        return Verdict.DROP
    return next(iter(verdicts)) if len(verdicts) == 1 else Verdict.UNKNOWN
