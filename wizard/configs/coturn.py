"""coturn as a service on the path: the ports that `turnserver.conf` has it listen on and relay from."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace

from wizard.configs import turnserver
from wizard.configs.forwarding import PortForward, forwards
from wizard.configs.ice_servers import from_turnserver
from wizard.configs.peers import FORBIDDEN
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.reading import Note, Piece, Reading, Server, Source
from wizard.configs.service_ports import Port, planned
from wizard.configs.service_reading import BY_DEFAULT, PERHAPS, Bound, ServiceReading, bound, doubtful, listens, settled
from wizard.configs.tree import LARGEST, check_size
from wizard.configs.turnserver import Turnserver
from wizard.configs.words import say
from wizard.configs.writing import is_ip, spoken_ports
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol, Speaks
from wizard.wire.rtc_config import ConfigError

ID = "coturn"
LISTENING, TLS, FIRST, LAST = 3478, 5349, 49152, 65535
_TELLING = frozenset(
    (
        *("listening-port", "tls-listening-port", "min-port", "max-port", "external-ip", "lt-cred-mech", "no-tlsv1"),
        *("use-auth-secret", "static-auth-secret", "no-multicast-peers", "no-cli", "denied-peer-ip", "stale-nonce"),
    )
)
"""Options whose names no other program has."""
_SPEAKS = {"turn-udp": Speaks.TURN, "turn-tcp": Speaks.TURN, "turn-tls": Speaks.TLS}
_FURTHER = ("cli-port", "web-admin-port", "prometheus-port", "tcp-proxy-port", "aux-server")
"""Other ports of its own, where a line names them."""


def recognise(text: str) -> Likeness:
    """By its options: most lines must be some."""
    lines = [line.strip() for line in text[:LARGEST].split("\n")]
    # The names alone: the values of another program's file are nobody's secrets here.
    names = [re.split(r"[ =\t]", line, maxsplit=1)[0] for line in lines if line and not line.startswith("#")]
    known = [name for name in names if name in turnserver.KNOWN]
    if not _TELLING & frozenset(known) or len(known) * 2 < len(names):
        return Likeness.NO
    return Likeness.SURE


def read(source: Source) -> Reading:
    """Raises UnreadableError for a text that is no configuration by its length."""
    check_size(source.text)
    conf = turnserver.parse(source.text.encode("utf-8", "replace"), source.name)
    notes = [Note(Phrase("damaged-line"), line) for line in conf.damaged]
    notes += [Note(Phrase("no-such-option", {"name": option.name}), option.line) for option in conf.unknown]
    rules = settled([*_rules(conf, notes), *(doubtful(line, "") for line in conf.damaged)])
    try:
        imported = from_turnserver(conf)
        found = tuple(Server(server.entry, server.secret) for server in imported.servers)
    except ConfigError as fault:
        found = ()
        notes.append(Note(Phrase("no-servers", {"why": str(fault)})))
    announced = tuple(dict.fromkeys(o.value.partition("/")[0].strip() for o in conf.all("external-ip") if o.value))
    # DTLS and relayed TCP are on without being meant.
    meant = tuple(
        replace(found, speaks=_SPEAKS.get(found.name))
        for found in forwards(rules)
        if found.name not in ("turn-dtls", "relay-tcp")
    )
    piece = Piece(HopKind.SERVICE, "coturn", None, meant)
    return ServiceReading(
        ID,
        source.name,
        rules,
        notes=tuple(sorted(notes, key=lambda note: note.line or 0)),
        pieces=(piece,),
        servers=found,
        announced=announced,
    )


def _rules(conf: Turnserver, notes: list[Note]) -> Iterator[PortForward]:
    at = _bounds(conf, "listening-ip")
    tls = not conf.on("no-tls") and bool(conf.text("cert") and conf.text("pkey"))
    dtls = not conf.on("no-dtls") and bool(conf.text("cert") and conf.text("pkey"))
    plain = (Protocol.UDP, not conf.on("no-udp"), "turn-udp"), (Protocol.TCP, not conf.on("no-tcp"), "turn-tcp")
    secure = (Protocol.TCP, tls, "turn-tls"), (Protocol.UDP, dtls, "turn-dtls")
    for key, default, kinds in (("listening-port", LISTENING, plain), ("tls-listening-port", TLS, secure)):
        line, number = _number(conf, key, default)
        for protocol, on, name in kinds:
            if on and number is None:
                notes.append(Note(Phrase("bad-port", {"text": conf.text(key)}), line))
                yield doubtful(line, key, frozenset((protocol,)))
            elif on and number is not None:
                shown = f"{key}={number}"
                for where in at:
                    yield listens(line, shown, protocol, PortRange(number, number), name, where)
                if len(conf.all("listening-ip")) > 1 and not conf.on("no-rfc5780"):
                    # The second port of RFC 5780 is the next one unless a line says another.
                    _, other = _number(conf, f"alt-{key}", number + 1)
                    if other is not None and other < 65536:
                        yield listens(line, shown, protocol, PortRange(other, other), name, PERHAPS)
    yield from _relay(conf, notes)
    for key in _FURTHER:
        for option in conf.all(key):
            yield doubtful(option.line, key, frozenset((Protocol.TCP,)))


def _relay(conf: Turnserver, notes: list[Note]) -> Iterator[PortForward]:
    if conf.on("stun-only"):
        return
    (at, first), (end, last) = _number(conf, "min-port", FIRST), _number(conf, "max-port", LAST)
    line = at or end
    if first is None or last is None or first > last:
        notes.append(Note(Phrase("bad-port", {"text": f"{conf.text('min-port')}-{conf.text('max-port')}"}), line))
        yield doubtful(line, "min-port")
        return
    for protocol, off in ((Protocol.UDP, "no-udp-relay"), (Protocol.TCP, "no-tcp-relay")):
        if not conf.on(off):
            for where in _bounds(conf, "relay-ip", "listening-ip"):
                name = "relay" if protocol is Protocol.UDP else "relay-tcp"
                yield listens(line, f"min-port={first} max-port={last}", protocol, PortRange(first, last), name, where)


def _bounds(conf: Turnserver, *keys: str) -> tuple[Bound, ...]:
    """The addresses of the first of these options that the file has; every address where it has none."""
    lines = next((found for key in keys if (found := conf.all(key))), ())
    return tuple(bound(option.value.strip()) for option in lines) or (bound(""),)


def _number(conf: Turnserver, key: str, default: int) -> tuple[int, int | None]:
    """The line and the port; None for what is no port. coturn reads 0 as its default."""
    option = conf.last(key)
    if option is None:
        return BY_DEFAULT, default
    number = option.number
    return option.line, None if number is None or not 0 <= number < 65536 else number or default


def write(order: Order) -> Written:
    """A whole file, or the lines that set the planned ports in the one that there is."""
    plain, tls, relay, rest = _chosen(planned(order))
    ports = []
    if plain is not None:
        ports.append(f"listening-port={plain}")
    if tls is not None:
        ports.append(f"tls-listening-port={tls}")
    if relay is not None:
        ports += [f"min-port={relay.first}", f"max-port={relay.last}"]
    external = _external(order)
    cautions = [Phrase("no-setting", {"ports": spoken_ports([port.wanted for port in rest])})] if rest else []
    if order.existing is not None:
        lines = [f"# {say(Phrase('write-set'), order.language)}", *ports]
        lines += [external] if lacks(order) else []
        return Written("\n".join(lines) + "\n", f"# {say(Phrase('undo-set'), order.language)}\n", tuple(cautions))
    name = order.project.public_address
    lines = [f"# {say(Phrase('write-coturn'), order.language)}", *ports, *([external] if external else [])]
    lines.append(f"realm={'turn' if is_ip(name) else name}")
    lines += ["fingerprint", "use-auth-secret", f"static-auth-secret={secrets.token_hex(32)}", "stale-nonce=600"]
    if tls is None:
        lines += ["no-tls", "no-dtls"]
    else:
        lines += ["cert=/etc/coturn/cert.pem", "pkey=/etc/coturn/key.pem", "no-tlsv1", "no-tlsv1_1"]
        cautions.append(Phrase("needs-certificate"))
    lines += _HARD
    lines += [f"denied-peer-ip={network.range}" for network in FORBIDDEN]
    cautions.append(Phrase("fresh-secret"))
    undo = f"# {say(Phrase('undo-file'), order.language)}\n"
    return Written("\n".join(lines) + "\n", undo, tuple(cautions))


def lacks(order: Order) -> tuple[Note, ...]:
    """The address outside, where the server stands behind NAT and would tell clients its own for the relay."""
    if order.existing is None or order.existing.announced or not _external(order).startswith("external-ip"):
        return ()
    relays = any(found.name == "relay" for piece in order.existing.pieces for found in piece.forwards)
    return (Note(Phrase("no-external-ip", {"address": order.project.public_address})),) if relays else ()


_HARD = (
    *("user-quota=12", "total-quota=250", "max-bps=500000", "bps-capacity=125000000"),
    *("no-multicast-peers", "no-tcp-relay", "no-cli", "no-software-attribute", "no-rfc5780"),
    *("no-stun-backward-compatibility", "response-origin-only-with-rfc5780", "syslog", "verbose"),
)


def _external(order: Order) -> str:
    """The line that tells clients of the address outside; empty where there is none, a comment for a mere name."""
    before = order.project.hops[: order.position]
    if not any(hop.kind.translates for hop in before):
        return ""
    public = order.project.public_address
    if not is_ip(public):
        return "# external-ip=…"
    own = order.hop.address
    if own is None or not is_ip(own) or own == public or ":" in own or ":" in public:
        return f"external-ip={public}"
    return f"external-ip={public}/{ipaddress.ip_address(own)}"


def _chosen(ports: tuple[Port, ...]) -> tuple[int | None, int | None, PortRange | None, list[Port]]:
    """The listening port, that for TLS, the relay range, and the ports that coturn has no setting for."""
    relays = sorted(
        (p for p in ports if p.wanted.protocol is Protocol.UDP and not p.single), key=lambda p: -len(p.wanted.arrives)
    )
    relay = relays[0] if relays else None
    singles = [port for port in ports if port.single]
    secure = [p for p in singles if p.speaks is Speaks.TLS or p.first == TLS or p.wanted.name == "turn-tls"]
    tls = next((p.first for p in secure if p.wanted.protocol is Protocol.TCP), None)
    others = [port for port in singles if port.first != tls]
    spoken = [p for p in others if p.speaks in (Speaks.TURN, Speaks.STUN)] or [
        p for p in others if p.first == LISTENING
    ]
    plain = next((port.first for port in spoken or others), None)
    placed = {plain, tls} - {None}
    rest = [port for port in ports if port is not relay and not (port.single and port.first in placed)]
    return plain, tls, None if relay is None else relay.wanted.arrives, rest


PRODUCT = Product(ID, "coturn", (HopKind.SERVICE,), recognise, read, write, lacks)
