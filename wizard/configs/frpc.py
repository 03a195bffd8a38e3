"""frpc: which ports the frps it dials takes in for it, and where it hands them on to.

One file describes two hops. The tunnel server takes `remotePort` and hands the same number on; the tunnel client
takes that number and hands on `localPort` at `localIP`. The file belongs to the tunnel client.
"""

from __future__ import annotations

import ipaddress
import re
import string
from collections.abc import Iterable, Iterator
from itertools import groupby

from wizard.configs.filtering import BOTH, EVERY_FAMILY
from wizard.configs.forwarding import PortForward, forwards
from wizard.configs.frp_file import COMMON, STATUS, FrpFile, frp_file
from wizard.configs.frp_template import numbers
from wizard.configs.frp_writing import STARTS_ONLY, write
from wizard.configs.product import Likeness, Product
from wizard.configs.reading import Forward, Note, Piece, Reading, Source
from wizard.configs.service_reading import ServiceReading, aside, doubtful, in_step, settled
from wizard.configs.tree import Tree
from wizard.configs.who import Who
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol

ID = "frpc"
_TCP, _UDP = frozenset((Protocol.TCP,)), frozenset((Protocol.UDP,))
_PUBLISHED = {"tcp": _TCP, "udp": _UDP}
_BY_NAME = {"http": _TCP, "https": _TCP, "tcpmux": _TCP}
"""These come in on a port that only frps knows, told apart by host names."""
_FOR_VISITORS = {"stcp": _TCP, "xtcp": _TCP, "sudp": _UDP}
"""These have no public port: only another frpc with the key gets in."""


def recognise(text: str) -> Likeness:
    """By the words that only frpc has."""
    own = r"^[ \t]*\[\[proxies\]\]|^[ \t]*\[common\]|\bserverAddr\b[\"']?\s*[:=]|\bproxies\b"
    keys = r"\b(?:server_?[aA]ddr|local_?[pP]ort|remote_?[pP]ort)\b|^[ \t]*\[\[proxies\]\]"
    found = re.search(own, text, re.MULTILINE) and re.search(keys, text, re.MULTILINE)
    return Likeness.SURE if found and not STATUS.search(text) else Likeness.NO


def read(source: Source) -> Reading:
    """Raises UnreadableError."""
    file = frp_file(source)
    reader = _Reader(file)
    reader.common(file.common)
    for name, proxy in _proxies(file):
        reader.proxy(name, proxy)
    rules = settled(_merged(reader.rules))
    certain = tuple(forwards(rules))
    return ServiceReading(
        ID,
        source.name,
        rules,
        tuple(reader.asides),
        tuple(reader.notes),
        _pieces(reader, certain),
        dialect=file.syntax,
    )


def _proxies(file: FrpFile) -> Iterator[tuple[str, Tree]]:
    if file.legacy:
        yield from ((name, section) for name, section in file.root.items() if name != COMMON)
    else:
        yield from ((proxy.text("name") or "", proxy) for proxy in file.root.elements("proxies"))


def _pieces(reader: _Reader, certain: tuple[Forward, ...]) -> tuple[Piece, ...]:
    common = reader.file.common
    address = None if reader.file.unset(common.get("serverAddr")) else common.text("serverAddr")
    if address in ("", "0.0.0.0", "::"):
        address = None
    at_server = tuple(Forward(f.protocol, f.outer, f.outer, None, f.name, f.line) for f in certain)
    return (
        Piece(HopKind.TUNNEL_SERVER, "frps", address, at_server),
        Piece(HopKind.TUNNEL_CLIENT, "frpc", None, certain),
    )


