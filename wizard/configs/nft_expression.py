"""Expressions and values of nft's language, in the form of its JSON (libnftables-json(5))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wizard.configs.nft_cursor import Cursor, NotUnderstoodError

_HEADERS = frozenset(
    ("ip", "ip6", "tcp", "udp", "th", "icmp", "icmpv6", "igmp", "sctp", "dccp", "udplite", "ether", "vlan", "arp")
)
_OTHER_HEADERS = frozenset(("ah", "esp", "comp", "frag", "hbh", "rt0", "rt2", "srh", "mh", "dst"))
_META = frozenset(
    (
        *("iif", "oif", "iifname", "oifname", "iiftype", "oiftype", "iifgroup", "oifgroup", "iifkind", "oifkind"),
        *("mark", "skuid", "skgid", "nftrace", "rtclassid", "pkttype", "cpu", "cgroup", "ibrname", "obrname"),
        *("sdif", "sdifname", "priority", "random", "ipsec", "time", "hour", "day", "length", "nfproto", "l4proto"),
    )
)
"""Of the kind meta, with or without that word before them."""
_CT = frozenset(("saddr", "daddr", "proto-src", "proto-dst", "l3proto", "protocol", "bytes", "packets", "avgpkt"))
_BITS = {"&": "&", "and": "&", "|": "|", "or": "|", "^": "^", "xor": "^"}
_BEHIND_ELEMENTS = frozenset(("timeout", "expires", "comment", "counter", "packets", "bytes", "limit", "rate", "quota"))


def expression(cursor: Cursor) -> Any:
    """What a match looks at, fields joined by dots and masked. Raises NotUnderstoodError."""
    parts = [_masked(cursor)]
    while cursor.takes("."):
        parts.append(_masked(cursor))
    return parts[0] if len(parts) == 1 else {"concat": parts}


def _masked(cursor: Cursor) -> Any:
    found = _field(cursor)
    while cursor.next.text in _BITS and not cursor.next.quoted:
        sign = _BITS[cursor.word()]
        found = {sign: [found, _bits(cursor)]}
    return found


def _field(cursor: Cursor) -> Any:
    if cursor.takes("("):
        found = expression(cursor)
        cursor.expect(")")
        return found
    token = cursor.take()
    if token.quoted:
        raise NotUnderstoodError
    word = token.text
    if word == "tcp" and cursor.sees("option"):
        raise NotUnderstoodError
    if word in _HEADERS:
        return {"payload": {"protocol": word, "field": cursor.word()}}
    if word in _OTHER_HEADERS:
        return {"exthdr": {"name": word, "field": cursor.word()}}
    if word == "meta":
        return {"meta": {"key": cursor.word()}}
    if word in _META:
        return {"meta": {"key": word}}
    if word == "ct":
        return _ct(cursor)
    if word == "fib":
        return _fib(cursor)
    if word in ("numgen", "jhash", "symhash"):
        return _hash(word, cursor)
    raise NotUnderstoodError


def _ct(cursor: Cursor) -> Any:
    told: dict[str, Any] = {}
    if cursor.sees("original", "reply"):
        told["dir"] = cursor.word()
    if cursor.sees("ip", "ip6"):
        told["family"] = cursor.word()
    told["key"] = cursor.word()
    if "dir" in told and told["key"] not in _CT:
        raise NotUnderstoodError
    return {"ct": told}


def _fib(cursor: Cursor) -> Any:
    flags = [cursor.word()]
    while cursor.takes("."):
        flags.append(cursor.word())
    return {"fib": {"flags": flags, "result": cursor.word()}}


def _hash(word: str, cursor: Cursor) -> Any:
    """A number that nobody foresees: up to `map`, or the end."""
    while not cursor.done and not cursor.sees("map", "vmap", "==", "!=", "<", ">", "<=", ">="):
        cursor.take()
    return {word: None}


def _bits(cursor: Cursor) -> Any:
    if cursor.takes("("):
        found = [_one(cursor)]
        while cursor.takes("|", "or", ","):
            found.append(_one(cursor))
        cursor.expect(")")
        return found if len(found) > 1 else found[0]
    return _one(cursor)


def value(cursor: Cursor) -> Any:
    """What a field is compared with: a set, or one or several values. Raises NotUnderstoodError."""
    if cursor.sees("{"):
        return {"set": elements(cursor)}
    first = joined(cursor)
    if not cursor.sees(",", "|"):
        return first
    found = [first]
    while cursor.takes(",", "|"):
        found.append(joined(cursor))
    return found


def elements(cursor: Cursor) -> list[Any]:
    """Those between braces; of a set within, its own."""
    cursor.expect("{")
    found: list[Any] = []
    cursor.skip_lines()
    while not cursor.takes("}"):
        each = joined(cursor)
        found += each["set"] if isinstance(each, dict) and "set" in each else [each]
        _skip_behind(cursor)
        cursor.skip_lines()
        if not cursor.takes(",") and not cursor.sees("}"):
            raise NotUnderstoodError
        cursor.skip_lines()
    return found


def mapping(cursor: Cursor, data: Callable[[Cursor], Any]) -> Any:
    """A named map, or pairs between braces. `data` reads what stands behind the colon."""
    token = cursor.next
    if token.text.startswith(("@", "$")) and not token.quoted:
        return _one(cursor)
    cursor.expect("{")
    found: list[Any] = []
    cursor.skip_lines()
    while not cursor.takes("}"):
        key = {"set": elements(cursor)} if cursor.sees("{") else joined(cursor)
        _skip_behind(cursor)
        cursor.skip_lines()
        cursor.expect(":")
        cursor.skip_lines()
        told = data(cursor)
        keys = key["set"] if isinstance(key, dict) and "set" in key else [key]
        found += [[each, told] for each in keys]
        _skip_behind(cursor)
        cursor.skip_lines()
        if not cursor.takes(",") and not cursor.sees("}"):
            raise NotUnderstoodError
        cursor.skip_lines()
    return {"set": found}


def _skip_behind(cursor: Cursor) -> None:
    """What may stand behind an element and is no part of it."""
    while cursor.next.text in _BEHIND_ELEMENTS and not cursor.next.quoted:
        cursor.take()
        cursor.take()


def joined(cursor: Cursor) -> Any:
    """One value, or several that dots join to one."""
    parts = [_range(cursor)]
    while cursor.takes("."):
        parts.append(_range(cursor))
    return parts[0] if len(parts) == 1 else {"concat": parts}


def _range(cursor: Cursor) -> Any:
    first = _one(cursor)
    return {"range": [first, _one(cursor)]} if cursor.takes("-") else first


def _one(cursor: Cursor) -> Any:
    token = cursor.take()
    if token.quoted:
        return token.text
    word = token.text
    if word.startswith("$"):
        if word[1:] not in cursor.variables:
            return {"unknown": word}
        return cursor.variables[word[1:]]
    if not (word[0].isalnum() or word[0] in "@*_:"):
        raise NotUnderstoodError
    return word
