"""Which hops a probe really crossed: what is declared of its vantage, held against where it was sent from."""

from __future__ import annotations

import ipaddress

from wizard.diagnosis.hairpin import is_hairpin, parse_ip
from wizard.model.hop import Hop, HopKind
from wizard.model.project import Project
from wizard.observation import Observation
from wizard.plan import same_address


def only_filters(hop: Hop) -> bool:
    """Whether the hop lets packets pass or not and does nothing else, so that a computer's own packets skip it."""
    return not hop.kind.translates and hop.kind is not HopKind.SERVICE


def proven_from(project: Project, observation: Observation, entry: int) -> int:
    """The outermost hop that an answer to this probe proves."""
    entry = _behind_routers(project, observation, entry)
    if is_hairpin(project, observation, entry):
        return entry + 1
    return _behind_own_filters(project, entry) if _to_itself(observation) else entry


def failed_from(project: Project, observation: Observation, entry: int) -> int | None:
    """The outermost hop that the failure of this probe may be due to; None if it blames nobody.

    Filters right before the entry are among them if they have no address to be entered by, or the entry's own address
    while the probe came from another computer: a packet to that address passes them whatever its sender's place is
    called.
    """
    entry = _behind_routers(project, observation, entry)
    if is_hairpin(project, observation, entry):
        return None
    if _to_itself(observation):
        return _behind_own_filters(project, entry)
    beyond = next((v.beyond for v in project.places() if v.id == observation.vantage), None)
    behind = -1 if beyond is None else project.index(beyond)
    address = project.hops[entry].address
    first = entry
    while first > 0 and only_filters(project.hops[first - 1]):
        before = project.hops[first - 1]
        hidden = before.address is None and first - 1 > behind
        shared = (
            before.address is not None and address is not None and _is_one_host(before.address, address, observation)
        )
        if not (hidden or shared):
            break
        first -= 1
    return first


def _behind_routers(project: Project, observation: Observation, entry: int) -> int:
    """Where a probe really enters that was sent from the network of the host that it was sent to.

    Over IPv6 a router does not translate: the host behind it has the address of the hops before it. From the host's
    own network that address is reached without any router.
    """
    entered = parse_ip(observation.address)
    if entered is None or entered.version != 6 or observation.source is None:
        return entry
    try:
        near = entered in ipaddress.ip_interface(observation.source).network
    except ValueError:
        return entry
    if not near or (observation.came_in_on is not None and parse_ip(observation.came_in_on) != entered):
        return entry
    names = {same_address(observation.address), same_address(project.hops[entry].address or observation.address)}
    for position in range(len(project.hops) - 1, entry, -1):
        if same_address(project.hops[position].address or "") in names:
            routers = [i for i in range(entry, position) if project.hops[i].kind in (HopKind.ROUTER, HopKind.CGNAT)]
            return routers[-1] + 1 if routers else entry
    return entry


def _to_itself(observation: Observation) -> bool:
    """Whether the probe was sent to an address of the computer that sent it: it never left, and met no filter."""
    entered = parse_ip(observation.address)
    return entered is not None and not entered.is_loopback and _source(observation) == entered


def _is_one_host(before: str, address: str, observation: Observation) -> bool:
    source = _source(observation)
    return same_address(before) == same_address(address) and source is not None and not source.is_loopback


def _behind_own_filters(project: Project, entry: int) -> int:
    return next(i for i in range(entry, len(project.hops)) if not only_filters(project.hops[i]))


def _source(observation: Observation) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    return parse_ip((observation.source or "").partition("/")[0])
