"""What a NAT does, reasoned from what STUN servers saw (RFC 4787 for the terms, RFC 5780 section 4 for the tests).

Rules:
 1. What was not measured is unknown; neither yes nor no is ever inferred from it.
 2. Only mappings that crossed the same NATs are compared: those of servers further in say nothing of NATs further out.
 3. A mapping that depends on the address is so called although it may depend on the port as well, unless two ports of
    one address showed that.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from wizard.wire.attribute import Address

SHARED = ipaddress.ip_network("100.64.0.0/10")
"""What carriers number their customers from behind their own NAT (RFC 6598)."""

# Not `is_private`: that holds for the documentation ranges too.
_NOT_PUBLIC = (
    SHARED,
    *(
        ipaddress.ip_network(net)
        for net in (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
            "::1/128",
        )
    ),
)


_HOME = (ipaddress.ip_network("192.168.0.0/16"), ipaddress.ip_network("172.16.0.0/12"))


class Dependence(enum.StrEnum):
    """On what a mapping, or the filter in front of it, depends (RFC 4787 sections 4.1 and 5)."""

    NONE = "none"
    """Nothing translates, or nothing filters."""
    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"
    UNKNOWN = "unknown"


class Known(enum.StrEnum):
    """An answer that may be missing."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Need(enum.StrEnum):
    """What a call between this computer and others needs."""

    NONE = "none"
    STUN = "stun"
    TURN = "turn"
    UNKNOWN = "unknown"


class Reason(enum.StrEnum):
    """Why so; the words are in the catalogue."""

    NO_ANSWER = "no-answer"
    UDP_SILENT = "udp-silent"
    """One server answers over TCP and not over UDP: the network's fault or the server's."""
    UDP_BLOCKED = "udp-blocked"
    """So do several."""
    SERVER_INSIDE = "server-inside"
    """The server stands on this side of the internet, so that the outermost NAT was not met."""
    PUBLIC_OPEN = "public-open"
    PUBLIC_FILTERED = "public-filtered"
    PUBLIC_UNSEEN = "public-unseen"
    OWN_PORT = "own-port"
    """Each destination has its own mapping."""
    SAME_PORT_OPEN = "same-port-open"
    SAME_PORT_BY_ADDRESS = "same-port-by-address"
    SAME_PORT_BY_PORT = "same-port-by-port"
    SAME_PORT_UNSEEN = "same-port-unseen"
    ONE_DESTINATION = "one-destination"
    """Translated, but seen by too few destinations to tell on what the mapping depends."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Where one destination saw our one local port."""

    server: Address
    mapped: Address


@dataclass(frozen=True, slots=True)
class Measured:
    """What the tests gave. `sights` are all of the local port `local`."""

    local: Address | None = None
    sights: tuple[Sight, ...] = ()
    from_other_address: Known = Known.UNKNOWN
    """Whether an address and port came in that nothing had been sent to (RFC 5780 section 4.4, test II)."""
    from_other_port: Known = Known.UNKNOWN
    """Whether another port of an address that had been sent to came in (test III)."""
    hairpin: Known = Known.UNKNOWN
    lifetime_s: float | None = None
    """The longest pause after which an answer still came in."""
    own_address_is_carriers: bool = True
    """False if an own address in 100.64.0.0/10 is that of an overlay network, which uses the range as well."""
    first_router_holds: Known = Known.UNKNOWN
    """Whether the first router holds the outermost mapped address: packets to that end there."""
    second_router: str | None = None
    """The address of the router behind the first one, as packets to the server met it."""
    over_tcp_alone: int = 0
    """How many servers, each with its own address, answer over TCP and not over UDP."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The verdict. `mapped` are the different addresses that were seen, the first server's first."""

    local: Address | None
    mapped: tuple[Address, ...]
    mapping: Dependence
    filtering: Dependence
    hairpin: Known
    port_preservation: Known
    lifetime_s: float | None
    cgnat: Known
    double_nat: Known
    need: Need
    reason: Reason


def is_public(address: str) -> bool:
    """Whether the address has a meaning on the whole internet."""
    ip = ipaddress.ip_address(address)
    return not any(ip.version == net.version and ip in net for net in _NOT_PUBLIC)


def usable_other(server: Address, other: Address | None) -> bool:
    """Whether OTHER-ADDRESS allows tests: another address and another port (RFC 5780 section 7.4), not further in.

    A server that does not know its own public address names one that belongs to somebody else's network.
    """
    if other is None or other[0] == server[0] or other[1] in (0, server[1]):
        return False
    ip = ipaddress.ip_address(other[0])
    if ip.version != ipaddress.ip_address(server[0]).version or ip.is_multicast or ip.is_unspecified:
        return False
    return is_public(other[0]) or not is_public(server[0])


def judge(measured: Measured) -> Behaviour:
    """The verdict on what was measured."""
    mapping = mapping_of(measured)
    filtering = filtering_of(measured, mapping)
    need, reason = need_of(measured, mapping, filtering)
    return Behaviour(
        local=measured.local,
        mapped=tuple(dict.fromkeys(sight.mapped for sight in measured.sights)),
        mapping=mapping,
        filtering=filtering,
        hairpin=measured.hairpin,
        port_preservation=_preserved(measured),
        lifetime_s=measured.lifetime_s,
        cgnat=_carrier_nat(measured, mapping),
        double_nat=_double_nat(measured, mapping),
        need=need,
        reason=reason,
    )


