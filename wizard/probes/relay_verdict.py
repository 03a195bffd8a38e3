"""What was measured of a TURN server, weighed against what a call needs. Pure: no I/O."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wizard.probes.call import Call, Policy
from wizard.probes.relay_capacity import Capacity, Limit
from wizard.probes.relay_ports import Direct, Place, place_of
from wizard.probes.relay_quality import Halt, Quality
from wizard.probes.server_verdict import Sentence
from wizard.wire.behaviour import is_public
from wizard.wire.uri import Transport

LONGEST_RTT_MS = 100.0
MOST_LOSS_PERCENT = 1.0
"""A good relay stays below both."""
_UNBEARABLE_PERCENT = 20.0
"""Of packets lost, from which on speech cannot be followed whatever the codec conceals."""
_ROUGH_JITTER_MS = 30.0
_LATE_MS = 10.0
_FORBIDDEN = 403


class Grade(enum.StrEnum):
    """How good a relay is."""

    OK = "ok"
    POOR = "poor"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing to say; of grade OK it is a note. The catalogue has the words for `code`; `values` fill their gaps."""

    code: str
    grade: Grade
    values: tuple[tuple[str, str], ...] = ()
    sentence: Sentence | None = None
    """What the server or the system said."""


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is known of one server."""

    address: str
    """The literal address that it was reached at."""
    transport: Transport
    quality: Quality
    calls: tuple[Call, ...] = ()
    capacity: Capacity | None = None
    ports: range | None = None
    """The relay ports as the server's owner set them."""


def reasons_of(measured: Measured) -> tuple[Reason, ...]:
    """Everything to say, the worst first."""
    found = [*_of_quality(measured.quality), *_of_ports(measured), *_of_calls(measured), *_of_capacity(measured)]
    return tuple(sorted(found, key=lambda reason: -list(Grade).index(reason.grade)))


def grade_of(reasons: Sequence[Reason]) -> Grade:
    """The worst of them; OK of none."""
    return max((reason.grade for reason in reasons), key=list(Grade).index, default=Grade.OK)


def _reason(code: str, grade: Grade, sentence: Sentence | None = None, **values: str) -> Reason:
    return Reason(code, grade, tuple(values.items()), sentence)


def _of_quality(quality: Quality) -> Iterator[Reason]:
    halted = quality.halted
    if halted is not None and (halted.halt is not Halt.FELL_SILENT or quality.received):
        code = halted.halt.value
        if halted.halt is Halt.NO_CHANNEL and halted.sentence is not None and halted.sentence.code == _FORBIDDEN:
            code = "own-relay-forbidden"
        yield _reason(code, Grade.FAILED, halted.sentence, seconds=f"{quality.seconds:.1f}")
        return
    if not quality.received:
        yield _reason("nothing-came", Grade.FAILED)
        return
    if any(not (way.voice.received + way.video.received) for way in quality.ways):
        yield _reason("one-way", Grade.FAILED)
        return
    if quality.delay is None or quality.delay.median_ms >= LONGEST_RTT_MS:
        median = "?" if quality.delay is None else f"{quality.delay.median_ms:.0f}"
        yield _reason("rtt-long", Grade.POOR, rtt=median, limit=f"{LONGEST_RTT_MS:g}")
    if quality.loss_percent >= MOST_LOSS_PERCENT:
        grade = Grade.FAILED if quality.loss_percent >= _UNBEARABLE_PERCENT else Grade.POOR
        yield _reason("loss", grade, loss=f"{quality.loss_percent:.1f}", limit=f"{MOST_LOSS_PERCENT:g}")
    if (quality.jitter_ms or 0) > _ROUGH_JITTER_MS:
        yield _reason("jitter", Grade.OK, jitter=f"{quality.jitter_ms:.0f}")
    if quality.late_ms > _LATE_MS:
        yield _reason("late-here", Grade.OK, late=f"{quality.late_ms:.0f}")


def _of_ports(measured: Measured) -> Iterator[Reason]:
    survey = measured.quality.survey
    hosts = list(dict.fromkeys(port.address[0] for port in survey.ports))
    for host in hosts:
        place = place_of(measured.address, host)
        if place is Place.PRIVATE:
            yield _reason("relay-private", Grade.POOR, relayed=host, server=measured.address)
        elif place is Place.DIFFERS:
            yield _reason("relay-differs", Grade.OK, relayed=host, server=measured.address)
    if measured.ports is not None:
        astray = sorted(port.address[1] for port in survey.ports if port.address[1] not in measured.ports)
        if astray:
            first, last = measured.ports[0], measured.ports[-1]
            yield _reason(
                "port-outside", Grade.POOR, ports=", ".join(map(str, astray)), first=f"{first}", last=f"{last}"
            )
    yield from _of_direct(measured)
    if survey.refused is not None and len(survey.ports) > 1:
        yield _reason("fewer-allocations", Grade.OK, survey.refused, count=f"{len(survey.ports)}")


def _of_direct(measured: Measured) -> Iterator[Reason]:
    survey = measured.quality.survey
    silent = [port.address for port in survey.ports if port.direct is Direct.SILENT]
    if silent:
        # Who needs TCP or TLS to the server may be where no UDP leaves at all.
        code, grade = "ports-closed", Grade.POOR
        if measured.transport is not Transport.UDP:
            code, grade = "ports-unproven", Grade.OK
        elif not is_public(measured.address) and all(is_public(host) for host, _ in silent):
            code, grade = "ports-unproven-inside", Grade.OK
        yield _reason(
            code,
            grade,
            silent=f"{len(silent)}",
            count=f"{len(survey.ports)}",
            ports=", ".join(str(port) for _, port in sorted(silent)),
        )
    mute = sorted(port.address[1] for port in survey.ports if port.direct is Direct.IN_ONLY)
    if mute:
        yield _reason(
            "ports-in-only",
            Grade.POOR,
            mute=f"{len(mute)}",
            count=f"{len(survey.ports)}",
            ports=", ".join(map(str, mute)),
        )
    if any(port.direct is Direct.NOT_PERMITTED for port in survey.ports):
        yield _reason("direct-forbidden", Grade.OK)


def _of_calls(measured: Measured) -> Iterator[Reason]:
    for call in measured.calls:
        if call.policy is Policy.RELAY_ONLY and call.failure is not None:
            yield _reason(f"call-{call.failure.value}", Grade.FAILED, call.sentence)


def _of_capacity(measured: Measured) -> Iterator[Reason]:
    capacity = measured.capacity
    if capacity is None or capacity.limit is Limit.NONE:
        return
    last = capacity.steps[-1] if capacity.steps else None
    yield _reason(
        f"capacity-{capacity.limit.value}",
        Grade.OK if capacity.limit is Limit.COMPUTER else Grade.POOR,
        capacity.sentence,
        carried=f"{capacity.carried}",
        wanted=f"{capacity.load.sessions}",
        tried=f"{last.sessions}" if last else "0",
        given=f"{capacity.given}",
        mbit=f"{capacity.load.mbit:g}",
        loss=f"{last.loss_percent:.1f}" if last else "?",
        rtt=f"{last.delay.median_ms:.0f}" if last and last.delay else "?",
    )
