"""Rules as steps to follow on a page, for products that are set up there. The words are in `resources/consoles`."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from wizard.configs.coverage import family
from wizard.configs.product import Order, Wanted, Written
from wizard.configs.writing import comment, named, shadowed, spoken_ports, targetless, written
from wizard.model.resource import resource

_FIRST_PRIORITY = 310
_ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


def steps(order: Order, page: str) -> Written:
    """What to enter on a product's page, numbered, and what to delete there to undo it."""
    catalogue = _catalogue(order.language)
    version = family(order.project, order.position)
    words = dict(catalogue[page])
    words |= words.get(f"v{version}", {})
    rows = [
        "   - " + "; ".join(string.Template(field).substitute(_gaps(each, version, at)) for field in words["rule"])
        for at, each in enumerate(order.wanted)
    ]
    head = f"# {comment(order.project.name)}, {comment(order.hop.title)}: {spoken_ports(order.wanted)}"
    then, delete = catalogue["words"]["then"], catalogue["words"]["delete"]
    lines = [head, f"1. {words['open']}", f"2. {then}", *rows, f"3. {words['save']}"]
    undo = [head, f"1. {words['open']}", f"2. {delete}", *(f"   - {named(each)}" for each in order.wanted)]
    more = (*targetless(order), *shadowed(order)) if order.hop.kind.translates else ()
    return written(order, lines, [*undo, f"3. {words['save']}"], *more)


def _gaps(wanted: Wanted, version: int, at: int) -> Mapping[str, str]:
    return {
        "family": f"IPv{version}",
        "PROTOCOL": wanted.protocol.value.upper(),
        "ports": str(wanted.arrives),
        "first": str(wanted.arrives.first),
        "last": str(wanted.arrives.last),
        "host": wanted.host or "?",
        "inner_first": str(wanted.leaves.first),
        "anywhere": _ANYWHERE[version],
        "tag": named(wanted),
        "priority": str(_FIRST_PRIORITY + at),
    }


@cache
def _catalogue(language: str) -> Mapping[str, Any]:
    with resource("consoles", f"{language}.toml").open("rb") as file:
        return tomllib.load(file)
