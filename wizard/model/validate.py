"""What a project must be beyond its types: a path that makes sense, ports that do not collide, names that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from wizard.model.address import address_fault, is_name
from wizard.model.hop import Hop, HopKind
from wizard.model.misspelling import misspelt
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.problem import KeyPath, Problem, Term, key_text
from wizard.model.project import Project, arrival_numbers, translator_of
from wizard.model.table import KEYS, Draft, HopDraft, PortDraft, Table, VantageDraft, read_draft, to_table
from wizard.model.vantage import IceServer, Vantage, VantageKind
from wizard.wire import uri

LONGEST_ID = 63
"""Characters of an id that travel in a probe."""
MOST_HOPS = 64
"""No path of packets is longer."""
RESERVED = ("responder",)
"""Vantage ids that mean something else in results."""

_ID = re.compile(r"[a-z0-9-]+")
_REQUEST_PATH = re.compile(r"[!-~]+")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def validate(project: Project) -> tuple[Problem, ...]:
    """Everything that is wrong with a project, as loading its file would say it; empty if nothing is."""
    return read(to_table(project))[1]


def read(table: Table) -> tuple[Project | None, tuple[Problem, ...]]:
    """The project of a file's table, None where part of it has no meaning, and everything that is wrong with it."""
    draft = read_draft(table)
    newer = tuple(problem for problem in draft.problems if problem.code == "format-newer")
    if newer:
        return None, newer
    _check_top(draft)
    _check_hops(draft)
    _check_ports(draft)
    _check_arrivals(draft)
    _check_vantages(draft)
    _check_ice_servers(draft)
    return _project(draft), tuple(sorted(draft.problems, key=_section))


def _section(problem: Problem) -> tuple[int, int]:
    path = problem.path
    first = KEYS[""].index(str(path[0])) if path and path[0] in KEYS[""] else -1
    return first, path[1] if len(path) > 1 and isinstance(path[1], int) else -1


def _check_top(draft: Draft) -> None:
    if draft.name is not None and not draft.name.strip():
        draft.blame(("name",), "empty", draft.name, write=Term("example-top-name"))
    if draft.public_address is not None:
        _check_address(draft, ("public_address",), draft.public_address, "example-top-public_address")
    for position, address in enumerate(draft.announced):
        if address is not None:
            # An announced 0.0.0.0 is the service's fault, to be found by a test, not the file's.
            path: KeyPath = ("announced", position)
            _check_address(draft, path, address, "example-top-public_address", sendable=False)
    if draft.probe_key is not None and not draft.probe_key.strip():
        draft.blame(("probe_key",), "probe-key-empty", draft.probe_key)


def _check_address(draft: Draft, path: KeyPath, text: str, example: str, *, sendable: bool = True) -> None:
    if not text.strip():
        draft.blame(path, "empty", text, write=Term(example))
        return
    fault = address_fault(text, sendable=sendable)
    if fault is not None:
        code, gaps = fault
        # What stands before an @ may be a password.
        draft.blame(path, code, None if "@" in text else text, **gaps)


def _check_ids(draft: Draft, items: Iterable[HopDraft | VantageDraft]) -> None:
    seen: dict[str, KeyPath] = {}
    for item in items:
        if item.id is None:
            continue
        path = (*item.at, "id")
        if not _ID.fullmatch(item.id):
            write = re.sub(r"[^a-z0-9]+", "-", item.id.lower()).strip("-")
            if write:
                draft.blame(path, "id-characters-write", item.id, write=write)
            else:
                draft.blame(path, "id-characters", item.id)
        elif len(item.id) > LONGEST_ID:
            draft.blame(path, "id-long", item.id, most=str(LONGEST_ID))
        if item.id in seen:
            draft.blame(path, "id-twice", item.id, first=key_text(seen[item.id]))
        seen.setdefault(item.id, path)


def _check_hops(draft: Draft) -> None:
    if len(draft.hops) > MOST_HOPS:
        draft.blame(draft.hops[MOST_HOPS].at, "too-many-hops", most=str(MOST_HOPS))
    _check_ids(draft, draft.hops)
    for position, hop in enumerate(draft.hops):
        last = position == len(draft.hops) - 1
        if hop.kind is not None and last and hop.kind is not HopKind.SERVICE:
            draft.blame((*hop.at, "kind"), "last-not-service", hop.kind.value)
        if hop.kind is HopKind.SERVICE and not last:
            draft.blame((*hop.at, "kind"), "service-not-last", hop.kind.value)
        if hop.address is not None:
            _check_address(draft, (*hop.at, "address"), hop.address, "example-hops-address")


