"""LiveKit's configuration: the port of its signalling, those of the media, and those of its TURN server.

Signalling is reached through a web server in front, as LiveKit has no TLS of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.configs.forwarding import PortForward, forwards
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.reading import Note, Piece, Reading, Source, UnreadableError
from wizard.configs.service_ports import Port, Setting, planned, settled_ports
from wizard.configs.service_reading import (
    BY_DEFAULT,
    PERHAPS,
    Bound,
    ServiceReading,
    bound,
    doubtful,
    in_front,
    listens,
    settled,
)
from wizard.configs.tree import Tree
from wizard.configs.who import Who
from wizard.configs.words import say
from wizard.configs.writing import is_ip
from wizard.configs.yaml_tree import yaml_tree
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol, Speaks

ID = "livekit"
_PORT, _TCP_PORT, _MUX = PortRange(7880, 7880), PortRange(7881, 7881), PortRange(7882, 7882)
_RANGE = PortRange(50000, 60000)
_TURN, _TURN_TLS = PortRange(3478, 3478), PortRange(5349, 5349)
_UDP = frozenset((Protocol.UDP,))
_KEYS = ("port", "rtc", "turn", "keys", "key_file", "redis")


def recognise(text: str) -> Likeness:
    """By the keys of its media."""
    if re.search(r"^rtc[ \t]*:", text, re.MULTILINE) is None:
        return Likeness.NO
    keys = r"^[ \t]+(?:port_range_start|port_range_end|tcp_port|udp_port|use_external_ip|node_ip|use_ice_lite)[ \t]*:"
    return Likeness.SURE if re.search(keys, text, re.MULTILINE) else Likeness.MAYBE


def read(source: Source) -> Reading:
    """Raises UnreadableError."""
    root = yaml_tree(source.text)
    if not any(root.get(key) for key in _KEYS):
        raise UnreadableError(Phrase("not-recognised"))
    reader = _Reader(root)
    rules = settled(reader.rules())
    node_ip = root.text("rtc", "node_ip")
    announced = (node_ip,) if node_ip is not None and is_ip(node_ip) else ()
    piece = Piece(HopKind.SERVICE, "LiveKit", None, tuple(forwards(rules)))
    return ServiceReading(ID, source.name, rules, in_front(), tuple(reader.notes), (piece,), announced=announced)


class _Reader:
    def __init__(self, root: Tree) -> None:
        self.root = root
        self.notes: list[Note] = []

    def rules(self) -> Iterator[PortForward]:
        yield from self._one("signalling", Protocol.TCP, _PORT, "port", at=self._bound())
        yield from self._one("ice-tcp", Protocol.TCP, _TCP_PORT, "rtc", "tcp_port")
        yield from self._media()
        if self.root.text("turn", "enabled") == "true":
            # Whether one that is not set is on has changed with LiveKit's versions.
            yield from self._one("turn", Protocol.UDP, _TURN, "turn", "udp_port", by_default=PERHAPS)
            yield from self._one("turn-tls", Protocol.TCP, _TURN_TLS, "turn", "tls_port", by_default=PERHAPS)

    def _bound(self) -> Bound | None:
        """Where signalling listens; None for everywhere."""
        addresses = [bound(address.shown) for address in self.root.elements("bind_addresses")]
        if not addresses:
            return None
        best = max(addresses, key=lambda at: (at.who, not at.destinations))
        return best if best.who is not Who.EVERYBODY or len(addresses) == 1 else None

    def _media(self) -> Iterator[PortForward]:
        start, end = self.root.get("rtc", "port_range_start"), self.root.get("rtc", "port_range_end")
        mux = self.root.get("rtc", "udp_port")
        has_range = start is not None and start.value != "0"
        has_mux = mux is not None and mux.value != "0"
        if has_range and has_mux and mux is not None:
            self.notes.append(Note(Phrase("livekit-both"), mux.line))
        if not has_range and not has_mux:
            development = self.root.text("development") == "true"
            yield listens(BY_DEFAULT, "", Protocol.UDP, _MUX if development else _RANGE, "media")
        both = has_range and has_mux
        if has_range and start is not None:
            words = f"{start.shown}-{end.shown if end is not None else ''}"
            yield self._span("media", Protocol.UDP, words, start.line, f"port_range_start: {words}", doubt=both)
        if has_mux and mux is not None:
            yield self._span("media", Protocol.UDP, mux.shown, mux.line, f"udp_port: {mux.shown}", doubt=both)

    def _one(
        self,
        name: str,
        protocol: Protocol,
        default: PortRange,
        *path: str,
        at: Bound | None = None,
        by_default: Bound | None = None,
    ) -> Iterator[PortForward]:
        tree = self.root.get(*path)
        if tree is None:
            yield listens(BY_DEFAULT, "", protocol, default, name, by_default or at)
        elif tree.value != "0":
            yield self._span(name, protocol, tree.shown, tree.line, f"{'.'.join(path)}: {tree.shown}", at)

    def _span(
        self,
        name: str,
        protocol: Protocol,
        words: str,
        line: int,
        text: str,
        at: Bound | None = None,
        *,
        doubt: bool = False,
    ) -> PortForward:
        try:
            numbers = PortRange.parse(words)
        except ValueError:
            self.notes.append(Note(Phrase("bad-port", {"text": words}), line))
            doubt = True
        return (
            doubtful(line, text, frozenset((protocol,))) if doubt else listens(line, text, protocol, numbers, name, at)
        )


_WEB = (Speaks.HTTP, Speaks.HTTPS, Speaks.WS, Speaks.WSS)


def _turns(port: Port) -> bool:
    named = port.speaks is None and port.wanted.name in ("turn", "turn-udp", "turn-tls")
    return port.single and (port.speaks in (Speaks.TURN, Speaks.STUN, Speaks.TLS) or named)


def _in_front(port: Port) -> bool:
    return not _udp(port) and (port.speaks in (Speaks.HTTPS, Speaks.WSS) or port.first in (80, 443))


def _udp(port: Port) -> bool:
    return port.wanted.protocol is Protocol.UDP


def _serves(port: Port) -> bool:
    named = port.speaks is None and (port.wanted.name == "signalling" or port.first == _PORT.first)
    return not _udp(port) and port.single and (port.speaks in _WEB or named)


_SETTINGS = (
    Setting("turn.udp_port", "turn", lambda port: _udp(port) and _turns(port)),
    Setting("turn.tls_port", "turn-tls", lambda port: not _udp(port) and _turns(port)),
    Setting("in-front", "https", _in_front),
    Setting("port", "signalling", _serves),
    Setting("range", "media", lambda port: _udp(port) and not port.single),
    Setting("tcp_port", "ice-tcp", lambda port: not _udp(port) and port.single and port.speaks is None),
)
_MUXED = Setting("udp_port", "media", lambda port: _udp(port) and port.single and port.speaks is None)


def write(order: Order) -> Written:
    """The keys that set the planned ports; in a file that has them already, they take the place of its own."""
    ports = planned(order)
    # One port for all media, or a range: LiveKit does not do both.
    several = any(_udp(port) and not port.single for port in ports)
    found, cautions = settled_ports(ports, _SETTINGS if several else (*_SETTINGS, _MUXED))
    lines = [f"# {say(Phrase('write-set'), order.language)}"]
    lines.append(f"port: {found['port'].first if 'port' in found else _PORT.first}")
    if "in-front" in found:
        lines.append(f"# {say(Phrase('write-in-front', {'port': str(found['in-front'].first)}), order.language)}")
    rtc = {
        "tcp_port": found.get("tcp_port"),
        "udp_port": found.get("udp_port"),
    }
    inner = [f"  {key}: {port.first}" for key, port in rtc.items() if port is not None]
    if "range" in found:
        numbers = found["range"].wanted.arrives
        inner += [f"  port_range_start: {numbers.first}", f"  port_range_end: {numbers.last}"]
    if any(hop.kind.translates for hop in order.project.hops[: order.position]):
        public = order.project.public_address
        inner.append(f"  node_ip: {public}" if is_ip(public) else "  use_external_ip: true")
    lines += ["rtc:", *inner] if inner else []
    turn = [f"  {key[5:]}: {found[key].first}" for key in ("turn.udp_port", "turn.tls_port") if key in found]
    if turn:
        # TURN is advertised by the name that its certificate has.
        name = order.project.public_address
        lines += ["turn:", "  enabled: true", *turn, *([] if is_ip(name) else [f"  domain: {name}"])]
    undo = f"# {say(Phrase('undo-set'), order.language)}\n"
    return Written("\n".join(lines) + "\n", undo, cautions)


PRODUCT = Product(ID, "LiveKit", (HopKind.SERVICE,), recognise, read, write)
