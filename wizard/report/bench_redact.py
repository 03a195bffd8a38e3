"""A result of servers tested, without addresses and names, so that it can be shown to strangers.

The rules are those of `redact`. Foundations are replaced too: they are computed from addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePath

from wizard.audit.finding import Audit, AuditFinding, NotChecked, UnknownOption
from wizard.audit.reach import GROUP_CODE
from wizard.configs.peers import FORBIDDEN
from wizard.probes.call import Call, Pair, Party
from wizard.probes.candidate import Candidate, CandidateError, ServerTried
from wizard.probes.nat_server import ServerAsked
from wizard.probes.relay_ports import RelayPort, Survey
from wizard.probes.relay_quality import Quality
from wizard.probes.relay_verdict import Measured, Reason
from wizard.probes.server_verdict import Sentence
from wizard.report.bench import BenchResult
from wizard.report.ice import IceResult
from wizard.report.nat import NatResult
from wizard.report.pseudonyms import Pseudonyms
from wizard.report.turn import TurnResult
from wizard.wire.attribute import Address
from wizard.wire.behaviour import Sight

_USER_LINE = "user="
_SCHEMES = ("turn:", "turns:")
_PEERS = "peers"
_DENIAL = "+ denied-peer-ip="
_OF_PEERS = frozenset(GROUP_CODE.values())
_EVERYBODYS = re.compile(
    "|".join(rf"(?<![\w.:]){re.escape(text)}(?![\w.:-])" for one in FORBIDDEN for text in (str(one.range), one.sample))
)
"""What no server should relay to: the same for all, and of no use to anybody under another name."""


def redact(bench: BenchResult) -> BenchResult:
    """The same result with a word such as `address-1` or `user-1` for each address and name in it."""
    names = Pseudonyms(())
    for user in bench.users:
        names.user(user)
    if bench.audit is not None:
        _learn(bench.audit, names)
    # Twice: only when every name is known can it be found in a sentence, and a later part may name it first.
    _replaced(bench, names)
    return _replaced(bench, names)


def _replaced(bench: BenchResult, names: Pseudonyms) -> BenchResult:
    return replace(
        bench,
        ice=None if bench.ice is None else _ice(bench.ice, names),
        turn=None if bench.turn is None else _turn(bench.turn, names),
        nat=None if bench.nat is None else _nat(bench.nat, names),
        audit=None if bench.audit is None else _audit(bench.audit, names),
        users=tuple(map(names.user, bench.users)),
    )


def _address(address: Address, names: Pseudonyms) -> Address:
    return names.address(address[0]), address[1]


def _maybe(address: Address | None, names: Pseudonyms) -> Address | None:
    return None if address is None else _address(address, names)


def _sentence(sentence: Sentence, names: Pseudonyms) -> Sentence:
    return replace(sentence, text=names.text(sentence.text))


def _said(sentence: Sentence | None, names: Pseudonyms) -> Sentence | None:
    return None if sentence is None else _sentence(sentence, names)


def _ice(result: IceResult, names: Pseudonyms) -> IceResult:
    numbers: dict[str, str] = {}
    return IceResult(
        urls=[names.server(url) for url in result.urls],
        servers=[_tried(server, names) for server in result.servers],
        candidates=[
            _candidate(one, numbers.setdefault(one.foundation, str(len(numbers) + 1)), names)
            for one in result.candidates
        ],
        errors=[_error(error, names) for error in result.errors],
    )


def _tried(server: ServerTried, names: Pseudonyms) -> ServerTried:
    error = None if server.error is None else names.text(server.error)
    return replace(server, url=names.server(server.url), error=error)


def _candidate(candidate: Candidate, foundation: str, names: Pseudonyms) -> Candidate:
    return replace(
        candidate,
        foundation=foundation,
        address=names.address(candidate.address),
        related=_maybe(candidate.related, names),
        url=None if candidate.url is None else names.server(candidate.url),
    )


def _error(error: CandidateError, names: Pseudonyms) -> CandidateError:
    return replace(
        error,
        url=names.server(error.url),
        address=names.address(error.address) if error.address else "",
        sentence=_sentence(error.sentence, names),
    )


def _turn(result: TurnResult, names: Pseudonyms) -> TurnResult:
    return replace(
        result,
        url=names.server(result.url),
        measured=None if result.measured is None else _measured(result.measured, names),
        reasons=tuple(_reason(reason, names) for reason in result.reasons),
    )


def _measured(measured: Measured, names: Pseudonyms) -> Measured:
    capacity = measured.capacity
    return replace(
        measured,
        address=names.address(measured.address),
        quality=_quality(measured.quality, names),
        calls=tuple(_call(call, names) for call in measured.calls),
        capacity=None if capacity is None else replace(capacity, sentence=_said(capacity.sentence, names)),
    )


def _quality(quality: Quality, names: Pseudonyms) -> Quality:
    halted = quality.halted
    ports = tuple(RelayPort(_address(port.address, names), port.direct) for port in quality.survey.ports)
    return replace(
        quality,
        survey=Survey(ports, _said(quality.survey.refused, names)),
        relayed=tuple(_address(address, names) for address in quality.relayed),
        halted=None if halted is None else replace(halted, sentence=_said(halted.sentence, names)),
    )


def _call(call: Call, names: Pseudonyms) -> Call:
    pair = call.pair
    return replace(
        call,
        pair=None if pair is None else Pair(_party(pair.local, names), _party(pair.remote, names), pair.priority),
        sentence=_said(call.sentence, names),
    )


def _party(party: Party, names: Pseudonyms) -> Party:
    return replace(party, address=names.address(party.address))


def _reason(reason: Reason, names: Pseudonyms) -> Reason:
    values = tuple((key, names.text(value)) for key, value in reason.values)
    return replace(reason, values=values, sentence=_said(reason.sentence, names))


def _nat(result: NatResult, names: Pseudonyms) -> NatResult:
    measured, verdict = result.survey.measured, result.verdict
    return NatResult(
        survey=replace(
            result.survey,
            servers=tuple(_asked(one, names) for one in result.survey.servers),
            measured=replace(
                measured,
                local=_maybe(measured.local, names),
                sights=tuple(Sight(_address(s.server, names), _address(s.mapped, names)) for s in measured.sights),
                second_router=None if measured.second_router is None else names.address(measured.second_router),
            ),
        ),
        verdict=replace(
            verdict,
            local=_maybe(verdict.local, names),
            mapped=tuple(_address(mapped, names) for mapped in verdict.mapped),
        ),
        interface=None if result.interface is None else names.name(result.interface, "interface"),
    )


def _asked(one: ServerAsked, names: Pseudonyms) -> ServerAsked:
    return replace(
        one,
        uri=replace(one.uri, text=names.server(one.uri.text), host=names.address(one.uri.host)),
        address=_maybe(one.address, names),
        mapped=_maybe(one.mapped, names),
        other=_maybe(one.other, names),
        fault=_said(one.fault, names),
    )


def _learn(audit: Audit, names: Pseudonyms) -> None:
    """Give a word to each name that an audit says outright."""
    for finding in audit.findings:
        if "user" in finding.values:
            names.user(finding.values["user"])
        for line in finding.change:
            text = line.lstrip("+- ")
            if text.startswith(_USER_LINE):
                names.user(text.removeprefix(_USER_LINE).rpartition(":")[0])


def _audit(audit: Audit, names: Pseudonyms) -> Audit:
    target = _target(audit.target, names)

    def said(text: str) -> str:
        return names.text(text.replace(audit.target, target))

    return Audit(
        target=target,
        findings=tuple(_finding(finding, said) for finding in audit.findings),
        not_checked=tuple(_missing(missing, said) for missing in audit.not_checked),
        unknown_options=tuple(UnknownOption(said(one.name), one.line) for one in audit.unknown_options),
    )


def _target(target: str, names: Pseudonyms) -> str:
    """A server with words in it; of a file the last part of its path, for folders bear names."""
    if target.lower().startswith(_SCHEMES):
        return names.server(target)
    return names.text(PurePath(target).name)


def _finding(finding: AuditFinding, said: Callable[[str], str]) -> AuditFinding:
    peers = _sparing(said)
    return replace(
        finding,
        where=said(finding.where),
        values=_values(finding.values, peers if finding.code in _OF_PEERS else said),
        change=tuple(peers(line) if line.startswith(_DENIAL) else said(line) for line in finding.change),
    )


def _missing(missing: NotChecked, said: Callable[[str], str]) -> NotChecked:
    return NotChecked(missing.code, _values(missing.values, _sparing(said) if missing.code == _PEERS else said))


def _sparing(said: Callable[[str], str]) -> Callable[[str], str]:
    def spared(text: str) -> str:
        kept = [*_EVERYBODYS.findall(text), ""]
        return "".join(said(part) + own for part, own in zip(_EVERYBODYS.split(text), kept, strict=True))

    return spared


def _values(values: Mapping[str, str], said: Callable[[str], str]) -> dict[str, str]:
    return {key: text if key == "reason" else said(text) for key, text in values.items()}
