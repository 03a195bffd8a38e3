"""Whether a text is an address that packets can be sent to: an IP address or a DNS name."""

from __future__ import annotations

import ipaddress
import re

Fault = tuple[str, dict[str, str]]
"""A code of the problem catalogue, and what fills its gaps."""

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_LOOKS_LIKE_IPV4 = re.compile(r"[0-9.]+|(.*\.)?(0[xX][0-9A-Fa-f]*|[0-9]+)")
_LONGEST_NAME = 253


def address_fault(text: str, *, sendable: bool = True) -> Fault | None:
    """What is wrong with an address, or None. `sendable`: multicast and unspecified addresses are wrong too."""
    if text != text.strip():
        return "address-spaces", {"write": text.strip()}
    if "@" in text:
        return "address-user", {}
    if "://" in text:
        return "address-url", {"write": _host_of_url(text)}
    if re.search(r"[\s,;]", text):
        return "address-several", {}
    if "%" in text:
        return "address-zone", {"write": text.partition("%")[0]}
    if (ip := _ip(text)) is not None:
        unusable = ip.is_multicast or ip.is_unspecified or str(ip) == "255.255.255.255"
        return ("address-unusable", {}) if sendable and unusable else None
    if "/" in text:
        return ("address-prefix" if _ip(text.partition("/")[0]) else "address-url"), {"write": text.partition("/")[0]}
    if text.startswith("["):
        return "address-brackets", {"write": text[1:].partition("]")[0]}
    if text.count(":") == 1:
        return "address-port", {"write": text.partition(":")[0]}
    if ":" in text:
        return "address-ipv6", {}
    name = text.removesuffix(".")
    if _LOOKS_LIKE_IPV4.fullmatch(name):
        return "address-ipv4", {}
    return None if is_name(name) else ("address-name", {})


def is_name(name: str) -> bool:
    """Whether it can be a DNS name, without its final dot. Names in other scripts are judged by their ASCII form."""
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = ascii_name.split(".")
    return len(ascii_name) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in labels)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _host_of_url(text: str) -> str:
    host = re.split(r"[/?#]", text.partition("://")[2])[0]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
