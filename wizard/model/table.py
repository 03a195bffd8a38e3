"""Between a project and the plain table that its file holds: types and keys here, meaning in `validate`."""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

from wizard.model.draft import ConfigDraft, Draft, HopDraft, IceDraft, PortDraft, VantageDraft
from wizard.model.hop import HopKind
from wizard.model.misspelling import misspelt
from wizard.model.port import PortRange, Protocol, Speaks
from wizard.model.problem import KeyPath, Term
from wizard.model.project import FORMAT, Project
from wizard.model.vantage import VantageKind

Table = Mapping[str, Any]
EnumType = TypeVar("EnumType", bound=enum.Enum)

KEYS: Mapping[str, tuple[str, ...]] = {
    "": (
        "format",
        "name",
        "public_address",
        "announced",
        "probe_key",
        "hops",
        "ports",
        "vantages",
        "ice_servers",
        "configs",
    ),
    "hops": ("id", "kind", "name", "address"),
    "ports": ("name", "protocol", "outside", "inside", "speaks", "path"),
    "vantages": ("id", "kind", "beyond", "server", "username"),
    "ice_servers": ("urls", "username"),
    "configs": ("hop", "file", "product"),
}
"""Every key of the format, by the list that it belongs to; "" is the top of the file."""

_ONLY_AT_TOP = ("format", "public_address", "announced", "probe_key")
_SECRETS = (
    "password",
    "passwd",
    "passphrase",
    "credential",
    "credentials",
    "secret",
    "auth_secret",
    "static_auth_secret",
)
# RTCIceServer's credentialType says "password" and is none.
_NO_SECRETS = ("credentialtype",)


def read_draft(table: Table) -> Draft:
    """Read the table of a file of this format: every key, each of the type that it must have."""
    draft = Draft()
    _check_format(draft, table)
    _find_secrets(draft, table)
    _check_keys(draft, table, (), "")
    draft.name = _text(draft, table, (), "name", required=True)
    draft.public_address = _text(draft, table, (), "public_address", required=True)
    draft.announced = _texts(draft, table, (), "announced") or []
    draft.probe_key = _text(draft, table, (), "probe_key")
    for path, item in _tables(draft, table, "hops", required=True):
        draft.hops.append(
            HopDraft(
                path,
                id=_text(draft, item, path, "id", required=True),
                kind=_choice(draft, item, path, "kind", HopKind),
                label=_text(draft, item, path, "name"),
                address=_text(draft, item, path, "address"),
            )
        )
    for path, item in _tables(draft, table, "ports", required=True):
        draft.ports.append(
            PortDraft(
                path,
                name=_text(draft, item, path, "name", required=True),
                protocol=_choice(draft, item, path, "protocol", Protocol),
                outside=_range(draft, item, path, "outside"),
                inside=_inside(draft, item, path),
                speaks=_choice(draft, item, path, "speaks", Speaks, required=False),
                path=_text(draft, item, path, "path"),
            )
        )
    for path, item in _tables(draft, table, "vantages"):
        draft.vantages.append(
            VantageDraft(
                path,
                id=_text(draft, item, path, "id", required=True),
                kind=_choice(draft, item, path, "kind", VantageKind),
                beyond=_text(draft, item, path, "beyond"),
                server=_text(draft, item, path, "server"),
                username=_text(draft, item, path, "username"),
            )
        )
    for path, item in _tables(draft, table, "ice_servers"):
        urls = [item["urls"]] if isinstance(item.get("urls"), str) else item.get("urls")
        draft.ice_servers.append(
            IceDraft(
                path,
                urls=_texts(draft, item if urls is None else {"urls": urls}, path, "urls", required=True),
                username=_text(draft, item, path, "username"),
            )
        )
    for path, item in _tables(draft, table, "configs"):
        draft.configs.append(
            ConfigDraft(
                path,
                hop=_text(draft, item, path, "hop", required=True),
                file=_text(draft, item, path, "file", required=True),
                product=_text(draft, item, path, "product"),
            )
        )
    return draft


