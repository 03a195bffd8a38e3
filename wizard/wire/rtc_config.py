"""The list of servers that a WebRTC page is given: RTCConfiguration, or its `iceServers` alone, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wizard.wire import uri
from wizard.wire.uri import IceUri

MAX_SERVERS = 256

_Concealed = TypeVar("_Concealed")


class ConfigError(ValueError):
    """The text is no list of ICE servers; the message says where and what, and never repeats a credential."""


@dataclass(frozen=True, slots=True)
class RtcServer(Generic[_Concealed]):
    """One RTCIceServer."""

    uris: tuple[IceUri, ...]
    username: str | None
    credential: _Concealed | None


def parse(text: str, conceal: Callable[[str], _Concealed]) -> tuple[RtcServer[_Concealed], ...]:
    """The servers in order. `conceal` wraps a credential at once. Raises ConfigError."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as fault:
        # The text around the fault may be a credential.
        raise ConfigError(f"not JSON: {fault.msg}, line {fault.lineno}, column {fault.colno}") from None
    except RecursionError:
        raise ConfigError("not a list of servers: nested too deeply") from None
    entries = document.get("iceServers") if isinstance(document, dict) else document
    if isinstance(document, dict) and "iceServers" not in document and ("urls" in document or "url" in document):
        entries = [document]
    if not isinstance(entries, list):
        raise ConfigError('expected {"iceServers": [...]} or the list itself')
    if len(entries) > MAX_SERVERS:
        raise ConfigError(f"{len(entries)} servers are too many; {MAX_SERVERS} are the most")
    return tuple(_server(entry, f"iceServers[{index}]", conceal) for index, entry in enumerate(entries))


def _server(entry: Any, where: str, conceal: Callable[[str], _Concealed]) -> RtcServer[_Concealed]:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: expected an object with urls")
    # `url` is the name that old pages use.
    urls = entry.get("urls", entry.get("url"))
    if isinstance(urls, str):
        urls = [urls]
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise ConfigError(f"{where}.urls: expected an address or a list of addresses")
    uris = []
    for url in urls:
        try:
            uris.append(uri.parse(url))
        except uri.UriError as fault:
            raise ConfigError(f"{where}.urls: {fault}") from None
    username, credential = entry.get("username"), entry.get("credential")
    if username is not None and not isinstance(username, str):
        raise ConfigError(f"{where}.username: expected text")
    if credential is not None and not isinstance(credential, str):
        raise ConfigError(f"{where}.credential: expected text; only passwords are known here")
    return RtcServer(tuple(uris), username, None if credential is None else conceal(credential))