def _check_ports(draft: Draft) -> None:
    for plan in draft.ports:
        if plan.name is not None and not plan.name.strip():
            draft.blame((*plan.at, "name"), "empty", plan.name, write=Term("example-ports-name"))
        if plan.speaks is not None and plan.protocol is Protocol.UDP and not plan.speaks.over_udp:
            draft.blame((*plan.at, "speaks"), "speaks-not-udp", plan.speaks.value)
        if plan.path is not None:
            _check_request_path(draft, plan)
    for protocol in Protocol:
        ranges = [(p.outside, p) for p in draft.ports if p.outside is not None and p.protocol is protocol]
        for earlier, later in _overlaps(ranges):
            draft.blame(
                (*later.at, "outside"),
                "outside-overlap",
                str(later.outside),
                protocol=protocol.value,
                other=_plan_text(earlier),
            )


def _check_request_path(draft: Draft, plan: PortDraft) -> None:
    path = (*plan.at, "path")
    assert plan.path is not None
    if plan.speaks is None or not plan.speaks.has_path:
        draft.blame(path, "path-without-http", plan.path)
    elif not plan.path.startswith("/"):
        draft.blame(path, "path-slash", plan.path, write="/" + plan.path.strip())
    elif not _REQUEST_PATH.fullmatch(plan.path) or "#" in plan.path:
        draft.blame(path, "path-characters", plan.path)


def _overlaps(ranges: Sequence[tuple[PortRange, PortDraft]]) -> list[tuple[PortDraft, PortDraft]]:
    """Neighbours in ascending order that share a number, each with the earlier in the file first."""
    found: list[tuple[PortDraft, PortDraft]] = []
    reach: tuple[PortRange, PortDraft] | None = None
    for numbers, plan in sorted(ranges, key=lambda pair: (pair[0], pair[1].at[1])):
        if reach is not None and numbers.first <= reach[0].last:
            first, second = sorted((reach[1], plan), key=lambda p: p.at[1])
            found.append((first, second))
        if reach is None or numbers.last > reach[0].last:
            reach = numbers, plan
    return found


def _plan_text(plan: PortDraft) -> str:
    return f"{plan.name or key_text(plan.at)} ({plan.outside})"


def _check_arrivals(draft: Draft) -> None:
    """The numbers inside: at hops that exist, of the same length, changed by one translator to one number each."""
    ids = [hop.id for hop in draft.hops if hop.id is not None]
    sound: list[tuple[PortDraft, PortPlan]] = []
    # Which hop translates is known only of a path whose hops are all known.
    hops = tuple(Hop(h.id, h.kind) for h in draft.hops if h.id is not None and h.kind is not None)
    known = len(hops) == len(draft.hops) <= MOST_HOPS and len(set(ids)) == len(hops)
    for plan in draft.ports:
        before = len(draft.problems)
        for hop_id, numbers in plan.inside.items():
            path = (*plan.at, "inside", hop_id)
            if hop_id not in ids:
                _unknown_hop(draft, path, hop_id, ids, None if numbers is None else str(numbers))
            elif numbers is not None and plan.outside is not None and len(numbers) != len(plan.outside):
                draft.blame(path, "inside-length", str(numbers), here=str(len(numbers)), outside=str(len(plan.outside)))
        if known:
            _check_translators(draft, hops, plan)
        whole = plan.outside is not None and plan.protocol is not None and None not in plan.inside.values()
        if whole and known and len(draft.problems) == before:
            sound.append((plan, _plan(plan)))
    _check_arrival_overlaps(draft, hops, sound)


def _check_translators(draft: Draft, hops: tuple[Hop, ...], plan: PortDraft) -> None:
    decided: dict[int, str] = {}
    for position, hop in enumerate(hops):
        numbers = plan.inside.get(hop.id)
        if numbers is None:
            continue
        path = (*plan.at, "inside", hop.id)
        translator = translator_of(hops, position)
        if translator is None:
            draft.blame(path, "inside-no-translator", str(numbers), hop=hop.id)
        elif translator not in decided:
            decided[translator] = hop.id
        elif plan.inside[decided[translator]] not in (None, numbers):
            draft.blame(
                path, "inside-contradicts", str(numbers), other=decided[translator], translator=hops[translator].id
            )


def _check_arrival_overlaps(draft: Draft, hops: tuple[Hop, ...], plans: list[tuple[PortDraft, PortPlan]]) -> None:
    """Blame two plans whose outside numbers differ and that arrive on the same number at a hop."""
    firsts = {id(port): arrival_numbers(hops, plan, plan.outside.first) for port, plan in plans}
    changes = {here for numbers in firsts.values() for here, (a, b) in enumerate(pairwise(numbers), 1) if a != b}
    told: set[tuple[int, int]] = set()
    for position in sorted(changes):
        for protocol in Protocol:
            ranges = [
                (PortRange(firsts[id(port)][position], firsts[id(port)][position] + len(plan.outside) - 1), port)
                for port, plan in plans
                if plan.protocol is protocol
            ]
            for earlier, later in _overlaps(ranges):
                pair = id(earlier), id(later)
                if pair in told or _share(earlier.outside, later.outside):
                    continue
                told.add(pair)
                blamed, other = (later, earlier) if later.inside or not earlier.inside else (earlier, later)
                numbers = next(found for found, port in ranges if port is blamed)
                draft.blame(
                    (*blamed.at, "inside" if blamed.inside else "outside"),
                    "inside-overlap",
                    str(numbers),
                    hop=hops[position].id,
                    protocol=protocol.value,
                    other=_plan_text(other),
                )


