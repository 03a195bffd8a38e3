"""Where this computer's default routes lead. Told on Linux; elsewhere gateways are found only as they answer."""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass
from pathlib import Path

_UP, _GATEWAY = 0x1, 0x2  # linux/route.h: RTF_UP, RTF_GATEWAY


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """A way out: through that interface to the router at that address."""

    interface: str
    gateway: str
    metric: int


def default_routes() -> tuple[DefaultRoute, ...]:
    """The IPv4 and IPv6 default routes that lead to a router, the preferred one of each family first."""
    if sys.platform != "linux":
        return ()
    found: list[DefaultRoute] = []
    for name, parse in (("route", _four), ("ipv6_route", _six)):
        try:
            lines = Path("/proc/net", name).read_text("ascii").splitlines()
        except OSError:
            continue
        routes = [route for line in lines if (route := parse(line.split())) is not None]
        found += sorted(dict.fromkeys(routes), key=lambda route: route.metric)
    return tuple(found)


def _four(fields: list[str]) -> DefaultRoute | None:
    if len(fields) < 8 or not fields[6].isdigit():
        return None
    interface, to, gateway, flags, _, _, metric, mask = fields[:8]
    if int(to, 16) or int(mask, 16) or int(flags, 16) & (_UP | _GATEWAY) != _UP | _GATEWAY:
        return None
    # Written as the machine holds it: on a big-endian one the octets stand the other way round.
    return DefaultRoute(interface, str(ipaddress.ip_address(int(gateway, 16).to_bytes(4, sys.byteorder))), int(metric))


def _six(fields: list[str]) -> DefaultRoute | None:
    if len(fields) < 10:
        return None
    to, prefix, _, _, gateway, metric, _, _, flags, interface = fields[:10]
    if int(to, 16) or int(prefix, 16) or int(flags, 16) & (_UP | _GATEWAY) != _UP | _GATEWAY:
        return None
    return DefaultRoute(interface, str(ipaddress.IPv6Address(int(gateway, 16))), int(metric, 16))
