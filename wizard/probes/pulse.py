"""Pulses: one small signed question to a port, asked again and again at the least cost that is still proof.

Rules:
 1. Each pulse is a flow of its own. A router lets a flow that it knows go on after the rule for it is gone, and never
    asks the new rule about one that it turned away: a socket kept for long would show yesterday's rules.
 2. A pulse proves what its signed answer proves, or says nothing. That a port is stopped is for a whole probe to say.
 3. A TCP pulse ends with a reset: tables on the way remember an orderly end for minutes.
 4. Sockets are looked at on the beat of the caller, and wake nobody up.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence

from wizard.model.hop import Hop
from wizard.model.port import Protocol
from wizard.observation import Outcome
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement, hear, judge, new_transaction
from wizard.probes.network_error import drain, of_the_network
from wizard.probes.target import Target
from wizard.probes.udp_socket import bound_apart
from wizard.wire.probe import HEADER, MAX_MESSAGE, message_size, repeated_answer, request_body, signed_request

UDP_KEPT_S = 2.0
"""How long an answer to a datagram is waited for."""
TCP_KEPT_S = 1.5
"""How long a connection may take that is asked over: four round trips of a satellite."""
_LOOKS = 4
"""How often a young connection is looked at on every beat; later less and less often."""
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER, on for 0 s
_CONNECTING = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, errno.ENOTCONN, 10035, 10057})


class Pulsed:
    """A port that gets pulses."""

    __slots__ = ("aimed", "body", "judgement", "repeated", "sockaddr")

    def __init__(self, aimed: Aimed) -> None:
        probe = aimed.probe
        self.aimed = aimed
        self.sockaddr = aimed.target.sockaddr(probe.port)
        self.body = request_body(probe.vantage, probe.enters, probe.port)
        self.repeated: bytes | None = None
        """What its last answer had in common with those before."""
        self.judgement = Judgement(Outcome.NOT_CHECKED)
        """What that answer proves."""


Heard = tuple[Pulsed, Judgement]


class Pulses:
    """Sends pulses, and says which were answered. `files` is how many sockets it may hold."""

    def __init__(self, key: bytes, hops: Sequence[Hop], files: int) -> None:
        self._key = key
        self._hops = hops
        self._files = files
        self._udp: dict[Target, deque[_Flows]] = {}
        self._sent: dict[bytes, tuple[Pulsed, float]] = {}
        self._tcp: list[_Connection] = []

    def send(self, port: Pulsed, now: float) -> bool:
        """Ask the port. Returns whether the question went out, as far as this computer can tell."""
        try:
            if port.aimed.probe.protocol is Protocol.UDP:
                self._send_datagram(port, now)
            elif len(self._tcp) < self._files:
                self._tcp.append(_Connection(port, now))
        except OSError:
            return False
        return True

    def hear(self, now: float) -> list[Heard]:
        """The answers since the last time; what has waited too long is given up."""
        found = [*self._datagrams(now), *self._connections(now)]
        for transaction, (_, sent_at) in list(self._sent.items()):
            if now - sent_at < UDP_KEPT_S:
                break
            del self._sent[transaction]
        return found

    def close(self) -> None:
        """Close every socket."""
        for flows in self._udp.values():
            for flow in flows:
                flow.sock.close()
        for connection in self._tcp:
            connection.close()
        self._udp.clear()
        self._tcp.clear()

    def _send_datagram(self, port: Pulsed, now: float) -> None:
        flows = self._udp.setdefault(port.aimed.target, deque())
        number = port.aimed.probe.port
        if not flows or number in flows[-1].asked:
            flows.append(_Flows(bound_apart(port.aimed.target, (number,))))
        flow = flows[-1]
        transaction = new_transaction()
        message = signed_request(self._key, transaction, port.body)
        try:
            flow.sock.sendto(message, port.sockaddr)
        except OSError as error:
            # An ICMP error of another port, which is told once and then gone.
            if not of_the_network(error):
                raise
            drain(flow.sock)
            flow.sock.sendto(message, port.sockaddr)
        flow.asked.add(number)
        flow.last = now
        self._sent[transaction] = (port, now)

    def _datagrams(self, now: float) -> Iterator[Heard]:
        for target, flows in self._udp.items():
            for flow in flows:
                yield from self._of(target, flow.sock)
            while len(flows) > 1 and now - flows[0].last > UDP_KEPT_S:
                flows.popleft().sock.close()

    def _of(self, target: Target, sock: socket.socket) -> Iterator[Heard]:
        host = target.address.partition("%")[0]
        while True:
            try:
                data, sender = sock.recvfrom(MAX_MESSAGE)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error, which proves nothing here.
                drain(sock)
                continue
            port, _ = self._sent.pop(data[8 : HEADER.size], (None, 0.0))
            if port is None or (sender[0].partition("%")[0], sender[1]) != (host, port.aimed.probe.port):
                continue
            judgement = _judged(self._key, self._hops, port, data[8 : HEADER.size], data)
            if judgement is not None:
                yield port, judgement

    def _connections(self, now: float) -> Iterator[Heard]:
        waiting: list[_Connection] = []
        for connection in self._tcp:
            if connection.look_at > now:
                waiting.append(connection)
                continue
            try:
                answer = connection.look(self._key, now)
            except OSError:
                connection.close()
                continue
            if answer is None and now - connection.began < TCP_KEPT_S:
                waiting.append(connection)
                continue
            connection.close()
            if answer is not None:
                judgement = _judged(self._key, self._hops, connection.port, connection.transaction, answer)
                if judgement is not None:
                    yield connection.port, judgement
        self._tcp = waiting


class _Flows:
    """One socket, from which each port is asked once."""

    __slots__ = ("asked", "last", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.asked: set[int] = set()
        self.last = 0.0


class _Connection:
    """One connection, over which its port is asked once."""

    __slots__ = ("_asked", "_heard", "_looks", "_sock", "began", "look_at", "port", "transaction")

    def __init__(self, port: Pulsed, now: float) -> None:
        self.port = port
        self.began = now
        self.look_at = now
        self.transaction = new_transaction()
        self._looks = 0
        self._asked = False
        self._heard = b""
        self._sock = socket.socket(port.aimed.target.family, socket.SOCK_STREAM)
        try:
            self._sock.setblocking(False)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            failed = self._sock.connect_ex(port.sockaddr)
            if failed not in (0, *_CONNECTING):
                raise OSError(failed, "connect")
        except BaseException:
            self._sock.close()
            raise

    def look(self, key: bytes, now: float) -> bytes | None:
        """The answer, if it is whole. Raises OSError if there will be none."""
        self._looks += 1
        if self._looks > _LOOKS:
            self.look_at = now + (now - self.began) / 2
        if not self._asked:
            try:
                self._sock.send(signed_request(key, self.transaction, self.port.body))
            except OSError as error:
                if error.errno in _CONNECTING:
                    return None
                raise
            self._asked = True
        with contextlib.suppress(BlockingIOError):
            data = self._sock.recv(MAX_MESSAGE)
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "closed")
            self._heard += data
        size = message_size(self._heard[: HEADER.size])
        if size is None:
            raise OSError(errno.EPROTO, "no answer of ours")
        return self._heard[:size] if 0 < size <= len(self._heard) else None

    def close(self) -> None:
        self._sock.close()


def _judged(key: bytes, hops: Sequence[Hop], port: Pulsed, transaction: bytes, data: bytes) -> Judgement | None:
    """What an answer proves; None if it is none."""
    repeated = repeated_answer(key, data)
    if repeated is None or data[8 : HEADER.size] != transaction:
        return None
    if repeated != port.repeated:
        answer = hear(key, transaction, data)
        if isinstance(answer, str):
            return None
        # When it came is known to a beat only, which is no round trip to tell anybody.
        port.repeated, port.judgement = repeated, judge(port.aimed.probe, answer, hops, None)
    return port.judgement
