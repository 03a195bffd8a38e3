"""Planned ports put into the settings that a service has for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wizard.configs.coverage import wanted
from wizard.configs.product import Order, Wanted
from wizard.configs.writing import spoken_ports
from wizard.model.phrase import Phrase
from wizard.model.port import Speaks


@dataclass(frozen=True, slots=True)
class Port:
    """A planned port or range as a whole, and what the plan says is spoken there."""

    wanted: Wanted
    speaks: Speaks | None

    @property
    def single(self) -> bool:
        """Whether it is one port."""
        return len(self.wanted.arrives) == 1

    @property
    def first(self) -> int:
        """Its first number."""
        return self.wanted.arrives.first


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a service that takes one port or one range. Settings choose in their order, those that find a port
    of the name that an import gives theirs before the others."""

    key: str
    name: str
    takes: Callable[[Port], bool]


def planned(order: Order) -> tuple[Port, ...]:
    """The plans of which something is to be written, each whole: a setting cannot hold a part beside another."""
    speaks = {(plan.name, plan.protocol): plan.speaks for plan in order.project.ports}
    ports = (Port(whole, speaks.get((whole.name, whole.protocol))) for whole in wanted(order.project, order.hop.id))
    return tuple(port for port in ports if any(_overlap(port.wanted, asked) for asked in order.wanted))


def settled_ports(ports: Sequence[Port], settings: Sequence[Setting]) -> tuple[dict[str, Port], tuple[Phrase, ...]]:
    """By key the port that each setting gets, and the caution about those for which the service has none."""
    found: dict[str, Port] = {}
    left = list(ports)
    named = {setting.name for setting in settings}
    for by_name in (True, False):
        for setting in settings:
            fitting = [port for port in left if setting.takes(port)]
            if by_name:
                fitting = [port for port in fitting if port.wanted.name == setting.name]
            else:
                # What is called after another setting is left to that one, if it can take it.
                fitting.sort(key=lambda port: port.wanted.name in named)
            if fitting and setting.key not in found:
                found[setting.key] = fitting[0]
                left.remove(fitting[0])
    rest = [port.wanted for port in left]
    return found, (Phrase("no-setting", {"ports": spoken_ports(rest)}),) if rest else ()


def _overlap(one: Wanted, other: Wanted) -> bool:
    return (
        one.protocol is other.protocol
        and one.arrives.first <= other.arrives.last
        and other.arrives.first <= one.arrives.last
    )
