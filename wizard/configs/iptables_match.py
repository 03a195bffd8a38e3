"""The matches of iptables by their options (iptables-extensions(8))."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wizard.configs.packet_filter.rules import Among, Cell, Field, Match, Named, Rate, State, Together, among
from wizard.configs.packet_filter.spans import Span, normal
from wizard.configs.packet_filter.values import address, network, ports, protocol

_ALWAYS = Among(Field.FAMILY, ((0, 255),))
_NEVER = Among(Field.FAMILY, ())
_ANY: Span = (0, 65535)
_STATES = {
    "INVALID": State.INVALID,
    "ESTABLISHED": State.ESTABLISHED,
    "RELATED": State.RELATED,
    "NEW": State.NEW,
    "UNTRACKED": State.UNTRACKED,
}
_TCP_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
WITHOUT_MEANING = {
    "limit": ("--limit-burst",),
    "hashlimit": (
        "--hashlimit-burst",
        "--hashlimit-mode",
        "--hashlimit-name",
        "--hashlimit-srcmask",
        "--hashlimit-dstmask",
        "--hashlimit-htable-size",
        "--hashlimit-htable-max",
        "--hashlimit-htable-expire",
        "--hashlimit-htable-gcinterval",
        "--hashlimit-rate-interval",
    ),
    "recent": ("--name", "--rsource", "--rdest", "--mask", "--seconds", "--reap", "--rttl"),
    "connlimit": ("--connlimit-mask", "--connlimit-saddr", "--connlimit-daddr"),
    "comment": ("--comment",),
    "icmp": ("--icmp-type",),
    "icmp6": ("--icmpv6-type",),
    "rpfilter": ("--loose", "--validmark", "--accept-local"),
    "policy": ("--dir",),
}
"""Options that decide nothing about the first packet of a new sender. Of ICMP, whose packets are never asked about."""


@dataclass(frozen=True, slots=True)
class Given:
    """An option as it was given."""

    values: list[str]
    family: int
    negated: bool

    @property
    def value(self) -> str:
        """Its first value. Raises IndexError where it has none."""
        return self.values[0]


Meaning = Callable[[Given], Match]
"""Raises ValueError, IndexError or KeyError for what it does not understand."""


def _protocol(given: Given) -> Match:
    number = protocol(given.value)
    if number is None:
        return _always(not given.negated)
    return among(Field.PROTOCOL, number, negated=given.negated)


def _network(field: Field) -> Meaning:
    def match(given: Given) -> Match:
        if "," not in given.value:
            return network(given.value, field, given.family, negated=given.negated)
        parts = [network(text, field, given.family) for text in given.value.split(",")]
        if any(part.mask for part in parts):
            raise ValueError(given.value)
        return Among(field, normal(span for part in parts for span in part.spans), given.negated)

    return match


def _interface(field: Field) -> Meaning:
    def match(given: Given) -> Match:
        name = given.value
        return Named(field, (name[:-1] + "*" if name.endswith("+") else name,), given.negated)

    return match


def _ports(field: Field) -> Meaning:
    def match(given: Given) -> Match:
        return Among(field, normal(ports(text) for text in given.value.split(",")), given.negated)

    return match


def _either_port(given: Given) -> Match:
    spans = normal(ports(text) for text in given.value.split(","))
    rows: tuple[tuple[Cell, ...], ...] = tuple(row for span in spans for row in ((span, _ANY), (_ANY, span)))
    return Together((Field.SOURCE_PORT, Field.PORT), rows, given.negated)


def _tcp_flags(given: Given) -> Match:
    mask, wanted = (sum(_TCP_FLAGS[flag] for flag in set(text.split(","))) for text in given.values)
    return among(Field.TCP_FLAGS, wanted, negated=given.negated, mask=mask)


def _syn(given: Given) -> Match:
    # SYN alone of FIN, SYN, RST and ACK.
    return among(Field.TCP_FLAGS, 2, negated=given.negated, mask=2 | 4 | 16 | 1)


def _state(given: Given) -> Match:
    names = given.value.upper().split(",")
    states = [_STATES[name] for name in names if name not in ("DNAT", "SNAT")]
    if "SNAT" in names:
        # The source is rewritten last of all, so that only replies can be of such a connection.
        known: tuple[tuple[Cell, ...], ...] = tuple(((s, s), (0, 1)) for s in states)
        return Together((Field.STATE, Field.DIRECTION), known, given.negated, partial=True)
    if "DNAT" in names:
        rows: tuple[tuple[Cell, ...], ...] = (*(((s, s), (0, 1)) for s in states), ((0, 255), (1, 1)))
        return Together((Field.STATE, Field.TRANSLATED), rows, given.negated)
    return among(Field.STATE, *(int(state) for state in states), negated=given.negated)


def _direction(given: Given) -> Match:
    return among(Field.DIRECTION, {"ORIGINAL": 0, "REPLY": 1}[given.value.upper()], negated=given.negated)


def _address_type(field: Field) -> Meaning:
    def match(given: Given) -> Match:
        kinds = {"LOCAL": 1, "UNICAST": 0}
        rare = {"BROADCAST", "MULTICAST", "ANYCAST", "UNSPEC", "BLACKHOLE", "UNREACHABLE", "PROHIBIT"}
        names = set(given.value.upper().split(","))
        if names - set(kinds) - rare:
            raise ValueError(given.value)
        if given.family == 6 and "UNICAST" in names:
            # Here every address is unicast that is no multicast, the machine's own too.
            return among(field, *([1] if "LOCAL" in names else [0, 1]), negated=given.negated)
        return among(field, *(kinds[name] for name in names & set(kinds)), negated=given.negated)

    return match


def _mark(field: Field) -> Meaning:
    def match(given: Given) -> Match:
        value, _, mask = given.value.partition("/")
        return among(field, int(value, 0), negated=given.negated, mask=int(mask, 0) if mask else None)

    return match


def _range(field: Field) -> Meaning:
    def match(given: Given) -> Match:
        first, _, last = given.value.partition("-")
        return among(field, (address(first, given.family), address(last or first, given.family)), negated=given.negated)

    return match


def _rate(*, over: bool) -> Meaning:
    return lambda given: Rate(over=over is not given.negated)


def _count(given: Given) -> Match:
    """More connections than so many: not for a sender that comes anew."""
    if int(given.value) < 1:
        raise ValueError(given.value)
    return Rate(over=not given.negated)


def _hits(given: Given) -> Match:
    if int(given.value) < 2:
        raise ValueError(given.value)
    return Rate(over=not given.negated)


def _packet_type(given: Given) -> Match:
    return _always((given.value.lower() in ("unicast", "host")) is not given.negated)


def _constant(*, matches: bool) -> Meaning:
    return lambda given: _always(matches is not given.negated)


def _ipsec(given: Given) -> Match:
    return _always({"none": True, "ipsec": False}[given.value] is not given.negated)


def _always(matches: bool, /) -> Match:
    return _ALWAYS if matches else _NEVER


MEANINGS: dict[tuple[str, str], Meaning] = {
    ("", "-p"): _protocol,
    ("", "-s"): _network(Field.SOURCE),
    ("", "-d"): _network(Field.DESTINATION),
    ("", "-i"): _interface(Field.IN),
    ("", "-o"): _interface(Field.OUT),
    ("", "-f"): _constant(matches=False),
    ("", "--sport"): _ports(Field.SOURCE_PORT),
    ("", "--dport"): _ports(Field.PORT),
    ("multiport", "--sports"): _ports(Field.SOURCE_PORT),
    ("multiport", "--dports"): _ports(Field.PORT),
    ("multiport", "--ports"): _either_port,
    ("multiport", "--port"): _either_port,
    ("", "--tcp-flags"): _tcp_flags,
    ("", "--syn"): _syn,
    ("conntrack", "--ctstate"): _state,
    ("state", "--state"): _state,
    ("conntrack", "--ctorigdstport"): _ports(Field.FIRST_PORT),
    ("conntrack", "--ctorigdst"): _network(Field.FIRST_DESTINATION),
    ("conntrack", "--ctdir"): _direction,
    ("conntrack", "--ctproto"): _protocol,
    ("addrtype", "--dst-type"): _address_type(Field.LOCAL_DESTINATION),
    ("addrtype", "--src-type"): _address_type(Field.LOCAL_SOURCE),
    ("mark", "--mark"): _mark(Field.MARK),
    ("connmark", "--mark"): _mark(Field.CONNECTION_MARK),
    ("iprange", "--src-range"): _range(Field.SOURCE),
    ("iprange", "--dst-range"): _range(Field.DESTINATION),
    ("limit", "--limit"): _rate(over=False),
    ("hashlimit", "--hashlimit-upto"): _rate(over=False),
    ("hashlimit", "--hashlimit"): _rate(over=False),
    ("hashlimit", "--hashlimit-above"): _rate(over=True),
    ("connlimit", "--connlimit-above"): _count,
    ("connlimit", "--connlimit-upto"): _rate(over=False),
    # A list of senders seen lately: one that comes anew is put there, and is not found often there.
    ("recent", "--set"): _constant(matches=True),
    ("recent", "--update"): _constant(matches=True),
    ("recent", "--rcheck"): _constant(matches=True),
    ("recent", "--hitcount"): _hits,
    ("pkttype", "--pkt-type"): _packet_type,
    ("rpfilter", "--invert"): _constant(matches=False),
    ("policy", "--pol"): _ipsec,
    ("rt", "--rt-type"): _constant(matches=False),
}
