"""frp's documented configuration, checked strictly: a key that it does not document, or a wrong type, is a fault."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from wizard.model.port import PortRange

Shape = dict[str, Any]
"""By key a type, a list with the shape of its elements, or a table's own shape; STRINGS is a table of any keys."""
STRINGS: Shape = {}

_LOG: Shape = {"to": str, "level": str, "maxDays": int, "disablePrintColor": bool}
_TLS: Shape = {"enable": bool, "certFile": str, "keyFile": str, "trustedCaFile": str, "serverName": str}
_WEB: Shape = {"addr": str, "port": int, "user": str, "password": str, "assetsDir": str, "pprofEnable": bool}
_QUIC: Shape = {"keepalivePeriod": int, "maxIdleTimeout": int, "maxIncomingStreams": int}
_PROXY: Shape = {
    "name": str,
    "type": str,
    "localIP": str,
    "localPort": int,
    "annotations": STRINGS,
    "metadatas": STRINGS,
    "transport": {
        "useEncryption": bool,
        "useCompression": bool,
        "bandwidthLimit": str,
        "bandwidthLimitMode": str,
        "proxyProtocolVersion": str,
    },
    "loadBalancer": {"group": str, "groupKey": str},
    "healthCheck": {"type": str, "timeoutSeconds": int, "maxFailed": int, "intervalSeconds": int, "path": str},
}
_DOMAINS: Shape = {"customDomains": [str], "subdomain": str}
PROXIES: dict[str, Shape] = {
    "tcp": {**_PROXY, "remotePort": int},
    "udp": {**_PROXY, "remotePort": int},
    "http": {**_PROXY, **_DOMAINS, "locations": [str], "httpUser": str, "httpPassword": str, "hostHeaderRewrite": str},
    "https": {**_PROXY, **_DOMAINS},
    "stcp": {**_PROXY, "secretKey": str, "allowUsers": [str]},
}
CLIENT: Shape = {
    "serverAddr": str,
    "serverPort": int,
    "user": str,
    "start": [str],
    "includes": [str],
    "loginFailExit": bool,
    "dnsServer": str,
    "udpPacketSize": int,
    "auth": {"method": str, "token": str, "additionalScopes": [str]},
    "log": _LOG,
    "webServer": _WEB,
    "transport": {"protocol": str, "poolCount": int, "tcpMux": bool, "tls": _TLS, "quic": _QUIC},
    "metadatas": STRINGS,
}
SERVER: Shape = {
    "bindAddr": str,
    "bindPort": int,
    "kcpBindPort": int,
    "quicBindPort": int,
    "proxyBindAddr": str,
    "vhostHTTPPort": int,
    "vhostHTTPSPort": int,
    "subDomainHost": str,
    "auth": {"method": str, "token": str, "additionalScopes": [str]},
    "log": _LOG,
    "webServer": _WEB,
    "maxPortsPerClient": int,
    "allowPorts": [{"start": int, "end": int, "single": int}],
}


def client(text: str) -> list[str]:
    """What frpc would find wrong with a `frpc.toml` that was already filled in."""
    table = tomllib.loads(text)
    proxies = table.pop("proxies", [])
    faults = check(table, CLIENT, "")
    names: set[str] = set()
    taken: set[tuple[str, int]] = set()
    for at, proxy in enumerate(proxies):
        shape = PROXIES.get(proxy.get("type", ""))
        if shape is None:
            faults.append(f"proxies[{at}].type")
            continue
        faults += check(proxy, shape, f"proxies[{at}].")
        name, port = proxy.get("name"), (proxy["type"], proxy.get("remotePort"))
        faults += [f"proxies[{at}].name"] if not name or name in names else []
        faults += [f"proxies[{at}].remotePort"] if port in taken else []
        names.add(name)
        taken.add(port)
        faults += [f"proxies[{at}].{key}" for key in ("localPort", "remotePort") if not _is_port(proxy.get(key, 0))]
    return faults


def server(text: str) -> list[str]:
    """What frps would find wrong with a `frps.toml`."""
    table = tomllib.loads(text)
    faults = check(table, SERVER, "")
    for at, entry in enumerate(table.get("allowPorts", [])):
        one = set(entry) == {"single"} and _is_port(entry["single"])
        several = set(entry) == {"start", "end"} and _is_port(entry["start"]) and entry["start"] <= entry["end"] < 65536
        faults += [] if one or several else [f"allowPorts[{at}]"]
    return faults


def check(table: Any, shape: Any, where: str) -> list[str]:
    """The keys that are unknown or of another type."""
    if isinstance(shape, type):
        return [] if type(table) is shape else [where]
    if isinstance(shape, list):
        if not isinstance(table, list):
            return [where]
        return [fault for at, item in enumerate(table) for fault in check(item, shape[0], f"{where}[{at}]")]
    if not isinstance(table, dict):
        return [where]
    if shape is STRINGS:
        return [f"{where}{key}" for key, value in table.items() if not isinstance(value, str)]
    unknown = [f"{where}{key}" for key in table if key not in shape]
    return unknown + [
        fault for key, value in table.items() if key in shape for fault in check(value, shape[key], f"{where}{key}")
    ]


def _is_port(value: object) -> bool:
    return type(value) is int and 0 < value < 65536


def filled(text: str) -> str:
    """The text with its loops over pairs of ranges written out, as frpc's own template engine would."""
    start = r"\{\{- range \$_, \$v := parseNumberRangePair \"([^\"]+)\" \"([^\"]+)\" \}\}"
    loop = re.compile(rf"\s*{start}(.*?)\s*\{{\{{- end \}}\}}", re.DOTALL)

    def written(found: re.Match[str]) -> str:
        pairs = zip(*(PortRange.parse(found[group]) for group in (1, 2)), strict=True)
        return "\n" + "".join(
            found[3].replace("{{ $v.First }}", str(one)).replace("{{ $v.Second }}", str(other)) for one, other in pairs
        )

    return loop.sub(written, text)
