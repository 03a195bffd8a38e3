"""A gateway of a network that this computer is on, and what it told of itself when it was asked."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wizard.model.port import Protocol


class Way(enum.StrEnum):
    """The protocols in which a program may ask a gateway to pass ports on."""

    UPNP = "upnp"
    PCP = "pcp"
    NATPMP = "nat-pmp"


class Took(enum.StrEnum):
    """How a gateway took a question or a wish."""

    GRANTED = "granted"
    SILENT = "silent"
    """No answer, asked again and again."""
    REFUSED = "refused"
    """Nothing listens there: ICMP port unreachable, or RST."""
    UNREACHABLE = "unreachable"
    NOT_AUTHORISED = "not-authorised"
    """Switched off, or this computer may not, or not these ports."""
    CONFLICT = "conflict"
    """The outer port is another's already."""
    NO_ADDRESS = "no-address"
    """The gateway has no public address itself."""
    FULL = "full"
    UNSUPPORTED = "unsupported"
    """It does not know the version or the operation."""
    OWN_PORTS_ONLY = "own-ports-only"
    """This protocol maps ports of the computer that asks, and no other's."""
    SAME_NUMBER_ONLY = "same-number-only"
    """It does not change port numbers."""
    PERMANENT_ONLY = "permanent-only"
    """Its mappings have no lifetime."""
    ABSENT = "absent"
    """There is no such mapping."""
    PINHOLES_OFF = "pinholes-off"
    """Its IPv6 firewall is off, or opens for nobody."""
    NAT_BETWEEN = "nat-between"
    """The request got there from another address than it left from."""
    NOT_KEPT = "not-kept"
    """It said yes, and afterwards did not have the mapping."""
    GARBAGE = "garbage"
    """What came back is not the protocol."""
    ERROR = "error"
    """Another error of the protocol; the detail has its number."""
    FAILED = "failed"
    """A fault of this computer."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of speaking one protocol to a gateway. `detail` is its own words or number, for experts."""

    way: Way
    took: Took
    detail: str = ""

    @property
    def found(self) -> bool:
        """Whether the gateway speaks it at all, whatever it then allows."""
        return self.took in _HEARD


_HEARD = frozenset({Took.GRANTED, Took.NOT_AUTHORISED, Took.NO_ADDRESS, Took.FULL, Took.NAT_BETWEEN, Took.ERROR})


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping that a gateway lists: from one of its outer ports to a port of a computer inside."""

    protocol: Protocol
    external: int
    host: str
    internal: int
    description: str = ""
    enabled: bool = True
    lifetime_s: int = 0
    """Seconds left; 0: for good."""


class Pinholes(enum.StrEnum):
    """What a gateway's IPv6 firewall lets programs open (UPnP WANIPv6FirewallControl)."""

    UNKNOWN = "unknown"
    ALLOWED = "allowed"
    NOT_ALLOWED = "not-allowed"
    NO_FIREWALL = "no-firewall"
    """The firewall is off: everything passes."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway, told by the interface that leads to it and its address there."""

    interface: str
    address: str
    own: str
    """This computer's address on that interface."""
    prefix: int
    default: bool
    """Whether this computer's default route leads there."""
    spoken: tuple[Spoken, ...]
    at: datetime
    wan: str | None = None
    """The address of its outer side, as it says."""
    withheld: bool = False
    """It was asked for that address and says that it has none."""
    manufacturer: str = ""
    model: str = ""
    name: str = ""
    mappings: tuple[Mapping, ...] = ()
    listed: bool = False
    """Whether `mappings` holds every one that it would tell of. Rules made by hand are often not told."""
    pinholes: Pinholes = Pinholes.UNKNOWN
    own6: tuple[str, ...] = ()
    """This computer's IPv6 addresses there for others; a pinhole is opened from the address that it is for."""
    address6: str | None = None
    """The router on this interface's IPv6 default route, with its zone: the same box, as far as homes go."""
    epoch_s: int | None = None
    """How long it has known of its mappings, by its own clock; None where it does not tell."""
    location: str = ""
    """Where its UPnP description is; empty where it has none."""

    @property
    def answers(self) -> bool:
        """Whether it speaks any of the protocols."""
        return any(one.found for one in self.spoken)

    @property
    def network(self) -> str:
        """The network that it serves, from where we stand: `192.168.77.20/24`."""
        return f"{self.own}/{self.prefix}"

    @property
    def title(self) -> str:
        """Maker and model as it tells them, or its address."""
        said = " ".join(dict.fromkeys(part for part in (self.manufacturer, self.model) if part))
        return said or self.address


def nearest(gateways: Sequence[Gateway], host: str | None) -> Gateway | None:
    """Of the gateways that answer the one to ask for mappings to `host`: that of its network, or else the first."""
    answering = [gateway for gateway in gateways if gateway.answers]
    try:
        inner = ipaddress.ip_address(host or "")
    except ValueError:
        return next(iter(answering), None)
    if inner.version == 6:
        return next(iter(answering), None)
    return next((g for g in answering if inner in ipaddress.ip_interface(g.network).network), None)
