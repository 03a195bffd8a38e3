"""Values of the Helm chart of Element Server Suite: the node ports of its calls."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.configs.forwarding import PortForward, forwards
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.reading import Note, Piece, Reading, Source, UnreadableError
from wizard.configs.service_ports import Port, Setting, planned, settled_ports
from wizard.configs.service_reading import BY_DEFAULT, ServiceReading, doubtful, in_front, listens, settled
from wizard.configs.tree import Tree
from wizard.configs.words import say
from wizard.configs.yaml_tree import yaml_tree
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol, Speaks

ID = "ess-helm"
_SERVICES = ("matrixRTC", "sfu", "exposedServices")
_KNOWN = {
    "rtcTcp": (Protocol.TCP, "rtc-tcp", True),
    "rtcMuxedUdp": (Protocol.UDP, "rtc-udp", True),
    "rtcUdp": (Protocol.UDP, "media", False),
    "turnTLS": (Protocol.TCP, "turn-tls", False),
    "turn": (Protocol.UDP, "turn", False),
}
"""Each with whether the chart has it on where the values do not say."""


def recognise(text: str) -> Likeness:
    """By the services that the chart exposes."""
    if re.search(r"^matrixRTC[ \t]*:", text, re.MULTILINE) is None:
        return Likeness.NO
    return Likeness.SURE if re.search(r"^[ \t]+exposedServices[ \t]*:", text, re.MULTILINE) else Likeness.MAYBE


def read(source: Source) -> Reading:
    """Raises UnreadableError."""
    root = yaml_tree(source.text)
    if root.get("matrixRTC") is None:
        raise UnreadableError(Phrase("no-webrtc-ports"))
    notes: list[Note] = []
    rules = settled(_rules(root, notes))
    piece = Piece(HopKind.SERVICE, "Matrix RTC", None, tuple(forwards(rules)))
    return ServiceReading(ID, source.name, rules, in_front(), tuple(notes), (piece,))


def _rules(root: Tree, notes: list[Note]) -> Iterator[PortForward]:
    off = root.get("matrixRTC", "enabled") or root.get("matrixRTC", "sfu", "enabled")
    if off is not None and off.value == "false":
        return
    for key, (protocol, name, on) in _KNOWN.items():
        service = root.get(*_SERVICES, key)
        enabled = None if service is None else service.text("enabled")
        if enabled == "false" or (enabled is None and not on):
            continue
        if service is None:
            # The chart's own default, which versions have changed.
            yield doubtful(BY_DEFAULT, key, frozenset((protocol,)))
            continue
        port, span = service.get("port"), service.get("portRange")
        if port is None and span is None:
            yield doubtful(service.line, key, frozenset((protocol,)))
            continue
        line = (port or span or service).line
        words = port.shown if port is not None else f"{service.text('portRange', 'startPort')}-"
        words += "" if port is not None else f"{service.text('portRange', 'endPort')}"
        try:
            numbers = PortRange.parse(words)
        except ValueError:
            notes.append(Note(Phrase("bad-port", {"text": words}), line))
            yield doubtful(line, key, frozenset((protocol,)))
            continue
        kind = service.text("portType") or "NodePort"
        rule = listens(line, f"{key}: {words}", protocol, numbers, name)
        # A cluster's own addresses are reached from within it only, but for what another object exposes.
        yield doubtful(line, key, frozenset((protocol,))) if kind == "ClusterIP" else rule


_WEB_PORTS = (80, 443, 8080, 8443, 8448)


def _udp(port: Port) -> bool:
    return port.wanted.protocol is Protocol.UDP


def _turns(port: Port) -> bool:
    return port.single and (port.speaks in (Speaks.TURN, Speaks.TLS) or port.wanted.name.startswith("turn"))


_SETTINGS = (
    Setting("rtcUdp", "media", lambda port: _udp(port) and not port.single),
    Setting("turn", "turn", lambda port: _udp(port) and _turns(port)),
    Setting("rtcMuxedUdp", "rtc-udp", lambda port: _udp(port) and port.single),
    Setting("turnTLS", "turn-tls", lambda port: not _udp(port) and _turns(port)),
    # The web server's ports are the ingress's, which has no values here.
    Setting(
        "rtcTcp",
        "rtc-tcp",
        lambda port: not _udp(port) and port.single and port.speaks is None and port.first not in _WEB_PORTS,
    ),
)


def write(order: Order) -> Written:
    """Values to give to Helm beside those that there are: the last file counts."""
    found, cautions = settled_ports(planned(order), _SETTINGS)
    lines = [f"# {say(Phrase('write-set'), order.language)}"]
    if found:
        lines += ["matrixRTC:", "  sfu:", "    exposedServices:"]
    for key, port in found.items():
        numbers = port.wanted.arrives
        lines += [f"      {key}:", "        enabled: true", "        portType: NodePort"]
        if key == "rtcUdp":
            lines += [
                "        portRange:",
                f"          startPort: {numbers.first}",
                f"          endPort: {numbers.last}",
            ]
        else:
            lines.append(f"        port: {numbers}")
    undo = f"# {say(Phrase('undo-set'), order.language)}\n"
    return Written("\n".join(lines) + "\n", undo, cautions)


PRODUCT = Product(ID, "ESS Helm values", (HopKind.SERVICE,), recognise, read, write)
