"""The responder: stands in for a service on every planned port that nothing else holds, and answers signed probes.

Standard library only and Python 3.8, because the printed responder carries this file along.
Rules:
 1. It answers what is signed under the project's key and nothing else: over UDP by silence, over TCP by closing.
 2. An answer is never larger than its request, and answers are bounded in rate, for each source and over all.
 3. An answer leaves from the address and port on which the request came, and names them.
 4. A port that any program holds, on any address, is left alone: the real service must be what is tested there.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import ipaddress
import socket
import sys
import time
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from wizard.card import Card
from wizard.vigil import Span, Vigil, reachable
from wizard.wire.probe import MAX_MESSAGE, is_foreign_request, message_size
from wizard.wire.response import (
    Address,
    Allowance,
    Recent,
    ResponderPlan,
    Seen,
    bare_ip,
    is_wrong_host,
    other_protocol,
    proxy_header_size,
    reply,
)

DEFAULT_MINUTES = 30.0
IDLE_S = 5.0
"""A TCP connection that says nothing for so long is closed: a relay may need two round trips before it speaks."""
CONNECTIONS = 1024
"""TCP connections at one time; beyond it the oldest makes room, because a probe speaks at once and leaves."""
BACKLOG = 128
AT_ONCE = 64
"""Datagrams that one socket may have answered before the others' turn."""
NAME_S = 3.0
"""Longest wait for a planned address that is a name."""
SPARE_DESCRIPTORS = 256
"""For what else is open, and for the connections that one turn of the loop accepts beyond CONNECTIONS."""
COUNTERPARTS = 512
"""Planned numbers on which the protocol that is not planned is answered too."""

# Linux's numbers, by value because the socket module lacks the first before Python 3.12.
_IP_PKTINFO = 8
_IPV6_RECVPKTINFO, _IPV6_PKTINFO = 49, 50

_WILDCARDS = ("::", "0.0.0.0")


class Held(NamedTuple):
    """A planned port that is not answered."""

    protocol: str
    number: int
    refusal: Optional[str] = None
    """Why the system does not let this user have the port; None where another program holds it."""


class Bound(NamedTuple):
    """What a responder answers on, and what it leaves alone."""

    ports: Tuple[Tuple[str, int], ...]
    held: Tuple[Held, ...]


class TooManyPortsError(Exception):
    """The system lets one program open fewer sockets than the plan needs; says how to mend it."""


