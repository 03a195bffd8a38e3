"""Security groups of Amazon EC2: what `aws ec2 describe-security-groups` prints, and the commands that add to one."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from wizard.configs.coverage import family
from wizard.configs.filtering import BOTH, ONE_PROTOCOL, Action, Chain, FilterRule
from wizard.configs.json_lines import elements, member, parsed, word
from wizard.configs.product import Likeness, Order, Product, Wanted, Written
from wizard.configs.reading import Allowed, Answer, Note, Piece, Question, Server, Source, UnreadableError
from wizard.configs.who import Network, Who, networks, who
from wizard.configs.writing import comment, spoken_ports, written
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange
from wizard.observation import Coverage
from wizard.wire.js_literal import Node

_PROTOCOLS = {"-1": BOTH, "all": BOTH, **ONE_PROTOCOL}


@dataclass(frozen=True, slots=True)
class SecurityGroups:
    """The groups of one file. Which of several a host has is not in it."""

    file: str
    groups: tuple[tuple[str, Chain], ...]
    notes: tuple[Note, ...] = ()
    product: str = "aws"
    every: bool = False
    servers: tuple[Server, ...] = ()
    announced: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[Allowed, ...]:
        """What is let in from anywhere, rule by rule."""
        return tuple(rule for _, chain in self.groups for rule in chain.allowed)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """One hop, whatever the number of groups."""
        return (Piece(HopKind.SECURITY_GROUP, self.groups[0][0] if len(self.groups) == 1 else "AWS"),)

    def answer(self, question: Question) -> Answer:
        """Whether the port is let in; UNKNOWN where the groups differ."""
        answers = [chain.answer(question) for _, chain in self.groups]
        if len({answer.coverage for answer in answers}) == 1:
            return answers[0]
        lines = dict.fromkeys(line for answer in answers for line in answer.lines)
        return Answer(Coverage.UNKNOWN, tuple(lines))


def _recognise(text: str) -> Likeness:
    own = any(key in text for key in ('"IpPermissions"', '"SecurityGroupRules"', '"SecurityGroups"'))
    return Likeness.SURE if own and text.lstrip()[:1] in ("{", "[") else Likeness.NO


def _read(source: Source) -> SecurityGroups:
    top = parsed(source.text)
    notes: list[Note] = []
    listed = member(top, "SecurityGroupRules")
    if isinstance(listed.value, tuple):
        grouped: dict[str, list[FilterRule]] = {}
        for rule in listed.value:
            held = grouped.setdefault(word(member(rule, "GroupId")), [])
            if word(member(rule, "IsEgress")) != "True":
                held.extend(_rules(rule, notes))
        groups = [(name, Chain(tuple(rules))) for name, rules in grouped.items()]
    else:
        given = member(top, "SecurityGroups")
        groups = []
        for group in elements(given if given.value is not None else top):
            if not isinstance(group.value, dict) or "IpPermissions" not in group.value:
                raise UnreadableError(Phrase("aws-no-groups"), group.line or None)
            rules = [rule for entry in elements(group.value["IpPermissions"]) for rule in _rules(entry, notes)]
            groups.append((word(member(group, "GroupId", "GroupName")) or "AWS", Chain(tuple(rules))))
    if not groups:
        raise UnreadableError(Phrase("aws-no-groups"))
    if len(groups) > 1:
        notes.append(Note(Phrase("aws-several", {"groups": ", ".join(name for name, _ in groups)})))
    return SecurityGroups(source.name, tuple(groups), tuple(notes))


def _rules(entry: Node, notes: list[Note]) -> Iterator[FilterRule]:
    name = word(member(entry, "IpProtocol")).lower()
    protocols = _PROTOCOLS.get(name)
    if protocols is None:
        if not name:
            notes.append(Note(Phrase("line-not-understood", {"text": "IpProtocol"}), entry.line))
            yield FilterRule(Action.EITHER, entry.line, "IpProtocol")
        return
    numbers: tuple[PortRange, ...] | None = None
    if protocols is not BOTH:
        try:
            numbers = _numbers(entry)
        except ValueError:
            notes.append(Note(Phrase("line-not-understood", {"text": f"{name} FromPort, ToPort"}), entry.line))
            yield FilterRule(Action.EITHER, entry.line, name, protocols)
            return
    ports = "" if numbers is None else f" {numbers[0]}"
    for version, cidrs in _cidrs(entry).items():
        held: list[Network] = []
        for cidr in cidrs:
            try:
                held.extend(networks(cidr))
            except ValueError:
                notes.append(Note(Phrase("bad-address", {"text": cidr}), entry.line))
                yield FilterRule(Action.EITHER, entry.line, cidr, protocols, numbers)
        if held:
            text = f"{'all' if protocols is BOTH else name}{ports} from {', '.join(cidrs)}"
            families = frozenset((version,))
            yield FilterRule(Action.ADMIT, entry.line, text, protocols, numbers, None, families, who(held, version))
    if elements(member(entry, "PrefixListIds")) or word(member(entry, "PrefixListId")):
        yield FilterRule(Action.ADMIT, entry.line, f"{name} from a prefix list", protocols, numbers, who=Who.PERHAPS)
    if elements(member(entry, "UserIdGroupPairs")) or isinstance(member(entry, "ReferencedGroupInfo").value, dict):
        yield FilterRule(Action.ADMIT, entry.line, f"{name} from a group", protocols, numbers, who=Who.FEW)


def _numbers(entry: Node) -> tuple[PortRange, ...] | None:
    first, last = (member(entry, key) for key in ("FromPort", "ToPort"))
    if first.value is None and last.value is None:
        return None
    low, high = int(word(first)), int(word(last))
    if not 0 <= low <= high <= 65535:
        raise ValueError(f"{low}-{high}")
    return (PortRange(max(low, 1), high),) if high else ()


def _cidrs(entry: Node) -> dict[int, list[str]]:
    lists = {4: ("IpRanges", "CidrIp", "CidrIpv4"), 6: ("Ipv6Ranges", "CidrIpv6", "CidrIpv6")}
    return {
        version: [
            cidr
            for cidr in (
                *(word(member(each, key)) for each in elements(member(entry, plural))),
                word(member(entry, single)),
            )
            if cidr
        ]
        for version, (plural, key, single) in lists.items()
    }


def _write(order: Order) -> Written:
    held = order.existing.pieces[0].label if order.existing is not None and order.existing.pieces else ""
    group = held if held.startswith("sg-") and held.replace("-", "").isalnum() else ""
    set_group = f'GROUP="${{GROUP:-{group}}}"' if group else ': "${GROUP:?set GROUP to the id of the group, sg-...}"'
    version = family(order.project, order.position)
    head = f"# {comment(order.project.name)}: {spoken_ports(order.wanted)}"
    lines, undo = [head, set_group], [head, set_group]
    for each in order.wanted:
        for command, described, made in (("authorize", True, lines), ("revoke", False, undo)):
            permission = shlex.quote(json.dumps([_permission(each, version, described=described)]))
            action = f"aws ec2 {command}-security-group-ingress"
            made.append(f'{action} --group-id "$GROUP" --ip-permissions {permission}')
    return written(order, lines, undo)


def _permission(wanted: Wanted, version: int, *, described: bool) -> dict[str, object]:
    ranges, cidr, anywhere = ("IpRanges", "CidrIp", "0.0.0.0/0") if version == 4 else ("Ipv6Ranges", "CidrIpv6", "::/0")
    source = {cidr: anywhere} | ({"Description": _description(wanted.name)} if described else {})
    ports = {"FromPort": wanted.arrives.first, "ToPort": wanted.arrives.last}
    return {"IpProtocol": wanted.protocol.value, **ports, ranges: [source]}


def _description(name: str) -> str:
    # EC2 takes few characters but these.
    return "Hopwise " + "".join(c for c in name if c.isascii() and (c.isalnum() or c in " ._-"))[:60].strip()


PRODUCT = Product(
    id="aws",
    title="AWS security group",
    kinds=(HopKind.SECURITY_GROUP,),
    recognise=_recognise,
    read=_read,
    write=_write,
)
