"""The way of a packet, and of the reply to it, through a rule set.

Many senders are walked at once: a rule about sources parts them. A match that cannot be decided is taken both ways, so
that the fates are all that can be. They are exact where nothing was in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from wizard.configs.packet_filter.matching import Matching
from wizard.configs.packet_filter.packet import Fate, Now, Packet, Phase, Way
from wizard.configs.packet_filter.rules import (
    TRANSLATION,
    Among,
    Base,
    Disguise,
    Doubt,
    Field,
    Hook,
    Jump,
    Named,
    Rate,
    Rule,
    RuleSet,
    SetMark,
    Switch,
    Target,
    Together,
    Translate,
    Untrack,
    Verdict,
)
from wizard.configs.packet_filter.spans import Span, Spans, united, without

DEEPEST = 16
"""Jumps within jumps that nftables allows; a rule set with a cycle has more."""
BUDGET = 200_000
"""Steps before a walk is given up: jumps upon jumps can make a short file endless."""
_LOOPBACK = {4: (127 << 24, (128 << 24) - 1), 6: (1, 1)}


def walk(rules: RuleSet, packet: Packet) -> tuple[Fate, ...]:
    """Every fate that the packet can have: through all hooks on its way in, its reply's on the way back, and that of
    the packet which follows."""
    first = _Walk(rules, packet, Phase.FIRST)
    came = first.through([Way(packet.sources, Now(packet.destination, packet.number, packet.local))])
    reply = _Walk(rules, packet, Phase.REPLY, first.left)
    # The marks of a packet are its own; what is kept is that of the connection.
    back = reply.back([replace(w, now=replace(w.now, mark=0, tracked=True, begun=w.now.tracked)) for w in came])
    ends = [*first.ends, *reply.ends]
    # An answer that connection tracking does not see is not given back the address that was asked.
    astray = [way for way in back if way.now.rewritten and not way.now.tracked]
    ends += (Fate(Verdict.DROP, way, Phase.REPLY) for way in astray)
    left = reply.left
    for way in (way for way in back if way not in astray):
        following = _Walk(rules, packet, Phase.NEXT, left, way.now)
        start = replace(
            way.now, destination=packet.destination, number=packet.number, local=packet.local, mark=0, tracked=True
        )
        passed = following.through([replace(way, now=start)])
        ends += following.ends
        ends += (Fate(Verdict.ACCEPT, replace(each, now=way.now), Phase.NEXT) for each in passed)
        left = following.left
    return tuple(ends)


class _Walk:
    """`settled` is what the first packet of the connection became: the following ones become the same."""

    def __init__(
        self, rules: RuleSet, packet: Packet, phase: Phase, left: int = BUDGET, settled: Now | None = None
    ) -> None:
        self._rules = rules
        self._packet = packet
        self._phase = phase
        self._matching = Matching(packet, phase)
        self._settled = settled
        self.ends: list[Fate] = []
        self.left = left

    def through(self, ways: list[Way]) -> list[Way]:
        """Those that come in, to the machine itself or through it."""
        ways = self._hooks((Hook.INGRESS, Hook.PREROUTING), ways)
        here = self._hooks((Hook.INPUT,), [way for way in ways if way.now.local])
        return here + self._hooks((Hook.FORWARD, Hook.POSTROUTING), [way for way in ways if not way.now.local])

    def back(self, ways: list[Way]) -> list[Way]:
        """Those whose replies come back to the sender."""
        here = self._hooks((Hook.OUTPUT, Hook.POSTROUTING), [way for way in ways if way.now.local])
        through = [way for way in ways if not way.now.local]
        return here + self._hooks((Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING), through)

    def _hooks(self, hooks: Iterable[Hook], ways: list[Way]) -> list[Way]:
        for hook in hooks:
            ways = self._hook(hook, ways)
        return ways

    def _hook(self, hook: Hook, ways: list[Way]) -> list[Way]:
        # Of two chains of one priority, the kernel asks the one that came later first.
        bases = [b for b in reversed(self._rules.bases) if b.hook is hook and self._packet.family in b.families]
        middle = -TRANSLATION if hook in (Hook.POSTROUTING, Hook.INPUT) else TRANSLATION
        bases.sort(key=lambda b: b.priority)
        for base in (b for b in bases if not b.translates and b.priority < middle):
            ways = self._pass(base, ways)
        for base in (b for b in bases if b.translates and self._phase is Phase.FIRST):
            # It sees what is tracked, and has not been rewritten by the one before.
            ready = [w for w in ways if w.now.tracked and not w.now.translated]
            ways = [w for w in ways if not w.now.tracked or w.now.translated] + self._pass(base, ready)
        if self._settled is not None and hook is Hook.PREROUTING:
            ways = [replace(w, now=_as_before(w.now, self._settled)) for w in ways]
        for base in (b for b in bases if not b.translates and b.priority >= middle):
            ways = self._pass(base, ways)
        return ways

    def _pass(self, base: Base, ways: list[Way]) -> list[Way]:
        if base.devices:
            name = self._packet.came_in
            if name is not None and name not in base.devices:
                return ways
        self._matching.at(base)
        accepted: list[Way] = []
        through = self._chain(base.chain, ways, accepted, 0)
        policy = Rule((base.policy,), base.line, base.text, policy=True)
        for way in through:
            decided = self._decided(way, policy) if base.line else way
            if base.policy is Verdict.ACCEPT:
                accepted.append(decided)
            else:
                self.ends.append(Fate(base.policy, way, self._phase, policy))
        if base.devices and self._packet.came_in is None:
            accepted += ways
        return _merged(accepted)

    def _chain(self, name: str, ways: list[Way], accepted: list[Way], depth: int) -> list[Way]:
        """Those that no rule of the chain holds."""
        returned: list[Way] = []
        for rule in self._rules.chains[name]:
            if not ways:
                break
            following: list[Way] = []
            for way in ways:
                self.left -= 1 + len(way.sources) // 5000
                if self.left < 0:
                    self._end(Verdict.UNKNOWN, way, rule)
                    continue
                self._rule(rule, way, following, returned, accepted, depth)
            ways = _merged(following)
        return _merged([*ways, *returned])

    def _decided(self, way: Way, rule: Rule) -> Way:
        # What lets the answers pass is of no interest: every rule set has it.
        return replace(way, rules=way.rules | {rule}) if self._phase is Phase.FIRST else way

    def _end(self, verdict: Verdict, way: Way, rule: Rule) -> None:
        self.ends.append(Fate(verdict, way, self._phase, rule))

    def _rule(
        self, rule: Rule, way: Way, following: list[Way], returned: list[Way], accepted: list[Way], depth: int
    ) -> None:
        """Take a rule's steps. What it does not hold goes on to the `following` rule."""
        ways = [way]
        doubt = False
        for step in rule.steps:
            if isinstance(step, Doubt):
                # What else the rule is about may settle it.
                doubt = True
                continue
            if doubt and not isinstance(step, Among | Named | Together | Rate):
                doubt, ways = False, [replace(each, doubts=each.doubts | {rule}) for each in ways]
                following += ways
            onward: list[Way] = []
            for each in ways:
                match step:
                    case Among() | Named() | Together() | Rate():
                        yes, maybe = self._compared(step, each)
                        self._part(rule, each, yes, maybe, onward, following)
                    case SetMark():
                        onward.append(_marked(each, step))
                    case Untrack():
                        onward.append(replace(each, now=replace(each.now, tracked=False)))
                    case Switch():
                        self._switch(rule, step, each, following, returned, accepted, depth)
                    case _:
                        self._do(rule, step, each, following, returned, accepted, depth)
            ways = onward
            if not ways:
                return
        following += ways

    def _compared(self, match: Among | Named | Together | Rate, way: Way) -> tuple[Spans, Spans]:
        self.left -= len(match.rows) if isinstance(match, Together) else 0
        return self._matching.split(match, way)

    def _part(self, rule: Rule, way: Way, yes: Spans, maybe: Spans, onward: list[Way], following: list[Way]) -> None:
        """Senders that match go onward, the others to the following rule, those in doubt both ways."""
        missed = without(way.sources, united(yes, maybe))
        if yes:
            onward.append(replace(way, sources=yes))
        if missed:
            following.append(replace(way, sources=missed))
        if maybe:
            doubted = replace(way, sources=maybe, doubts=way.doubts | {rule})
            onward.append(doubted)
            following.append(doubted)

    def _switch(
        self,
        rule: Rule,
        switch: Switch,
        way: Way,
        following: list[Way],
        returned: list[Way],
        accepted: list[Way],
        depth: int,
    ) -> None:
        left = way.sources
        for cells, target in switch.rows:
            self.left -= 1
            yes, maybe = self._matching.cells(switch.fields, cells, replace(way, sources=left))
            chosen: list[Way] = []
            self._part(rule, way, yes, maybe, chosen, [])
            for each in chosen:
                self._do(rule, target, each, following, returned, accepted, depth)
            left = without(left, yes)
            if not left:
                return
        rest = replace(way, sources=left)
        if switch.partial:
            self._end(Verdict.UNKNOWN, rest, rule)
        following.append(rest)

    def _do(
        self,
        rule: Rule,
        target: Target,
        way: Way,
        following: list[Way],
        returned: list[Way],
        accepted: list[Way],
        depth: int,
    ) -> None:
        match target:
            case Jump(chain, goto):
                if depth == DEEPEST or chain not in self._rules.chains:
                    self._end(Verdict.UNKNOWN, way, rule)
                    return
                back = self._chain(chain, [way], accepted, depth + 1)
                (returned if goto else following).extend(back)
            case Translate():
                if self._onto_itself(target):
                    self._end(Verdict.UNKNOWN, way, rule)
                else:
                    accepted.append(self._translated(self._decided(way, rule), target))
            case Verdict.ACCEPT | Disguise():
                accepted.append(self._decided(way, rule))
            case Verdict.RETURN:
                returned.append(way)
            case _:
                self._end(target, way, rule)

    def _onto_itself(self, target: Translate) -> bool:
        """Whether it leads to a loopback address: the kernel drops that, unless it was told not to."""
        first, last = _LOOPBACK[self._packet.family]
        return target.host is not None and first <= target.host <= last

    def _translated(self, way: Way, target: Translate) -> Way:
        now = way.now
        number = now.number
        if target.vague:
            number = None
        elif target.ports is not None:
            number = _moved(number, target.ports, target.base)
        addresses = self._packet.own
        led = next(iter(addresses), None) if target.host is None else target.host
        destination = now.destination if target.keeps_host else led
        asked = self._packet.local and target.host == self._packet.destination
        own = target.host is None or target.host in addresses or asked
        local = now.local if target.keeps_host else own and not target.vague
        moved = now.moved or target.vague or target.ports is not None
        # What is handed on to where it goes anyway is no translation to connection tracking.
        known = now.destination is not None and not target.vague
        stays = known and (destination, number) == (now.destination, now.number)
        changed = replace(
            now,
            destination=None if target.vague else destination,
            number=number,
            local=local,
            translated=True,
            rewritten=now.rewritten or not stays,
            moved=moved,
        )
        return replace(way, now=changed)


