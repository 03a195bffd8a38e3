"""A session description held against the plan: whether each address in it can be reached from outside, and why not."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wizard.diagnosis.hairpin import CGNAT_RANGE, is_inside
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import OutsidePort, Protocol
from wizard.model.project import Project, arrival_numbers
from wizard.plan import same_address
from wizard.wire.sdp import Candidate, CandidateType, Description, Media

_TUNNELS = (HopKind.TUNNEL_SERVER, HopKind.TUNNEL_CLIENT)
_INSIDE = frozenset(("private", "carrier", "mdns", "link-local"))
"""What others in the same network can use."""
_DISCARD = 9
"""The port of what only calls out, or is not known yet (RFC 6544 section 4.5, RFC 8840 section 4.1.1)."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence about a line; a fault, or something to know."""

    line: int
    phrase: Phrase
    wrong: bool


@dataclass(frozen=True, slots=True)
class SdpVerdict:
    """What was found: about each candidate one sentence, then about the lines around them, then what to know."""

    candidates: tuple[Told, ...]
    lines: tuple[Told, ...]
    notes: tuple[Phrase, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether a call would suffer."""
        return any(told.wrong for told in (*self.candidates, *self.lines))


@dataclass(frozen=True, slots=True)
class Ways:
    """The ports of a plan from both of its ends."""

    project: Project
    planned: frozenset[OutsidePort]
    outside: Mapping[OutsidePort, int]
    """The number that clients use, by the port on the service's host."""

    @classmethod
    def of(cls, project: Project) -> Ways:
        """Work out where each planned port ends."""
        outside = {
            OutsidePort(plan.protocol, arrival_numbers(project.hops, plan, number)[-1]): number
            for plan in project.ports
            for number in plan.outside
        }
        return cls(project, frozenset(project.outside_ports()), outside)

    def spoken(self, protocol: Protocol) -> str:
        """The planned ports of a protocol, as they are read; a dash if there are none."""
        found = [str(plan.outside).replace("-", "–") for plan in self.project.ports if plan.protocol is protocol]
        return ", ".join(found) or "–"


def judge(description: Description, project: Project | None) -> SdpVerdict:
    """Say of each candidate whether others can use it. Without a project that is known of few."""
    ways = None if project is None else Ways.of(project)
    candidates = tuple(_of_candidate(candidate, ways) for media in description.media for candidate in media.candidates)
    lines = [told for media in description.media for told in _of_media(description, media, ways)]
    if ways is None:
        lines += _nothing_public(description)
    return SdpVerdict(candidates, tuple(sorted(lines, key=lambda told: told.line)), tuple(_notes(candidates, ways)))


def _of_candidate(candidate: Candidate, ways: Ways | None) -> Told:
    key, values = _why(candidate, ways)
    inside = ways is None and key in _INSIDE
    fine = key.startswith("fine-") or inside
    told = {"address": candidate.address, "port": str(candidate.port), "protocol": candidate.protocol.upper()}
    if ways is not None:
        told["public"] = ways.project.public_address
    elif inside:
        key = f"{key}-alone"
    return Told(candidate.line, Phrase(key, told | values), not fine)


def _why(candidate: Candidate, ways: Ways | None) -> tuple[str, dict[str, str]]:
    """What is to be said of a candidate; `fine-…` where nothing is wrong with it."""
    if candidate.protocol not in ("udp", "tcp"):
        return "transport", {}
    if candidate.tcp_type == "active" or (candidate.protocol == "tcp" and candidate.port == _DISCARD):
        return "fine-active", {}
    if candidate.is_mdns:
        return "mdns", {}
    if candidate.port == 0:
        return "no-port", {}
    if candidate.type is CandidateType.RELAY:
        return "fine-relay", {}
    try:
        ip = ipaddress.ip_address(candidate.address.partition("%")[0])
    except ValueError:
        if ways is not None and same_address(candidate.address) == same_address(ways.project.public_address):
            return _port(candidate, ways)
        return "name", {}
    if ways is not None and same_address(str(ip)) == same_address(ways.project.public_address):
        return _port(candidate, ways)
    if ip.is_unspecified or ip.is_multicast or ip.is_loopback:
        return "unusable", {}
    if ip.is_link_local:
        return "link-local", {}
    if ip.version == 4 and ip in CGNAT_RANGE:
        return "carrier", {}
    if is_inside(ip):
        return "private", {}
    if ways is None:
        return f"fine-{candidate.type}", {}
    return "elsewhere", {}


def _port(candidate: Candidate, ways: Ways) -> tuple[str, dict[str, str]]:
    protocol = Protocol(candidate.protocol)
    port = OutsidePort(protocol, candidate.port)
    if port in ways.planned:
        return f"fine-{candidate.type}", {}
    if port in ways.outside:
        return "inner-port", {"outside": str(ways.outside[port])}
    if OutsidePort(protocol.other, candidate.port) in ways.planned:
        return "wrong-protocol", {"other": protocol.other.value.upper()}
    return "unmapped", {"ports": ways.spoken(protocol)}


def _of_media(description: Description, media: Media, ways: Ways | None) -> Iterator[Told]:
    for line in media.unread:
        yield Told(line, Phrase("unread"), True)
    if description.is_list or media.is_rejected:
        return
    values = {"media": media.kind}
    rides = description.rides_on_another(media)
    if not media.has_credentials and not rides:
        yield Told(media.line, Phrase("no-credentials", values), True)
    components = {candidate.component for candidate in media.candidates}
    if not components and not rides:
        # An empty list that goes on to trickle says nothing yet.
        open_ended = media.trickles and not media.ended
        yield Told(media.line, Phrase("none-yet" if open_ended else "none", values), not open_ended)
    elif components:
        wanted = {1, 2} if media.has_rtp and not media.rtcp_mux and not rides else {1}
        for component in sorted(wanted - components):
            key = "missing-rtcp" if component == 2 else "missing-component"
            yield Told(media.line, Phrase(key, values | {"component": str(component)}), True)
    if ways is not None and not rides:
        yield from _of_connection(media, ways)


def _of_connection(media: Media, ways: Ways) -> Iterator[Told]:
    """What `c=` and the port of `m=` say; the placeholder of RFC 8840 section 4.1.1 says nothing."""
    connection = media.connection
    values = {"public": ways.project.public_address, "media": media.kind, "port": str(media.port)}
    if connection is None:
        yield Told(media.line, Phrase("no-connection", values), True)
        return
    values["address"] = connection.address
    if media.port == _DISCARD and connection.address in ("0.0.0.0", "::"):
        yield Told(connection.line, Phrase("placeholder", values), False)
        return
    if same_address(connection.address) != same_address(ways.project.public_address):
        yield Told(connection.line, Phrase("connection", values), True)
    protocol = Protocol.TCP if media.transport.upper().startswith("TCP") else Protocol.UDP
    if media.port not in (0, _DISCARD) and OutsidePort(protocol, media.port) not in ways.planned:
        yield Told(media.line, Phrase("media-port", values | {"ports": ways.spoken(protocol)}), True)


def _nothing_public(description: Description) -> list[Told]:
    """Without a plan: sections of which no candidate can be reached from outside."""
    return [
        Told(media.line, Phrase("nothing-public", {"media": media.kind or "-"}), True)
        for media in description.media
        if media.candidates
        and not description.rides_on_another(media)
        and all(not _why(candidate, None)[0].startswith("fine-") for candidate in media.candidates)
    ]


def _notes(candidates: tuple[Told, ...], ways: Ways | None) -> Iterator[Phrase]:
    if ways is None:
        yield Phrase("note-project")
        return
    project = ways.project
    if any(told.phrase.key in ("private", "unmapped", "elsewhere", "mdns", "carrier") for told in candidates):
        plan = next((plan for plan in project.ports if plan.protocol is Protocol.UDP), None)
        if plan is not None:
            first = arrival_numbers(project.hops, plan, plan.outside.first)[-1]
            values = {"first": str(first), "last": str(first + len(plan.outside) - 1)}
            yield Phrase("note-ephemeral", values | {"ports": ways.spoken(Protocol.UDP)})
    if any(hop.kind in _TUNNELS for hop in project.hops):
        yield Phrase("note-source")
        yield Phrase("note-idle")