class Responder:
    """Answers a plan's probes from this host until stopped, or until its minutes are over.

    `addresses` binds those literal addresses alone; none means every address of this host. `seen` is called for each
    probe that reached this host; `stranger` with the source of a probe that is signed under another key; `watched` with
    the time during which all that came to the network card was looked at, as it goes on.
    """

    def __init__(
        self,
        plan: ResponderPlan,
        minutes: float = DEFAULT_MINUTES,
        *,
        addresses: Sequence[str] = (),
        seen: Optional[Callable[[Seen], None]] = None,
        stranger: Optional[Callable[[Address], None]] = None,
        watched: Optional[Callable[[Span], None]] = None,
    ) -> None:
        self._plan = plan
        self._minutes = minutes
        self._addresses = tuple(addresses)
        self._seen = seen
        self._stranger = stranger
        self._watched = watched
        self._allowance = Allowance()
        self._recent = Recent()
        self._planned: List[str] = []
        self._own: List[str] = []
        self._every_name_known = True
        self._readers: List[socket.socket] = []
        self._card: Optional[Card] = None
        self._vigil: Optional[Vigil] = None
        self._servers: List[asyncio.AbstractServer] = []
        self._transports: List[asyncio.BaseTransport] = []
        self._streams: Dict[_Stream, None] = {}
        self._connections = CONNECTIONS
        self._timer: Optional[asyncio.TimerHandle] = None
        self._over = asyncio.Event()

    async def start(self) -> Bound:
        """Bind everything that is free, and answer from then on. Raises TooManyPortsError."""
        self._timer = asyncio.get_running_loop().call_later(self._minutes * 60, self._over.set)
        try:
            await self._find_own_addresses()
            return await self._bind_all()
        except BaseException:
            await self.stop()
            raise

    def finish(self) -> None:
        """Let `over` return: for signal handlers."""
        self._over.set()

    async def over(self) -> None:
        """Returns when the minutes are over, or after `finish`."""
        await self._over.wait()

    async def stop(self) -> None:
        """Close every socket. Harmless when it was stopped before."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        if self._vigil is not None:
            self._vigil.close()
            self._vigil = None
        if self._card is not None:
            self._card.close()
            self._card = None
        for sock in self._readers:
            loop.remove_reader(sock)
            sock.close()
        for server in self._servers:
            server.close()
        for transport in self._transports:
            transport.close()
        for stream in list(self._streams):
            stream.abort()
        self._readers, self._servers, self._transports = [], [], []
        self._over.set()
        # A closed transport lets go of its socket in the loop's next turn.
        await asyncio.sleep(0)

    def watch_card(self) -> bool:
        """Tell of probes at the network card too, before any firewall. False where this user may not look."""
        if not sys.platform.startswith("linux"):
            return False
        card = Card(self._plan, _is_own, self._tell)
        try:
            card.open()
        except OSError:
            return False
        self._card = card
        if self._watched is not None:
            self._vigil = Vigil(card.glance, lambda: reachable(self._own), self._watched)
            self._vigil.start()
        return True

    async def _find_own_addresses(self) -> None:
        loop = asyncio.get_running_loop()
        for address in self._plan.addresses:
            try:
                self._planned.append(str(bare_ip(address)))
            except ValueError:
                try:
                    found = await asyncio.wait_for(loop.getaddrinfo(address, None, type=socket.SOCK_DGRAM), NAME_S)
                except (OSError, UnicodeError, asyncio.TimeoutError):
                    self._every_name_known = False
                    continue
                self._planned += [str(bare_ip(str(entry[4][0]))) for entry in found]
        self._own = [address for address in self._planned if _is_own(address)]

    async def _bind_all(self) -> Bound:
        addresses = self._addresses or await _every_address()
        planned = self._plan.numbers()
        known = set(planned)
        others = [(other_protocol(protocol), number) for protocol, number in planned]
        others = [port for port in others if port not in known][:COUNTERPARTS]
        self._connections, room_for_others = make_room(len(planned) * len(addresses), len(others) * len(addresses))
        bound: List[Tuple[str, int]] = []
        held: List[Held] = []
        for count, (protocol, number) in enumerate(planned):
            fault = await self._bind(protocol, number, addresses)
            if fault is None:
                bound.append((protocol, number))
            else:
                held.append(Held(protocol, number, _refusal(fault, number)))
            if count % 64 == 63:
                # Thousands of sockets take a while, and the loop may have other work.
                await asyncio.sleep(0)
        if room_for_others:
            for protocol, number in others:
                await self._bind(protocol, number, addresses)
        return Bound(tuple(bound), tuple(held))

    async def _bind(self, protocol: str, number: int, addresses: Sequence[str]) -> Optional[OSError]:
        """Bind one port on every address; or on none, and return why."""
        loop = asyncio.get_running_loop()
        sockets: List[socket.socket] = []
        try:
            for address in addresses:
                sockets.append(_socket(protocol, address))
                _bind_and_hold(sockets[-1], protocol, address, number)
        except OSError as fault:
            for sock in sockets:
                sock.close()
            if fault.errno in (errno.EMFILE, errno.ENFILE):
                raise TooManyPortsError(_TOO_MANY.format(len(self._plan.numbers()), fault.strerror)) from fault
            return fault
        for address, sock in zip(addresses, sockets):
            if protocol == "tcp":
                self._servers.append(await loop.create_server(lambda: _Stream(self), sock=sock, backlog=BACKLOG))
            elif address in _WILDCARDS:
                self._listen(sock, self._on_datagrams)
            else:
                transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=sock)
                self._transports.append(transport)
        return None

    def _listen(self, sock: socket.socket, callback: Callable[[socket.socket], None]) -> None:
        self._readers.append(sock)
        asyncio.get_running_loop().add_reader(sock, callback, sock)

    def _on_datagrams(self, sock: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                data, control, _, source = sock.recvmsg(MAX_MESSAGE + 1, 128)
            except OSError:
                return
            destination = _destination(control)
            if destination is not None:
                address, way_back = destination
                came_in_on = (address, sock.getsockname()[1])
                self.answer_datagram(data, source, came_in_on, functools.partial(_send, sock, way_back, source))

    def answer_datagram(self, data: bytes, source: Any, came_in_on: Address, send: Callable[[bytes], object]) -> None:
        """Answer one datagram through `send`, or meet it with silence."""
        header = proxy_header_size(data) or 0
        made = self._reply(data[header:], source, came_in_on, header > 0)
        if made is None or not self._allowance.admits(source[0], time.monotonic()):
            return
        seen, message = made
        try:
            send(message)
        except OSError as fault:
            # The probe did come here; that this host does not let the answer out is worth knowing.
            seen = seen._replace(error="the answer could not be sent: {}".format(fault.strerror or fault))
        self._tell(seen)

    def answer_message(self, data: bytes, source: Any, came_in_on: Any, proxied: bool) -> Optional[bytes]:
        """The answer to one message of a TCP stream, None if the stream is to be closed.

        No allowance is asked: the handshake proved the source, and the connections are bounded.
        """
        made = self._reply(data, source, came_in_on, proxied)
        if made is None:
            return None
        seen, message = made
        self._tell(seen._replace(protocol="tcp"))
        return message

    def _reply(self, data: bytes, source: Any, came_in_on: Any, proxied: bool) -> Optional[Tuple[Seen, bytes]]:
        source = (str(bare_ip(source[0])), source[1])
        came_in_on = (str(bare_ip(came_in_on[0])), came_in_on[1])
        wrong = self._every_name_known and is_wrong_host(self._planned, self._own, came_in_on[0])
        made = reply(self._plan, data, source, came_in_on, wrong)
        if made is None:
            if self._stranger is not None and is_foreign_request(self._plan.key, data):
                self._stranger(source)
            return None
        request, message = made
        outcome = "misdirected" if wrong else "answered"
        return Seen(outcome, "udp", source, came_in_on, request, proxied=proxied), message

    def _tell(self, seen: Seen) -> None:
        if self._seen is None:
            return
        if not self._plan.arrives_as_planned(seen.request, seen.protocol, seen.came_in_on[1]):
            seen = seen._replace(outcome="misdirected")
        if self._recent.is_new(seen._replace(request=seen.request._replace(transaction=b"")), time.monotonic()):
            self._seen(seen)

    def opened(self, stream: _Stream) -> None:
        """A connection was accepted; the oldest makes room if there are too many."""
        if len(self._streams) >= self._connections:
            next(iter(self._streams)).abort()
        self._streams[stream] = None

    def closed(self, stream: _Stream) -> None:
        """A connection is gone."""
        self._streams.pop(stream, None)


class _Datagrams(asyncio.DatagramProtocol):
    """A UDP socket bound to one address."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._came_in_on = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._responder.answer_datagram(
            data, addr, self._came_in_on, lambda message: self._transport.sendto(message, addr)
        )


