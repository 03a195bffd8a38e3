"""The env file of the Matrix deployment script: the ports of its calls, and those of its web server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from wizard.configs.env_text import Setting as Line
from wizard.configs.env_text import settings
from wizard.configs.forwarding import PortForward, forwards
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.reading import Note, Piece, Reading, Source, UnreadableError
from wizard.configs.service_ports import Port, Setting, planned, settled_ports
from wizard.configs.service_reading import BY_DEFAULT, ServiceReading, doubtful, in_front, listens, settled
from wizard.configs.tree import check_size
from wizard.configs.words import say
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol, Speaks

ID = "ess-env"
_START, _END = "WEBRTC_UDP_RANGE_START", "WEBRTC_UDP_RANGE_END"
_PORTS = (
    ("WEBRTC_TCP_PORT", Protocol.TCP, "rtc-tcp"),
    ("WEBRTC_UDP_PORT", Protocol.UDP, "rtc-udp"),
    ("HTTP_PORT", Protocol.TCP, "http"),
    ("HTTPS_PORT", Protocol.TCP, "https"),
    ("FEDERATION_PORT", Protocol.TCP, "federation"),
)
_CALLS = ("WEBRTC_TCP_PORT", "WEBRTC_UDP_PORT", _START, _END)


def recognise(text: str) -> Likeness:
    """By the names of its settings."""
    names = "|".join(_CALLS)
    found = re.search(rf"^[ \t]*(?:export[ \t]+)?(?:{names})[ \t]*=", text, re.MULTILINE)
    return Likeness.SURE if found else Likeness.NO


def read(source: Source) -> Reading:
    """Raises UnreadableError."""
    check_size(source.text)
    lines = settings(source.text)
    if not any(name in lines for name in (*_CALLS, *(key for key, _, _ in _PORTS))):
        raise UnreadableError(Phrase("no-webrtc-ports"))
    notes: list[Note] = []
    rules = settled(_rules(lines, notes))
    piece = Piece(HopKind.SERVICE, "Matrix RTC", None, tuple(forwards(rules)))
    return ServiceReading(ID, source.name, rules, in_front(), tuple(notes), (piece,))


def _rules(lines: Mapping[str, Line], notes: list[Note]) -> Iterator[PortForward]:
    for key, protocol, name in _PORTS:
        if key in lines:
            numbers = _numbers(key, lines[key], notes)
            text = f"{key}={numbers}"
            line = lines[key].line
            yield (
                listens(line, text, protocol, numbers, name) if numbers else doubtful(line, key, frozenset((protocol,)))
            )
        elif key in _CALLS:
            # The script has a default of its own, which versions may change.
            yield doubtful(BY_DEFAULT, key, frozenset((protocol,)))
    start, end = lines.get(_START), lines.get(_END)
    if start is None and end is None:
        return
    ends = [_numbers(key, line, notes) for key, line in ((_START, start), (_END, end)) if line is not None]
    line = (start or end or Line(None, BY_DEFAULT)).line
    first, last = ends[0], ends[-1]
    if len(ends) < 2 or first is None or last is None or first.first > last.first:
        if len(ends) < 2 or (first is not None and last is not None):
            notes.append(Note(Phrase("bad-port", {"text": " ".join(f"{e or ''}" for e in ends) + " …"}), line))
        yield doubtful(line, _START, frozenset((Protocol.UDP,)))
        return
    numbers = PortRange(first.first, last.first)
    yield listens(line, f"{_START}={first} {_END}={last}", Protocol.UDP, numbers, "media")


def _numbers(key: str, line: Line, notes: list[Note]) -> PortRange | None:
    if line.value is None:
        notes.append(Note(Phrase("variable-unset", {"name": key}), line.line))
        return None
    try:
        found = PortRange.parse(line.value)
        if len(found) == 1:
            return found
    except ValueError:
        pass
    notes.append(Note(Phrase("bad-port", {"text": line.value or key}), line.line))
    return None


_WEB = {
    "http": (Speaks.HTTP, (80, 8080)),
    "https": (Speaks.HTTPS, (443, 8443)),
    "federation": (Speaks.HTTPS, (8448,)),
}
"""What is spoken on the ports of the web server, and their usual numbers."""


def _serves(port: Port, name: str) -> bool:
    speaks, numbers = _WEB[name]
    tcp = port.wanted.protocol is Protocol.TCP and port.single
    usual = port.speaks is None and port.first in numbers
    return tcp and (port.wanted.name == name or port.speaks is speaks or usual)


def _is(port: Port, protocol: Protocol, *, single: bool) -> bool:
    return port.wanted.protocol is protocol and port.single is single


_SETTINGS = (
    Setting(_START, "media", lambda port: _is(port, Protocol.UDP, single=False)),
    Setting("WEBRTC_UDP_PORT", "rtc-udp", lambda port: _is(port, Protocol.UDP, single=True)),
    Setting("HTTP_PORT", "http", lambda port: _serves(port, "http")),
    Setting("FEDERATION_PORT", "federation", lambda port: _serves(port, "federation") and port.first == 8448),
    Setting("HTTPS_PORT", "https", lambda port: _serves(port, "https")),
    Setting("WEBRTC_TCP_PORT", "rtc-tcp", lambda port: _is(port, Protocol.TCP, single=True) and port.speaks is None),
)


def write(order: Order) -> Written:
    """The lines that set the planned ports; in a file that has them already, they take the place of its own."""
    found, cautions = settled_ports(planned(order), _SETTINGS)
    lines = [f"# {say(Phrase('write-set'), order.language)}"]
    for key, port in found.items():
        numbers = port.wanted.arrives
        lines += [f"{_START}={numbers.first}", f"{_END}={numbers.last}"] if key == _START else [f"{key}={numbers}"]
    undo = f"# {say(Phrase('undo-set'), order.language)}\n"
    return Written("\n".join(lines) + "\n", undo, cautions)


PRODUCT = Product(ID, "Matrix deployment script", (HopKind.SERVICE,), recognise, read, write)
