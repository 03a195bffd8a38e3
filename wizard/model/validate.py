"""What a project must be beyond its types: a path that makes sense, ports that do not collide, names that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wizard.model import ssh_destination
from wizard.model.address import address_fault
from wizard.model.arrivals import MOST_HOPS, check_arrivals, overlaps, plan_text, unknown_hop
from wizard.model.config_file import ConfigFile
from wizard.model.draft import Draft, HopDraft, PortDraft, VantageDraft
from wizard.model.hop import Hop, HopKind
from wizard.model.port import Protocol
from wizard.model.problem import KeyPath, Problem, Term, key_text
from wizard.model.project import Project
from wizard.model.table import KEYS, Table, read_draft, to_table
from wizard.model.vantage import IceServer, Vantage, VantageKind
from wizard.wire import uri

LONGEST_ID = 63
"""Characters of an id that travel in a probe."""
RESERVED = ("responder",)
"""Vantage ids that mean something else in results."""

_ID = re.compile(r"[a-z0-9-]+")
_REQUEST_PATH = re.compile(r"[!-~]+")


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
    check_arrivals(draft)
    _check_vantages(draft)
    _check_ice_servers(draft)
    _check_configs(draft)
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
        for earlier, later in overlaps(ranges):
            draft.blame(
                (*later.at, "outside"),
                "outside-overlap",
                str(later.outside),
                protocol=protocol.value,
                other=plan_text(earlier),
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


def _check_vantages(draft: Draft) -> None:
    _check_ids(draft, draft.vantages)
    ids = [hop.id for hop in draft.hops if hop.id is not None]
    for vantage in draft.vantages:
        if vantage.id in RESERVED:
            draft.blame((*vantage.at, "id"), "id-reserved", vantage.id)
        if vantage.beyond is not None:
            path = (*vantage.at, "beyond")
            if vantage.beyond not in ids:
                unknown_hop(draft, path, vantage.beyond, ids, vantage.beyond)
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
        try:
            ssh_destination.parse(vantage.server)
        except ValueError:
            draft.blame(path, "server-ssh")


def _check_ice_servers(draft: Draft) -> None:
    for server in draft.ice_servers:
        if server.urls == []:
            draft.blame((*server.at, "urls"), "empty", write=Term("example-ice_servers-urls"))
        for position, text in enumerate(server.urls or []):
            if text is not None:
                _check_uri(draft, (*server.at, "urls", position), text)


def _check_configs(draft: Draft) -> None:
    ids = [hop.id for hop in draft.hops if hop.id is not None]
    for config in draft.configs:
        if config.hop is not None and config.hop not in ids:
            unknown_hop(draft, (*config.at, "hop"), config.hop, ids, config.hop)
        if config.file is not None and not config.file.strip():
            draft.blame((*config.at, "file"), "empty", config.file, write=Term("example-configs-file"))


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


def _project(draft: Draft) -> Project | None:
    """The project, if every part of it has a meaning."""
    if not draft.whole or draft.name is None or draft.public_address is None:
        return None
    return Project(
        name=draft.name,
        public_address=draft.public_address,
        hops=tuple(Hop(h.id or "", h.kind, h.label, h.address) for h in draft.hops if h.kind is not None),
        ports=tuple(plan.plan() for plan in draft.ports),
        vantages=tuple(
            Vantage(v.id or "", v.kind, v.beyond, v.server, v.username) for v in draft.vantages if v.kind is not None
        ),
        ice_servers=tuple(
            IceServer(tuple(text for text in s.urls or () if text is not None), s.username) for s in draft.ice_servers
        ),
        configs=tuple(ConfigFile(c.hop or "", c.file or "", c.product) for c in draft.configs),
        announced=tuple(text for text in draft.announced if text is not None),
        probe_key=draft.probe_key,
    )
