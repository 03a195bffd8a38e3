"""The statements of one rule of nft's language, in the form of its JSON (nft(8), libnftables-json(5))."""

from __future__ import annotations

from typing import Any

from wizard.configs.nft_cursor import Cursor, NotUnderstoodError
from wizard.configs.nft_expression import expression, joined, mapping, value

Node = dict[str, Any]
_VERDICTS = frozenset(("accept", "drop", "continue", "return"))
_NATS = frozenset(("dnat", "snat", "redirect", "masquerade"))
_NO_MATTER = frozenset(("log", "comment", "dup", "flow", "secmark"))
"""Statements that change nothing that rules here look at, up to the next that is known."""
_LOG_WORDS = frozenset(("prefix", "level", "group", "snaplen", "queue-threshold", "flags"))
_SENT_AWAY = frozenset(("queue", "tproxy", "synproxy", "fwd"))
_MEDDLING = _NATS | _SENT_AWAY | {"set", "jump", "goto", "vmap", "notrack", "reject"}
_OPERATORS = frozenset(("==", "!=", "<", ">", "<=", ">="))
_OPERATOR_WORDS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}


def statements(cursor: Cursor) -> list[Node]:
    """Those of one rule. From where it is not understood, they are `unknown`: with the verdict that comes of it, if
    that much can be seen."""
    found: list[Node] = []
    while not cursor.done:
        try:
            found.append(_statement(cursor))
        except (NotUnderstoodError, ValueError):
            return [*found, *_rest(cursor)]
    return found


def _rest(cursor: Cursor) -> list[Node]:
    words = [token.text for token in cursor.rest() if not token.quoted]
    if words[-1:] == ["comment"]:
        words.pop()
    if words and words[-1] in ("accept", "drop", "return") and not _MEDDLING & set(words):
        return [{"unknown": None}, {words[-1]: None}]
    return [{"unknown": None}, {"queue": None}]


def verdict(cursor: Cursor) -> Node:
    """`accept`, `jump elsewhere` and their like."""
    word = cursor.word()
    if word in _VERDICTS:
        return {word: None}
    if word in ("jump", "goto"):
        token = cursor.take()
        if token.text[:1].isalpha() or token.text[:1] == "_":
            return {word: {"target": token.text}}
    raise NotUnderstoodError


def _statement(cursor: Cursor) -> Node:
    word = cursor.next.text
    if cursor.next.quoted:
        raise NotUnderstoodError
    if word in _VERDICTS or word in ("jump", "goto"):
        return verdict(cursor)
    if word in _NO_MATTER:
        return _passed_over(cursor)
    if word in _SENT_AWAY:
        cursor.rest()
        return {"queue": None}
    match word:
        case "reject":
            return {"reject": {"type": _rejection([token.text for token in cursor.rest()])}}
        case "counter" | "last":
            return _counter(cursor)
        case "limit":
            return _limit(cursor)
        case "notrack":
            cursor.take()
            return {"notrack": None}
        case "xt":
            cursor.take()
            kind, name = cursor.word(), cursor.word()
            return {"xt": {"type": kind, "name": name}}
        case "add" | "update" | "delete" | "set":
            return _set_statement(cursor)
        case "meter" | "flow":
            return _meter(cursor)
    if word in _NATS:
        return _nat(cursor)
    if word == "ct" and cursor.ahead(1).text == "count":
        return _count(cursor)
    if word == "ct" and cursor.ahead(1).text in ("helper", "timeout", "expectation", "event", "zone"):
        helper = cursor.ahead(2).text == "set"
        if helper:
            cursor.rest()
            return {"counter": None}
        raise NotUnderstoodError
    return _match(cursor)


def _rejection(words: list[str]) -> str:
    return next((word for word in words if word in ("icmp", "icmpv6", "tcp")), "")


def _passed_over(cursor: Cursor) -> Node:
    word = cursor.word()
    if word == "log":
        while cursor.sees(*_LOG_WORDS):
            cursor.take()
            if cursor.word() in ("tcp", "ip") and not cursor.done:
                cursor.take()
            while cursor.takes(","):
                cursor.take()
    elif word == "comment":
        cursor.take()
    elif word == "flow":
        cursor.take()
        cursor.take()
    else:
        cursor.rest()
    return {"counter": None}


def _counter(cursor: Cursor) -> Node:
    cursor.take()
    if cursor.takes("name"):
        cursor.take()
    while cursor.sees("packets", "bytes", "used"):
        cursor.take()
        cursor.take()
    return {"counter": None}


