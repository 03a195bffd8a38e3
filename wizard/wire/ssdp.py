"""SSDP searches, UPnP Device Architecture 1.1 section 1.3: who is a gateway here? Bytes only, no sockets."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

GROUP, PORT = "239.255.255.250", 1900
WAIT_S = 1
"""The MX of the search: answers are spread over that long."""
TARGETS = (
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
)
LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Found:
    """A gateway that answered: where its description is, and of which version."""

    location: str
    version: int
    """Of the InternetGatewayDevice: 1 or 2."""


def search(target: str, host: str = GROUP) -> bytes:
    """A search for devices of one kind, to the group or to one host."""
    lines = ["M-SEARCH * HTTP/1.1", f"HOST: {host}:{PORT}", 'MAN: "ssdp:discover"', f"MX: {WAIT_S}", f"ST: {target}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def read(data: bytes, sender: str) -> Found | None:
    """The gateway in an answer that `sender` gave; None for anything else.

    A description that is not on the sender itself is not followed: a stranger could point it anywhere.
    """
    if len(data) > LONGEST:
        return None
    lines = data.decode("utf-8", "replace").split("\r\n")
    if not lines[0].startswith("HTTP/1.") or " 200" not in lines[0]:
        return None
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    location = headers.get("location", "")
    target = headers.get("st", "")
    if target not in TARGETS or not is_at(location, sender):
        return None
    return Found(location, int(target[-1]))


def is_at(url: str, address: str) -> bool:
    """Whether an `http` URL leads to that very address."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
        return (
            parts.scheme == "http"
            and port > 0
            and parts.username is None
            and ipaddress.ip_address(parts.hostname or "") == ipaddress.ip_address(address)
        )
    except ValueError:
        return False