def _marked(way: Way, step: SetMark) -> Way:
    now = way.now
    connection = step.field is Field.CONNECTION_MARK
    was = now.connection_mark if connection else now.mark
    known = step.keep is not None and (was is not None or step.keep == 0)
    mark = (((was or 0) & (step.keep or 0)) ^ step.flip) if known else None
    changed = replace(now, connection_mark=mark) if connection else replace(now, mark=mark)
    return replace(way, now=changed)


def _as_before(now: Now, settled: Now) -> Now:
    return replace(now, destination=settled.destination, number=settled.number, local=settled.local)


def _moved(number: int | None, ports: Span, base: int | None) -> int | None:
    first, last = ports
    if first == last:
        return first
    if number is None:
        return None
    if base is not None:
        return first + ((number - base) & 0xFFFF) % (last - first + 1)
    # Within the range it stays as it is; from outside the kernel chooses.
    return number if first <= number <= last else None


def _merged(ways: list[Way]) -> list[Way]:
    """Those that fared alike taken together."""
    if len(ways) < 2:
        return ways
    found: dict[Now, Way] = {}
    for way in ways:
        known = found.get(way.now)
        if known is None:
            found[way.now] = way
        else:
            found[way.now] = Way(
                united(known.sources, way.sources), way.now, known.rules | way.rules, known.doubts | way.doubts
            )
    return list(found.values())
