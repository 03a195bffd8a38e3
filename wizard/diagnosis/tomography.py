"""Boolean tomography of one port on a chain of hops.

A probe that enters at hop k crosses hops k … n-1. Rules:
 1. An answer proves every hop that it crossed open.
 2. A failure says that one at least of the hops that it crossed stops the port; hops proven open are innocent.
 3. A failure is explained by a failure further in: of nested suspect sets only the smallest convicts.
 4. How a probe failed may narrow its set, never widen it, and never turns a hop open.
 5. What arrived at a network card was not stopped before it.
 6. A filter that was caught telling senders apart is not acquitted by another sender's answer.
 7. Of a failure's suspects a configuration convicts the outermost that it says would stop the port. It acquits nobody.
 8. A failure of which nothing came to a watched network card is due to a hop before it, unless none is left there.
 9. Nothing else is inferred: not from silence, not from a bare accept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wizard.diagnosis.verdict import State
from wizard.model.hop import HopKind
from wizard.observation import Outcome


@dataclass(frozen=True, slots=True)
class Proof:
    """An answer: hops `first` to `last`, both included, let the port through."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A probe that entered at `entry` failed for good."""

    entry: int
    outcome: Outcome
    arrived_at: int | None = None
    """The first hop behind the network card at which this very probe was seen arriving."""
    stopped_before: int | None = None
    """The first hop behind a watched network card to which nothing of this very probe came."""


@dataclass(frozen=True, slots=True)
class Blame:
    """By its configuration, this hop stops the port; with `by_sender`, for some senders and not for others."""

    hop: int
    by_sender: bool = False


Evidence = Proof | Failure | Blame


@dataclass(frozen=True, slots=True)
class Conviction:
    """One at least of `suspects` stops the port; one name is proof."""

    suspects: tuple[int, ...]
    failures: frozenset[Failure]


@dataclass(frozen=True, slots=True)
class PortVerdict:
    """What the evidence says of one port."""

    hops: tuple[State, ...]
    convictions: tuple[Conviction, ...]
    """Outermost first."""
    contradicted: frozenset[Failure]
    """Failures across hops that are all proven open: somebody treats senders differently."""

    @property
    def state(self) -> State:
        """Of the port itself, over the whole path."""
        if self.convictions:
            return State.BLOCKED
        return State.OPEN if all(state is State.OPEN for state in self.hops) else State.UNKNOWN


def judge(
    kinds: tuple[HopKind, ...], evidence: Iterable[Evidence], unequal: frozenset[int] = frozenset()
) -> PortVerdict:
    """The verdict on one port; the order of the evidence does not matter.

    `unequal` are the hops known to treat senders differently.
    """
    evidence = frozenset(evidence)
    proven: set[int] = set()
    failures: list[Failure] = []
    blamed: set[int] = set()
    unequal |= {item.hop for item in evidence if isinstance(item, Blame) and item.by_sender}
    for item in evidence:
        match item:
            case Proof():
                proven.update(range(item.first, item.last + 1))
            case Failure():
                failures.append(item)
            case Blame():
                blamed.add(item.hop)
    acquitted = {
        hop for f in failures if f.arrived_at is not None for hop in range(f.entry, min(f.arrived_at, len(kinds)))
    }

    sets: dict[tuple[int, ...], set[Failure]] = {}
    contradicted: set[Failure] = set()
    for failure in failures:
        suspects = _suspects(kinds, failure, proven, acquitted | (proven - unequal))
        if suspects:
            named = tuple(hop for hop in suspects if hop in blamed)[:1]
            sets.setdefault(named or suspects, set()).add(failure)
        else:
            contradicted.add(failure)

    convictions = tuple(
        Conviction(suspects, frozenset(f for other, fs in sets.items() if set(suspects) <= set(other) for f in fs))
        for suspects in sorted(sets)
        if not any(set(other) < set(suspects) for other in sets)
    )
    return PortVerdict(
        hops=tuple(_state(hop, proven, convictions) for hop in range(len(kinds))),
        convictions=convictions,
        contradicted=frozenset(contradicted),
    )


def caught_unequal(kinds: tuple[HopKind, ...], evidence: Iterable[Evidence]) -> frozenset[int]:
    """The hops that let one sender's probe of a port through and stopped another's behind the network card."""
    evidence = frozenset(evidence)
    proven = {hop for item in evidence if isinstance(item, Proof) for hop in range(item.first, item.last + 1)}
    return frozenset(
        hop
        for item in evidence
        if isinstance(item, Failure) and item.arrived_at is not None
        for behind in [set(range(item.arrived_at, len(kinds)))]
        if behind <= proven
        for hop in behind
        if not kinds[hop].translates and kinds[hop] is not HopKind.SERVICE
    )


def _suspects(kinds: tuple[HopKind, ...], failure: Failure, proven: set[int], innocent: set[int]) -> tuple[int, ...]:
    crossed = range(failure.entry, len(kinds))
    if failure.arrived_at is not None:
        behind = [hop for hop in crossed if hop >= failure.arrived_at]
        # All proven open for somebody else: the filter behind the card tells senders apart. The socket does not.
        return tuple([hop for hop in behind if hop not in proven] or behind[:-1] or behind)
    suspects = [hop for hop in crossed if hop not in innocent]
    if failure.stopped_before is not None:
        suspects = [hop for hop in suspects if hop < failure.stopped_before] or suspects
    narrowed = [hop for hop in suspects if hop in _could_cause(kinds, failure)]
    return tuple(narrowed or suspects)


def _could_cause(kinds: tuple[HopKind, ...], failure: Failure) -> frozenset[int]:
    """The crossed hops that could make a probe fail in just this way."""
    crossed = range(failure.entry, len(kinds))
    match failure.outcome:
        case Outcome.CLOSED:
            # Somebody accepted: the outermost proxy at the earliest. What stops it is there or further in.
            proxies = [hop for hop in crossed if kinds[hop].proxies_tcp]
            return frozenset(range(proxies[0], len(kinds)) if proxies else crossed)
        case Outcome.MISDIRECTED:
            # It got all the way, on a wrong number or host: only a hop that translates can do that.
            return frozenset(hop for hop in crossed if kinds[hop].translates)
        case _:
            return frozenset(crossed)


def _state(hop: int, proven: set[int], convictions: tuple[Conviction, ...]) -> State:
    if any(conviction.suspects == (hop,) for conviction in convictions):
        return State.BLOCKED
    if any(hop in conviction.suspects for conviction in convictions):
        return State.SUSPECT
    return State.OPEN if hop in proven else State.UNKNOWN
