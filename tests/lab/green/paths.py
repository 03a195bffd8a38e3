"""The paths on which people's own files are tried: nothing on them is configured yet."""

from __future__ import annotations

from tests.lab.path import LabHop, LabVantage, Path

PUBLIC = "203.0.113.20"
SERVER = "192.168.77.10"
OUTSIDE = (LabVantage("outside"),)
HOME = Path(
    "home",
    PUBLIC,
    (LabHop("router", "router", PUBLIC), LabHop("firewall", "firewall", SERVER), LabHop("service", "service")),
    (),
    OUTSIDE,
)
TUNNEL = Path(
    "tunnel",
    PUBLIC,
    (LabHop("frps", "tunnel-server", PUBLIC), LabHop("frpc", "tunnel-client", at=SERVER)),
    (),
    OUTSIDE,
)
CLOUD = Path(
    "cloud",
    PUBLIC,
    (
        LabHop("group", "security-group"),
        LabHop("cloud", "firewall"),
        LabHop("frps", "tunnel-server", PUBLIC),
        LabHop("frpc", "tunnel-client", at="192.168.77.5"),
        LabHop("vm", "firewall", SERVER),
        LabHop("docker", "container", SERVER),
        LabHop("chat", "service", at="172.17.0.2"),
    ),
    (),
    OUTSIDE,
)
