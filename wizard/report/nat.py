"""What a NAT does and what a call behind it needs, as a person reads it and as the JSON that scripts read."""

from __future__ import annotations

import argparse
import asyncio
import enum
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TextIO

from wizard.model.resource import resource
from wizard.probes.nat import LIFETIMES_S, Options, Survey, measure
from wizard.probes.nat_server import OTHER_FAMILY, ServerAsked
from wizard.probes.server_verdict import Sentence
from wizard.report.ice import CauseWords, cause_words, sentence_words
from wizard.report.text import Terminal, terminal
from wizard.report.wording import ENGLISH, wording
from wizard.report.wrap import columns, pad, printable, wrap
from wizard.system.interfaces import networks
from wizard.wire import uri
from wizard.wire.attribute import Address
from wizard.wire.behaviour import Behaviour, Dependence, Known, Need, judge

FORMAT = 1
_MEASURED, _NO_SERVER, _USAGE, _UNKNOWN = 0, 1, 2, 3
_LONG_S = 120.0  # RFC 4787 section 4.3, REQ-5
_OVERLAY = "tailscale"
"""An overlay network that numbers its members from 100.64.0.0/10, as carriers do."""


class Sign(enum.StrEnum):
    """What a trait means for calls."""

    FINE = "fine"
    LIMITS = "limits"
    GREY = "grey"
    """Not known."""


_FINE, _LIMITS, _GREY = Sign
_MARKS = {_FINE: "✔", _LIMITS: "▲", _GREY: "?"}
_ASCII_MARKS = {_FINE: "+", _LIMITS: "!", _GREY: "?"}
_COLOURS = {_FINE: "32", _LIMITS: "33", _GREY: "2"}