class _Stream(asyncio.Protocol):
    """One TCP connection: answers each whole signed message, closes at the first byte that is none."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._held = b""
        self._header: Optional[int] = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._source = transport.get_extra_info("peername")
        self._came_in_on = transport.get_extra_info("sockname")
        self._responder.opened(self)
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.abort)
        if not self._source:
            self.abort()

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self._header is None:
            header = proxy_header_size(self._held)
            if header is None or len(self._held) < header:
                return
            self._header, self._held = header, self._held[header:]
        while self._held:
            # RFC 8489 section 5: the first two bits of a STUN message are zero.
            size = None if self._held[0] & 0xC0 else message_size(self._held)
            if size is not None and (size == 0 or len(self._held) < size):
                return
            message = self._held[:size] if size is not None else b""
            answered = self._responder.answer_message(message, self._source, self._came_in_on, self._header > 0)
            if answered is None:
                self.abort()
                return
            self._held = self._held[len(message) :]
            self._transport.write(answered)
            self._idle.cancel()
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.abort)

    def connection_lost(self, _: Optional[Exception]) -> None:
        self._idle.cancel()
        self._responder.closed(self)

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()
        self._responder.closed(self)


def make_room(sockets: int, more: int) -> Tuple[int, bool]:
    """Raise this process's limit of open files so that `sockets` fit, and `more` if possible.

    Returns how many TCP connections fit beside them, and whether `more` do. Raises TooManyPortsError.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return CONNECTIONS, True
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sockets + more + CONNECTIONS + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
            soft = target
        except (ValueError, OSError):
            # Some systems state a hard limit that they do not grant.
            pass
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return CONNECTIONS, True
    room = soft - sockets - SPARE_DESCRIPTORS
    if room < 16:
        raise TooManyPortsError(_TOO_MANY.format(sockets, "it lets one program have {}".format(soft)))
    with_others = room - more >= 256
    return (min(CONNECTIONS, room - more if with_others else room), with_others)


