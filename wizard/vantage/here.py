"""Which of a project's places this computer can be."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from wizard.diagnosis.crossing import only_filters
from wizard.diagnosis.hairpin import parse_ip
from wizard.model.project import Project
from wizard.model.secret import Secret
from wizard.model.vantage import Vantage, VantageKind
from wizard.plan import entries
from wizard.system.interfaces import Network


def why_not_here(
    project: Project, networks: Sequence[Network], passwords: Mapping[str, Secret]
) -> dict[str, str | None]:
    """For each vantage None if it can run on this computer, or else why not, in words.

    A project's only local vantage is taken at its word. Of several this computer can be but one kind: those whose
    first hop is in one of this computer's own networks; if there is none, the outermost, for a computer
    that is in none of the path's networks is most likely outside. Of places that enter at one address, the host
    that has the address is behind its own filters, and every other computer before them.
    """
    local = [v for v in project.places() if v.kind is VantageKind.LOCAL]
    here = set(local)
    if len(local) > 1:
        near = [v for v in local if _is_near(project, v, networks)]
        here = {v for v in near if _can_stand(project, v, near, networks)}
        if not near:
            outermost = min(_first_entry(project, v) for v in local)
            here = {v for v in local if _first_entry(project, v) == outermost}
    return {vantage.id: _reason(vantage, here, passwords) for vantage in project.places()}


def is_service_host(project: Project, networks: Sequence[Network]) -> bool:
    """Whether this computer has the service's own address, which the host of a container has not."""
    address = parse_ip(project.hops[-1].address or "")
    return address is not None and not address.is_loopback and any(n.address == str(address) for n in networks)


def _can_stand(project: Project, vantage: Vantage, near: Sequence[Vantage], networks: Sequence[Network]) -> bool:
    entry = _first_entry(project, vantage)
    address = parse_ip(project.hops[entry].address or "")
    assert address is not None
    if address.is_loopback:
        return True
    if any(network.address == str(address) for network in networks):
        return not only_filters(project.hops[entry])
    rivals = [i for v in near if parse_ip(project.hops[i := _first_entry(project, v)].address or "") == address]
    return entry == min(rivals)


def _reason(vantage: Vantage, here: set[Vantage], passwords: Mapping[str, Secret]) -> str | None:
    match vantage.kind:
        case VantageKind.LOCAL if vantage in here:
            return None
        case VantageKind.LOCAL:
            return "this computer does not seem to stand there; to test from it all the same, choose it by name"
        case VantageKind.TURN if vantage.id in passwords:
            return None
        case VantageKind.TURN:
            return f"there is no password for {vantage.username or 'the user'} on {vantage.server}"
        case VantageKind.SSH:
            # Whether the login works is known only by trying it.
            return None


def _first_entry(project: Project, vantage: Vantage) -> int:
    return next(iter(entries(project, vantage)), len(project.hops))


def _is_near(project: Project, vantage: Vantage, networks: Sequence[Network]) -> bool:
    """Whether the first hop that the vantage addresses is in a network of this computer."""
    found = entries(project, vantage)
    address = parse_ip(project.hops[found[0]].address or "") if found else None
    return address is not None and any(address in ipaddress.ip_interface(str(network)).network for network in networks)