@dataclass(frozen=True, slots=True)
class NatResult:
    """What was measured, what it means, and the interface that it was measured from, if that has a name."""

    survey: Survey
    verdict: Behaviour
    interface: str | None = None


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing that a NAT does, in words."""

    label: str
    value: str
    meaning: str
    sign: Sign


def run_nat(
    options: argparse.Namespace,
    out: TextIO | None = None,
    err: TextIO | None = None,
    tell: Callable[[NatResult], object] | None = None,
) -> int:
    """Measure as the command line says (`server`, `json`, `lifetime`), and print. Returns the exit status: 0 if the
    behaviour was measured, 3 if some of it stayed unknown, 1 if no server answered, 2 for arguments of no use.

    `tell` is given the result.
    """
    out, err = out or sys.stdout, err or sys.stderr
    try:
        uris = _uris(options.server)
    except ValueError as fault:
        print(f"hopwise nat: {printable(str(fault))}", file=err)
        return _USAGE
    if options.lifetime and err.isatty():
        print(f"The lifetime of a mapping takes {LIFETIMES_S[-1] / 60:g} minutes to measure …", file=err)
    survey = asyncio.run(measure(uris, Options(lifetimes_s=LIFETIMES_S if options.lifetime else ())))
    interface = interface_of(survey.measured.local)
    verdict = verdict_of(survey, interface)
    if tell is not None:
        tell(NatResult(survey, verdict, interface))
    if options.json:
        print(json.dumps(to_json(survey, verdict, interface), indent=2, ensure_ascii=False), file=out)
    else:
        print(to_text(survey, verdict, interface, terminal(out, os.environ)), file=out)
    return status_of(survey, verdict, lifetime=options.lifetime)


def _uris(servers: list[str]) -> list[uri.IceUri]:
    """Raises ValueError in words."""
    uris = [uri.parse(server) for server in servers]
    if not uris:
        raise ValueError("no server to ask: name one with --server URL, better two")
    for one in uris:
        if one.transport is not uri.Transport.UDP:
            raise ValueError(f"{one.text}: the behaviour of a NAT is measured over UDP")
    return uris


def interface_of(local: Address | None) -> str | None:
    """The name of the interface that has that address; None if none has."""
    return next((net.interface for net in networks() if local is not None and net.address == local[0]), None)


def verdict_of(survey: Survey, interface: str | None) -> Behaviour:
    """The verdict on what was measured from an address of `interface`."""
    overlay = interface is not None and interface.startswith(_OVERLAY)
    return judge(replace(survey.measured, own_address_is_carriers=not overlay))


def status_of(survey: Survey, verdict: Behaviour, *, lifetime: bool) -> int:
    """The exit status. Carrier and double NAT do not count: many networks do not let them be told."""
    if not survey.measured.sights:
        return _NO_SERVER
    unknown = Dependence.UNKNOWN in (verdict.mapping, verdict.filtering)
    unknown = unknown or verdict.hairpin is Known.UNKNOWN or verdict.need is Need.UNKNOWN
    missing = lifetime and verdict.lifetime_s is None and verdict.mapping is not Dependence.NONE
    return _UNKNOWN if unknown or missing else _MEASURED


@cache
def _catalogue(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(resource("nat", f"{language}.toml").read_text(encoding="utf-8"))


def to_json(
    survey: Survey, verdict: Behaviour, interface: str | None = None, language: str = ENGLISH
) -> dict[str, Any]:
    """The verdict in the shape that scripts depend on."""
    return {
        "format": FORMAT,
        "server": next((one for one in survey.servers if one.mapped), survey.servers[0]).uri.text,
        "local": _spelled(verdict.local),
        "interface": interface,
        "mapped": [_spelled(mapped) for mapped in verdict.mapped],
        "mapping": verdict.mapping.value,
        "filtering": verdict.filtering.value,
        "hairpin": verdict.hairpin.value,
        "port_preservation": verdict.port_preservation.value,
        "lifetime_s": verdict.lifetime_s,
        "cgnat": verdict.cgnat.value,
        "double_nat": verdict.double_nat.value,
        "needs": verdict.need.value,
        "reason": _catalogue(language)["reason"][verdict.reason],
        "servers": [_server(one, language) for one in survey.servers],
    }


def _server(one: ServerAsked, language: str) -> dict[str, Any]:
    fault = one.fault
    words = None if fault is None else fault_words(fault, language)
    return {
        "url": one.uri.text,
        "address": _spelled(one.address),
        "mapped": _spelled(one.mapped),
        "other_address": _spelled(one.other),
        "error": None if fault is None else fault.text,
        "cause": None if words is None else words.cause,
        "remedy": None if words is None else words.remedy,
    }


def fault_words(fault: Sentence, language: str = ENGLISH) -> CauseWords:
    """Why a server gave nothing, and what to do."""
    own = _catalogue(language)["cause"] if fault.cause == OTHER_FAMILY else None
    return cause_words(fault.cause, language) if own is None else CauseWords(own["cause"], own["remedy"])


def _spelled(address: Address | None) -> str | None:
    if address is None:
        return None
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def to_text(
    survey: Survey,
    verdict: Behaviour,
    interface: str | None = None,
    on: Terminal | None = None,
    language: str = ENGLISH,
) -> str:
    """The servers, each trait with what it means, and what a call needs with the reason."""
    on = on or Terminal()
    page = _Page(on, language)
    lines = [*page.origin(verdict, interface)]
    for one in survey.servers:
        lines += page.server(one)
    if survey.measured.sights:
        for trait in traits(verdict, language):
            lines += ["", *page.trait(trait)]
    lines += ["", *page.answer(verdict)]
    return "\n".join(line.encode(on.encoding, "replace").decode(on.encoding) for line in lines)


def origin_words(verdict: Behaviour, interface: str | None, language: str = ENGLISH) -> str | None:
    """From where it was measured; None if from nowhere."""
    if verdict.local is None:
        return None
    key = "asked" if interface is None else "asked-on"
    return _catalogue(language)["label"][key].format(local=_spelled(verdict.local), interface=interface)


def seen_words(one: ServerAsked, language: str = ENGLISH) -> str:
    """What a server that was asked saw, or why it gave nothing."""
    label = _catalogue(language)["label"]
    if one.fault is not None:
        return f"{label['no-answer']}{wording('colon', language)}{sentence_words(one.fault, language)}"
    seen = label["seen"].format(mapped=_spelled(one.mapped))
    other = label["other"].format(address=_spelled(one.other)) if one.other else label["no-other"]
    return f"{seen}, {other}"


def need_words(verdict: Behaviour, language: str = ENGLISH) -> tuple[str, str, Sign]:
    """What a call needs, why, and whether that limits it."""
    words = _catalogue(language)
    sign = {Need.TURN: _LIMITS, Need.UNKNOWN: _GREY}.get(verdict.need, _FINE)
    return words["need"][verdict.need], words["reason"][verdict.reason], sign


def traits(verdict: Behaviour, language: str = ENGLISH) -> Iterator[Trait]:
    """Everything that is told of a NAT."""
    words = _catalogue(language)
    dependences = (("mapping", verdict.mapping), ("filtering", verdict.filtering))
    answers = (
        ("hairpin", verdict.hairpin, Known.YES),
        ("port-preservation", verdict.port_preservation, None),
        ("cgnat", verdict.cgnat, Known.NO),
        ("double-nat", verdict.double_nat, Known.NO),
    )
    for name, dependence in dependences:
        by_destination = dependence in (Dependence.ADDRESS_DEPENDENT, Dependence.ADDRESS_AND_PORT_DEPENDENT)
        sign = _LIMITS if name == "mapping" and by_destination else _FINE
        sign = _GREY if dependence is Dependence.UNKNOWN else sign
        yield Trait(words["label"][name], words["value"][dependence], words[name][dependence], sign)
    for name, answer, good in answers:
        sign = _FINE if good in (answer, None) else _LIMITS
        sign = _GREY if answer is Known.UNKNOWN else sign
        yield Trait(words["label"][name], words["value"][answer], words[name][answer], sign)
    seconds = verdict.lifetime_s
    if seconds is None:
        yield Trait(words["label"]["lifetime"], words["value"]["unknown"], words["lifetime"]["unknown"], _GREY)
    else:
        kind, sign = ("long", _FINE) if seconds >= _LONG_S else ("short", _LIMITS)
        value = words["value"]["seconds"].format(seconds=f"{seconds:g}")
        yield Trait(words["label"]["lifetime"], value, words["lifetime"][kind], sign)


class _Page:
    """Lines for one terminal and language."""

    def __init__(self, on: Terminal, language: str) -> None:
        self.words = _catalogue(language)
        self._on = on
        self._language = language
        self._marks = _MARKS if on.draws else _ASCII_MARKS
        shown = ("mapping", "filtering", "hairpin", "port-preservation", "lifetime", "cgnat", "double-nat")
        self._width = max(columns(self.words["label"][name]) for name in shown)

    def origin(self, verdict: Behaviour, interface: str | None) -> Iterator[str]:
        said = origin_words(verdict, interface, self._language)
        if said is not None:
            yield from self._flow(said)

    def server(self, one: ServerAsked) -> Iterator[str]:
        said = printable(f"{one.uri.text}  {seen_words(one, self._language)}")
        yield from self._flow(said, _FINE if one.fault is None else _GREY)
        if one.fault is not None:
            words = fault_words(one.fault, self._language)
            for text in (words.cause, words.remedy):
                yield from (f"    {line}" for line in wrap(text, self._on.columns - 4))

    def trait(self, trait: Trait) -> Iterator[str]:
        yield self._marked(f"{pad(trait.label, self._width)}  {trait.value}", trait.sign)
        yield from (f"    {line}" for line in wrap(trait.meaning, self._on.columns - 4))

    def answer(self, verdict: Behaviour) -> Iterator[str]:
        need, reason, sign = need_words(verdict, self._language)
        yield from self._flow(need, sign)
        yield from (f"  {line}" for line in wrap(reason, self._on.columns - 2))

    def _flow(self, text: str, sign: Sign | None = None) -> Iterator[str]:
        first, *rest = wrap(text, self._on.columns - 2)
        yield first if sign is None else self._marked(first, sign)
        yield from (f"  {line}" for line in rest)

    def _marked(self, text: str, sign: Sign) -> str:
        mark = self._marks[sign]
        return f"\x1b[{_COLOURS[sign]}m{mark}\x1b[0m {text}" if self._on.colour else f"{mark} {text}"
