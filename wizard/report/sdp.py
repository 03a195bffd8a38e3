"""What a session description says and should say, as a person reads it and as the JSON that scripts read."""

from __future__ import annotations

import json
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from wizard.diagnosis.sdp import SdpVerdict, Told, judge
from wizard.diagnosis.sdp_rewrite import Rewritten, rewrite, static_candidates
from wizard.model.phrase import Phrase
from wizard.model.project import Project
from wizard.model.resource import resource
from wizard.report.wording import ENGLISH
from wizard.report.wrap import pad, printable
from wizard.wire.sdp import Candidate, Description

FORMAT = 1
CLIENT = "new RTCPeerConnection({ iceServers: [] })"
_FINE, _WRONG, _SO = "✔", "✖", "·"


@dataclass(frozen=True, slots=True)
class SdpReport:
    """A description with what was found in it. `rewritten` is None where there is no plan to write it by."""

    description: Description
    verdict: SdpVerdict
    project: Project | None
    rewritten: Rewritten | None

    @property
    def status(self) -> int:
        """0 if nothing is wrong, else 1."""
        return int(self.verdict.wrong)


def report(description: Description, project: Project | None) -> SdpReport:
    """Hold it against the plan, if there is one."""
    rewritten = None if project is None else rewrite(description, project)
    return SdpReport(description, judge(description, project), project, rewritten)


def to_text(told: SdpReport, language: str = ENGLISH) -> str:
    """The report for a terminal."""
    return "\n".join(_text(told, language)) + "\n"


def _text(told: SdpReport, language: str) -> Iterator[str]:
    description, verdict = told.description, told.verdict
    yield words("head", language, **_counts(description, language))
    said = {sentence.line: sentence for sentence in verdict.candidates}
    for media in description.media:
        if not description.is_list:
            kind = words("section", language, line=str(media.line), media=f"{media.kind} {media.mid}".strip())
            state = "rejected" if media.is_rejected else "bundled" if description.rides_on_another(media) else ""
            yield ""
            yield kind + (words(state, language) if state else "")
        for candidate in media.candidates:
            sentence = said[candidate.line]
            mark = _WRONG if sentence.wrong else _FINE if sentence.phrase.key.startswith("fine-") else _SO
            yield f"  {mark} {pad(shown(candidate), 44)} {say(sentence.phrase, language)}"
    if verdict.lines:
        yield ""
        yield words("wrong" if any(one.wrong for one in verdict.lines) else "know", language)
        for one in verdict.lines:
            yield f"  {_WRONG if one.wrong else _SO} {one.line}: {say(one.phrase, language)}"
    if not verdict.wrong:
        yield ""
        yield words("fine" if told.project is not None else "fine-alone", language)
    if verdict.notes:
        yield ""
        yield words("know", language)
        yield from (f"  · {say(note, language)}" for note in verdict.notes)
    if told.project is not None and told.rewritten is not None:
        yield from _fixed(told.rewritten, told.project, language, verdict.wrong)


def _fixed(rewritten: Rewritten, project: Project, language: str, wrong: bool) -> Iterator[str]:
    if wrong:
        yield ""
        yield words("rewritten", language)
        yield from (f"    {printable(line)}" for line in rewritten.text.rstrip().split("\r\n"))
        if rewritten.moved:
            yield ""
            yield words("moved", language)
            for one in rewritten.moved:
                values = {"socket": printable(one.socket), "outside": str(one.outside), "inner": str(one.inner)}
                yield f"  · {words('moved-line', language, **values)}"
        if rewritten.left_out:
            yield "  " + words("left-out", language, sockets=", ".join(map(printable, rewritten.left_out)))
    static = list(static_candidates(project))
    if static:
        yield ""
        yield words("static", language)
        yield from (f"    {line}" for line in static)
    yield ""
    yield words("client", language)
    yield f"    {CLIENT}"


def _counts(description: Description, language: str) -> dict[str, str]:
    kind = description.type if description.type in ("offer", "answer") else "description"
    return {
        "type": words("list" if description.is_list else kind, language),
        "media": str(0 if description.is_list else len(description.media)),
        "candidates": str(sum(len(media.candidates) for media in description.media)),
    }


def shown(candidate: Candidate) -> str:
    """A candidate in short: its line, type, transport and address."""
    address = f"[{candidate.address}]" if ":" in candidate.address else candidate.address
    return printable(f"{candidate.line}: {candidate.type} {candidate.protocol} {address}:{candidate.port}")


def dumps(told: SdpReport, language: str = ENGLISH) -> str:
    """The report as JSON."""
    description, verdict = told.description, told.verdict
    said = {sentence.line: sentence for sentence in verdict.candidates}
    shape: dict[str, Any] = {
        "format": FORMAT,
        "type": description.type or None,
        "ok": not verdict.wrong,
        "bundle": list(description.bundle),
        "media": [
            {
                "line": media.line,
                "kind": media.kind,
                "mid": media.mid or None,
                "address": media.connection.address if media.connection else None,
                "port": media.port,
                "candidates": [_candidate(one, said[one.line], language) for one in media.candidates],
            }
            for media in description.media
        ],
        "problems": [_sentence(one, language) for one in verdict.lines if one.wrong],
        "notes": [say(note, language) for note in verdict.notes],
    }
    if told.project is not None and told.rewritten is not None:
        shape["rewritten"] = {
            "sdp": told.rewritten.text,
            "moved": [
                {"socket": one.socket, "outside": one.outside, "inner": one.inner} for one in told.rewritten.moved
            ],
            "left_out": list(told.rewritten.left_out),
        }
        shape["static_candidates"] = list(static_candidates(told.project))
        shape["client"] = {"iceServers": []}
    return json.dumps(shape, ensure_ascii=False, indent=2)


def _candidate(candidate: Candidate, told: Told, language: str) -> Mapping[str, Any]:
    related = candidate.related or (None, None)
    return {
        **_sentence(told, language),
        "ok": not told.wrong,
        "type": candidate.type.value,
        "component": candidate.component,
        "foundation": candidate.foundation,
        "protocol": candidate.protocol,
        "address": candidate.address,
        "port": candidate.port,
        "priority": candidate.priority,
        "related_address": related[0],
        "related_port": related[1],
        "tcp_type": candidate.tcp_type or None,
    }


def _sentence(told: Told, language: str) -> Mapping[str, Any]:
    return {"line": told.line, "code": told.phrase.key, "text": say(told.phrase, language)}


def say(phrase: Phrase, language: str = ENGLISH) -> str:
    """One sentence of the catalogue with its gaps filled."""
    values = {name: printable(value) for name, value in phrase.values.items()}
    return string.Template(_catalogue(language)["phrase"][phrase.key]).substitute(values)


def words(key: str, language: str = ENGLISH, **values: str) -> str:
    """A heading of the catalogue with its gaps filled."""
    return string.Template(_catalogue(language)["text"][key]).substitute(values)


@cache
def _catalogue(language: str) -> Mapping[str, Mapping[str, str]]:
    with resource("sdp", f"{language}.toml").open("rb") as file:
        return tomllib.load(file)
