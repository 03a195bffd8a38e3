"""Whether a TURN server carries a call, as a person reads it and as the JSON that scripts read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from wizard.model.resource import resource
from wizard.model.said import said
from wizard.probes.call import Call, Policy
from wizard.probes.relay_capacity import Capacity, Limit
from wizard.probes.relay_ports import Direct, Survey
from wizard.probes.relay_quality import Progress, Quality
from wizard.probes.relay_verdict import Grade, Measured, Reason, grade_of, reasons_of
from wizard.report.ice import cause_words, sentence_words
from wizard.report.text import Terminal
from wizard.report.wording import ENGLISH
from wizard.report.wrap import columns, pad, printable, wrap
from wizard.wire.attribute import Address
from wizard.wire.media import Delay, Figures

FORMAT = 1
_SEVERITY = {Grade.OK: "note", Grade.POOR: "poor", Grade.FAILED: "failed"}
_MARKS = {Grade.OK: "✔", Grade.POOR: "▲", Grade.FAILED: "✖"}
_ASCII_MARKS = {Grade.OK: "+", Grade.POOR: "!", Grade.FAILED: "x"}
_COLOURS = {Grade.OK: "32", Grade.POOR: "33", Grade.FAILED: "1;31"}


@dataclass(frozen=True, slots=True)
class Told:
    """A reason in words."""

    code: str
    grade: Grade
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What is known of one server. `measured` is None for a server that was not found."""

    url: str
    measured: Measured | None
    reasons: tuple[Reason, ...]
    moments: tuple[Progress, ...] = ()
    """How it went while packets were sent."""

    @property
    def grade(self) -> Grade:
        """The verdict."""
        return grade_of(self.reasons)


def result_of(url: str, measured: Measured, moments: Sequence[Progress] = ()) -> TurnResult:
    """What was measured, weighed."""
    return TurnResult(url, measured, reasons_of(measured), tuple(moments))


def told(reason: Reason, language: str = ENGLISH) -> Told:
    """A reason's words; what the server said and what that means comes with them."""
    entry = _catalogue(language)["reason"][reason.code]
    values = {key: said(value, language) for key, value in reason.values}
    text, remedy = entry["cause"].format(**values), entry["remedy"]
    sentence = reason.sentence
    if sentence is not None and sentence.cause:
        words = cause_words(sentence.cause, language)
        heard = f" ({sentence.code} {sentence_words(sentence, language)})" if sentence.text else ""
        text, remedy = f"{text}{heard} {words.cause}", words.remedy
    return Told(reason.code, reason.grade, printable(text), remedy)


@cache
def _catalogue(language: str) -> dict[str, Any]:
    return tomllib.loads(resource("relay", f"{language}.toml").read_text(encoding="utf-8"))


def to_json(result: TurnResult, language: str = ENGLISH) -> dict[str, Any]:
    """The result in the shape that scripts depend on. What was not measured is null."""
    measured = result.measured
    quality = measured.quality if measured is not None else None
    carried = quality if quality is not None and quality.ways else None
    return {
        "format": FORMAT,
        "url": result.url,
        "address": None if measured is None else measured.address,
        "transport": None if measured is None else measured.transport.value,
        "rtt_ms": _delay(carried.delay) if carried else None,
        "jitter_ms": _rounded(carried.jitter_ms) if carried else None,
        "loss_percent": _rounded(carried.loss_percent) if carried else None,
        "reordered": carried.reordered if carried else None,
        "throughput_bits": round(carried.throughput_bits) if carried else None,
        "seconds": _rounded(carried.seconds) if carried else None,
        "relayed": []
        if quality is None
        else [
            {"address": port.address[0], "port": port.address[1], "direct": port.direct.value}
            for port in quality.survey.ports
        ],
        "streams": []
        if carried is None
        else [
            {"direction": way.name, "media": name, **_figures(figures)}
            for way in carried.ways
            for name, figures in (("voice", way.voice), ("video", way.video))
        ],
        "verdict": result.grade.value,
        "reasons": [
            {"code": one.code, "severity": _SEVERITY[one.grade], "text": one.text, "remedy": one.remedy}
            for one in (told(reason, language) for reason in result.reasons)
        ],
        "call": _calls(measured.calls) if measured is not None and measured.calls else None,
        "capacity": _capacity(measured.capacity) if measured is not None and measured.capacity is not None else None,
    }


