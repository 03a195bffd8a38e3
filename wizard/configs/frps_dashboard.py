"""What frps tells of its proxies: the answers of its dashboard's `/api/proxy/tcp` and `/api/proxy/udp`."""

from __future__ import annotations

import re

from wizard.configs.forwarding import PortForward
from wizard.configs.frp_file import STATUS
from wizard.configs.json_tree import json_tree
from wizard.configs.product import Likeness, Product
from wizard.configs.reading import Forward, Note, Piece, Reading, Source, UnreadableError
from wizard.configs.service_reading import ServiceReading, settled
from wizard.configs.tree import LARGEST, Tree
from wizard.configs.who import Who
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol

ID = "frps-dashboard"
_PROXIES = re.compile(r"\"proxies\"\s*:\s*\[")


def recognise(text: str) -> Likeness:
    """By a list of proxies with their status."""
    start = text[:LARGEST]
    return Likeness.SURE if _PROXIES.search(start) and STATUS.search(start) else Likeness.NO


def read(source: Source) -> Reading:
    """One answer, or a list of several. Raises UnreadableError."""
    root = json_tree(source.text)
    rules: list[PortForward] = []
    notes: list[Note] = []
    for answer in root.value if isinstance(root.value, tuple) else (root,):
        for proxy in answer.elements("proxies"):
            _proxy(proxy, rules, notes)
    if not rules and not notes:
        raise UnreadableError(Phrase("no-proxies"))
    taken = tuple(
        Forward(protocol, numbers, numbers, None, rule.name, rule.line)
        for rule in rules
        if rule.who is Who.EVERYBODY
        for protocol in rule.protocols
        for numbers in rule.outer
    )
    piece = Piece(HopKind.TUNNEL_SERVER, "frps", None, taken)
    return ServiceReading(ID, source.name, settled(rules), notes=tuple(notes), pieces=(piece,))


def _proxy(proxy: Tree, rules: list[PortForward], notes: list[Note]) -> None:
    name = proxy.text("name") or "proxy"
    entry = proxy.get("conf", "remotePort") or proxy.get("conf", "remote_port")
    kind = proxy.text("conf", "type") or proxy.text("type")
    if proxy.text("status") == "offline":
        # Its port is not taken while the client is away, and what it was is not told.
        notes.append(Note(Phrase("frps-offline", {"name": name}), proxy.line))
    if entry is None:
        return
    try:
        numbers = PortRange.parse(entry.shown)
        protocols = frozenset((Protocol(kind),)) if kind else frozenset(Protocol)
    except ValueError:
        notes.append(Note(Phrase("bad-port", {"text": entry.shown}), entry.line))
        return
    online = proxy.text("status") == "online"
    text = f"{name}: {entry.shown}"
    # A proxy whose client is away takes nothing; of which protocol a proxy is, older servers do not tell.
    who = Who.NOBODY if not online else Who.EVERYBODY if kind else Who.PERHAPS
    rules.append(PortForward(entry.line, text, protocols, (numbers,), numbers, None, name, frozenset((4, 6)), who=who))


PRODUCT = Product(ID, "frps dashboard", (HopKind.TUNNEL_SERVER,), recognise, read, None)
