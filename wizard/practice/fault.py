"""The faults of the practice network: what each does to which ports at its hop, and its words."""

from __future__ import annotations

import enum
import string
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.presets import Wording
from wizard.model.resource import resource


class Manner(enum.Enum):
    """What a hop does with a port. Of several faults the one named first here shows."""

    ABSENT = enum.auto()
    """Nothing is bound: the system refuses."""
    HANG_UP = enum.auto()
    """TCP is accepted and closed; UDP is swallowed. So does a proxy without a back end."""
    SWALLOW = enum.auto()
    """Bound, and nothing ever answers."""
    SHIFT = enum.auto()
    """Passed on to the next number."""
    PASS = enum.auto()
    """Passed on as planned."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a fault does to a range of client ports of one protocol."""

    protocol: Protocol
    outside: PortRange
    manner: Manner


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that can be wrong with the practice network."""

    id: str
    hop: str
    """Id of the hop that it breaks."""
    title: Wording
    remedy: Wording
    protocol: Protocol | None
    """With `outside`: the planned ports that it stops; None for all."""
    outside: PortRange | None
    rules: tuple[Rule, ...]


def faults(web: PortPlan, media: PortPlan) -> tuple[Fault, ...]:
    """Every fault, in the order of the path, for a network with these ports."""
    first, last = media.outside.first, media.outside.last
    hole, gap = PortRange(first + 10, first + 14), PortRange(first + 16, last)
    udp, tcp = Protocol.UDP, Protocol.TCP

    def of(fault: str, hop: str, plan: PortPlan | None, outside: PortRange | None, *rules: Rule) -> Fault:
        values: dict[str, str] = {}
        if plan is not None and outside is not None:
            inner = plan.inside["service"].first + outside.first - plan.outside.first
            values = {
                "ports": f"{plan.protocol} {outside}",
                "outside": str(outside),
                "inner": str(PortRange(inner, inner + len(outside) - 1)),
            }
        words = catalogue()["fault"][fault]
        title, remedy = (Wording(**{k: _filled(v, values) for k, v in words[key].items()}) for key in _KEYS)
        return Fault(fault, hop, title, remedy, plan.protocol if plan else None, outside, rules)

    everything = tuple(Rule(p, r, Manner.HANG_UP) for p in Protocol for r in (web.outside, media.outside))
    return (
        of("router-hole", "router", media, hole, Rule(udp, hole, Manner.ABSENT)),
        of(
            "router-tcp",
            "router",
            media,
            media.outside,
            Rule(udp, media.outside, Manner.ABSENT),
            Rule(tcp, media.outside, Manner.PASS),
        ),
        of("router-shifted", "router", media, media.outside, Rule(udp, media.outside, Manner.SHIFT)),
        of("tunnel-gap", "tunnel", media, gap, *(Rule(p, gap, Manner.ABSENT) for p in Protocol)),
        of("tunnel-down", "tunnel", None, None, *everything),
        of("firewall-drops", "firewall", media, media.outside, Rule(udp, media.outside, Manner.SWALLOW)),
        of("container-udp", "container", media, media.outside, Rule(udp, media.outside, Manner.ABSENT)),
        of("container-port", "container", web, web.outside, Rule(tcp, web.outside, Manner.HANG_UP)),
        of("service-down", "service", None, None, *(Rule(r.protocol, r.outside, Manner.ABSENT) for r in everything)),
    )


_KEYS = ("title", "remedy")


def hop_names() -> Iterator[tuple[str, Wording]]:
    """Id and name of each hop, outermost first."""
    for hop, name in catalogue()["hop"].items():
        yield hop, Wording(**name)


def _filled(text: str, values: dict[str, str]) -> str:
    return string.Template(text).substitute(values)


@cache
def catalogue() -> dict[str, Any]:
    """The words of the practice network, as the file has them."""
    return tomllib.loads(resource("practice.toml").read_text("utf-8"))
