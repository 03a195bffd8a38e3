"""What an expression of nftables looks at, and the values that it is compared with (libnftables-json(5))."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from wizard.configs.packet_filter.rules import TCP, UDP, Among, Cell, Field, Match, State, among
from wizard.configs.packet_filter.spans import Span
from wizard.configs.packet_filter.values import port, protocol


class UnclearError(Exception):
    """An expression or value that is not known here: the match may hold or not."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field with how its values are spelt. `needs` must hold, or there is nothing to look at."""

    field: Field
    spell: Callable[[Any], Cell]
    needs: tuple[Match, ...] = ()
    mask: int | None = None
    flags: bool = False
    """Its value is made of bits: compared without an operator, any of them will do."""


_STATES = {state.name.lower(): int(state) for state in State}
_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
_FAMILY_NAMES = {"ipv4": 4, "ip": 4, "ipv6": 6, "ip6": 6, "2048": 4, "34525": 6, "0x0800": 4, "0x86dd": 6}
_NFPROTO = {"ipv4": 4, "ipv6": 6, "2": 4, "10": 6}
_DIRECTIONS = {"original": 0, "reply": 1}
_HEADERS = {"tcp": (TCP,), "udp": (UDP,), "th": (TCP, UDP), "sctp": (132,), "dccp": (33,), "udplite": (136,)}
_FOUR, _SIX = among(Field.FAMILY, 4), among(Field.FAMILY, 6)
NEVER = Among(Field.FAMILY, ())
ALWAYS = Among(Field.FAMILY, ((0, 255),))


def parts(left: Any) -> tuple[Part, ...]:
    """The fields that an expression joins. Raises UnclearError."""
    if isinstance(left, Mapping) and "concat" in left:
        return tuple(part for each in left["concat"] for part in parts(each))
    return (_part(left),)


def _part(left: Any) -> Part:
    match left:
        case {"payload": {"protocol": str(header), "field": str(name)}}:
            return _header(header, name)
        case {"meta": {"key": str(key)}}:
            return _meta(key)
        case {"ct": Mapping() as told}:
            return _connection(told)
        case {"fib": {"result": str(result), "flags": flags}}:
            return _route(result, [flags] if isinstance(flags, str) else list(flags))
        case {"&": [inner, mask]}:
            part = _part(inner)
            return Part(part.field, part.spell, part.needs, _bits(part, mask))
        case _:
            raise UnclearError


def _bits(part: Part, mask: Any) -> int:
    if isinstance(mask, Mapping) and "|" in mask:
        mask = mask["|"]
    if isinstance(mask, list):
        return sum(_bits(part, each) for each in mask)
    cell = part.spell(mask)
    if isinstance(cell, str) or cell[0] != cell[1]:
        raise UnclearError
    return cell[0]


def _header(header: str, name: str) -> Part:
    if header in ("ip", "ip6"):
        family, needs = (4, (_FOUR,)) if header == "ip" else (6, (_SIX,))
        if name in ("saddr", "daddr"):
            field = Field.SOURCE if name == "saddr" else Field.DESTINATION
            return Part(field, _address(family), needs)
        if name in ("protocol", "nexthdr"):
            return Part(Field.PROTOCOL, _protocol, needs)
    if header in _HEADERS:
        needs = (among(Field.PROTOCOL, *_HEADERS[header]),)
        if name == "dport":
            return Part(Field.PORT, _port, needs)
        if name == "sport":
            return Part(Field.SOURCE_PORT, _port, needs)
        if name == "flags" and header == "tcp":
            return Part(Field.TCP_FLAGS, _named(_FLAGS), needs, flags=True)
    if header in ("icmp", "icmpv6", "igmp", "arp"):
        # Never asked about: whatever is compared, the packet has no such header.
        return Part(Field.PROTOCOL, lambda _: (0, 0xFFFF), (NEVER,))
    raise UnclearError


def _meta(key: str) -> Part:
    match key:
        case "l4proto":
            return Part(Field.PROTOCOL, _protocol)
        case "nfproto":
            return Part(Field.FAMILY, _named(_NFPROTO))
        case "protocol":
            return Part(Field.FAMILY, _named(_FAMILY_NAMES))
        case "iif" | "iifname":
            return Part(Field.IN, _interface)
        case "oif" | "oifname":
            return Part(Field.OUT, _interface)
        case "mark":
            return Part(Field.MARK, _number)
        case "pkttype":
            # A packet for this machine, as those are that are asked about.
            return Part(Field.FAMILY, lambda told: (0, 255) if str(told) in ("host", "unicast", "0") else (256, 256))
        case _:
            raise UnclearError


