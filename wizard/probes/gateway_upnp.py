"""UPnP with one gateway: InternetGatewayDevice 1 and 2 (WANIPConnection, WANPPPConnection, WANIPv6FirewallControl)."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from async_upnp_client.client import UpnpDevice, UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.exceptions import (
    UpnpActionError,
    UpnpConnectionError,
    UpnpConnectionTimeoutError,
)

from wizard.model.gateway import Mapping as PortMapping
from wizard.model.gateway import Pinholes, Spoken, Took, Way
from wizard.model.port import Protocol
from wizard.probes.gateway_http import requester

MOST_MAPPINGS = 2000
"""Entries read at most: no router keeps more, and a broken one may never say that the list is over."""
_MANY = 65535
_PROTOCOLS = {"UDP": Protocol.UDP, "TCP": Protocol.TCP}
_NUMBERS = {Protocol.UDP: 17, Protocol.TCP: 6}
_END_OF_LIST = (713, 714, 402)
"""SpecifiedArrayIndexInvalid; some say NoSuchEntryInArray or Invalid Args instead."""
_ERRORS = {
    401: Took.UNSUPPORTED,  # Invalid Action
    602: Took.UNSUPPORTED,  # Optional Action Not Implemented
    603: Took.FULL,
    606: Took.NOT_AUTHORISED,  # Action not authorized
    702: Took.PINHOLES_OFF,  # FirewallDisabled
    703: Took.PINHOLES_OFF,  # InboundPinholeNotAllowed
    704: Took.ABSENT,  # NoSuchEntry, of a pinhole
    714: Took.ABSENT,  # NoSuchEntryInArray
    718: Took.CONFLICT,  # ConflictInMappingEntry
    724: Took.SAME_NUMBER_ONLY,  # SamePortValuesRequired
    725: Took.PERMANENT_ONLY,  # OnlyPermanentLeasesSupported
    728: Took.FULL,  # NoPortMapsAvailable
    729: Took.CONFLICT,  # ConflictWithOtherMechanisms
    730: Took.ABSENT,  # PortMappingNotFound
}


class Igd:
    """A gateway whose description has been read."""

    def __init__(self, device: UpnpDevice) -> None:
        self.manufacturer = _plain(device.manufacturer)
        self.model = _plain(" ".join(part for part in (device.model_name, device.model_number) if part))
        self.name = _plain(device.friendly_name)
        services = list(device.all_services)
        self._connections = [s for s in services if ":WANIPConnection:" in s.service_type]
        self._connections += [s for s in services if ":WANPPPConnection:" in s.service_type]
        self._firewall = next((s for s in services if ":WANIPv6FirewallControl:" in s.service_type), None)
        self._connection: UpnpService | None = next(iter(self._connections), None)

    async def wan(self) -> tuple[Spoken, str | None]:
        """The address of its outer side, and how the question was taken: by the connection that is up, of several."""
        if self._connection is None:
            return Spoken(Way.UPNP, Took.UNSUPPORTED, "its description has no WAN connection"), None
        first: Spoken | None = None
        for connection in self._connections:
            said = await _call(connection, "GetExternalIPAddress")
            if isinstance(said, Spoken):
                first = first or said
                continue
            address = _address(said.get("NewExternalIPAddress"))
            if address is not None:
                self._connection = connection
                return Spoken(Way.UPNP, Took.GRANTED), address
            first = Spoken(Way.UPNP, Took.NO_ADDRESS)
        return first or Spoken(Way.UPNP, Took.NO_ADDRESS), None

    async def mappings(self) -> tuple[tuple[PortMapping, ...], bool]:
        """The mappings that it lists, and whether those are all that it would tell of."""
        if self._connection is None:
            return (), False
        found: list[PortMapping] = []
        for index in range(MOST_MAPPINGS):
            said = await _call(self._connection, "GetGenericPortMappingEntry", NewPortMappingIndex=index)
            if isinstance(said, Spoken):
                if said.detail.split(" ")[0] in map(str, _END_OF_LIST):
                    return tuple(found), True
                # WANIPConnection:2 section 2.3.27 may leave out what others have made.
                return (tuple(found) if index else await self._listed()), False
            mapping = _mapping(said, "NewPortMappingDescription", "NewLeaseDuration")
            if mapping is not None:
                found.append(mapping)
        return tuple(found), False

    async def _listed(self) -> tuple[PortMapping, ...]:
        """The list of IGD 2, for a gateway that does not tell one mapping after the other."""
        assert self._connection is not None
        found: list[PortMapping] = []
        for word in _PROTOCOLS:
            said = await _call(
                self._connection,
                "GetListOfPortMappings",
                NewStartPort=1,
                NewEndPort=_MANY,
                NewProtocol=word,
                NewManage=True,
                NewNumberOfPorts=0,
            )
            if not isinstance(said, Spoken):
                found += _entries(str(said.get("NewPortListing") or ""))
        return tuple(found)

    async def mapping(self, protocol: Protocol, external: int) -> PortMapping | Spoken:
        """The mapping of one outer port; `absent` where there is none."""
        said = await self._on_connection(
            "GetSpecificPortMappingEntry",
            NewRemoteHost="",
            NewExternalPort=external,
            NewProtocol=protocol.value.upper(),
        )
        if isinstance(said, Spoken):
            return said
        # The action leaves out what it was asked with.
        asked = {"NewProtocol": protocol.value.upper(), "NewExternalPort": external}
        found = _mapping({**said, **asked}, "NewPortMappingDescription", "NewLeaseDuration")
        return found or Spoken(Way.UPNP, Took.GARBAGE)

    async def add(self, mapping: PortMapping, lifetime_s: int) -> Spoken:
        """Make a mapping, for good with a lifetime of 0, and see that the gateway then has it."""
        said = await self._on_connection(
            "AddPortMapping",
            NewRemoteHost="",
            NewExternalPort=mapping.external,
            NewProtocol=mapping.protocol.value.upper(),
            NewInternalPort=mapping.internal,
            NewInternalClient=mapping.host,
            NewEnabled=True,
            NewPortMappingDescription=mapping.description,
            NewLeaseDuration=lifetime_s,
        )
        if isinstance(said, Spoken):
            return said
        kept = await self.mapping(mapping.protocol, mapping.external)
        if isinstance(kept, Spoken):
            # One that cannot be asked is taken at its word.
            return Spoken(Way.UPNP, Took.NOT_KEPT) if kept.took is Took.ABSENT else Spoken(Way.UPNP, Took.GRANTED)
        if (kept.host, kept.internal) != (mapping.host, mapping.internal):
            return Spoken(Way.UPNP, Took.NOT_KEPT, f"it has {kept.host}:{kept.internal}")
        different = lifetime_s and not kept.lifetime_s
        return Spoken(Way.UPNP, Took.GRANTED, "for good" if different else "")

    async def remove(self, mapping: PortMapping) -> Spoken:
        """Take a mapping away."""
        said = await self._on_connection(
            "DeletePortMapping",
            NewRemoteHost="",
            NewExternalPort=mapping.external,
            NewProtocol=mapping.protocol.value.upper(),
        )
        return said if isinstance(said, Spoken) else Spoken(Way.UPNP, Took.GRANTED)

    async def pinholes(self) -> Pinholes:
        """What its IPv6 firewall allows programs (WANIPv6FirewallControl:1 section 2.4.1)."""
        if self._firewall is None:
            return Pinholes.UNKNOWN
        said = await _call(self._firewall, "GetFirewallStatus")
        if isinstance(said, Spoken):
            return Pinholes.UNKNOWN
        if said.get("FirewallEnabled") is False:
            return Pinholes.NO_FIREWALL
        return Pinholes.ALLOWED if said.get("InboundPinholeAllowed") is True else Pinholes.NOT_ALLOWED

    async def open_pinhole(self, mapping: PortMapping, lifetime_s: int) -> tuple[Spoken, int | None]:
        """Let everybody in to one port of an IPv6 address; also the pinhole's number, by which it can be closed."""
        if self._firewall is None:
            return Spoken(Way.UPNP, Took.UNSUPPORTED, "it has no WANIPv6FirewallControl"), None
        said = await _call(
            self._firewall,
            "AddPinhole",
            RemoteHost="",
            RemotePort=0,
            InternalClient=mapping.host,
            InternalPort=mapping.internal,
            Protocol=_NUMBERS[mapping.protocol],
            LeaseTime=lifetime_s,
        )
        if isinstance(said, Spoken):
            return said, None
        return Spoken(Way.UPNP, Took.GRANTED), _number(said.get("UniqueID"))

    async def close_pinhole(self, number: int) -> Spoken:
        """Close a pinhole again."""
        if self._firewall is None:
            return Spoken(Way.UPNP, Took.UNSUPPORTED, "it has no WANIPv6FirewallControl")
        said = await _call(self._firewall, "DeletePinhole", UniqueID=number)
        return said if isinstance(said, Spoken) else Spoken(Way.UPNP, Took.GRANTED)

    async def _on_connection(self, action: str, **arguments: Any) -> Mapping[str, Any] | Spoken:
        if self._connection is None:
            return Spoken(Way.UPNP, Took.UNSUPPORTED, "its description has no WAN connection")
        return await _call(self._connection, action, **arguments)