def _share(one: PortRange | None, other: PortRange | None) -> bool:
    return one is not None and other is not None and one.first <= other.last and other.first <= one.last


def _unknown_hop(draft: Draft, path: KeyPath, hop_id: str, ids: list[str], value: str | None) -> None:
    if not ids:
        return  # the path is missing, which is said already
    meant = misspelt(hop_id, ids)
    if meant is not None:
        draft.blame(path, "unknown-hop-meant", value, hop=hop_id, meant=meant)
    else:
        draft.blame(path, "unknown-hop", value, hop=hop_id, hops=", ".join(ids[:12]))


def _check_vantages(draft: Draft) -> None:
    _check_ids(draft, draft.vantages)
    ids = [hop.id for hop in draft.hops if hop.id is not None]
    for vantage in draft.vantages:
        if vantage.id in RESERVED:
            draft.blame((*vantage.at, "id"), "id-reserved", vantage.id)
        if vantage.beyond is not None:
            path = (*vantage.at, "beyond")
            if vantage.beyond not in ids:
                _unknown_hop(draft, path, vantage.beyond, ids, vantage.beyond)
            elif vantage.beyond == draft.hops[-1].id:
                draft.blame(path, "beyond-everything", vantage.beyond)
        _check_server(draft, vantage)


def _check_server(draft: Draft, vantage: VantageDraft) -> None:
    path = (*vantage.at, "server")
    if vantage.kind is VantageKind.LOCAL:
        if vantage.server is not None:
            draft.blame(path, "server-of-local")
    elif vantage.kind is VantageKind.TURN:
        if vantage.server is None:
            draft.blame(path, "missing", write=Term("example-vantages-server"))
        elif _check_uri(draft, path, vantage.server) and not uri.parse(vantage.server).relays:
            draft.blame(path, "uri-not-turn", vantage.server)
    elif vantage.kind is VantageKind.SSH:
        if vantage.server is None:
            draft.blame(path, "missing", write=Term("example-vantages-ssh"))
            return
        user, at, host = vantage.server.rpartition("@")
        usable = host and (is_name(host.removesuffix(".")) or address_fault(host) is None) and not host.startswith("-")
        if not usable or (at and not _SSH_USER.fullmatch(user)):
            draft.blame(path, "server-ssh")


def _check_ice_servers(draft: Draft) -> None:
    for server in draft.ice_servers:
        if server.urls == []:
            draft.blame((*server.at, "urls"), "empty", write=Term("example-ice_servers-urls"))
        for position, text in enumerate(server.urls or []):
            if text is not None:
                _check_uri(draft, (*server.at, "urls", position), text)


def _check_uri(draft: Draft, path: KeyPath, text: str) -> bool:
    if "@" in text:
        # What stands before an @ may be a password: it is not shown.
        draft.blame(path, "uri-user")
        return False
    try:
        uri.parse(text)
    except uri.UriError as error:
        draft.blame(path, "uri", text, why=str(error))
        return False
    return True


def _plan(draft: PortDraft) -> PortPlan:
    assert draft.protocol is not None
    assert draft.outside is not None
    inside = {hop: numbers for hop, numbers in draft.inside.items() if numbers is not None}
    return PortPlan(draft.name or "", draft.protocol, draft.outside, inside, draft.speaks, draft.path)


def _project(draft: Draft) -> Project | None:
    """The project, if every part of it has a meaning."""
    if not draft.whole or draft.name is None or draft.public_address is None:
        return None
    return Project(
        name=draft.name,
        public_address=draft.public_address,
        hops=tuple(Hop(h.id or "", h.kind, h.label, h.address) for h in draft.hops if h.kind is not None),
        ports=tuple(_plan(plan) for plan in draft.ports),
        vantages=tuple(
            Vantage(v.id or "", v.kind, v.beyond, v.server, v.username) for v in draft.vantages if v.kind is not None
        ),
        ice_servers=tuple(
            IceServer(tuple(text for text in s.urls or () if text is not None), s.username) for s in draft.ice_servers
        ),
        announced=tuple(text for text in draft.announced if text is not None),
        probe_key=draft.probe_key,
    )
