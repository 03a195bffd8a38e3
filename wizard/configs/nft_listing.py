"""What `nft -j list ruleset` prints (libnftables-json(5))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wizard.configs.nft_tables import Key, NftRule, NftTables
from wizard.configs.reading import UnreadableError
from wizard.model.phrase import Phrase

_LONGEST = 160


def gather(document: Any) -> NftTables:
    """All of a listing. Raises UnreadableError where it is none."""
    tables = NftTables()
    objects = document.get("nftables") if isinstance(document, Mapping) else None
    if not isinstance(objects, list):
        raise UnreadableError(Phrase("syntax", {"text": "nftables"}))
    try:
        for each in objects:
            _object(tables, each)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UnreadableError(Phrase("syntax", {"text": _short(str(each))})) from None
    return tables


def _object(tables: NftTables, told: Mapping[str, Any]) -> None:
    (kind, value), *_ = told.items()
    if kind in ("add", "insert", "create"):
        ((kind, value),) = value.items()
    if kind in ("metainfo", "flush", "delete"):
        return
    if kind == "table":
        tables.table(value["family"])
        if "dormant" in (value.get("flags") or ()):
            tables.dormant.add((value["family"], value["name"]))
        return
    family, table = value["family"], value["table"]
    tables.table(family)
    if kind == "chain":
        told_of = {name: value[name] for name in ("type", "hook", "prio", "policy", "dev") if name in value}
        shown = f"{family} {table} {value['name']}"
        tables.chain((family, table, value["name"]), told_of, 0, f"{shown}: policy {value.get('policy', 'accept')}")
    elif kind == "rule":
        _rule(tables, (family, table, value["chain"]), value)
    elif kind in ("set", "map"):
        found = {"elem": value.get("elem") or [], "flags": value.get("flags") or []}
        if kind == "map":
            found["map"] = value.get("map")
        tables.set_((family, table, value["name"]), found)
    elif kind == "element":
        tables.set_((family, table, value["name"]), {"elem": value.get("elem") or []})
    elif kind == "limit":
        tables.limits[(family, table, value["name"])] = {"inv": bool(value.get("inv"))}


def _rule(tables: NftTables, key: Key, value: Mapping[str, Any]) -> None:
    statements = [told if isinstance(told, dict) else {"unknown": None} for told in value["expr"]]
    shown = " ".join(
        [f"{' '.join(key)}:", *(_words(told) for told in statements if not set(told) & {"counter", "log"})]
    )
    tables.rule(key, NftRule(statements, 0, _short(shown)))


def _words(told: Any) -> str:
    """A statement in a few words: the listing has no lines to show."""
    match told:
        case {"match": {"left": left, "right": right, **rest}}:
            sign = "" if rest.get("op") in (None, "==", "in") else f"{rest['op']} "
            return f"{_words(left)} {sign}{_words(right)}"
        case {"payload": {"protocol": protocol, "field": field}}:
            return f"{protocol} {field}"
        case {"meta": {"key": key}}:
            return f"meta {key}"
        case {"ct": {"key": key}}:
            return f"ct {key}"
        case {"range": [first, last]}:
            return f"{_words(first)}-{_words(last)}"
        case {"prefix": {"addr": host, "len": length}}:
            return f"{host}/{length}"
        case {"set": list(values)}:
            return "{ " + ", ".join(_words(each) for each in values) + " }"
        case {"jump": {"target": target}}:
            return f"jump {target}"
        case {"goto": {"target": target}}:
            return f"goto {target}"
        case {"dnat": {"addr": str(host), **rest}}:
            return f"dnat to {host}" + (f":{_words(rest['port'])}" if "port" in rest else "")
        case list(values):
            return ",".join(_words(each) for each in values)
        case Mapping():
            return next(iter(told), "")
        case _:
            return str(told)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
