"""Addresses, ports and protocols as rules spell them."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from wizard.configs.packet_filter.rules import Among, Field
from wizard.configs.packet_filter.spans import Span

PROTOCOLS = {
    "icmp": 1,
    "igmp": 2,
    "ipip": 4,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "ipv6": 41,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmpv6": 58,
    "ipv6-icmp": 58,
    "ospf": 89,
    "vrrp": 112,
    "sctp": 132,
    "udplite": 136,
}
"""IANA's numbers of those that rule sets name."""
SERVICES = {
    "ftp-data": 20,
    "ftp": 21,
    "ssh": 22,
    "telnet": 23,
    "smtp": 25,
    "domain": 53,
    "bootps": 67,
    "bootpc": 68,
    "tftp": 69,
    "http": 80,
    "www": 80,
    "kerberos": 88,
    "pop3": 110,
    "sunrpc": 111,
    "ntp": 123,
    "netbios-ns": 137,
    "netbios-dgm": 138,
    "netbios-ssn": 139,
    "imap2": 143,
    "imap": 143,
    "snmp": 161,
    "ldap": 389,
    "https": 443,
    "microsoft-ds": 445,
    "submissions": 465,
    "isakmp": 500,
    "syslog": 514,
    "submission": 587,
    "ldaps": 636,
    "imaps": 993,
    "pop3s": 995,
    "openvpn": 1194,
    "mysql": 3306,
    "ms-wbt-server": 3389,
    "nfs": 2049,
    "postgresql": 5432,
    "sip": 5060,
    "sip-tls": 5061,
    "mdns": 5353,
    "stun": 3478,
    "turn": 3478,
    "stuns": 5349,
    "turns": 5349,
    "http-alt": 8080,
}
"""Names of /etc/services that stand in rule sets in place of a number."""
_MASK4 = re.compile(r"[0-9.]+")


def ports(text: str, separator: str = ":") -> Span:
    """A port or range. An open end is the lowest or highest. Raises ValueError."""
    first, dash, last = text.partition(separator)
    if not dash:
        number = port(first)
        return number, number
    span = (port(first) if first else 0), (port(last) if last else 65535)
    if span[0] > span[1]:
        raise ValueError(text)
    return span


def port(text: str) -> int:
    """A port by number or name. Raises ValueError."""
    if text in SERVICES:
        return SERVICES[text]
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError(text)
    return int(text)


def protocol(text: str) -> int | None:
    """Its number, None for any. Raises ValueError."""
    text = text.lower()
    if text in ("all", "0", "any", "ip"):
        return None
    if text in PROTOCOLS:
        return PROTOCOLS[text]
    if not (text.isascii() and text.isdigit() and int(text) <= 255):
        raise ValueError(text)
    return int(text)


def address(text: str, family: int) -> int:
    """Raises ValueError."""
    found = ip_address(text)
    if found.version != family:
        raise ValueError(text)
    return int(found)


def network(text: str, field: Field, family: int, *, negated: bool = False) -> Among:
    """A match of an address, a prefix, an address with its mask, or a range. Raises ValueError."""
    if "-" in text:
        first, _, last = text.partition("-")
        return Among(field, ((address(first, family), address(last, family)),), negated)
    host, slash, mask = text.partition("/")
    if slash and family == 4 and "." in mask and _MASK4.fullmatch(mask) and not _is_prefix(address(mask, 4)):
        bits = address(mask, 4)
        number = address(host, 4) & bits
        return Among(field, ((number, number),), negated, bits)
    found: IPv4Network | IPv6Network = ip_network(text, strict=False)
    if found.version != family:
        raise ValueError(text)
    return Among(field, ((int(found.network_address), int(found.broadcast_address)),), negated)


def _is_prefix(mask: int) -> bool:
    inverse = mask ^ 0xFFFFFFFF
    return inverse & (inverse + 1) == 0