def _delay(delay: Delay | None) -> dict[str, float] | None:
    if delay is None:
        return None
    return {"min": round(delay.min_ms, 2), "median": round(delay.median_ms, 2), "p95": round(delay.p95_ms, 2)}


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "sent": figures.sent,
        "received": figures.received,
        "loss_percent": round(figures.loss_percent, 2),
        "reordered": figures.reordered,
        "duplicates": figures.duplicates,
        "rtt_ms": _delay(figures.delay),
        "jitter_ms": _rounded(figures.jitter_ms),
        "jitter_peak_ms": _rounded(figures.jitter_peak_ms),
    }


def _calls(made: Sequence[Call]) -> dict[str, Any]:
    free = next((call for call in made if call.policy is Policy.ANY), None)
    return {
        "turn_needed": _needed(free),
        **{call.policy.value.replace("-", "_"): _call(call) for call in made},
    }


def _needed(free: Call | None) -> str:
    """What two parties on this computer need: p2p, stun or turn, or unknown."""
    return "unknown" if free is None or free.pair is None or free.failure is not None else free.pair.path.value


def _call(call: Call) -> dict[str, Any]:
    pair = call.pair
    return {
        "connected": pair is not None,
        "seconds": round(call.seconds, 3),
        "failure": None if call.failure is None else call.failure.value,
        "echo_ms": _rounded(call.echo_ms),
        "pair": None
        if pair is None
        else {
            "priority": pair.priority,
            **{
                side: {"type": end.type, "address": end.address, "port": end.port, "priority": end.priority}
                for side, end in (("local", pair.local), ("remote", pair.remote))
            },
        },
    }


