"""What all that is written has in common: names, targets, cautions."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from wizard.configs.coverage import family
from wizard.configs.product import Order, Wanted, Written
from wizard.configs.reading import Question
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, merge
from wizard.observation import Coverage

_TAKEN = (Coverage.WRONG_TARGET, Coverage.TRANSLATED_ELSEWHERE)


def named(wanted: Wanted, mark: str = "-") -> str:
    """A name for a rule, of ASCII letters, digits and `mark`: the same for the same ports."""
    words = [*re.findall(r"[a-z0-9]{1,12}", wanted.name.lower())[:3], wanted.protocol.value, str(wanted.arrives.first)]
    return mark.join(["hopwise", *words])


def spoken_ports(wanted: Sequence[Wanted]) -> str:
    """The ports in a sentence: `udp 10000-10100, tcp 8172`."""
    protocols = dict.fromkeys(each.protocol for each in wanted)
    return ", ".join(
        f"{protocol} {numbers}"
        for protocol in protocols
        for numbers in merge(n for each in wanted if each.protocol is protocol for n in each.arrives)
    )


def one_by_one(wanted: Wanted) -> Iterator[Wanted]:
    """Linux moves a range to another one in no set order: such a range takes a rule for each port."""
    if wanted.arrives == wanted.leaves:
        yield wanted
        return
    for outer, inner in zip(wanted.arrives, wanted.leaves, strict=True):
        yield replace(wanted, arrives=PortRange(outer, outer), leaves=PortRange(inner, inner))


def comment(text: str) -> str:
    """`text` on one line, for a comment: what would end one is taken out."""
    return " ".join(re.sub(r"[^\w\s.,:/()+-]", " ", text).split())


def is_ip(address: str | None) -> bool:
    """Whether rules can name it: an IP address, and not a name or nothing."""
    try:
        ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return True


def written(order: Order, lines: Iterable[str], undo: Iterable[str], *cautions: Phrase) -> Written:
    """Lines as texts, with the caution that ports are opened to everybody."""
    opens = (Phrase("opens-to-all", {"ports": spoken_ports(order.wanted)}),) if order.wanted else ()
    return Written("".join(f"{line}\n" for line in lines), "".join(f"{line}\n" for line in undo), (*opens, *cautions))


def targetless(order: Order) -> tuple[Phrase, ...]:
    """The caution about ports of which the plan does not say by an IP address where they go."""
    missing = [each for each in order.wanted if not is_ip(each.host)]
    return (Phrase("no-target", {"ports": spoken_ports(missing)}),) if missing else ()


def shadowed(order: Order) -> tuple[Phrase, ...]:
    """The caution about rules that are there already and lead the same ports elsewhere: the first one counts."""
    if order.existing is None:
        return ()
    version = family(order.project, order.position)
    answers = [
        order.existing.answer(Question(each.protocol, arrives, leaves, version, True, each.host))
        for each in order.wanted
        for arrives, leaves in ((each.arrives.first, each.leaves.first), (each.arrives.last, each.leaves.last))
    ]
    lines = sorted({line for answer in answers if answer.coverage in _TAKEN for line in answer.lines})
    values = {"lines": ", ".join(map(str, lines)), "file": order.existing.file}
    return (Phrase("taken-already", values),) if lines else ()
