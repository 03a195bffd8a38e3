"""What gathering yields: candidates, the errors of servers, and the verdict on each."""

from __future__ import annotations

import enum
import zlib
from dataclasses import dataclass

from wizard.probes.server_verdict import Sentence, Verdict
from wizard.wire.attribute import Address
from wizard.wire.uri import Transport

BY_SERVICE_RECORD = "by-service-record"
"""The cause of a note, for browsers do not read SRV records."""


class CandidateType(enum.StrEnum):
    """RFC 8445 section 5.1.1, and the preference of section 5.1.2.2."""

    HOST = "host"
    SRFLX = "srflx"
    PRFLX = "prflx"
    RELAY = "relay"

    @property
    def preference(self) -> int:
        """126 is best."""
        return {"host": 126, "prflx": 110, "srflx": 100, "relay": 0}[self.value]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate; component 1, as a call that muxes RTP and RTCP has it."""

    time_ms: float
    type: CandidateType
    foundation: str
    address: str
    port: int
    local_preference: int
    related: Address | None = None
    url: str | None = None
    relay_protocol: Transport | None = None

    @property
    def priority(self) -> int:
        """RFC 8445 section 5.1.2.1."""
        return (self.type.preference << 24) + (self.local_preference << 8) + 255


@dataclass(frozen=True, slots=True)
class CandidateError:
    """Why a server gave no candidate, or not all."""

    time_ms: float
    url: str
    address: str
    """The literal address that was tried; empty if the name had none."""
    family: int
    sentence: Sentence
    transport: Transport


@dataclass(frozen=True, slots=True)
class ServerTried:
    """The verdict on one server over one transport and address family."""

    url: str
    transport: Transport
    family: int
    verdict: Verdict
    rtt_ms: float | None
    """At most this, if the server had to be asked twice."""
    seconds: float
    error: str | None


Event = Candidate | CandidateError | ServerTried


def foundation(kind: CandidateType, base: str, server: str = "", transport: Transport | None = None) -> str:
    """The same for the same type, base, server and transports (RFC 8445 section 5.1.1.3)."""
    return str(zlib.crc32("|".join((kind, "udp", base, server, transport or "")).encode()))
