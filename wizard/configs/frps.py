"""frps: which ports it lets its clients take, and those that it holds itself.

The file belongs to the tunnel server. It lets numbers through as they are; where they lead is in frpc's file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from wizard.configs.filtering import BOTH, EVERY_FAMILY, EVERY_PORT, Action, Chain, FilterRule
from wizard.configs.frp_file import FrpFile, Syntax, frp_file
from wizard.configs.frp_template import numbers
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.reading import Allowed, Answer, Note, Piece, Question, Reading, Server, Source
from wizard.configs.service_reading import BY_DEFAULT, Bound, bound
from wizard.configs.tree import Tree
from wizard.configs.who import Who
from wizard.configs.words import say
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol, merge
from wizard.observation import Coverage

ID = "frps"
_TCP, _UDP = frozenset((Protocol.TCP,)), frozenset((Protocol.UDP,))
_OWN = (
    (Action.ADMIT, ("vhostHTTPPort",), _TCP),
    (Action.ADMIT, ("vhostHTTPSPort",), _TCP),
    (Action.ADMIT, ("tcpmuxHTTPConnectPort",), _TCP),
    (Action.STOP, ("bindPort",), _TCP),
    (Action.STOP, ("kcpBindPort",), _UDP),
    (Action.STOP, ("quicBindPort",), _UDP),
    (Action.STOP, ("webServer", "port"), _TCP),
)
_DEFAULT_BIND = PortRange(7000, 7000)


def recognise(text: str) -> Likeness:
    """By the words that only frps has."""
    keys = r"bindPort|bind_port|kcpBindPort|vhostHTTPS?Port|vhost_https?_port|allowPorts|allow_ports|subDomainHost"
    client = r"serverAddr|server_addr|localPort|local_port|remotePort|remote_port|\bproxies\b|\bvisitors\b"
    if re.search(rf"^[ \t{{,]*[\"']?(?:{keys})[\"']?\s*[:=]", text, re.MULTILINE) is None:
        return Likeness.NO
    return Likeness.NO if re.search(client, text) else Likeness.SURE


@dataclass(frozen=True, slots=True)
class FrpsReading:
    """One file. `chain` says which ports clients may take; `bound` on which addresses."""

    file: str
    chain: Chain
    bound: Bound
    bound_line: int | None = None
    notes: tuple[Note, ...] = ()
    permits: tuple[PortRange, ...] = ()
    """What its `allowPorts` has."""
    syntax: Syntax = Syntax.TOML

    product: str = ID
    every: bool = True
    """It lets ports through or not; that something behind it takes them is another file's matter."""
    servers: tuple[Server, ...] = ()
    announced: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[Allowed, ...]:
        """Empty: a port that clients may take is not open before one takes it."""
        return ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The server; its ports are in the files of its clients."""
        return (Piece(HopKind.TUNNEL_SERVER, ID),)

    def answer(self, question: Question) -> Answer:
        """Whether a client may take the port, and the internet reach it there."""
        found = self.chain.answer(question)
        lines = (*found.lines, *(() if self.bound_line is None else (self.bound_line,)))
        if found.coverage is not Coverage.COVERED:
            return replace(found, lines=tuple(line for line in found.lines if line != BY_DEFAULT))
        if question.family not in self.bound.families:
            return Answer(Coverage.MISSING, lines)
        if self.bound.who is Who.FEW:
            return Answer(Coverage.RESTRICTED, lines)
        if self.bound.who is Who.PERHAPS or self.bound.destinations not in ((), (question.destination,)):
            return Answer(Coverage.UNKNOWN, lines)
        return found


def read(source: Source) -> Reading:
    """Raises UnreadableError."""
    file = frp_file(source)
    root = file.common
    notes: list[Note] = []
    permitted = [*_permitted(file, root, notes)]
    rules = [*_own(file, root, notes), *permitted]
    address = root.get("proxyBindAddr") or root.get("bindAddr")
    everywhere = frozenset((4, 6))
    # Go listens on both families for 0.0.0.0 and for ::.
    at = bound((address.shown if address else "") or "")
    at = replace(at, families=everywhere) if at.who is Who.EVERYBODY and not at.destinations else at
    if file.unset(address) is not None:
        at = Bound(everywhere, Who.PERHAPS)
    narrow = address if at != Bound(everywhere) else None
    # An empty list limits nothing.
    limited = bool(permitted)
    return FrpsReading(
        source.name,
        Chain(tuple(rules), Action.STOP if limited else Action.ADMIT),
        at,
        None if narrow is None else file.line(narrow),
        tuple(notes),
        tuple(numbers_ for rule in permitted if rule.action is Action.ADMIT for numbers_ in rule.numbers or ()),
        file.syntax,
    )


def _own(file: FrpFile, root: Tree, notes: list[Note]) -> Iterator[FilterRule]:
    """The ports that frps holds itself: some it hands on by host name, the others no client can take."""
    if root.get("bindPort") is None:
        yield FilterRule(Action.STOP, BY_DEFAULT, f"bindPort = {_DEFAULT_BIND}", _TCP, (_DEFAULT_BIND,))
    for action, path, protocols in _OWN:
        tree = root.get(*path)
        unset = file.unset(tree)
        if tree is None or (tree.value == "0" and unset is None):
            continue
        text = f"{'.'.join(path)} = {tree.shown}"
        try:
            if unset is None:
                yield FilterRule(action, file.line(tree), text, protocols, (PortRange.parse(tree.shown),))
                continue
            notes.append(Note(Phrase("variable-unset", {"name": unset[0]}), unset[1]))
        except ValueError:
            notes.append(Note(Phrase("bad-port", {"text": tree.shown or "…"}), file.line(tree)))
        yield FilterRule(Action.EITHER, file.line(tree), text, protocols, (EVERY_PORT,))


def _permitted(file: FrpFile, root: Tree, notes: list[Note]) -> Iterator[FilterRule]:
    """What `allowPorts` names. An entry that is not understood leaves every port unknown."""
    allow = root.get("allowPorts")
    if allow is None:
        return
    entries = allow.value if isinstance(allow.value, tuple) else (allow,)
    for entry in entries:
        line = file.line(entry)
        text = _shown(entry)
        unset = file.unset(entry, *(part for _, part in entry.items()))
        try:
            if unset is not None:
                notes.append(Note(Phrase("variable-unset", {"name": unset[0]}), unset[1]))
                raise ValueError(text)
            yield FilterRule(Action.ADMIT, line, text, BOTH, merge(_entry(entry)), None, EVERY_FAMILY)
        except ValueError:
            if unset is None:
                notes.append(Note(Phrase("bad-port", {"text": text or "…"}), line))
            yield FilterRule(Action.EITHER, line, text, BOTH, (EVERY_PORT,))


def _entry(entry: Tree) -> list[int]:
    if isinstance(entry.value, str):
        return numbers(entry.value)
    single, start, end = (entry.text(key) for key in ("single", "start", "end"))
    if single not in (None, "0"):
        return numbers(single or "")
    return list(PortRange.parse(f"{start}-{end}"))


def _shown(entry: Tree) -> str:
    if isinstance(entry.value, str):
        return f"allowPorts {entry.value}"
    return "allowPorts " + ", ".join(f"{key} = {part.shown}" for key, part in entry.items())


def write(order: Order) -> Written:
    """A whole file, or for one that there is the list of ports to allow in place of its own."""
    existing = order.existing if isinstance(order.existing, FrpsReading) else None
    kept = () if existing is None else (number for allowed in existing.permits for number in allowed)
    ports = merge([*kept, *(number for wanted in order.wanted for number in wanted.arrives)])
    lines = _allow(ports, Syntax.TOML if existing is None else existing.syntax)
    if order.existing is None:
        head = [
            f"# {say(Phrase('write-frps'), order.language)}",
            "bindPort = 7000",
            f"# {say(Phrase('write-frp-token'), order.language)}",
            '# auth.token = "…"',
            f"# {say(Phrase('write-frps-allow'), order.language)}",
        ]
    else:
        # JSON has no comments.
        bare = existing is not None and existing.syntax is Syntax.JSON
        head = [] if bare else [f"# {say(Phrase('write-frps-replace'), order.language)}"]
    undo = f"# {say(Phrase('undo-set'), order.language)}\n"
    return Written("\n".join([*head, *lines]) + "\n", undo)


def _allow(ports: tuple[PortRange, ...], syntax: Syntax) -> list[str]:
    if syntax is Syntax.INI:
        return [f"allow_ports = {','.join(str(numbers_) for numbers_ in ports)}"]
    entries = [
        {"single": numbers_.first} if len(numbers_) == 1 else {"start": numbers_.first, "end": numbers_.last}
        for numbers_ in ports
    ]
    if syntax is Syntax.TOML:
        tables = [", ".join(f"{key} = {number}" for key, number in entry.items()) for entry in entries]
        return ["allowPorts = [", *(f"  {{ {table} }}," for table in tables), "]"]
    # YAML takes the lists of JSON.
    return [f'"allowPorts": {json.dumps(entries)}' + ("," if syntax is Syntax.JSON else "")]


PRODUCT = Product(ID, "frps", (HopKind.TUNNEL_SERVER,), recognise, read, write)
