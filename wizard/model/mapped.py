"""What a gateway's list of mappings says of the rules that a project needs there."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from wizard.model.forward import Forward
from wizard.model.gateway import Gateway, Mapping
from wizard.model.port import OutsidePort, PortRange, merge


class Held(enum.StrEnum):
    """What the gateway has on an outer port that is needed."""

    MAPPED = "mapped"
    MISSING = "missing"
    """The list has nothing: there may still be a rule made by hand, which many gateways do not list."""
    ELSEWHERE = "elsewhere"
    """Mapped to another computer."""
    RENUMBERED = "renumbered"
    """Mapped to another port of the right computer."""
    DISABLED = "disabled"
    OTHER_PROTOCOL = "other-protocol"
    """The number is mapped, for TCP where UDP is needed or the other way round."""
    UNTOLD = "untold"
    """The gateway does not list mappings."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring ports of one rule with the same on them. `example` is the mapping on the first, if there is one."""

    forward: Forward
    held: Held
    outside: PortRange
    example: Mapping | None

    @property
    def ports(self) -> tuple[OutsidePort, ...]:
        """The planned ports that it is about."""
        return tuple(OutsidePort(self.forward.protocol, number) for number in self.outside)


def stretches(gateway: Gateway, forwards: Iterable[Forward]) -> tuple[Stretch, ...]:
    """Each rule with what the gateway has on its ports."""
    listed = {(mapping.protocol, mapping.external): mapping for mapping in gateway.mappings}
    found: list[Stretch] = []
    for forward in forwards:
        groups: dict[tuple[Held, str], list[int]] = {}
        examples: dict[int, Mapping | None] = {}
        for offset, outside in enumerate(forward.outside):
            external, internal = forward.external.first + offset, forward.internal.first + offset
            mapping = listed.get((forward.protocol, external))
            other = listed.get((forward.protocol.other, external))
            held = _held(gateway, forward, internal, mapping, other)
            examples[outside] = other if held is Held.OTHER_PROTOCOL else mapping
            groups.setdefault((held, mapping.host if mapping else ""), []).append(outside)
        for (held, _), numbers in groups.items():
            found += [Stretch(forward, held, outside, examples[outside.first]) for outside in merge(numbers)]
    return tuple(found)


def mappings_of(forward: Forward, outside: PortRange | None = None) -> tuple[Mapping, ...]:
    """One mapping for each port of a rule, as a gateway would be asked for them. The rule must say where to."""
    assert forward.host is not None
    return tuple(
        Mapping(
            protocol=forward.protocol,
            external=forward.external.first + offset,
            host=forward.host,
            internal=forward.internal.first + offset,
            description=f"Hopwise: {forward.name}"[:60],
        )
        for offset, number in enumerate(forward.outside)
        if outside is None or number in outside
    )


def same_host(one: str, other: str) -> bool:
    """Whether two spellings are one address."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return one.rstrip(".").lower() == other.rstrip(".").lower()


def _held(gateway: Gateway, forward: Forward, internal: int, mapping: Mapping | None, other: Mapping | None) -> Held:
    if forward.host is not None and ":" in forward.host:
        # What it lists is IPv4; pinholes are not told (WANIPv6FirewallControl has no action for that).
        return Held.UNTOLD
    if mapping is None:
        if not gateway.listed:
            return Held.UNTOLD
        if other is not None and (forward.host is None or same_host(other.host, forward.host)):
            return Held.OTHER_PROTOCOL
        return Held.MISSING
    if forward.host is not None and not same_host(mapping.host, forward.host):
        return Held.ELSEWHERE
    if mapping.internal != internal:
        return Held.RENUMBERED
    return Held.MAPPED if mapping.enabled else Held.DISABLED
