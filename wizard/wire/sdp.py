"""Session descriptions (RFC 8866) with ICE (RFC 8839), as browsers and libraries write them and people copy them.

Rules:
 1. Every line of the text keeps its number; what is not understood is kept and told, and stops nothing else.
 2. Nothing but the lines holds the ICE password.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass, field, replace

LARGEST = 1024 * 1024
"""Characters of a description at most; the longest of browsers are a twentieth of it."""
LOCAL_PREFERENCE_MOST = 65535


class SdpError(ValueError):
    """The text is no session description."""


class CandidateType(enum.StrEnum):
    """How an address was found (RFC 8445 section 4)."""

    HOST = "host"
    SRFLX = "srflx"
    PRFLX = "prflx"
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One `candidate` attribute (RFC 8839 section 5.1). `address` may be a name, `.local` among them (mDNS)."""

    line: int
    foundation: str
    component: int
    protocol: str
    """Lower case: `udp`, `tcp`, or one that nobody uses."""
    priority: int
    address: str
    port: int
    type: CandidateType
    related: tuple[str, int] | None = None
    tcp_type: str = ""
    """`active`, `passive` or `so` (RFC 6544 section 4.5); empty for UDP."""

    @property
    def is_mdns(self) -> bool:
        """Whether a browser hid the address behind a name."""
        return self.address.lower().rstrip(".").endswith(".local")

    def __str__(self) -> str:
        text = f"candidate:{self.foundation} {self.component} {self.protocol.upper()} {self.priority} "
        text += f"{self.address} {self.port} typ {self.type}"
        if self.related is not None:
            text += f" raddr {self.related[0]} rport {self.related[1]}"
        return text + (f" tcptype {self.tcp_type}" if self.tcp_type else "")


@dataclass(frozen=True, slots=True)
class Connection:
    """A `c=` line (RFC 8866 section 5.7)."""

    line: int
    address: str


@dataclass(frozen=True, slots=True)
class Media:
    """An `m=` section. What the session says for all of them is in it, too."""

    line: int
    kind: str
    """`audio`, `video`, `application`; empty for a bare list of candidates."""
    port: int
    transport: str
    """`UDP/TLS/RTP/SAVPF` and the like."""
    last: int
    """Its last line."""
    connection: Connection | None = None
    mid: str = ""
    candidates: tuple[Candidate, ...] = ()
    unread: tuple[int, ...] = ()
    """Lines of candidates that were not understood."""
    rtcp: int | None = None
    """Line of the `rtcp` attribute (RFC 3605)."""
    rtcp_mux: bool = False
    has_credentials: bool = False
    bundle_only: bool = False
    trickles: bool = False
    ended: bool = False
    """Whether it says that no more candidates follow (RFC 8840 section 8.2)."""

    @property
    def is_rejected(self) -> bool:
        """Whether nothing is sent for it (RFC 8866 section 5.14; RFC 8843 section 6)."""
        return self.port == 0 and not self.bundle_only

    @property
    def has_rtp(self) -> bool:
        """Whether its transport has RTCP, which is component 2 unless both are on one port (RFC 5761)."""
        return "RTP/" in self.transport


@dataclass(frozen=True, slots=True)
class Description:
    """An offer or answer. `type` is what came with it, if anything did."""

    lines: tuple[str, ...] = field(repr=False)
    media: tuple[Media, ...]
    bundle: tuple[str, ...] = ()
    """The mids that share one transport (RFC 8843)."""
    type: str = ""
    is_list: bool = False
    """Whether it is only a list of candidates, as they trickle."""

    def rides_on_another(self, media: Media) -> bool:
        """Whether the transport is that of another section."""
        return bool(media.mid) and media.mid in self.bundle[1:] and self.bundle[0] in {m.mid for m in self.media}


_CANDIDATE = re.compile(
    r"(?:a=)?candidate:(?P<foundation>[\w+/=-]{1,64})\s+(?P<component>\d{1,5})\s+(?P<protocol>[\w-]{1,16})\s+"
    r"(?P<priority>\d{1,10})\s+(?P<address>[^\s]{1,255})\s+(?P<port>\d{1,5})\s+typ\s+(?P<type>\w+)(?P<rest>(?:\s+\S+)*)\s*",
    re.IGNORECASE,
)
_MEDIA = re.compile(r"m=(?P<kind>[\w-]+) (?P<port>\d{1,5})(?:/\d+)? (?P<transport>[\w/-]+)(?: .*)?")
_CONNECTION = re.compile(r"c=IN IP[46] (?P<address>[^\s/]+)(?:/\S*)?\s*")