def to_table(project: Project) -> dict[str, Any]:
    """The table of a project's file, keys in the order of the format; what is not set is left out."""
    table: dict[str, Any] = {
        "format": FORMAT,
        "name": project.name,
        "public_address": project.public_address,
        "announced": list(project.announced) or None,
        "probe_key": project.probe_key,
        "hops": [
            _set({"id": hop.id, "kind": hop.kind.value, "name": hop.label, "address": hop.address})
            for hop in project.hops
        ],
        "ports": [
            _set(
                {
                    "name": plan.name,
                    "protocol": plan.protocol.value,
                    "outside": str(plan.outside),
                    "inside": {hop: str(numbers) for hop, numbers in plan.inside.items()} or None,
                    "speaks": plan.speaks.value if plan.speaks else None,
                    "path": plan.path,
                }
            )
            for plan in project.ports
        ],
        "vantages": [
            _set(
                {
                    "id": vantage.id,
                    "kind": vantage.kind.value,
                    "beyond": vantage.beyond,
                    "server": vantage.server,
                    "username": vantage.username,
                }
            )
            for vantage in project.vantages
        ],
        "ice_servers": [
            _set({"urls": list(server.urls), "username": server.username}) for server in project.ice_servers
        ],
        "configs": [
            _set({"hop": config.hop, "file": config.file, "product": config.product}) for config in project.configs
        ],
    }
    return _set(table)