def mapping_of(measured: Measured) -> Dependence:
    """RFC 5780 section 4.3, over all pairs of destinations."""
    if not measured.sights:
        return Dependence.UNKNOWN
    outer = outermost(measured)
    if not outer:
        return Dependence.NONE
    pairs = list(combinations(outer, 2))
    same_by_port = {a.mapped == b.mapped for a, b in pairs if a.server[0] == b.server[0] and a.server != b.server}
    same_by_address = {a.mapped == b.mapped for a, b in pairs if a.server[0] != b.server[0]}
    if False in same_by_port:
        return Dependence.ADDRESS_AND_PORT_DEPENDENT
    if False in same_by_address:
        return Dependence.ADDRESS_DEPENDENT
    return Dependence.ENDPOINT_INDEPENDENT if same_by_address else Dependence.UNKNOWN


def filtering_of(measured: Measured, mapping: Dependence) -> Dependence:
    """RFC 5780 section 4.4."""
    if measured.from_other_address is Known.YES:
        return Dependence.NONE if mapping is Dependence.NONE else Dependence.ENDPOINT_INDEPENDENT
    if measured.from_other_port is Known.NO:
        return Dependence.ADDRESS_AND_PORT_DEPENDENT
    if measured.from_other_address is Known.NO and measured.from_other_port is Known.YES:
        return Dependence.ADDRESS_DEPENDENT
    return Dependence.UNKNOWN


_DEPENDENT = (Dependence.ADDRESS_DEPENDENT, Dependence.ADDRESS_AND_PORT_DEPENDENT)
_PUBLIC = {Dependence.NONE: Reason.PUBLIC_OPEN, Dependence.UNKNOWN: Reason.PUBLIC_UNSEEN}
_SAME_PORT = {
    Dependence.ENDPOINT_INDEPENDENT: Reason.SAME_PORT_OPEN,
    Dependence.ADDRESS_DEPENDENT: Reason.SAME_PORT_BY_ADDRESS,
    Dependence.ADDRESS_AND_PORT_DEPENDENT: Reason.SAME_PORT_BY_PORT,
}


def need_of(measured: Measured, mapping: Dependence, filtering: Dependence) -> tuple[Need, Reason]:
    """Whether others need STUN or TURN to reach this computer, and why."""
    if not measured.sights:
        if measured.over_tcp_alone > 1:
            return Need.TURN, Reason.UDP_BLOCKED
        return Need.UNKNOWN, Reason.UDP_SILENT if measured.over_tcp_alone else Reason.NO_ANSWER
    if mapping in _DEPENDENT:
        return Need.TURN, Reason.OWN_PORT
    if not any(is_public(sight.mapped[0]) for sight in measured.sights):
        return Need.UNKNOWN, Reason.SERVER_INSIDE
    if mapping is Dependence.NONE:
        return Need.NONE, _PUBLIC.get(filtering, Reason.PUBLIC_FILTERED)
    if mapping is Dependence.UNKNOWN:
        return Need.UNKNOWN, Reason.ONE_DESTINATION
    return Need.STUN, _SAME_PORT.get(filtering, Reason.SAME_PORT_UNSEEN)


def outermost(measured: Measured) -> Sequence[Sight]:
    """Those behind the most NATs; none if nothing translates."""
    crossed = [sight for sight in measured.sights if sight.mapped != measured.local]
    return [sight for sight in crossed if is_public(sight.mapped[0])] or crossed


def _preserved(measured: Measured) -> Known:
    # RFC 4787 section 4.2.1
    seen = outermost(measured) or measured.sights
    if not seen or measured.local is None:
        return Known.UNKNOWN
    return Known.YES if all(sight.mapped[1] == measured.local[1] for sight in seen) else Known.NO


def _untranslated(measured: Measured, mapping: Dependence) -> bool:
    """Whether this computer itself holds the address that the internet sees."""
    return mapping is Dependence.NONE and all(is_public(sight.mapped[0]) for sight in measured.sights)


def _carrier_nat(measured: Measured, mapping: Dependence) -> Known:
    seen = [sight.mapped for sight in measured.sights if sight.mapped != measured.local]
    if measured.local is not None and measured.own_address_is_carriers:
        seen.append(measured.local)
    if any(_is_shared(address) for address, _ in seen) or _behind_carrier(measured):
        return Known.YES
    # 10.0.0.0/8 too is handed out by carriers, whose NAT may be the first router of a telephone.
    own_router = measured.first_router_holds is Known.YES and _is_home(measured.local)
    return Known.NO if own_router or _untranslated(measured, mapping) else Known.UNKNOWN


def _double_nat(measured: Measured, mapping: Dependence) -> Known:
    # A translated address that is not public must be translated again before the internet.
    if any(s.mapped != measured.local and not is_public(s.mapped[0]) for s in measured.sights):
        return Known.YES
    if _behind_carrier(measured):
        return Known.YES
    single = measured.first_router_holds is Known.YES or _untranslated(measured, mapping)
    return Known.NO if single else Known.UNKNOWN


def _behind_carrier(measured: Measured) -> bool:
    """Whether a private address of ours leaves through a first router into the carrier's range, where the public
    address is: carriers carry no private addresses, so that both translate."""
    second = measured.second_router
    if measured.first_router_holds is not Known.NO or second is None:
        return False
    return _is_shared(second) and _is_private(measured.local)


def _is_private(local: Address | None) -> bool:
    return local is not None and not is_public(local[0]) and not _is_shared(local[0])


def _is_home(local: Address | None) -> bool:
    return local is not None and any(ipaddress.ip_address(local[0]) in net for net in _HOME)


def _is_shared(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    return ip.version == SHARED.version and ip in SHARED
