"""A session description as it must read for clients outside: the public address, and ports that the path hands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from wizard.diagnosis.sdp import Ways
from wizard.model.port import OutsidePort, Protocol
from wizard.model.project import Project
from wizard.wire.sdp import Candidate, CandidateType, Description, Media, host_candidate


@dataclass(frozen=True, slots=True)
class Moved:
    """A socket of the service, `address:port`, with the port that clients are given for it, and the number on which
    that arrives on the service's host: there it must be bound."""

    socket: str
    outside: int
    inner: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The text, and what it takes for granted."""

    text: str
    moved: tuple[Moved, ...]
    left_out: tuple[str, ...]
    """Sockets for which no planned port was left."""


def rewrite(description: Description, project: Project) -> Rewritten:
    """Every candidate of a socket of its own becomes the public address with a planned port; relayed ones stay."""
    ports = _Ports(project)
    lines: list[str] = []
    for media in description.media:
        chosen = _chosen(media, ports)
        first = next((port for component, port in chosen if component == 1), None)
        placed = False
        start = len(lines)
        if not lines and not description.is_list:
            lines += [_connection(line, project) for line in description.lines[: media.line - 1]]
            start = len(lines)
        candidate_lines = {candidate.line for candidate in media.candidates} | set(media.unread)
        kept = {c.line for c in media.candidates if c.type is CandidateType.RELAY or c.tcp_type == "active"}
        over_tcp = dict(ports.over_tcp(media))
        for number in range(media.line, media.last + 1):
            line = description.lines[number - 1]
            if number in candidate_lines and number not in kept:
                if not placed:
                    prefix = "a=" if line.startswith("a=") else ""
                    lines += [f"{prefix}{_candidate(project, component, port)}" for component, port in chosen]
                    placed = True
                if number in over_tcp:
                    lines.append(f"{'a=' if line.startswith('a=') else ''}{over_tcp[number]}")
            elif number == media.rtcp:
                rtcp = next((port for component, port in chosen if component == 2), first)
                if rtcp is not None:
                    lines.append(f"a=rtcp:{rtcp} {_address(project)}")
            else:
                lines.append(_connection(line, project))
        if first is not None and not description.is_list and media.port:
            words = lines[start].split(" ")
            lines[start] = " ".join([words[0], str(first), *words[2:]])
    text = "\r\n".join(lines).rstrip("\r\n") + "\r\n"
    return Rewritten(text, tuple(ports.moved), tuple(ports.left_out))


class _Ports:
    """Which planned UDP port stands for which socket of the service."""

    def __init__(self, project: Project) -> None:
        self._ways = Ways.of(project)
        self._planned = [port.number for port in project.outside_ports() if _is_udp(port)]
        self._taken: dict[str, int] = {}
        self._inner = {outside: inner.number for inner, outside in self._ways.outside.items() if _is_udp(inner)}
        self.moved: list[Moved] = []
        self.left_out: dict[str, None] = {}

    def of(self, candidate: Candidate) -> int | None:
        """The port for a candidate's socket: its own if that is planned, else the next one that is free."""
        address, number = candidate.address, candidate.port
        if candidate.type is not CandidateType.HOST and candidate.related is not None and candidate.related[1]:
            address, number = candidate.related
        socket = f"{address}:{number}"
        if socket in self._taken:
            return self._taken[socket]
        port = self._ways.outside.get(OutsidePort(Protocol.UDP, number))
        if candidate.port in self._planned:
            port = candidate.port
        if port is None:
            port = next((free for free in self._planned if free not in self._taken.values()), None)
            if port is not None:
                self.moved.append(Moved(socket, port, self._inner[port]))
        if port is None:
            self.left_out[socket] = None
        else:
            self._taken[socket] = port
        return port

    def over_tcp(self, media: Media) -> Iterator[tuple[int, Candidate]]:
        """By its line, each candidate that takes TCP connections on a port that the path hands on, once for each."""
        given: set[tuple[int, int]] = set()
        for candidate in media.candidates:
            port = self._outside_tcp(candidate.port)
            waits = candidate.protocol == "tcp" and candidate.tcp_type != "active"
            if waits and candidate.type is CandidateType.HOST and port and (candidate.component, port) not in given:
                given.add((candidate.component, port))
                yield candidate.line, replace(candidate, address=self._ways.project.public_address, port=port)

    def _outside_tcp(self, number: int) -> int | None:
        port = OutsidePort(Protocol.TCP, number)
        return number if port in self._ways.planned else self._ways.outside.get(port)


def _is_udp(port: OutsidePort) -> bool:
    return port.protocol is Protocol.UDP


def _chosen(media: Media, ports: _Ports) -> list[tuple[int, int]]:
    """One port for each component: of the sockets that serve it, the first that has one. A socket for each
    of a host's addresses is one way in when seen from outside."""
    found: dict[int, int] = {}
    for candidate in media.candidates:
        own = candidate.type is not CandidateType.RELAY and candidate.protocol == "udp"
        if own and candidate.component not in found and (port := ports.of(candidate)) is not None:
            found[candidate.component] = port
    return sorted(found.items())


def _candidate(project: Project, component: int, port: int) -> Candidate:
    return host_candidate(project.public_address, port, component=component)


def _address(project: Project) -> str:
    return f"IN IP{6 if ':' in project.public_address else 4} {project.public_address}"


def _connection(line: str, project: Project) -> str:
    return f"c={_address(project)}" if line.startswith("c=IN IP") else line


def static_candidates(project: Project) -> Iterator[str]:
    """A candidate for each planned UDP port, to be given to clients as it is."""
    return (
        str(host_candidate(project.public_address, port.number)) for port in project.outside_ports() if _is_udp(port)
    )
