"""Records that say where a service is: SRV (RFC 2782) and NAPTR (RFC 3958), asked of a name server itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wizard.wire.uri import Transport

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

TIMEOUT_S = 2.0
"""Some home routers never answer such a question: nothing more waits for it."""
MOST_RECORDS = 20
_DEEPEST = 4
"""Rules that lead to other names' rules, one behind the other."""
_PROTOCOLS = {"turn.udp": Transport.UDP, "turn.tcp": Transport.TCP, "turn.tls": Transport.TLS}


@dataclass(frozen=True, slots=True)
class Place:
    """A host by its name, and a port."""

    host: str
    port: int


class Leads(enum.Enum):
    """What a NAPTR rule leads to."""

    SERVICES = "s"
    """A name that has SRV records."""
    ADDRESSES = "a"
    """A name that has addresses."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A relay by these transports is found under `name` (RFC 5928 section 3)."""

    transports: tuple[Transport, ...]
    leads: Leads
    name: str


async def services(
    name: str, resolver: Resolver | None = None, timeout_s: float = TIMEOUT_S
) -> tuple[Place, ...] | None:
    """What the SRV records of `name` lead to, best first; of equal priority the heavier.

    None where there are none, or where no answer comes; empty where they say that there is no such service.
    `resolver` is that of this computer if none is given.
    """
    records = await _records(name, "SRV", resolver, timeout_s)
    if records is None:
        return None
    records.sort(key=lambda record: (record.priority, -record.weight, record.target.to_text(), record.port))
    places = ((_text(record.target), record.port) for record in records)
    return tuple(Place(host, port) for host, port in places if host and port)


async def relay_rules(name: str, resolver: Resolver | None = None, timeout_s: float = TIMEOUT_S) -> tuple[Rule, ...]:
    """The NAPTR rules of `name` for its relays, best first; none where there are none, or where no answer comes."""
    return await _rules(name, resolver, timeout_s, _DEEPEST)


async def _rules(name: str, resolver: Resolver | None, timeout_s: float, depth: int) -> tuple[Rule, ...]:
    records = await _records(name, "NAPTR", resolver, timeout_s) or []
    records.sort(key=lambda record: (record.order, record.preference))
    found: list[Rule] = []
    for record in records:
        service, *protocols = record.service.decode("ascii", "replace").lower().split(":")
        transports = tuple(_PROTOCOLS[one] for one in protocols if one in _PROTOCOLS)
        target = _text(record.replacement)
        # RFC 3958 section 4.2: no regular expressions.
        if service != "relay" or not transports or record.regexp or not target:
            continue
        flags = record.flags.decode("ascii", "replace").lower()
        if flags in ("s", "a"):
            found.append(Rule(transports, Leads(flags), target))
        elif not flags and depth > 1:
            further = await _rules(target, resolver, timeout_s, depth - 1)
            kept = ((tuple(one for one in rule.transports if one in transports), rule) for rule in further)
            found += [Rule(both, rule.leads, rule.name) for both, rule in kept if both]
    return tuple(found)


async def _records(name: str, kind: str, resolver: Resolver | None, timeout_s: float) -> list[Any] | None:
    # Where nobody asks for services, nobody waits for these either.
    from dns.asyncresolver import Resolver
    from dns.exception import DNSException

    try:
        asked = resolver or Resolver()
        answer = await asked.resolve(f"{name.rstrip('.')}.", kind, lifetime=timeout_s)
    except (DNSException, OSError, UnicodeError):
        return None
    return list(answer)[:MOST_RECORDS]


def _text(name: Any) -> str:
    text: str = name.to_text(omit_final_dot=True)
    return "" if text in (".", "@") else text
