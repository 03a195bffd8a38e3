"""Addresses of STUN and TURN servers: `stun:`, `stuns:`, `turn:` and `turns:` (RFC 7064, RFC 7065)."""

from __future__ import annotations

import enum
import ipaddress
import re
from dataclasses import dataclass

_SECURE_PORT, _PLAIN_PORT = 5349, 3478
_NAME = re.compile(r"[^\s/?#@\[\]:%\\\"'<>]+")


class UriError(ValueError):
    """The text is no address of a STUN or TURN server; the message says what is wrong with it."""


class Transport(enum.StrEnum):
    """How one talks to the server."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class IceUri:
    """Where a server is and what it is asked for. `host` is a name or a literal address without brackets."""

    text: str
    """As it was written."""
    relays: bool
    """True for TURN, False for STUN."""
    host: str
    port: int
    transport: Transport
    port_given: bool = True
    """Whether the port was written; where it was not, `port` is the default one."""
    transport_given: bool = True
    """Whether the transport was written; where it was not, `transport` is what browsers take."""

    @property
    def family(self) -> int | None:
        """4 or 6 for a literal address, None for a name."""
        try:
            return ipaddress.ip_address(self.host).version
        except ValueError:
            return None

    @property
    def leaves_transport_open(self) -> bool:
        """Whether the DNS may say by which transport a relay is reached (RFC 5928 section 3)."""
        return self.relays and not self.transport_given and self.service(self.transport) is not None

    @property
    def transports(self) -> tuple[Transport, ...]:
        """What it may be reached by, in the order to prefer."""
        if self.leaves_transport_open and self.transport is not Transport.TLS:
            return (Transport.UDP, Transport.TCP)
        return (self.transport,)

    def service(self, transport: Transport) -> str | None:
        """The name whose SRV records say where the server is (RFC 5928 section 3, RFC 8489 section 8.1).

        None where the address or the port is written, or the name is one that only this network knows.
        """
        if self.family is not None or self.port_given or "." not in self.ascii_host.rstrip("."):
            return None
        scheme = ("turn" if self.relays else "stun") + ("s" if transport is Transport.TLS else "")
        protocol = "udp" if transport is Transport.UDP else "tcp"
        return f"_{scheme}._{protocol}.{self.ascii_host}"

    @property
    def ascii_host(self) -> str:
        """The host as the DNS and TLS spell it. Raises UriError for a name that cannot be."""
        try:
            return self.host if self.family else self.host.encode("idna").decode("ascii")
        except UnicodeError:
            raise UriError(f"{self.host!r} is not a host name") from None


def parse(text: str) -> IceUri:
    """Read a server's address. Raises UriError."""
    stripped = text.strip()
    scheme, colon, rest = stripped.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in ("stun", "stuns", "turn", "turns"):
        raise UriError(f"{text!r} does not start with stun:, stuns:, turn: or turns:")
    if rest.startswith("//"):
        raise UriError(f"{text!r} has // after {scheme}: where none belongs; write {scheme}:{rest[2:]}")
    hostport, question, query = rest.partition("?")
    if "@" in hostport:
        raise UriError(f"an address of a {scheme} server has no user name or password in it")
    host, port = _host_and_port(text, hostport)
    secure = scheme.endswith("s")
    transport = _transport(text, query) if question else None
    if secure and transport is Transport.UDP:
        raise UriError(f"{text!r} means TURN over DTLS, which cannot be tested here; use transport=tcp for TLS")
    if secure:
        transport = Transport.TLS
    uri = IceUri(
        text=stripped,
        relays=scheme.startswith("turn"),
        host=host,
        port=port if port is not None else (_SECURE_PORT if secure else _PLAIN_PORT),
        transport=transport or Transport.UDP,
        port_given=port is not None,
        transport_given=bool(question),
    )
    uri.ascii_host  # noqa: B018 - a name that cannot be looked up is wrong here already
    return uri


def _host_and_port(text: str, hostport: str) -> tuple[str, int | None]:
    if hostport.startswith("["):
        inner, bracket, after = hostport[1:].partition("]")
        if not bracket:
            raise UriError(f"{text!r} lacks the closing ]")
        try:
            host = str(ipaddress.IPv6Address(inner))
        except ValueError:
            raise UriError(f"{inner!r} in {text!r} is not an IPv6 address") from None
        if "%" in inner:
            raise UriError(f"{text!r} names an interface; an address with a zone means nothing to others")
        if after and not after.startswith(":"):
            raise UriError(f"{after!r} in {text!r} is out of place; write [address]:port")
        return host, _port(text, after[1:]) if after else None
    if hostport.count(":") > 1:
        raise UriError(f"an IPv6 address stands in brackets: write [{hostport}]")
    host, colon, port_text = hostport.partition(":")
    if not host:
        raise UriError(f"{text!r} has no host")
    if not _NAME.fullmatch(host) or not host.isprintable():
        raise UriError(f"{host!r} in {text!r} is not a host name or an address")
    # A name of digits and dots alone is a mistyped address, and resolvers read some of them in surprising ways.
    if re.fullmatch(r"[0-9.]+", host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise UriError(f"{host!r} in {text!r} is not an IPv4 address") from None
    return host, _port(text, port_text) if colon else None


def _port(text: str, port: str) -> int:
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise UriError(f"{port!r} in {text!r} is not a port; ports run from 1 to 65535")
    return int(port)


def _transport(text: str, query: str) -> Transport:
    name, equals, value = query.partition("=")
    if name.lower() != "transport" or not equals:
        raise UriError(f"{query!r} in {text!r} is unknown; only ?transport=udp and ?transport=tcp exist")
    if value.lower() not in ("udp", "tcp"):
        raise UriError(f"{value!r} in {text!r} is no transport; write udp or tcp")
    return Transport(value.lower())
