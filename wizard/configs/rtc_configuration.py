"""The RTCConfiguration that a page gives its browser, in JSON or JavaScript: servers, and no ports of the path."""

from __future__ import annotations

import json
import re

from wizard.configs.ice_servers import read_servers
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.reading import Note, Reading, Server, Source, UnreadableError
from wizard.configs.service_reading import BY_DEFAULT, ServiceReading, doubtful
from wizard.configs.words import say
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.wire.rtc_config import LARGEST, ConfigError, is_config

ID = "rtc-configuration"


def recognise(text: str) -> Likeness:
    """By its own key, or by addresses of STUN and TURN servers under theirs."""
    start = text[:LARGEST]
    own = re.search(r"[\"']?iceServers[\"']?\s*[:=]", start) is not None
    listed = re.search(r"[\"']?urls?[\"']?\s*:\s*\[?\s*[\"'`](?:stun|turn)s?:", start) is not None
    return Likeness.SURE if (own or listed) and is_config(start) else Likeness.NO


def read(source: Source) -> Reading:
    """Raises UnreadableError."""
    try:
        imported = read_servers(source.text.encode("utf-8", "replace"))
    except ConfigError as fault:
        raise UnreadableError(Phrase("no-servers", {"why": str(fault)})) from None
    notes = [Note(Phrase("no-servers", {"why": text})) for text in imported.notes]
    notes += [Note(Phrase("worked-out", {"what": unread})) for server in imported.servers for unread in server.unread]
    servers = tuple(Server(server.entry, server.secret) for server in imported.servers)
    # Which ports the service needs is not in it.
    return ServiceReading(ID, source.name, (doubtful(BY_DEFAULT, ""),), notes=tuple(notes), servers=servers)


def write(order: Order) -> Written:
    """The servers of the project, without their passwords, which are not in it."""
    servers: list[dict[str, object]] = []
    for server in order.project.ice_servers:
        entry: dict[str, object] = {"urls": list(server.urls)}
        if server.username is not None:
            entry |= {"username": server.username, "credential": ""}
        servers.append(entry)
    text = json.dumps({"iceServers": servers}, ensure_ascii=False, indent=2)
    cautions = (Phrase("fill-in-credentials"),) if any("credential" in entry for entry in servers) else ()
    return Written(text + "\n", f"// {say(Phrase('undo-file'), order.language)}\n", cautions)


PRODUCT = Product(ID, "RTCConfiguration", (HopKind.SERVICE,), recognise, read, write)