def _connection(told: Mapping[str, Any]) -> Part:
    key, direction = str(told.get("key")), told.get("dir")
    # Addresses are spelt `ip daddr` now, and were `daddr` once.
    family, _, plain = key.rpartition(" ")
    family = str(told.get("family", family))
    if direction == "original" and plain == "proto-dst":
        return Part(Field.FIRST_PORT, _port)
    if direction == "original" and plain == "daddr":
        version = 6 if family == "ip6" else 4
        return Part(Field.FIRST_DESTINATION, _address(version), (_SIX if version == 6 else _FOUR,))
    if direction is not None:
        raise UnclearError
    match key:
        case "state":
            return Part(Field.STATE, _named(_STATES), flags=True)
        case "status":
            return Part(Field.TRANSLATED, _named({"dnat": 1}), (among(Field.DIRECTION, 0, 1),), flags=True)
        case "mark":
            return Part(Field.CONNECTION_MARK, _number)
        case "direction":
            return Part(Field.DIRECTION, _named(_DIRECTIONS))
        case "protocol":
            return Part(Field.PROTOCOL, _protocol)
        case _:
            raise UnclearError


def _route(result: str, flags: list[str]) -> Part:
    kinds = {"local": 1, "unicast": 0, "broadcast": 2, "multicast": 2, "anycast": 2, "prohibit": 2, "blackhole": 2}
    if result == "type" and "daddr" in flags:
        return Part(Field.LOCAL_DESTINATION, _named(kinds))
    if result == "type" and "saddr" in flags:
        return Part(Field.LOCAL_SOURCE, _named(kinds))
    if result in ("oif", "oifname") and "saddr" in flags and "iif" in flags:
        # Whether the sender would be answered by the way it came: one of the internet is.
        return Part(Field.FAMILY, lambda told: (256, 256) if str(told) in ("missing", "0", "False", "") else (0, 255))
    raise UnclearError


def _address(family: int) -> Callable[[Any], Span]:
    def spell(told: Any) -> Span:
        try:
            if isinstance(told, Mapping) and "prefix" in told:
                told = f"{told['prefix']['addr']}/{told['prefix']['len']}"
            text = str(told)
            first, dash, last = text.partition("-")
            if dash:
                return _same(first, family), _same(last, family)
            found = ip_network(text, strict=False)
        except (ValueError, KeyError, TypeError):
            raise UnclearError from None
        if found.version != family:
            raise UnclearError
        return int(found.network_address), int(found.broadcast_address)

    return spell


def _same(text: str, family: int) -> int:
    found = ip_address(text)
    if found.version != family:
        raise UnclearError
    return int(found)


def _port(told: Any) -> Span:
    return _stretch(told, port)


def _protocol(told: Any) -> Span:
    def number(text: str) -> int:
        found = protocol(text)
        if found is None:
            raise ValueError(text)
        return found

    return _stretch(told, number)


def _number(told: Any) -> Span:
    return _stretch(told, lambda text: int(text, 0))


def _stretch(told: Any, number: Callable[[str], int]) -> Span:
    if not isinstance(told, str | int):
        raise UnclearError
    text = str(told)
    try:
        return number(text), number(text)
    except ValueError:
        pass
    first, dash, last = text.partition("-")
    try:
        if dash:
            return number(first), number(last)
    except ValueError:
        pass
    raise UnclearError


def _named(names: Mapping[str, int]) -> Callable[[Any], Span]:
    def spell(told: Any) -> Span:
        text = str(told)
        if text not in names and not (text.isascii() and text.isdigit()):
            raise UnclearError
        number = names[text] if text in names else int(text)
        return number, number

    return spell


def _interface(told: Any) -> str:
    if not isinstance(told, str):
        raise UnclearError
    return told


def cell(part: Part, told: Any) -> Cell:
    """One value of a field. Raises UnclearError."""
    if isinstance(told, Mapping) and "range" in told:
        first, last = (part.spell(end) for end in told["range"])
        if isinstance(first, str) or isinstance(last, str):
            raise UnclearError
        return first[0], last[1]
    if isinstance(told, Mapping) and "prefix" in told and part.field not in (Field.SOURCE, Field.DESTINATION):
        raise UnclearError
    return part.spell(told)


def row(fields: Iterable[Part], told: Any) -> tuple[Cell, ...]:
    """The values of an element, one for each field. Raises UnclearError."""
    fields = tuple(fields)
    if isinstance(told, Mapping) and "elem" in told:
        told = told["elem"]["val"] if isinstance(told["elem"], Mapping) else told["elem"]
    if told == "*":
        return tuple("*" if part.field in (Field.IN, Field.OUT) else (0, 1 << 128) for part in fields)
    if len(fields) == 1:
        return (cell(fields[0], told),)
    if not (isinstance(told, Mapping) and isinstance(told.get("concat"), list) and len(told["concat"]) == len(fields)):
        raise UnclearError
    return tuple(cell(part, each) for part, each in zip(fields, told["concat"], strict=True))