def _limit(cursor: Cursor) -> Node:
    cursor.take()
    if cursor.takes("name"):
        return {"limit": cursor.word()}
    cursor.expect("rate")
    over = cursor.takes("over")
    if not over:
        cursor.takes("until")
    # 10/second, 1 mbytes/second, 10 /minute
    cursor.take()
    while cursor.sees("bytes", "kbytes", "mbytes", "/", "second", "minute", "hour", "day", "week") or (
        not cursor.done and cursor.next.text.endswith(("/second", "/minute", "/hour", "/day", "/week"))
    ):
        cursor.take()
    if cursor.takes("burst"):
        cursor.take()
        cursor.takes("packets", "bytes", "kbytes", "mbytes")
    return {"limit": {"inv": over}}


def _count(cursor: Cursor) -> Node:
    cursor.take()
    cursor.take()
    over = cursor.takes("over")
    return {"ct count": {"val": int(cursor.word(), 0), "inv": over}}


def _set_statement(cursor: Cursor) -> Node:
    """`add @name { key stmt }`, and as it was: `set add key @name`."""
    if cursor.takes("set"):
        cursor.take()
        expression(cursor)
        return {"set": {"set": cursor.word(), "stmt": []}}
    cursor.take()
    name = cursor.word()
    return {"set": {"set": name, "stmt": _braced(cursor)}}


def _meter(cursor: Cursor) -> Node:
    cursor.take()
    cursor.take()
    if cursor.takes("size"):
        cursor.take()
    return {"set": {"set": "", "stmt": _braced(cursor)}}


def _braced(cursor: Cursor) -> list[Node]:
    cursor.expect("{")
    expression(cursor)
    while cursor.takes("timeout", "expires"):
        cursor.take()
    found = []
    while not cursor.takes("}"):
        found.append(_statement(cursor))
    return found


def _nat(cursor: Cursor) -> Node:
    kind = cursor.word()
    told: Node = {}
    if cursor.takes("ip", "ip6"):
        pass
    # `dnat ip addr . port to …` only says of which type the map is.
    if cursor.takes("addr"):
        cursor.expect(".")
        cursor.expect("port")
    if cursor.takes("prefix"):
        told["flags"] = ["prefix"]
    if cursor.takes("to"):
        if kind in ("redirect", "masquerade"):
            cursor.takes(":")
            told["port"] = _mapped(cursor)
        else:
            if not cursor.sees(":"):
                told["addr"] = _mapped(cursor)
            if cursor.takes(":"):
                told["port"] = _mapped(cursor)
    flags = told.setdefault("flags", [])
    while cursor.sees("random", "fully-random", "persistent", ","):
        word = cursor.word()
        flags += [word] if word != "," else []
    return {kind: told}


def _mapped(cursor: Cursor) -> Any:
    """A plain value, or one that a map gives for an expression."""
    if cursor.takes("["):
        found = value(cursor)
        cursor.expect("]")
        return found
    word = cursor.next.text
    if word[:1].isdigit() or cursor.next.quoted or word[:1] == "$" or ":" in word:
        return value(cursor)
    key = expression(cursor)
    cursor.expect("map")
    return {"map": {"key": key, "data": mapping(cursor, joined)}}


def _match(cursor: Cursor) -> Node:
    if cursor.sees("tcp") and cursor.ahead(1).text == "option" and cursor.ahead(4).text == "set":
        cursor.rest()
        return {"counter": None}
    left = expression(cursor)
    if cursor.takes("vmap"):
        return {"vmap": {"key": left, "data": mapping(cursor, verdict)}}
    if cursor.takes("set"):
        return {"mangle": {"key": left, "value": _set_value(cursor)}}
    operator = "implicit"
    if cursor.next.text in _OPERATORS and not cursor.next.quoted:
        operator = cursor.word()
    elif cursor.next.text in _OPERATOR_WORDS and not cursor.next.quoted:
        operator = _OPERATOR_WORDS[cursor.word()]
    elif cursor.takes("!"):
        operator = "!"
    right = value(cursor)
    if cursor.takes("/"):
        # tcp flags syn / fin,syn,rst,ack
        left = {"&": [left, value(cursor)]}
        operator = "==" if operator == "implicit" else operator
    return {"match": {"op": operator, "left": left, "right": right}}


def _set_value(cursor: Cursor) -> Any:
    """What a mark becomes: a number, or an expression that it is made from."""
    if cursor.next.text[:1].isdigit() or cursor.next.text[:1] == "$":
        return value(cursor)
    return expression(cursor)