@asynccontextmanager
async def igd(own: str, gateway: str, location: str) -> AsyncIterator[Igd | Spoken]:
    """The gateway at an address whose description is at `location`; or why there is nothing to talk to."""
    async with requester(own, gateway) as asks:
        try:
            device = await UpnpFactory(asks, non_strict=True).async_create_device(location)
        except Exception as error:  # noqa: BLE001 - what routers send breaks the library in many ways
            yield _fault(error)
            return
        yield Igd(device)


async def _call(service: UpnpService, name: str, **arguments: Any) -> Mapping[str, Any] | Spoken:
    """What an action answered, or how it failed."""
    if not service.has_action(name):
        return Spoken(Way.UPNP, Took.UNSUPPORTED, f"it has no {name}")
    try:
        said: Mapping[str, Any] = await service.action(name).async_call(**arguments)
    except Exception as error:  # noqa: BLE001 - what routers send breaks the library in many ways
        return _fault(error)
    return said


def _fault(error: Exception) -> Spoken:
    words = next((str(part) for part in error.args if part), "") or type(error).__name__
    if isinstance(error, UpnpActionError) and error.error_code is not None:
        code = int(error.error_code)
        said = f"{code} {error.error_desc or ''}".strip()
        # Invalid Args to a lifetime is how IGD 1 says that it knows none.
        return Spoken(Way.UPNP, _ERRORS.get(code, Took.ERROR), said)
    if isinstance(error, UpnpConnectionTimeoutError):
        return Spoken(Way.UPNP, Took.SILENT, words)
    if isinstance(error, UpnpConnectionError):
        cause = error.__cause__
        reason = getattr(cause, "os_error", cause)
        return Spoken(Way.UPNP, Took.REFUSED if isinstance(reason, ConnectionError) else Took.UNREACHABLE, words)
    return Spoken(Way.UPNP, Took.GARBAGE, words)


