"""Addresses of a lab: each network has 254 hosts, whichever family it is of."""

from __future__ import annotations


def is_six(address: str) -> bool:
    """Whether it is an IPv6 address, or the network part of one."""
    return ":" in address


def network_of(address: str) -> str:
    """What an address shares with the others of its network: `192.168.77` or `2001:db8:77:`."""
    return address.rpartition(":" if is_six(address) else ".")[0]


def host_in(network: str, number: str) -> str:
    """The address of a host by its number: `192.168.77.98`, `2001:db8:77::98`."""
    return f"{network}{':' if is_six(network) else '.'}{number}"


def whole(network: str) -> str:
    """The network as routes and rules name it."""
    return f"{network}:/64" if is_six(network) else f"{network}.0/24"


def plugged(address: str) -> str:
    """An address as an interface gets it: at once, and with the length of its network."""
    return f"{address}/64 nodad" if is_six(address) else f"{address}/24"