class _Reader:
    def __init__(self, file: FrpFile) -> None:
        self.file = file
        self.rules: list[PortForward] = []
        self.asides: list[PortForward] = []
        self.notes: list[Note] = []
        self.started: frozenset[str] = frozenset()

    def common(self, table: Tree) -> None:
        start = table.get("start")
        if start is not None:
            listed = [element.value for element in table.elements("start")]
            names = start.value.split(",") if isinstance(start.value, str) else listed
            self.started = frozenset(name.strip() for name in names if isinstance(name, str) and name.strip())
            if self.started:
                self.notes.append(Note(Phrase(STARTS_ONLY), self.file.line(start)))
        includes = table.get("includes")
        if includes is not None and includes.value:
            line = self.file.line(includes)
            self.notes.append(Note(Phrase("includes"), line))
            self.rules.append(doubtful(line, "includes", BOTH))

    def proxy(self, name: str, proxy: Tree) -> None:
        if proxy.text("role") == "visitor":
            return
        line = self.file.line(proxy)
        kind = proxy.text("type") or ("tcp" if self.file.legacy else "")
        local, remote = proxy.get("localPort"), proxy.get("remotePort")
        unset = self.file.unset(proxy.get("type"), local, remote, proxy.get("localIP"))
        if unset is not None:
            self.notes.append(Note(Phrase("variable-unset", {"name": unset[0]}), unset[1]))
            self.rules.append(doubtful(unset[1], name, BOTH))
        elif kind in _PUBLISHED:
            self._published(name, kind, proxy)
        elif kind in _BY_NAME or kind in _FOR_VISITORS:
            protocols = _BY_NAME.get(kind) or _FOR_VISITORS[kind]
            who = Who.PERHAPS if kind in _BY_NAME else Who.FEW
            if not self._stopped(name, proxy):
                for inner in self._ranges(local, line) if local is not None else ():
                    self.asides.append(aside(line, f"{name}: {kind}", protocols, inner, who=who))
                if proxy.get("plugin") is not None and kind in _BY_NAME:
                    self.asides.append(aside(line, f"{name}: {kind}", protocols, None, who=who))
        else:
            self.notes.append(Note(Phrase("line-not-understood", {"text": f"type {kind}".strip()}), line))
            self.rules.append(doubtful(line, name, BOTH))

    def _published(self, name: str, kind: str, proxy: Tree) -> None:
        protocols = _PUBLISHED[kind]
        local, remote = proxy.get("localPort"), proxy.get("remotePort")
        line = self.file.line(remote or proxy)
        plugin = proxy.get("plugin")
        outer = self._numbers(remote, line)
        inner = outer if plugin is not None else self._numbers(local, self.file.line(local or proxy))
        if remote is None or outer == [0]:
            for numbers_ in self._ranges(local, line) if local is not None else ():
                self.asides.append(aside(line, f"{name}: remotePort 0", protocols, numbers_, exempts=True))
            self.notes.append(Note(Phrase("random-port", {"name": name}), line))
            return
        if outer is None or inner is None:
            self.rules.append(doubtful(line, name, protocols))
            return
        if len(outer) != len(inner):
            self.notes.append(
                Note(Phrase("uneven", {"one": local.shown if local else "", "other": remote.shown}), line)
            )
            self.rules.append(doubtful(line, name, protocols))
            return
        host = _inward(proxy.text("localIP"))
        stopped = self._stopped(name, proxy)
        for one, other in in_step(list(zip(outer, inner, strict=True))):
            led = "" if plugin is not None else f" -> {proxy.text('localIP') or '127.0.0.1'}:{other}"
            text = f"{name}: {kind} {one}{led}"
            if stopped:
                self.asides.append(aside(line, text, protocols, other, exempts=True))
                continue
            # Old versions name what they make of a range by themselves: `start` may mean those names.
            sure = plugin is None and not (self.started and name.startswith("range:"))
            who = Who.EVERYBODY if sure else Who.PERHAPS
            self.rules.append(
                PortForward(line, text, protocols, (one,), other, host, _stem(name), EVERY_FAMILY, who=who)
            )
        if stopped:
            self.notes.append(Note(Phrase("not-started", {"name": name}), self.file.line(proxy)))

    def _stopped(self, name: str, proxy: Tree) -> bool:
        if proxy.text("enabled") == "false":
            return True
        return bool(self.started) and name not in self.started and not name.startswith("range:")

    def _numbers(self, tree: Tree | None, line: int) -> list[int] | None:
        text = None if tree is None or not isinstance(tree.value, str) else tree.value.strip()
        if text == "0":
            return [0]
        try:
            return numbers(text or "")
        except ValueError:
            if tree is not None:
                self.notes.append(Note(Phrase("bad-port", {"text": text or "…"}), line))
            return None

    def _ranges(self, tree: Tree, line: int) -> tuple[PortRange, ...]:
        found = self._numbers(tree, line)
        return tuple(one for one, _ in in_step([(n, n) for n in found])) if found and found != [0] else ()


def _inward(local_ip: str | None) -> str | None:
    """The host that frpc dials; None for its own, which the plan may know by any address."""
    if local_ip in (None, "", "localhost"):
        return None
    try:
        ip = ipaddress.ip_address(local_ip)
    except ValueError:
        return local_ip
    return None if ip.is_loopback or ip.is_unspecified else local_ip


def _stem(name: str) -> str:
    return name.removeprefix("range:").rstrip(string.digits).rstrip("-_. ") or name


def _merged(rules: Iterable[PortForward]) -> Iterator[PortForward]:
    """What a template made of one block, as ranges."""
    for key, group in groupby(rules, lambda rule: (rule.line, rule.protocols, rule.host, rule.who, rule.inner is None)):
        block = list(group)
        if len(block) == 1 or key[-1]:
            yield from block
            continue
        pairs = [
            pair for rule in block if rule.inner is not None for pair in zip(rule.outer[0], rule.inner, strict=True)
        ]
        first = block[0]
        kind = next(iter(first.protocols))
        for outer, inner in in_step(pairs):
            text = f"{first.name}: {kind} {outer} -> {first.host or '127.0.0.1'}:{inner}"
            yield PortForward(
                first.line, text, first.protocols, (outer,), inner, first.host, first.name, EVERY_FAMILY, who=first.who
            )


PRODUCT = Product(ID, "frpc", (HopKind.TUNNEL_CLIENT,), recognise, read, write)