_TOO_MANY = (
    "this plan needs {} sockets and the system does not give so many: {}. "
    "Raise the limit of open files (ulimit -Hn), or answer for a part of the plan."
)


async def _every_address() -> Sequence[str]:
    """What to bind so that every address of this host is answered on."""
    if sys.platform.startswith("linux"):
        return ("::",) if _is_own("::") else ("0.0.0.0",)
    # Without a portable way to learn on which address a datagram came in, each address gets a socket of its own.
    found = ["127.0.0.1"]
    for family, probe in ((socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9))):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                # Connecting a UDP socket sends nothing; it asks the routing table for our address.
                sock.connect(probe)
                found.append(sock.getsockname()[0])
        except OSError:
            continue
    try:
        entries = await asyncio.get_running_loop().getaddrinfo(socket.gethostname(), None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        entries = []
    found += [str(entry[4][0]) for entry in entries]
    found += ["::1"] if _is_own("::1") else []
    return [address for address in dict.fromkeys(found) if "%" not in address and not bare_ip(address).is_link_local]


def _is_own(address: str) -> bool:
    """Whether this host has the address (or, for a wildcard, its family): only then may a socket be bound to it."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True


def _socket(protocol: str, address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
    sock.setblocking(False)
    return sock


def _bind_and_hold(sock: socket.socket, protocol: str, address: str, number: int) -> None:
    linux = sys.platform.startswith("linux")
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address == "::" and linux else 1)
    if protocol == "tcp" and linux:
        # Past connections do not keep the port. Elsewhere the option would share it with a living program.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if protocol == "udp" and address in _WILDCARDS:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    sock.bind((address, number))
    if protocol == "tcp":
        # Two programs may both bind; the second to listen is refused.
        sock.listen(BACKLOG)


def _send(sock: socket.socket, way_back: Tuple[int, int, bytes], to: Any, message: bytes) -> None:
    sock.sendmsg([message], [way_back], 0, to)


def _destination(control: Iterable[Tuple[int, int, bytes]]) -> Optional[Tuple[str, Tuple[int, int, bytes]]]:
    """The address that a datagram was sent to, and what makes an answer leave from it.

    RFC 3542 section 6.1 for IPv6, ip(7) for IPv4.
    """
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO) and len(data) >= 20:
            ip = ipaddress.IPv6Address(data[:16])
            # Routing chooses the way out, except where an address means nothing without its link.
            link = data[16:20] if ip.is_link_local else bytes(4)
            return str(bare_ip(str(ip))), (level, kind, data[:16] + link)
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(data) >= 12:
            return str(ipaddress.IPv4Address(data[8:12])), (level, kind, bytes(4) + data[8:12] + bytes(4))
    return None


def _refusal(fault: OSError, number: int) -> Optional[str]:
    if fault.errno == errno.EADDRINUSE:
        return None
    if fault.errno in (errno.EACCES, errno.EPERM) and number < 1024:
        return "this user may not bind ports below 1024; run it as root"
    return "the system refuses the port: {}".format(fault.strerror or fault)
