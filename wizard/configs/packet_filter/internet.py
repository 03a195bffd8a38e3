"""Where senders may be: the addresses of the internet, and those that never come from there."""

from __future__ import annotations

from ipaddress import ip_network

from wizard.configs.packet_filter.spans import Spans, normal, without

_SPECIAL = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16
198.18.0.0/15 224.0.0.0/3
"""
"""RFC 6890 and its registry. Addresses for documentation are not among them: there they stand for somebody's."""
_NO_SENDERS = "0.0.0.0/8 127.0.0.0/8 224.0.0.0/3"


def _spans(networks: str) -> Spans:
    found = [ip_network(text) for text in networks.split()]
    return normal((int(net.network_address), int(net.broadcast_address)) for net in found)


_EVERY4 = ((0, (1 << 32) - 1),)
INTERNET: dict[int, Spans] = {
    4: without(_EVERY4, _spans(_SPECIAL)),
    6: _spans("2000::/3"),
}
"""By family: those that are routed."""
ANYWHERE: dict[int, Spans] = {4: without(_EVERY4, _spans(_NO_SENDERS)), 6: _spans("2000::/3 fc00::/7 fe80::/10")}
"""By family: those of private and special networks too."""
