"""MikroTik RouterOS: the firewall in what `/export` prints, and the commands that add to it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from wizard.configs.filtering import Action, Chain
from wizard.configs.gateway_reading import GatewayReading
from wizard.configs.mikrotik_rules import Firewall, chain_rules, forwards_of
from wizard.configs.product import Likeness, Order, Product, Wanted, Written
from wizard.configs.reading import Note, Question, Source, UnreadableError
from wizard.configs.routeros import Command, Unread, commands
from wizard.configs.writing import comment, is_ip, named, one_by_one, shadowed, spoken_ports, targetless, written
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase

_MENU = re.compile(r"^/ipv?6?[ /]firewall[ /](?:nat|filter)\b", re.MULTILINE)
_RAW = {4: "ip firewall raw", 6: "ipv6 firewall raw"}
_FILTERS = {4: "ip firewall filter", 6: "ipv6 firewall filter"}


def _recognise(text: str) -> Likeness:
    return Likeness.SURE if _MENU.search(text) else Likeness.NO


def _read(source: Source) -> GatewayReading:
    notes: list[Note] = []
    read: list[Command] = []
    for item in commands(source.text):
        if isinstance(item, Unread):
            notes.append(Note(Phrase("line-not-understood", {"text": item.text}), item.line))
        elif item.verb == "add" and item.values.get("place-before") == "0":
            first = next((at for at, other in enumerate(read) if other.path == item.path), len(read))
            read.insert(first, item)
        else:
            read.append(item)
    if not any("firewall" in command.path for command in read):
        raise UnreadableError(Phrase("mikrotik-no-firewall"))
    firewall = Firewall(read, source.outward)
    # The export of a whole router has other menus too; one without rules has no menu for them.
    entire = any("firewall" not in command.path for command in read)
    here = {family: path for family, path in _FILTERS.items() if entire or any(c.path == path for c in read)}

    def chains(name: str, *, handed: bool) -> dict[int, Chain]:
        return {
            family: Chain(tuple(chain_rules(firewall, path, name, family, handed=handed)), Action.ADMIT)
            for family, path in here.items()
        }

    raw = {
        family: Chain(tuple(chain_rules(firewall, path, "prerouting", family, handed=False)), Action.ADMIT)
        for family, path in _RAW.items()
    }
    through, own, after = chains("forward", handed=False), chains("input", handed=False), chains("forward", handed=True)
    forwards = tuple(forwards_of(firewall))
    notes += [Note(Phrase("line-not-understood", {"text": text}), line) for line, text in firewall.unread.items()]
    if 4 not in here:
        notes.append(Note(Phrase("mikrotik-no-filter")))
    return GatewayReading(
        "mikrotik",
        source.name,
        HopKind.ROUTER,
        "MikroTik",
        forwards,
        through,
        own,
        after,
        raw,
        notes=tuple(sorted(notes, key=lambda note: note.line or 0)),
        every=False,
    )


def _write(order: Order) -> Written:
    head = f"# {comment(order.project.name)}: {spoken_ports(order.wanted)}"
    lines, undo = [head], [head]
    menu = ""
    for each in order.wanted:
        sure = is_ip(each.host)
        for part in one_by_one(each) if not _is_v6(each) else (each,):
            path, rule = _rule(part)
            remove = f'remove [find where comment="{named(part)}"]'
            if path != menu:
                lines.append(path)
                undo.append(path)
                menu = path
            lines += [remove, rule] if sure else [f"# {rule}"]
            if sure:
                undo.append(remove)
    opening = list(_openings(order))
    return written(order, [*lines, *opening], [*undo, *opening[:2]], *targetless(order), *shadowed(order))


def _rule(wanted: Wanted) -> tuple[str, str]:
    """The menu and the rule for it."""
    name = f"comment={named(wanted)}"
    if _is_v6(wanted):
        rule = f"add action=accept chain=forward {name} dst-address={wanted.host}/128 dst-port={wanted.arrives} "
        return "/ipv6 firewall filter", f"{rule}protocol={wanted.protocol} place-before=0"
    inner = "" if wanted.leaves == wanted.arrives else f" to-ports={wanted.leaves}"
    rule = f"add action=dst-nat chain=dstnat {name} dst-port={wanted.arrives} in-interface-list=WAN "
    return "/ip firewall nat", f"{rule}protocol={wanted.protocol} to-addresses={wanted.host or 'ADDRESS'}{inner}"


def _is_v6(wanted: Wanted) -> bool:
    return is_ip(wanted.host) and ipaddress.ip_address(wanted.host or "").version == 6


def _openings(order: Order) -> Iterator[str]:
    """A filter rule that lets in what was handed on, where the router's own rules would stop that."""
    if not isinstance(order.existing, GatewayReading) or 4 not in order.existing.after:
        return
    chain = order.existing.after[4]
    asked = (
        Question(each.protocol, each.leaves.first, each.leaves.first, destination=each.host) for each in order.wanted
    )
    if any(chain.answer(question).coverage.blames for question in asked):
        yield "/ip firewall filter"
        yield 'remove [find where comment="hopwise-forwarded"]'
        yield "add action=accept chain=forward comment=hopwise-forwarded connection-nat-state=dstnat place-before=0"


PRODUCT = Product(
    id="mikrotik",
    title="MikroTik RouterOS",
    kinds=(HopKind.ROUTER, HopKind.FIREWALL),
    recognise=_recognise,
    read=_read,
    write=_write,
)
