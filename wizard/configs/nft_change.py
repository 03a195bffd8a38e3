"""What nftables rewrites in packets: destinations and marks (libnftables-json(5))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wizard.configs.packet_filter.rules import Field, SetMark, Step, Translate, Verdict
from wizard.configs.packet_filter.spans import Span
from wizard.configs.packet_filter.values import address, ports


def family_of(table: str, told: Mapping[str, Any]) -> int:
    """The address family of what a statement translates to."""
    if table in ("ip", "ip6"):
        return 4 if table == "ip" else 6
    if told.get("family") in ("ip", "ip6"):
        return 4 if told["family"] == "ip" else 6
    host = told.get("addr")
    while isinstance(host, Mapping):
        # The family of a map's hosts, by the first of them.
        host = host.get("map", host.get("data", host.get("set", host.get("concat", host.get("range", "")))))
        while isinstance(host, list) and host:
            host = host[-1] if len(host) == 2 and isinstance(host[0], list) is False else host[0]
    return 6 if ":" in str(host) else 4


def translation(name: str, host: Any, numbers: Any, family: int, *, vague: bool) -> Translate:
    """Where a statement leads packets to. Raises ValueError."""
    span: Span | None = None
    if numbers is not None:
        if isinstance(numbers, Mapping) and "range" in numbers:
            span = ports("-".join(str(end) for end in numbers["range"]), "-")
        else:
            span = ports(str(numbers), "-")
    if name == "redirect" or host is None:
        return Translate(None, span, keeps_host=name == "dnat", vague=vague)
    if isinstance(host, Mapping):
        # One of several, or of a prefix.
        return Translate(None, span, vague=True)
    text = str(host)
    if "-" in text or "/" in text:
        return Translate(None, span, vague=True)
    return Translate(address(text, family), span, vague=vague)


def change(told: Mapping[str, Any]) -> list[Step]:
    """What a statement that rewrites part of a packet does to it."""
    key, value = told["key"], told["value"]
    field: Field | None = None
    match key:
        case {"meta": {"key": "mark"}}:
            field = Field.MARK
        case {"ct": {"key": "mark"}}:
            field = Field.CONNECTION_MARK
        case {"payload": {"field": "saddr" | "daddr" | "sport" | "dport" | "protocol"}}:
            return [Verdict.UNKNOWN]
    if field is None:
        return []
    if isinstance(value, int | str):
        return [SetMark(field, 0, int(str(value), 0))]
    match value:
        case {"|": [inner, int() | str() as bits]} if inner == key:
            return [SetMark(field, ~int(str(bits), 0) & 0xFFFFFFFF, int(str(bits), 0))]
        case {"&": [inner, int() | str() as bits]} if inner == key:
            return [SetMark(field, int(str(bits), 0))]
        case {"^": [inner, int() | str() as bits]} if inner == key:
            return [SetMark(field, 0xFFFFFFFF, int(str(bits), 0))]
    return [SetMark(field)]
