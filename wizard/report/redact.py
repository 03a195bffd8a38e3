"""A result without addresses and names, so that it can be shown to strangers.

Rules:
 1. Each address and each name has one word in its place wherever it stands, so that the report still makes sense.
 2. Port numbers, states, times and names of programs stay: without them nobody can help.
 3. Loopback and wildcard addresses stay: everybody has them, and they explain faults.
 4. Words of the project file's format (`router`, `udp`, `responder` …) stay, even where somebody chose one as an id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from wizard.diagnosis.history import Past, Standing
from wizard.diagnosis.verdict import Diagnosis, Finding, HopVerdict, PortRow
from wizard.model.config_file import ConfigFile
from wizard.model.gateway import Gateway
from wizard.model.hop import Hop
from wizard.model.phrase import Phrase
from wizard.model.port import PortPlan
from wizard.model.project import Project
from wizard.model.vantage import IceServer, Vantage
from wizard.observation import (
    AnnouncedSeen,
    Configured,
    Fact,
    HostInspected,
    MappedSeen,
    NameResolved,
    Observation,
    RelayChecked,
)
from wizard.report.pseudonyms import Pseudonyms, is_neutral

if TYPE_CHECKING:
    from wizard.progress import Result


def redact(result: Result) -> Result:
    """The same result with a word such as `address-1` or `router-1` for each address and name in it."""
    names = Pseudonyms(_chosen(result.project))
    project = _project(result.project, names)
    # Fields before free text: only when every name is known can it be found in a sentence.
    observations = [_observation(observation, names) for observation in result.observations]
    facts = [_fact(fact, names) for fact in result.facts]
    return replace(
        result,
        project=project,
        observations=tuple(replace(o, error=_maybe(names.text, o.error)) for o in observations),
        facts=tuple(_said(fact, names) for fact in facts),
        diagnosis=_diagnosis(result.diagnosis, names),
        past=None if result.past is None else _past(result.past, names),
    )


def _past(past: Past, names: Pseudonyms) -> Past:
    def hop(name: str) -> str:
        return names.name(name, "hop")

    def standing(one: Standing) -> Standing:
        return replace(one, stopped_by=tuple(map(hop, one.stopped_by)))

    return replace(
        past,
        ports={port: standing(one) for port, one in past.ports.items()},
        hops={hop(name): one for name, one in past.hops.items()},
        at_hops={(hop(name), port): one for (name, port), one in past.at_hops.items()},
        changes=tuple(
            replace(
                each,
                was_stopped_by=tuple(map(hop, each.was_stopped_by)),
                stopped_by=tuple(map(hop, each.stopped_by)),
            )
            for each in past.changes
        ),
    )


def _chosen(project: Project) -> Iterator[str]:
    """Whatever might look like one of the words to put in."""
    for hop in project.hops:
        yield from (hop.id, hop.title)
    yield from (vantage.id for vantage in project.vantages)
    yield from (plan.name for plan in project.ports)


def _project(project: Project, names: Pseudonyms) -> Project:
    return replace(
        project,
        name=names.name(project.name, "project"),
        public_address=names.address(project.public_address),
        hops=tuple(_hop(hop, names) for hop in project.hops),
        ports=tuple(_plan(plan, names) for plan in project.ports),
        vantages=tuple(_vantage(vantage, names) for vantage in project.vantages),
        ice_servers=tuple(_ice_server(server, names) for server in project.ice_servers),
        configs=tuple(
            ConfigFile(names.name(config.hop, "hop"), names.name(config.file, "file"), config.product)
            for config in project.configs
        ),
        announced=tuple(names.address(address) for address in project.announced),
        probe_key=None,
    )


def _hop(hop: Hop, names: Pseudonyms) -> Hop:
    new = names.name(hop.id, hop.kind.value)
    names.alias(hop.title, new)
    label = hop.title if is_neutral(hop.title) else new
    return replace(hop, id=new, label=label, address=_maybe(names.address, hop.address))


def _plan(plan: PortPlan, names: Pseudonyms) -> PortPlan:
    return replace(
        plan,
        name=names.name(plan.name, "ports"),
        inside={names.name(hop, "hop"): numbers for hop, numbers in plan.inside.items()},
        path=None if plan.path is None else _path(plan.path, names),
    )


def _path(path: str, names: Pseudonyms) -> str:
    return "/" if path == "/" else names.name(path, "/path")


def _vantage(vantage: Vantage, names: Pseudonyms) -> Vantage:
    return replace(
        vantage,
        id=names.name(vantage.id, "vantage"),
        beyond=_named(vantage.beyond, "hop", names),
        server=_maybe(names.server, vantage.server),
        username=_maybe(names.user, vantage.username),
    )


def _ice_server(server: IceServer, names: Pseudonyms) -> IceServer:
    return IceServer(tuple(names.server(url) for url in server.urls), _maybe(names.user, server.username))


def _observation(observation: Observation, names: Pseudonyms) -> Observation:
    return replace(
        observation,
        vantage=names.name(observation.vantage, "vantage"),
        enters=names.name(observation.enters, "hop"),
        address=names.address(observation.address),
        seen_as=_maybe(names.endpoint, observation.seen_as),
        stands_at=_named(observation.stands_at, "hop", names),
        came_in_on=_maybe(names.endpoint, observation.came_in_on),
        source=_maybe(names.network, observation.source),
        service=_named(observation.service, "page", names),
        probe_vantage=_named(observation.probe_vantage, "vantage", names),
        probe_enters=_named(observation.probe_enters, "hop", names),
    )


def _fact(fact: Fact, names: Pseudonyms) -> Fact:
    match fact:
        case NameResolved():
            addresses = tuple(names.address(address) for address in fact.addresses)
            return replace(fact, name=names.address(fact.name), addresses=addresses)
        case HostInspected():
            return HostInspected(tuple(replace(s, address=names.address(s.address)) for s in fact.sockets))
        case RelayChecked():
            return replace(
                fact,
                vantage=names.name(fact.vantage, "vantage"),
                server=names.server(fact.server),
                relayed=_maybe(names.endpoint, fact.relayed),
            )
        case Configured():
            return replace(fact, hop=names.name(fact.hop, "hop"))
        case Gateway():
            return replace(
                fact,
                address=names.address(fact.address),
                own=names.address(fact.own),
                wan=_maybe(names.address, fact.wan),
                name="",
                location="",
                mappings=tuple(replace(m, host=names.address(m.host), description="") for m in fact.mappings),
            )
        case MappedSeen():
            return replace(fact, server=names.server(fact.server), address=names.address(fact.address))
        case AnnouncedSeen():
            return replace(fact, vantage=names.name(fact.vantage, "vantage"), address=names.address(fact.address))


def _said(fact: Fact, names: Pseudonyms) -> Fact:
    match fact:
        case NameResolved():
            return replace(fact, error=_maybe(names.text, fact.error))
        case RelayChecked():
            return replace(fact, text=names.text(fact.text))
        case Configured():
            return replace(fact, file=names.text(fact.file), rule=names.text(fact.rule))
        case AnnouncedSeen():
            return replace(fact, error=_maybe(names.text, fact.error))
        case Gateway():
            return replace(fact, spoken=tuple(replace(s, detail=names.text(s.detail)) for s in fact.spoken))
        case _:
            return fact


def _diagnosis(diagnosis: Diagnosis, names: Pseudonyms) -> Diagnosis:
    return Diagnosis(
        hops=tuple(
            HopVerdict(names.name(hop.id, "hop"), hop.state, tuple(_row(row, names) for row in hop.ports))
            for hop in diagnosis.hops
        ),
        ports=tuple(_row(row, names) for row in diagnosis.ports),
        findings=tuple(_finding(finding, names) for finding in diagnosis.findings),
    )


def _row(row: PortRow, names: Pseudonyms) -> PortRow:
    return replace(row, reason=None if row.reason is None else _phrase(row.reason, names))


def _finding(finding: Finding, names: Pseudonyms) -> Finding:
    return replace(
        finding,
        suspects=tuple(names.name(hop, "hop") for hop in finding.suspects),
        values=_values(finding.values, names),
        evidence=tuple(_phrase(phrase, names) for phrase in finding.evidence),
        next_test=None if finding.next_test is None else _phrase(finding.next_test, names),
    )


def _phrase(phrase: Phrase, names: Pseudonyms) -> Phrase:
    return Phrase(phrase.key, _values(phrase.values, names))


def _values(values: Mapping[str, str], names: Pseudonyms) -> dict[str, str]:
    return {key: names.program(text) if key == "program" else names.text(text) for key, text in values.items()}


def _named(name: str | None, stem: str, names: Pseudonyms) -> str | None:
    return None if name is None else names.name(name, stem)


def _maybe(replaced: Callable[[str], str], text: str | None) -> str | None:
    return None if text is None else replaced(text)
