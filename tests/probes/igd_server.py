"""A small UPnP gateway over real HTTP on loopback, whose answers a test scripts: what a well-behaved one never says."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping

Fault = int
"""A UPnP error number."""
Reply = Mapping[str, object] | Fault
Answer = Callable[[str, dict[str, str]], Reply]
"""Told the action and its arguments."""

_IN, _OUT = "in", "out"
_ENTRY = [
    ("NewInternalPort", "U", _OUT),
    ("NewInternalClient", "S", _OUT),
    ("NewEnabled", "B", _OUT),
    ("NewPortMappingDescription", "S", _OUT),
    ("NewLeaseDuration", "U", _OUT),
]
_KEY = [("NewRemoteHost", "S"), ("NewExternalPort", "U"), ("NewProtocol", "S")]
_ACTIONS: dict[str, list[tuple[str, str, str]]] = {
    "GetExternalIPAddress": [("NewExternalIPAddress", "S", _OUT)],
    "GetGenericPortMappingEntry": [
        ("NewPortMappingIndex", "U", _IN),
        *((name, kind, _OUT) for name, kind in _KEY),
        *_ENTRY,
    ],
    "GetSpecificPortMappingEntry": [*((name, kind, _IN) for name, kind in _KEY), *_ENTRY],
    "AddPortMapping": [*((name, kind, _IN) for name, kind in _KEY), *((name, kind, _IN) for name, kind, _ in _ENTRY)],
    "DeletePortMapping": [(name, kind, _IN) for name, kind in _KEY],
    "GetListOfPortMappings": [
        ("NewStartPort", "U", _IN),
        ("NewEndPort", "U", _IN),
        ("NewProtocol", "S", _IN),
        ("NewManage", "B", _IN),
        ("NewNumberOfPorts", "U", _IN),
        ("NewPortListing", "S", _OUT),
    ],
}
_TYPES = {"S": "string", "U": "ui4", "B": "boolean"}
_SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:2"


@contextlib.asynccontextmanager
async def igd_server(answer: Answer, actions: frozenset[str] = frozenset(_ACTIONS)) -> AsyncIterator[int]:
    """It serves `/d.xml` and those actions; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = (await reader.readexactly(int(length[1]))).decode() if length else ""
            status, text = _page(head, body, answer, actions)
            data = text.encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _page(head: str, body: str, answer: Answer, actions: frozenset[str]) -> tuple[str, str]:
    path = head.split(" ")[1]
    if path == "/d.xml":
        return "200 OK", _description()
    if path == "/s.xml":
        return "200 OK", _scpd(actions)
    action = re.search(r'soapaction: "?[^#\r\n]*#(\w+)', head, re.IGNORECASE)
    assert action is not None, head
    arguments = dict(re.findall(r"<(New\w+)[^>]*>([^<]*)</", body))
    reply = answer(action[1], arguments)
    if isinstance(reply, Fault):
        return "500 Internal Server Error", _envelope(
            "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>"
            f'<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{reply}</errorCode>'
            "<errorDescription>no</errorDescription></UPnPError></detail></s:Fault>"
        )
    told = "".join(f"<{name}>{value}</{name}>" for name, value in reply.items())
    return "200 OK", _envelope(f'<u:{action[1]}Response xmlns:u="{_SERVICE}">{told}</u:{action[1]}Response>')


def _envelope(inner: str) -> str:
    space = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<?xml version="1.0"?><s:Envelope xmlns:s="{space}"><s:Body>{inner}</s:Body></s:Envelope>'


def _description() -> str:
    service = (
        f"<service><serviceType>{_SERVICE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>"
        "<SCPDURL>/s.xml</SCPDURL><controlURL>/c</controlURL><eventSubURL>/e</eventSubURL></service>"
    )
    return (
        '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>'
        "<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>Odd</friendlyName>"
        "<manufacturer>Odd\nmaker</manufacturer><modelName>Odd 1</modelName>"
        f"<UDN>uuid:1</UDN><serviceList>{service}</serviceList></device></root>"
    )


def _scpd(actions: frozenset[str]) -> str:
    told = "".join(
        f"<action><name>{name}</name><argumentList>"
        + "".join(
            f"<argument><name>{argument}</name><direction>{way}</direction>"
            f"<relatedStateVariable>{kind}</relatedStateVariable></argument>"
            for argument, kind, way in arguments
        )
        + "</argumentList></action>"
        for name, arguments in _ACTIONS.items()
        if name in actions
    )
    variables = "".join(
        f'<stateVariable sendEvents="no"><name>{name}</name><dataType>{kind}</dataType></stateVariable>'
        for name, kind in _TYPES.items()
    )
    return (
        '<?xml version="1.0"?><scpd xmlns="urn:schemas-upnp-org:service-1-0"><specVersion><major>1</major>'
        f"<minor>0</minor></specVersion><actionList>{told}</actionList>"
        f"<serviceStateTable>{variables}</serviceStateTable></scpd>"
    )
