"""The list of servers that a WebRTC page is given: RTCConfiguration, or its `iceServers` alone, in JSON or JavaScript.

Nothing is run and nothing guessed: what only the running page knows is named with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from wizard.wire import uri
from wizard.wire.js_literal import Kind, LiteralError, Node, Token, Unknown, read, tokens
from wizard.wire.uri import IceUri

MAX_SERVERS = 256
LARGEST = 256 * 1024
"""Characters of a text at most."""

_Concealed = TypeVar("_Concealed")


class ConfigError(ValueError):
    """The text is no list of ICE servers; the message says where and what, and never repeats a credential."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A `key` of a server that only the running page knows. `name` stands there, if it may show."""

    key: str
    line: int
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.key} is {self.name}" if self.name else f"{self.key} is worked out"
        return f"line {self.line}: {what} when the page runs, so it is not known here"


@dataclass(frozen=True, slots=True)
class RtcServer(Generic[_Concealed]):
    """One RTCIceServer."""

    uris: tuple[IceUri, ...]
    username: str | None
    credential: _Concealed | None
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class RtcConfig(Generic[_Concealed]):
    """An RTCConfiguration, as far as it is about servers. `relay_only`: iceTransportPolicy is relay."""

    servers: tuple[RtcServer[_Concealed], ...]
    relay_only: bool = False


def parse(text: str, conceal: Callable[[str], _Concealed]) -> tuple[RtcServer[_Concealed], ...]:
    """The servers in order. `conceal` wraps a credential at once. Raises ConfigError."""
    return parse_config(text, conceal).servers


def parse_config(text: str, conceal: Callable[[str], _Concealed]) -> RtcConfig[_Concealed]:
    """The servers in order, and the policy. `conceal` wraps a credential at once. Raises ConfigError."""
    if len(text) > LARGEST:
        raise ConfigError(f"too long for a list of servers; {LARGEST // 1024} kB are the most")
    words = tokens(text)
    try:
        found = _lists(words)
        if not found:
            raise ConfigError('no list of servers found; expected {"iceServers": [...]} or the list itself')
        read_lists = [_servers(entries, conceal) for entries in found]
    except LiteralError as fault:
        raise ConfigError(str(fault)) from None
    if any(servers != read_lists[0] for servers in read_lists[1:]):
        lines = ", ".join(str(entries[0].line if entries else "?") for entries in found[:2])
        raise ConfigError(f"several lists of servers, at lines {lines}; leave only the one to test")
    return RtcConfig(read_lists[0], _relay_only(words))


def is_config(text: str) -> bool:
    """Whether the text is, or has in it, what looks like a list of servers in JSON or JavaScript."""
    words = tokens(text[:LARGEST])
    return bool(_list_starts(words) or _server_starts(words) or (words and words[0].marks("[", "{")))


def _lists(words: Sequence[Token]) -> list[tuple[Node, ...]]:
    """Every list of servers in the text."""
    starts = _list_starts(words)
    if not starts:
        found: list[tuple[Node, ...]] = []
        for parent, openers in _server_starts(words).items():
            if parent is not None and words[parent].marks("["):
                starts.append(parent)
            else:
                # The body of a list, without its brackets.
                found.append(tuple(read(words, opener) for opener in openers))
        if found or starts:
            return found + [_elements(read(words, start)) for start in starts]
        if words and words[0].marks("["):
            starts = [0]
    return [_elements(read(words, start)) for start in starts]


def _elements(node: Node) -> tuple[Node, ...]:
    match node.value:
        case tuple():
            return node.value
        case dict():
            raise ConfigError(f"line {node.line}: iceServers: expected a list in [ ]")
        case _:
            raise ConfigError(
                f"line {node.line}: the list is worked out when the page runs; give the servers themselves"
            )


def _list_starts(words: Sequence[Token]) -> list[int]:
    """Where the value of each `iceServers` starts that is written out."""
    starts = []
    for at, word in enumerate(words[:-2]):
        if word.text != "iceServers" or word.kind not in (Kind.NAME, Kind.TEXT):
            continue
        value = at + 2
        if words[at + 1].marks(":") and not words[value].marks("[", "{"):
            # A type stands between the name and its value in TypeScript.
            value = next(
                (
                    i + 1
                    for i in range(value, min(value + 24, len(words) - 1))
                    if words[i].marks("=", ",", ";", "}", ")")
                ),
                value,
            )
            if not words[value - 1].marks("="):
                continue
        elif not words[at + 1].marks(":", "="):
            continue
        if words[value].marks("[", "{"):
            starts.append(value)
    # A variable of that name may hold the whole configuration, with the list inside.
    return [start for start in starts if words[start].marks("[")] or starts