def _mapping(said: Mapping[str, Any], description: str, lifetime: str) -> PortMapping | None:
    protocol = _PROTOCOLS.get(str(said.get("NewProtocol") or "").upper())
    external, internal = _number(said.get("NewExternalPort")), _number(said.get("NewInternalPort"))
    if protocol is None or external is None or internal is None:
        return None
    return PortMapping(
        protocol=protocol,
        external=external,
        host=str(said.get("NewInternalClient") or ""),
        internal=internal,
        description=_plain(str(said.get(description) or "")),
        enabled=said.get("NewEnabled") not in (False, "0", 0),
        lifetime_s=_number(said.get(lifetime)) or 0,
    )


def _entries(xml: str) -> list[PortMapping]:
    """The mappings in a PortMappingList (WANIPConnection:2 section 2.3.27); none in what is no such list."""
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(xml)
    except Exception:  # noqa: BLE001 - entities, bombs and plain nonsense each raise their own
        return []
    found: list[PortMapping] = []
    for entry in root.iter():
        if entry.tag.rpartition("}")[2] == "PortMappingEntry":
            said = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in entry}
            mapping = _mapping(said, "NewDescription", "NewLeaseTime")
            if mapping is not None:
                found.append(mapping)
    return found


def _address(value: object) -> str | None:
    try:
        address = ipaddress.ip_address(str(value or "").strip())
    except ValueError:
        return None
    return None if address.is_unspecified else str(address)


def _number(value: object) -> int | None:
    try:
        number = int(str(value))
    except ValueError:
        return None
    return number if 0 <= number <= 0xFFFFFFFF else None


def _plain(text: str | None) -> str:
    """A router's own words: one line, no longer than is read."""
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())[:80]