def parse(text: str) -> Description:
    """Read a description, or the JSON that a page or a log has it in. Raises SdpError."""
    if len(text) > LARGEST:
        raise SdpError("too long")
    kind, text = _unwrapped(text.lstrip("\ufeff"))
    lines = tuple(re.sub(r"^[\s>|]*(?:\d+[:.]\s+)?", "", line).rstrip() for line in re.split(r"\r\n|\r|\n", text))
    found = [line for line in lines if line]
    if found and all(line.lower().startswith(("candidate:", "a=candidate:", "a=end-of-candidates")) for line in found):
        return Description(lines, (_section(lines, 0, len(lines), None),), type=kind, is_list=True)
    if not any(line.startswith("v=0") for line in lines[:20]) or not any(line.startswith("m=") for line in lines):
        raise SdpError("no v=0 and m= lines")
    starts = [at for at, line in enumerate(lines) if line.startswith("m=")]
    session = _section(lines, 0, starts[0], None)
    ends = [*starts[1:], len(lines)]
    media = tuple(_section(lines, start, end, session) for start, end in zip(starts, ends, strict=True))
    group = next((line for line in lines[: starts[0]] if line.startswith("a=group:BUNDLE")), "")
    return Description(lines, media, tuple(group.split()[1:]), kind)


def _unwrapped(text: str) -> tuple[str, str]:
    """The type and the text of a description in JSON, or in a string's escapes."""
    stripped = text.strip()
    if stripped.startswith(("{", "[")):
        try:
            found = json.loads(stripped)
        except (ValueError, RecursionError):
            raise SdpError("JSON that cannot be read") from None
        return _from_json(found)
    if "\\r\\n" in text or "\\n" in text:
        text = text.replace("\\r\\n", "\n").replace("\\n", "\n").strip(" \t\r\n\"'`;,+")
    return "", text


def _from_json(found: object) -> tuple[str, str]:
    if isinstance(found, list):
        return "", "\n".join(_from_json(each)[1] for each in found)
    if isinstance(found, dict):
        kind = found.get("type")
        for key in ("sdp", "candidate"):
            held = found.get(key)
            if isinstance(held, str):
                return kind if isinstance(kind, str) and key == "sdp" else "", held
            if isinstance(held, dict):
                return _from_json(held)
    raise SdpError("JSON without sdp or candidate")


def _section(lines: tuple[str, ...], start: int, end: int, session: Media | None) -> Media:
    media = _MEDIA.fullmatch(lines[start]) if session is not None else None
    found = Media(
        line=start + 1,
        kind=media["kind"] if media else "",
        port=int(media["port"]) if media else 0,
        transport=media["transport"] if media else "",
        last=end,
        connection=session.connection if session else None,
        has_credentials=session.has_credentials if session else False,
        trickles=session.trickles if session else False,
    )
    candidates: list[Candidate] = []
    unread: list[int] = []
    for number, line in enumerate(lines[start:end], start + 1):
        name, _, value = line.partition(":")
        match name.lower():
            case "a=candidate" | "candidate":
                candidate = candidate_of(line, number)
                if candidate is None:
                    unread.append(number)
                else:
                    candidates.append(candidate)
            case "a=mid":
                found = replace(found, mid=value.strip())
            case "a=rtcp":
                found = replace(found, rtcp=number)
            case "a=rtcp-mux":
                found = replace(found, rtcp_mux=True)
            case "a=ice-ufrag":
                found = replace(found, has_credentials=True)
            case "a=bundle-only":
                found = replace(found, bundle_only=True)
            case "a=ice-options":
                found = replace(found, trickles=found.trickles or "trickle" in value.split())
            case "a=end-of-candidates":
                found = replace(found, ended=True)
            case _ if connection := _CONNECTION.fullmatch(line):
                found = replace(found, connection=Connection(number, connection["address"]))
    return replace(found, candidates=tuple(candidates), unread=tuple(unread))


def candidate_of(text: str, line: int = 1) -> Candidate | None:
    """One candidate; None if the text is none."""
    match = _CANDIDATE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        kind = CandidateType(match["type"].lower())
    except ValueError:
        return None
    rest = match["rest"].split()
    more = dict(zip(rest[::2], rest[1::2], strict=False))
    component, port = int(match["component"]), int(match["port"])
    if not 1 <= component <= 256 or port > 65535:
        return None
    related: tuple[str, int] | None = None
    if "raddr" in more and (rport := more.get("rport", "0")).isascii() and rport.isdigit() and len(rport) <= 5:
        related = (more["raddr"], int(rport))
    return Candidate(
        line,
        match["foundation"],
        component,
        match["protocol"].lower(),
        int(match["priority"]),
        match["address"],
        port,
        kind,
        related,
        more.get("tcptype", "").lower(),
    )


def host_candidate(address: str, port: int, *, component: int = 1) -> Candidate:
    """The candidate of a port that was opened by hand: a host's, of the highest priority (RFC 8445 section 5.1.2.1)."""
    priority = (126 << 24) | (LOCAL_PREFERENCE_MOST << 8) | (256 - component)
    return Candidate(0, "1", component, "udp", priority, address, port, CandidateType.HOST)