def _server_starts(words: Sequence[Token]) -> dict[int | None, list[int]]:
    """Where each object with urls starts, by the bracket around it."""
    found: dict[int | None, list[int]] = {}
    open_at: list[int] = []
    for at, word in enumerate(words):
        if word.marks("{", "[", "("):
            open_at.append(at)
        elif word.marks("}", "]", ")"):
            if open_at:
                open_at.pop()
        elif (
            word.text in ("urls", "url")
            and word.kind in (Kind.NAME, Kind.TEXT)
            and at + 1 < len(words)
            and words[at + 1].marks(":")
            and open_at
            and words[open_at[-1]].marks("{")
            and words[at - 1].marks("{", ",")
            and not _declares_a_type(words, open_at[-1])
        ):
            parent = open_at[-2] if len(open_at) > 1 else None
            openers = found.setdefault(parent, [])
            if open_at[-1] not in openers[-1:]:
                openers.append(open_at[-1])
    return found


def _declares_a_type(words: Sequence[Token], opener: int) -> bool:
    before = [word.text for word in words[max(0, opener - 3) : opener]]
    return before[-2:-1] == ["interface"] or (before[:1] == ["type"] and before[-1:] == ["="])


def _relay_only(words: Sequence[Token]) -> bool:
    for name, colon, value in zip(words, words[1:], words[2:], strict=False):
        if name.text == "iceTransportPolicy" and colon.marks(":"):
            return value.kind is Kind.TEXT and value.text == "relay"
    return False


def _servers(entries: Sequence[Node], conceal: Callable[[str], _Concealed]) -> tuple[RtcServer[_Concealed], ...]:
    if len(entries) > MAX_SERVERS:
        raise ConfigError(f"{len(entries)} servers are too many; {MAX_SERVERS} are the most")
    return tuple(_server(entry, f"iceServers[{index}]", conceal) for index, entry in enumerate(entries))


def _server(entry: Node, where: str, conceal: Callable[[str], _Concealed]) -> RtcServer[_Concealed]:
    if isinstance(entry.value, Unknown):
        what = entry.value.name or "worked out"
        raise ConfigError(f"line {entry.line}: {where} is {what} when the page runs; write the server itself there")
    if not isinstance(entry.value, dict):
        raise ConfigError(f"line {entry.line}: {where}: expected an object with urls")
    values = entry.value
    # `url` is the name that old pages use.
    uris = _uris(values.get("urls", values.get("url", values.get("..."))), entry.line, where)
    kind = values.get("credentialType")
    if kind is not None and kind.value not in (None, "password"):
        raise ConfigError(f"line {kind.line}: {where}.credentialType: only passwords are known here")
    unread: list[Unread] = []
    username = _text(values, "username", where, unread, "expected text")
    credential = _text(values, "credential", where, unread, "expected text; only passwords are known here")
    return RtcServer(uris, username, None if credential is None else conceal(credential), tuple(unread))


def _uris(node: Node | None, line: int, where: str) -> tuple[IceUri, ...]:
    nodes = () if node is None else node.value if isinstance(node.value, tuple) else (node,)
    if not nodes:
        raise ConfigError(f"line {line}: {where}.urls: expected an address or a list of addresses")
    uris = []
    for one in nodes:
        if isinstance(one.value, Unknown):
            what = one.value.name or "worked out"
            raise ConfigError(f"line {one.line}: {where}.urls is {what} when the page runs; write the address there")
        if not isinstance(one.value, str):
            raise ConfigError(f"line {one.line}: {where}.urls: expected an address or a list of addresses")
        try:
            uris.append(uri.parse(one.value))
        except uri.UriError as fault:
            raise ConfigError(f"line {one.line}: {where}.urls: {fault}") from None
    return tuple(uris)


def _text(values: dict[str, Node], key: str, where: str, unread: list[Unread], wanted: str) -> str | None:
    node = values.get(key, values.get("..."))
    if node is None or node.value is None:
        return None
    if isinstance(node.value, Unknown):
        # A password whose quotation marks were forgotten looks like a name.
        unread.append(Unread(f"{where}.{key}", node.line, node.value.name if key == "username" else ""))
        return None
    if not isinstance(node.value, str):
        raise ConfigError(f"line {node.line}: {where}.{key}: {wanted}")
    if any("\ud800" <= char <= "\udfff" for char in node.value):
        raise ConfigError(f"line {node.line}: {where}.{key}: half of a character")
    return node.value
