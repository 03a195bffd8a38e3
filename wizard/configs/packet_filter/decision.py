"""What a rule set does with one packet."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.configs.packet_filter.rules import RuleSet, Verdict
from wizard.configs.packet_filter.walk import Fate, Packet, walk


@dataclass(frozen=True, slots=True)
class Decision:
    """`verdict` on the packet, `reply` on the answer to it; `lines` decide, or keep it from being known.

    `host` and `number` are where an accepted packet is led; None where that cannot be told.
    """

    verdict: Verdict
    reply: Verdict
    lines: tuple[int, ...]
    local: bool = True
    host: int | None = None
    number: int | None = None


def decide(rules: RuleSet, packet: Packet) -> Decision:
    """Exact for a packet of which everything is known, where every rule that counts was understood."""
    fates = walk(rules, packet)
    coming = _one({Verdict.ACCEPT if fate.reply else fate.verdict for fate in fates})
    passed = [fate for fate in fates if fate.reply or fate.verdict is Verdict.ACCEPT]
    ends = {(fate.way.now.local, fate.way.now.destination, fate.way.now.number) for fate in passed}
    local, host, number = ends.pop() if len(ends) == 1 else (False, None, None)
    back = _one({fate.verdict for fate in passed}) if coming is Verdict.ACCEPT else Verdict.UNKNOWN
    return Decision(coming, back, _lines(fates), local, host, number)


def _lines(fates: tuple[Fate, ...]) -> tuple[int, ...]:
    rules = {rule for fate in fates for rule in (*fate.deciding, *fate.way.doubts)}
    return tuple(sorted({rule.line for rule in rules if rule.line}))


def _one(verdicts: set[Verdict]) -> Verdict:
    """Their common one. Dropped or rejected, a packet is stopped."""
    if verdicts <= {Verdict.DROP, Verdict.REJECT} and len(verdicts) > 1:
        return Verdict.DROP
    return next(iter(verdicts)) if len(verdicts) == 1 else Verdict.UNKNOWN
