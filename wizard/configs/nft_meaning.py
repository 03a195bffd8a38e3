"""Tables of nftables as rules that packets can be walked through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wizard.configs.nft_change import change, family_of, translation
from wizard.configs.nft_match import ALWAYS, NEVER, Part, UnclearError, cell, parts, row
from wizard.configs.nft_tables import Key, NftChain, NftRule, NftTables
from wizard.configs.packet_filter.rules import (
    TCP,
    Among,
    Base,
    Cell,
    Disguise,
    Doubt,
    Field,
    Hook,
    Jump,
    Named,
    Rate,
    Rule,
    RuleSet,
    Step,
    Switch,
    Target,
    Together,
    Translate,
    Untrack,
    Verdict,
    among,
)
from wizard.configs.packet_filter.spans import Span, normal
from wizard.configs.reading import Note
from wizard.model.phrase import Phrase

_FAMILIES = {"ip": {4}, "ip6": {6}, "inet": {4, 6}, "netdev": {4, 6}, "bridge": {4, 6}}
_VERDICTS = {"accept": Verdict.ACCEPT, "drop": Verdict.DROP, "return": Verdict.RETURN}
_POLICIES = {"drop": Verdict.DROP, "unknown": Verdict.UNKNOWN}
_NO_MATTER = frozenset(
    ("counter", "log", "last", "comment", "dup", "flow", "ct helper", "ct timeout", "ct expectation", "secmark")
)
_CHOSEN = frozenset(("numgen", "jhash", "symhash"))
_FLAGS_OF_RANDOM = frozenset(("random", "fully-random", "prefix"))
_ANY = (0, 1 << 128)


def meaning(tables: NftTables, outward: tuple[str, ...] = ()) -> tuple[RuleSet, list[Note]]:
    """The rule set, and notes on what of it was not understood."""
    return _Meaning(tables).all(outward)


@dataclass(slots=True)
class _Here:
    """The rule that is being read."""

    family: str
    table: str
    unclear: bool = False
    limited: bool = False


class _Meaning:
    def __init__(self, tables: NftTables) -> None:
        self._tables = tables
        self._notes: list[Note] = []
        changed = (
            (key[0], key[1], str(told["set"].get("set", "")).lstrip("@"))
            for key, rules in tables.rules.items()
            for rule in rules
            for told in rule.statements
            if isinstance(told.get("set"), Mapping)
        )
        # A set that packets change holds more than the listing says.
        self._moving = frozenset(changed)

    def all(self, outward: tuple[str, ...]) -> tuple[RuleSet, list[Note]]:
        chains = {
            " ".join(key): tuple(self._rule(key, rule) for rule in rules)
            for key, rules in self._tables.rules.items()
            if key[0] != "arp"
        }
        bases = [base for key, chain in self._tables.chains.items() for base in self._bases(key, chain, chains)]
        families = {number for name in self._tables.families for number in _FAMILIES.get(name, ())}
        return RuleSet(chains, tuple(bases), frozenset(families), outward), self._notes

    def _bases(self, key: Key, chain: NftChain, chains: dict[str, tuple[Rule, ...]]) -> Iterator[Base]:
        told = chain.told
        if "hook" not in told or key[:2] in self._tables.dormant or key[0] == "arp":
            return
        name = " ".join(key)
        hook = str(told["hook"])
        policy = _POLICIES.get(str(told.get("policy")), Verdict.ACCEPT)
        if key[0] == "bridge" or hook not in {each.value for each in Hook}:
            if policy is Verdict.ACCEPT and all(not rule.steps for rule in chains[name]):
                return
            # Frames that a bridge hands on, or packets as they leave a device: whether ours are among them, who knows.
            self._notes.append(Note(Phrase("line-not-understood", {"text": chain.text}), chain.line))
            chains[name] = (Rule((Doubt(), Verdict.DROP), chain.line, chain.text),)
            hook, policy = "input", Verdict.ACCEPT
        devices = told.get("dev") or ()
        yield Base(
            name,
            Hook(hook),
            int(told.get("prio", 0)),
            policy,
            chain.line,
            chain.text,
            frozenset(_FAMILIES[key[0]]),
            told.get("type") == "nat",
            tuple(devices if isinstance(devices, list | tuple) else [devices]),
        )

    def _rule(self, key: Key, rule: NftRule) -> Rule:
        here = _Here(key[0], key[1])
        steps = [step for told in rule.statements for step in self._statement(here, told)]
        if here.unclear:
            self._notes.append(Note(Phrase("line-not-understood", {"text": rule.text}), rule.line or None))
        if here.limited and any(isinstance(step, Verdict) for step in steps):
            self._notes.append(Note(Phrase("rate-limited", {"text": rule.text}), rule.line or None))
        return Rule(tuple(steps), rule.line, rule.text)

    def _statement(self, here: _Here, told: Mapping[str, Any]) -> list[Step]:
        try:
            (name, value), *_ = told.items()
            return self._known(here, name, value)
        except UnclearError:
            here.unclear = True
            return [Doubt()]
        except (KeyError, ValueError, TypeError, AttributeError, IndexError):
            here.unclear = True
            return [Verdict.UNKNOWN]

    def _known(self, here: _Here, name: str, value: Any) -> list[Step]:
        if name in _VERDICTS or name in ("jump", "goto"):
            return [self._target(here, {name: value})]
        if name in _NO_MATTER or name == "continue":
            return []
        match name:
            case "reject":
                return [*_answerable(value), Verdict.REJECT]
            case "match":
                return self._match(here, value)
            case "vmap":
                return self._vmap(here, value)
            case "dnat" | "redirect":
                return self._translate(here, name, value or {})
            case "snat" | "masquerade":
                return [Disguise()]
            case "notrack":
                return [Untrack()]
            case "limit":
                return [self._limit(here, value)]
            case "ct count":
                if int(value["val"]) < 1:
                    raise UnclearError
                return [Rate(over=bool(value.get("inv")))]
            case "mangle":
                return change(value)
            case "set" | "meter":
                told = value.get("stmt") or []
                return [step for each in _list(told) for step in self._statement(here, each)]
            case "unknown":
                raise UnclearError
            case "xt":
                return self._extension(here, value)
            case _:
                here.unclear = True
                return [Verdict.UNKNOWN]

    def _extension(self, here: _Here, value: Any) -> list[Step]:
        kind = value.get("type") if isinstance(value, Mapping) else None
        name = str(value.get("name")) if isinstance(value, Mapping) else ""
        if kind == "match" and name == "comment":
            return []
        if kind == "target" and name in ("LOG", "NFLOG", "TCPMSS", "CHECKSUM"):
            return []
        here.unclear = True
        lossy = Note(Phrase("listing-of-iptables"))
        self._notes += [] if lossy in self._notes else [lossy]
        return [Doubt()] if kind == "match" else [Doubt(), Verdict.UNKNOWN]

    def _target(self, here: _Here, told: Mapping[str, Any]) -> Target:
        (name, value), *_ = told.items()
        if name in _VERDICTS:
            return _VERDICTS[name]
        return Jump(f"{here.family} {here.table} {value['target']}", name == "goto")

    def _limit(self, here: _Here, value: Any) -> Rate:
        here.limited = True
        if isinstance(value, str):
            known = self._tables.limits.get((here.family, here.table, value))
            if known is None:
                raise UnclearError
            return Rate(over=bool(known.get("inv")))
        return Rate(over=bool(value.get("inv")))

    def _match(self, here: _Here, told: Mapping[str, Any]) -> list[Step]:
        fields = parts(told["left"])
        needs: list[Step] = [need for part in fields for need in part.needs]
        if NEVER in needs:
            return [NEVER]
        operator, right = str(told.get("op", "==")), told["right"]
        if operator in ("<", ">", "<=", ">="):
            return [*needs, _compared(fields[0], operator, right)]
        negated = operator == "!="
        part = fields[0]
        if part.flags and len(fields) == 1 and part.mask is None and not _is_set(right):
            return [*needs, _flagged(part, operator, right)]
        values, partial = self._values(here, right)
        rows: list[tuple[Cell, ...]] = []
        for each in values:
            try:
                rows.append(row(fields, each))
            except UnclearError:
                partial = True
        if partial:
            here.unclear = True
        return [*needs, _among(fields, rows, negated=negated, partial=partial)]

    def _values(self, here: _Here, right: Any) -> tuple[list[Any], bool]:
        """The values that something is compared with, and whether there may be more."""
        if isinstance(right, Mapping) and "set" in right:
            return [each for told in _list(right["set"]) for each in _list(_plain(told))], False
        if isinstance(right, str) and right.startswith("@"):
            key = (here.family, here.table, right[1:])
            known = self._tables.sets.get(key)
            if known is None:
                raise UnclearError
            return [_plain(told) for told in known["elem"]], "dynamic" in known["flags"] or key in self._moving
        if isinstance(right, Mapping) and "|" in right:
            right = right["|"]
        return _list(right), False

    def _pairs(self, here: _Here, data: Any) -> tuple[list[tuple[Any, Any]], bool]:
        """Those of a map, the one for all others last, and whether there may be more."""
        partial = False
        if isinstance(data, str) and data.startswith("@"):
            key = (here.family, here.table, data[1:])
            known = self._tables.sets.get(key)
            if known is None:
                return [], True
            pairs, partial = known["elem"], "dynamic" in known["flags"] or key in self._moving
        else:
            pairs = data["set"]
        found = [(_plain(pair[0]), pair[1]) for pair in _list(pairs) if isinstance(pair, list)]
        return sorted(found, key=lambda pair: pair[0] == "*"), partial

    def _vmap(self, here: _Here, told: Mapping[str, Any]) -> list[Step]:
        if isinstance(told["key"], Mapping) and _CHOSEN & set(told["key"]):
            here.unclear = True
            return [Doubt(), Verdict.UNKNOWN]
        fields = parts(told["key"])
        needs: list[Step] = [need for part in fields for need in part.needs]
        pairs, partial = self._pairs(here, told["data"])
        rows: list[tuple[tuple[Cell, ...], Target]] = []
        for key, target in pairs:
            if "continue" not in target:
                rows.append((row(fields, key), self._target(here, target)))
        return [*needs, Switch(tuple(part.field for part in fields), tuple(rows), partial)]

    def _translate(self, here: _Here, name: str, told: Mapping[str, Any]) -> list[Step]:
        family = family_of(here.family, told)
        needs: list[Step] = [among(Field.FAMILY, family)] if here.family == "inet" and name == "dnat" else []
        vague = bool(_FLAGS_OF_RANDOM & set(_list(told.get("flags") or [])))
        host, numbers = told.get("addr"), told.get("port")
        for mapped in (host, numbers):
            if isinstance(mapped, Mapping) and "map" in mapped:
                return [*needs, *self._mapped(here, name, told, family, vague=vague)]
        return [*needs, translation(name, host, numbers, family, vague=vague)]

    def _mapped(self, here: _Here, name: str, told: Mapping[str, Any], family: int, *, vague: bool) -> list[Step]:
        host, numbers = told.get("addr"), told.get("port")
        by_host = isinstance(host, Mapping) and "map" in host
        chosen = host["map"] if isinstance(host, Mapping) and by_host else numbers["map"]  # type: ignore[index]
        if isinstance(chosen["key"], Mapping) and _CHOSEN & set(chosen["key"]):
            return [Translate(None, vague=True)]
        fields = parts(chosen["key"])
        needs: list[Step] = [need for part in fields for need in part.needs]
        pairs, partial = self._pairs(here, chosen["data"])
        rows: list[tuple[tuple[Cell, ...], Target]] = []
        for key, value in pairs:
            if by_host and isinstance(value, Mapping) and "concat" in value:
                target = translation(name, value["concat"][0], value["concat"][1], family, vague=vague)
            elif by_host:
                target = translation(name, value, numbers, family, vague=vague)
            else:
                target = translation(name, host, value, family, vague=vague)
            rows.append((row(fields, key), target))
        return [*needs, Switch(tuple(part.field for part in fields), tuple(rows), partial)]


def _answerable(told: Any) -> list[Step]:
    """What the kind of answer takes for granted, for then nft prints no match for it."""
    kind = str(told.get("type", "")) if isinstance(told, Mapping) else ""
    if kind.startswith("tcp"):
        return [among(Field.PROTOCOL, TCP)]
    family = {"icmp": 4, "icmpv6": 6}.get(kind)
    return [among(Field.FAMILY, family)] if family else []


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [told]


def _plain(told: Any) -> Any:
    """An element without what is counted or said of it."""
    if isinstance(told, Mapping) and "elem" in told:
        inner = told["elem"]
        return inner["val"] if isinstance(inner, Mapping) and "val" in inner else inner
    if isinstance(told, Mapping) and "set" in told:
        return told["set"]
    return told


def _among(fields: tuple[Part, ...], rows: list[tuple[Cell, ...]], *, negated: bool, partial: bool) -> Step:
    part = fields[0]
    if len(fields) > 1:
        return Together(tuple(each.field for each in fields), tuple(rows), negated, partial)
    cells = [each[0] for each in rows]
    if part.field in (Field.IN, Field.OUT):
        if partial:
            return Together((part.field,), tuple(rows), negated, partial)
        return Named(part.field, tuple(str(each) for each in cells), negated)
    spans = [each for each in cells if not isinstance(each, str)]
    if (256, 256) in spans and part.field is Field.FAMILY:
        return ALWAYS if negated else NEVER
    return Among(part.field, normal(spans), negated, part.mask, partial)


def _is_set(right: Any) -> bool:
    return (isinstance(right, Mapping) and "set" in right) or (isinstance(right, str) and right.startswith("@"))


def _flagged(part: Part, operator: str, right: Any) -> Step:
    """Bits: without an operator any of them will do, with `!` none may be there, else they are the whole value."""
    if isinstance(right, Mapping) and "|" in right:
        right = right["|"]
    spans = [part.spell(each) for each in _list(right)]
    bits = sum(span[0] for span in dict.fromkeys(spans) if not isinstance(span, str))
    if operator in ("in", "implicit", "!"):
        return Among(part.field, ((1, 0xFFFF),), operator == "!", bits)
    if part.field is Field.TRANSLATED:
        # Beside the bit that is looked at here stand others.
        raise UnclearError
    return Among(part.field, ((bits, bits),), operator == "!=")


def _compared(part: Part, operator: str, right: Any) -> Step:
    found = cell(part, right)
    if isinstance(found, str):
        raise UnclearError
    spans: dict[str, Span] = {
        "<": (0, found[0] - 1),
        "<=": (0, found[1]),
        ">": (found[1] + 1, _ANY[1]),
        ">=": (found[0], _ANY[1]),
    }
    span = spans[operator]
    return Among(part.field, (span,) if span[0] <= span[1] else (), mask=part.mask)
