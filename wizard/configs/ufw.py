"""ufw: what `ufw status` prints, user.rules, and ufw's own command lines; written as such lines."""

from __future__ import annotations

import re
from dataclasses import replace

from wizard.configs.iptables import gather
from wizard.configs.packet_filter.reading import FilterReading, reading
from wizard.configs.packet_filter.rules import Base, Field, Hook, Jump, Rule, RuleSet, State, Verdict, among
from wizard.configs.product import Likeness, Product
from wizard.configs.reading import Note, Source, UnreadableError
from wizard.configs.ufw_rule import rule_of_command, rule_of_status
from wizard.configs.ufw_write import write
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase

_STATUS = re.compile(r"^\s*(Status:|状态：?:?)\s*(\S+)", re.MULTILINE)
_INACTIVE = frozenset(("inactive", "不活动", "未激活", "不活跃"))
_DEFAULT = re.compile(r"(deny|reject|allow|disabled) \((incoming|outgoing|routed)\)")
_COMMAND = re.compile(r"^\s*(sudo\s+)?ufw\s+(--force\s+)?(.+)$")
_RULE = re.compile(r"\s{2,}(ALLOW|DENY|REJECT|LIMIT)( (IN|OUT|FWD))?\b")
_POLICIES = {"deny": Verdict.DROP, "reject": Verdict.REJECT, "allow": Verdict.ACCEPT, "disabled": Verdict.DROP}
_HOOKS = {"incoming": Hook.INPUT, "outgoing": Hook.OUTPUT, "routed": Hook.FORWARD}
_UNDERWAY = (among(Field.STATE, State.ESTABLISHED, State.RELATED), Verdict.ACCEPT)
"""What ufw lets through before all rules: packets of connections that it let begin."""


def recognise(text: str) -> Likeness:
    """Its status, its tuples in user.rules, or its commands."""
    head = text[:200_000]
    if re.search(r"^### tuple ###|^:ufw6?-user-input", head, re.MULTILINE):
        # With INPUT in it, it is all of what iptables-save prints on a host with ufw.
        return Likeness.NO if re.search(r"^:INPUT", head, re.MULTILINE) else Likeness.SURE
    if _STATUS.search(head) and (_RULE.search(head) or _STATUS.search(head)[2] in _INACTIVE):  # type: ignore[index]
        return Likeness.SURE
    if re.search(r"^To\s+Action\s+From\s*$", head, re.MULTILINE):
        return Likeness.SURE
    return Likeness.SURE if re.search(r"^\s*(sudo\s+)?ufw\s+\S", head, re.MULTILINE) else Likeness.NO


def read(source: Source) -> FilterReading:
    """Raises UnreadableError."""
    if re.search(r"^\*filter", source.text, re.MULTILINE):
        rules, notes = _user_rules(source)
    else:
        rules, notes = _told(source)
    found = reading("ufw", "ufw", source.name, rules, notes)
    return replace(found, bypassed=True)


def _user_rules(source: Source) -> tuple[RuleSet, list[Note]]:
    """The chains that users' rules stand in, hung where ufw hangs them."""
    tables = gather(source.text)
    for family in tables.families:
        kind = "ufw6" if family == 6 else "ufw"
        for hook, chain in (("INPUT", "input"), ("FORWARD", "forward"), ("OUTPUT", "output")):
            name, users = f"{family} filter {hook}", f"{family} filter {kind}-user-{chain}"
            jump = [Rule((Jump(users),), 0)] if users in tables.chains else []
            tables.chains[name] = [Rule(_UNDERWAY, 0), *jump]
            policy = Verdict.ACCEPT if hook == "OUTPUT" else Verdict.DROP
            tables.bases[name] = replace(tables.bases[name], policy=policy)
    return tables.rules(source.outward), [*tables.notes, Note(Phrase("ufw-default"))]


def _told(source: Source) -> tuple[RuleSet, list[Note]]:
    notes: list[Note] = []
    chains: dict[Hook, list[Rule]] = {hook: [Rule(_UNDERWAY, 0)] for hook in _HOOKS.values()}
    policies: dict[Hook, tuple[Verdict, int, str]] = {}
    status = _STATUS.search(source.text)
    if status is not None and status[2].rstrip("。.") in _INACTIVE:
        return RuleSet({}, ()), [Note(Phrase("ufw-inactive"))]
    known = False
    for number, raw in enumerate(source.text.split("\n"), 1):
        line = raw.strip()
        if line.startswith(("Default:", "默认：")):
            for policy, direction in _DEFAULT.findall(line):
                policies[_HOOKS[direction]] = (_POLICIES[policy], number, line)
                known = True
            continue
        if command := _COMMAND.match(line):
            default = re.match(r"default\s+(allow|deny|reject)(\s+(incoming|outgoing|routed))?", command[3])
            if default:
                policies[_HOOKS[default[3] or "incoming"]] = (_POLICIES[default[1]], number, line)
                known = True
                continue
            told = rule_of_command(command[3])
        elif _RULE.search(raw):
            told = rule_of_status(raw)
        else:
            continue
        if told is None:
            continue
        if not told.understood:
            notes.append(Note(Phrase("line-not-understood", {"text": line}), number))
        if told.limited:
            notes.append(Note(Phrase("rate-limited", {"text": line}), number))
        rule = Rule(told.steps, number, line)
        rules = chains[told.hook]
        rules.insert(1 if told.first else len(rules), rule)
    if not any(len(rules) > 1 for rules in chains.values()) and not known and status is None:
        raise UnreadableError(Phrase("empty"))
    if not known:
        notes.append(Note(Phrase("ufw-default")))
    bases = []
    for hook in chains:
        usual = Verdict.ACCEPT if hook is Hook.OUTPUT else Verdict.DROP
        policy, place, words = policies.get(hook, (usual, 0, ""))
        bases.append(Base(hook.value, hook, policy=policy, line=place, text=words))
    named = {hook.value: tuple(rules) for hook, rules in chains.items()}
    return RuleSet(named, tuple(bases), outward=source.outward), notes


PRODUCT = Product(
    id="ufw",
    title="ufw",
    kinds=(HopKind.FIREWALL,),
    recognise=recognise,
    read=read,
    write=write,
)