def _set(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _check_format(draft: Draft, table: Table) -> None:
    found = table.get("format")
    if found is None:
        draft.blame(("format",), "format-missing")
    elif type(found) is not int or found < FORMAT:
        draft.blame(("format",), "format-wrong", found)
    elif found > FORMAT:
        draft.blame(("format",), "format-newer", found)


def _find_secrets(draft: Draft, table: Table) -> None:
    """Blame every key that holds a secret, at any depth; hop ids under `inside` are names, not keys."""
    waiting: list[tuple[KeyPath, Any]] = [((), table)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if _is_secret(key) and not (len(path) == 3 and path[0] == "ports" and path[2] == "inside"):
                    draft.blame((*path, key), "secret")
                else:
                    waiting.append(((*path, key), inner))
        elif isinstance(value, list):
            waiting.extend(((*path, position), inner) for position, inner in enumerate(value))


def _is_secret(key: str) -> bool:
    plain = re.sub(r"[-_ ]", "", key.lower())
    return plain not in _NO_SECRETS and misspelt(key, _SECRETS) is not None


def _check_keys(draft: Draft, table: Table, path: KeyPath, kind: str) -> None:
    """Blame keys that look like a known one: whoever wrote them means it, and would miss it in silence."""
    for key in table:
        if key in KEYS[kind] or _is_secret(key):
            continue
        if kind and key in _ONLY_AT_TOP:
            draft.blame((*path, key), "belongs-at-top", table[key], key=key)
        elif (known := misspelt(key, KEYS[kind])) is not None:
            draft.blame((*path, key), "misspelt", table[key], known=known)


def _tables(draft: Draft, table: Table, kind: str, *, required: bool = False) -> list[tuple[KeyPath, Table]]:
    found = table.get(kind, [])
    if found == [] and required:
        draft.blame((kind,), f"no-{kind}")
    if not isinstance(found, list):
        draft.whole = False
        draft.blame((kind,), "not-tables", kind=kind)
        return []
    items: list[tuple[KeyPath, Table]] = []
    for position, item in enumerate(found):
        path: KeyPath = (kind, position)
        if isinstance(item, Mapping):
            _check_keys(draft, item, path, kind)
            items.append((path, item))
        else:
            draft.whole = False
            draft.blame(path, "not-tables", item, kind=kind)
    return items


def _missing(draft: Draft, path: KeyPath, key: str) -> None:
    draft.whole = False
    kind = str(path[0]) if path else "top"
    draft.blame((*path, key), "missing", write=Term(f"example-{kind}-{key}"))


def _wrong_type(draft: Draft, path: KeyPath, value: object, wanted: str) -> None:
    draft.whole = False
    draft.blame(path, "wrong-type", value, found=Term(_type_term(value)), wanted=Term(wanted))


def _type_term(value: object) -> str:
    if isinstance(value, bool):  # before int, which a bool is to Python but not to TOML
        return "type-bool"
    for kind, term in ((str, "text"), (int, "int"), (float, "float"), (list, "list"), (Mapping, "table")):
        if isinstance(value, kind):
            return f"type-{term}"
    return "type-date"


def _text(draft: Draft, table: Table, path: KeyPath, key: str, *, required: bool = False) -> str | None:
    if key not in table:
        if required:
            _missing(draft, path, key)
        return None
    return _as_text(draft, table[key], (*path, key), "type-text")


def _as_text(draft: Draft, value: object, path: KeyPath, wanted: str) -> str | None:
    if not isinstance(value, str):
        _wrong_type(draft, path, value, wanted)
        return None
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        draft.blame(path, "control-character", value)
    return value


def _texts(draft: Draft, table: Table, path: KeyPath, key: str, *, required: bool = False) -> list[str | None] | None:
    if key not in table:
        if required:
            _missing(draft, path, key)
        return None
    found = table[key]
    if not isinstance(found, list):
        _wrong_type(draft, (*path, key), found, "type-list")
        return None
    return [_as_text(draft, value, (*path, key, position), "type-text") for position, value in enumerate(found)]


def _choice(
    draft: Draft, table: Table, path: KeyPath, key: str, choices: type[EnumType], *, required: bool = True
) -> EnumType | None:
    """The member of an enumeration that the key names."""
    text = _text(draft, table, path, key, required=required)
    if text is None:
        return None
    names = {str(choice.value): choice for choice in choices}
    if text in names:
        return names[text]
    draft.whole = False
    meant = misspelt(text, names)
    if meant is not None:
        draft.blame((*path, key), "unknown-choice-meant", text, meant=meant)
    else:
        draft.blame((*path, key), "unknown-choice", text, choices=", ".join(names))
    return None


def _range(draft: Draft, table: Table, path: KeyPath, key: str) -> PortRange | None:
    if key not in table:
        _missing(draft, path, key)
        return None
    return _as_range(draft, table[key], (*path, key))


def _as_range(draft: Draft, value: object, path: KeyPath) -> PortRange | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        _wrong_type(draft, path, value, "type-range")
        return None
    if isinstance(value, int) and not 1 <= value <= 65535:
        draft.whole = False
        draft.blame(path, "range-bounds", value)
        return None
    try:
        return PortRange.parse(str(value))
    except ValueError:
        draft.whole = False
    backwards = re.fullmatch(r"\s*([0-9]{1,5})\s*-\s*([0-9]{1,5})\s*", str(value))
    if backwards and 1 <= int(backwards[2]) < int(backwards[1]) <= 65535:
        draft.blame(path, "range-backwards", value, write=f"{backwards[2]}-{backwards[1]}")
    elif re.fullmatch(r"\s*-?[0-9]+\s*(-\s*[0-9]+\s*)?", str(value)):
        draft.blame(path, "range-bounds", value)
    else:
        draft.blame(path, "range-unreadable", value)
    return None


def _inside(draft: Draft, table: Table, path: KeyPath) -> dict[str, PortRange | None]:
    found = table.get("inside", {})
    if not isinstance(found, Mapping):
        _wrong_type(draft, (*path, "inside"), found, "type-inside")
        return {}
    return {hop: _as_range(draft, value, (*path, "inside", hop)) for hop, value in found.items()}