def _capacity(capacity: Capacity) -> dict[str, Any]:
    return {
        "sessions": capacity.load.sessions,
        "mbit": capacity.load.mbit,
        "carried": capacity.carried,
        "limit": capacity.limit.value,
        "allocations": capacity.given,
        "steps": [
            {
                "sessions": step.sessions,
                "seconds": round(step.seconds, 2),
                "sent_bits": round(step.sent_bits),
                "carried_bits": round(step.carried_bits),
                "loss_percent": round(step.loss_percent, 2),
                "rtt_ms": _delay(step.delay),
            }
            for step in capacity.steps
        ],
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


def to_text(result: TurnResult, on: Terminal | None = None, language: str = ENGLISH) -> str:
    """The verdict, the figures, and each reason with what to do."""
    on = on or Terminal()
    page = _Page(on, language)
    return "\n".join(line.encode(on.encoding, "replace").decode(on.encoding) for line in page.lines(result))


class _Page:
    def __init__(self, on: Terminal, language: str) -> None:
        self._on = on
        self._language = language
        self._words = _catalogue(language)

    def lines(self, result: TurnResult) -> Iterator[str]:
        """The whole page."""
        verdict = f"{printable(result.url)}  {verdict_words(result, self._language)}"
        first, *rest = wrap(verdict, self._on.columns - 2)
        yield f"{self._mark(result.grade)} {first}"
        yield from (f"  {line}" for line in rest)
        if result.measured is not None:
            width = max(
                columns(word) for key, word in self._words["label"].items() if not key.endswith(("-value", "-one"))
            )
            for label, text in figures(result.measured, self._language):
                first, *rest = wrap(text, self._on.columns - width - 4)
                yield f"  {pad(label, width)}  {first}"
                yield from (f"  {' ' * width}  {line}" for line in rest)
        for reason in result.reasons:
            words = told(reason, self._language)
            yield ""
            first, *rest = wrap(words.text, self._on.columns - 2)
            yield f"{self._mark(words.grade) if words.grade is not Grade.OK else '-'} {first}"
            yield from (f"  {line}" for line in [*rest, *wrap(words.remedy, self._on.columns - 2)])

    def _mark(self, grade: Grade) -> str:
        mark = (_MARKS if self._on.draws else _ASCII_MARKS)[grade]
        return f"\x1b[{_COLOURS[grade]}m{mark}\x1b[0m" if self._on.colour else mark


def figures(measured: Measured, language: str = ENGLISH) -> Iterator[tuple[str, str]]:
    """What was measured, in words: label and value; the label is empty where the one before it goes on."""
    words = _catalogue(language)["label"]
    for label, text in _Figures(language).rows(measured):
        yield str(words[label]) if label else "", text


def verdict_words(result: TurnResult, language: str = ENGLISH) -> str:
    """The verdict in a sentence."""
    return str(_catalogue(language)["verdict"][result.grade])


class _Figures:
    def __init__(self, language: str) -> None:
        self._words = _catalogue(language)

    def _say(self, key: str, **values: object) -> str:
        return str(self._words["label"][key]).format(**values)

    def rows(self, measured: Measured) -> Iterator[tuple[str, str]]:
        """The catalogue's key of each label, and the value."""
        quality = measured.quality
        if quality.ways:
            yield from self._figures(quality)
        if quality.survey.ports:
            yield "ports", self._ports(quality.survey)
        label = "call"
        for call in measured.calls:
            yield label, f"{self._words['call'][call.policy]}: {self._call(call)}"
            label = ""
        if measured.calls:
            free = next((call for call in measured.calls if call.policy is Policy.ANY), None)
            yield "", self._words["call"][_needed(free)]
        if measured.capacity is not None:
            yield from self._capacity(measured.capacity)

    def _figures(self, quality: Quality) -> Iterator[tuple[str, str]]:
        delay, figures = quality.delay, [one for way in quality.ways for one in (way.voice, way.video)]
        if delay is not None:
            values = {"min": delay.min_ms, "median": delay.median_ms, "p95": delay.p95_ms}
            yield "round-trip", self._say("round-trip-value", **{key: f"{ms:.1f}" for key, ms in values.items()})
        yield (
            "loss",
            self._say(
                "loss-value",
                loss=f"{quality.loss_percent:.2f}",
                lost=sum(one.lost for one in figures),
                sent=sum(one.sent for one in figures),
                reordered=quality.reordered,
                duplicates=sum(one.duplicates for one in figures),
            ),
        )
        if quality.jitter_ms is not None:
            peak = max(way.voice.jitter_peak_ms or 0 for way in quality.ways)
            yield "jitter", self._say("jitter-value", jitter=f"{quality.jitter_ms:.1f}", peak=f"{peak:.1f}")
        mbit = f"{quality.throughput_bits / 1e6:.2f}"
        yield "carried", self._say("carried-value", mbit=mbit, seconds=f"{quality.seconds:.1f}")

    def _ports(self, survey: Survey) -> str:
        numbers = sorted(port.address[1] for port in survey.ports)
        return self._say(
            "ports-value" if len(numbers) > 1 else "ports-value-one",
            count=len(numbers),
            first=numbers[0],
            last=numbers[-1],
            hosts=", ".join(dict.fromkeys(port.address[0] for port in survey.ports)),
            reached=sum(port.direct is Direct.BOTH_WAYS for port in survey.ports),
        )

    def _call(self, call: Call) -> str:
        words = self._words["call"]
        if call.pair is None or call.failure is not None:
            return str(words["failed"])
        local, remote = call.pair.local, call.pair.remote
        won = words["won"].format(
            local=local.type,
            local_address=_spelled((local.address, local.port)),
            remote=remote.type,
            remote_address=_spelled((remote.address, remote.port)),
            priority=call.pair.priority,
            echo="?" if call.echo_ms is None else f"{call.echo_ms:.1f}",
        )
        return f"{won}. {words[f'why-{call.policy.value}']}"

    def _capacity(self, capacity: Capacity) -> Iterator[tuple[str, str]]:
        words = self._words["capacity"]
        key = "all" if capacity.limit is Limit.NONE else "some"
        values = {"carried": capacity.carried, "wanted": capacity.load.sessions, "mbit": f"{capacity.load.mbit:g}"}
        yield "capacity", words[key].format(**values)
        for step in capacity.steps:
            yield (
                "",
                words["step"].format(
                    sessions=step.sessions,
                    carried=f"{step.carried_bits / 1e6:.1f}",
                    due=f"{step.due_bits / 1e6:.1f}",
                    loss=f"{step.loss_percent:.2f}",
                    rtt="?" if step.delay is None else f"{step.delay.median_ms:.1f}",
                ),
            )


def _spelled(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
