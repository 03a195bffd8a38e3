"""The verdict on one port, against an oracle that tries every set of faults."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.diagnosis.tomography import Evidence, Failure, PortVerdict, Proof, judge
from wizard.diagnosis.verdict import State
from wizard.model.hop import HopKind
from wizard.observation import Outcome

FILTERS = (HopKind.ROUTER, HopKind.FIREWALL, HopKind.SECURITY_GROUP, HopKind.CGNAT)
S, P, X, U = State.SUSPECT, State.OPEN, State.BLOCKED, State.UNKNOWN


@st.composite
def networks(draw: st.DrawFn) -> tuple[tuple[HopKind, ...], frozenset[int], tuple[int, ...]]:
    """A chain of 1 to 6 hops, the hops that are really broken, and where probes enter."""
    size = draw(st.integers(1, 6))
    kinds = (*(draw(st.sampled_from(FILTERS)) for _ in range(size - 1)), HopKind.SERVICE)
    broken = frozenset(draw(st.sets(st.integers(0, size - 1))))
    entries = tuple(sorted(draw(st.sets(st.integers(0, size - 1)))))
    return kinds, broken, entries


def observe(size: int, broken: frozenset[int], entries: Iterable[int]) -> list[Evidence]:
    """What probes see on a chain with these faults: silence, or an answer."""
    return [
        Failure(entry, Outcome.SILENT) if broken & set(range(entry, size)) else Proof(entry, size - 1)
        for entry in entries
    ]


def oracle(size: int, evidence: list[Evidence]) -> list[frozenset[int]]:
    """Every set of faults that would have produced just this evidence."""
    entries = [e.entry if isinstance(e, Failure) else e.first for e in evidence]
    return [
        faults
        for count in range(size + 1)
        for combination in itertools.combinations(range(size), count)
        for faults in (frozenset(combination),)
        if observe(size, faults, entries) == evidence
    ]


@given(networks())
def test_the_verdict_is_the_smallest_explanation_that_an_oracle_finds(
    network: tuple[tuple[HopKind, ...], frozenset[int], tuple[int, ...]],
) -> None:
    kinds, broken, entries = network
    evidence = observe(len(kinds), broken, entries)
    verdict = judge(kinds, evidence)
    possible = oracle(len(kinds), evidence)
    fewest = min(len(faults) for faults in possible)
    smallest = [faults for faults in possible if len(faults) == fewest]

    assert {hop for c in verdict.convictions for hop in c.suspects} == set().union(*smallest)
    for hop, state in enumerate(verdict.hops):
        if state is State.BLOCKED:
            assert all(hop in faults for faults in possible), "convicted, though it need not be broken"
        if state is State.OPEN:
            assert all(hop not in faults for faults in possible), "called open, though it may be broken"
        if all(hop not in faults for faults in possible) and entries:
            assert state is State.OPEN
    assert (verdict.state is State.OPEN) == (possible == [frozenset()])
    assert (verdict.state is State.BLOCKED) == any(isinstance(e, Failure) for e in evidence)
    assert not verdict.contradicted


@given(networks(), st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_evidence_do_not_matter(
    network: tuple[tuple[HopKind, ...], frozenset[int], tuple[int, ...]], random: object
) -> None:
    kinds, broken, entries = network
    evidence = observe(len(kinds), broken, entries)
    shuffled = evidence * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(kinds, shuffled) == judge(kinds, evidence)


@given(networks())
def test_more_evidence_never_takes_a_proof_back(
    network: tuple[tuple[HopKind, ...], frozenset[int], tuple[int, ...]],
) -> None:
    kinds, broken, entries = network
    evidence = observe(len(kinds), broken, entries)
    known: set[int] = set()
    for count in range(len(evidence) + 1):
        verdict = judge(kinds, evidence[:count])
        now = {hop for hop, state in enumerate(verdict.hops) if state is State.OPEN}
        assert known <= now
        known = now


ROUTER, FIREWALL, CONTAINER, SERVICE = HopKind.ROUTER, HopKind.FIREWALL, HopKind.CONTAINER, HopKind.SERVICE
SERVER, CLIENT = HopKind.TUNNEL_SERVER, HopKind.TUNNEL_CLIENT
HOME = (ROUTER, FIREWALL, CONTAINER, SERVICE)
TUNNEL = (FIREWALL, SERVER, CLIENT, SERVICE)


@pytest.mark.parametrize(
    ("kinds", "evidence", "states"),
    [
        (HOME, [], (U, U, U, U)),
        (HOME, [Proof(0, 3)], (P, P, P, P)),
        (HOME, [Failure(0, Outcome.SILENT)], (S, S, S, S)),
        (HOME, [Failure(0, Outcome.SILENT), Proof(1, 3)], (X, P, P, P)),
        (HOME, [Failure(0, Outcome.SILENT), Failure(1, Outcome.SILENT), Proof(2, 3)], (U, X, P, P)),
        # A responder that stands in for the container proves what is before it, and nothing of the container.
        (HOME, [Proof(0, 1)], (P, P, U, U)),
        (HOME, [Proof(0, 1), Failure(0, Outcome.REFUSED)], (P, P, S, S)),
        # Accept-then-close: the outermost proxy let it in, so what stops it is there or further in.
        (TUNNEL, [Failure(0, Outcome.CLOSED)], (U, S, S, S)),
        (TUNNEL, [Failure(0, Outcome.CLOSED), Proof(3, 3)], (U, S, S, P)),
        ((ROUTER, SERVICE), [Failure(0, Outcome.CLOSED)], (S, S)),
        (TUNNEL, [Failure(0, Outcome.CLOSED), Proof(1, 3)], (X, P, P, P)),
        # On the wrong port or host: only who translates can do that.
        (HOME, [Failure(0, Outcome.MISDIRECTED)], (S, U, S, U)),
        (HOME, [Failure(0, Outcome.MISDIRECTED), Proof(1, 3)], (X, P, P, P)),
        ((FIREWALL, SERVICE), [Failure(0, Outcome.MISDIRECTED)], (S, S)),
        # Refusals and rejections name nobody by themselves.
        (HOME, [Failure(0, Outcome.REJECTED)], (S, S, S, S)),
        (HOME, [Failure(0, Outcome.REFUSED)], (S, S, S, S)),
        # Seen at the network card: what is before it is acquitted, what is behind it convicted.
        ((*HOME[:2], SERVICE), [Failure(0, Outcome.SILENT, arrived_at=1), Proof(2, 2)], (U, X, P)),
        # … also when the same filter lets somebody else in.
        ((*HOME[:2], SERVICE), [Failure(0, Outcome.SILENT, arrived_at=1), Proof(1, 2)], (U, X, P)),
        # Not even seen at the card, which was watched: what is behind it did not stop this one.
        (HOME, [Failure(0, Outcome.SILENT, stopped_before=1)], (X, U, U, U)),
        (HOME, [Failure(0, Outcome.SILENT, stopped_before=2)], (S, S, U, U)),
        # The outer of two faults is named beside the inner, which another probe met.
        (HOME, [Failure(0, Outcome.SILENT, stopped_before=1), Failure(1, Outcome.SILENT, arrived_at=1)], (X, S, S, S)),
        # All before the card is proven open by others: then nothing is taken from the suspects.
        (HOME, [Failure(0, Outcome.SILENT, stopped_before=1), Proof(0, 0)], (P, S, S, S)),
    ],
)
def test_a_verdict_worked_out_by_hand(
    kinds: tuple[HopKind, ...], evidence: list[Evidence], states: tuple[State, ...]
) -> None:
    assert judge(kinds, evidence).hops == states


@given(networks(), st.data())
def test_who_is_before_a_watched_card_is_named_by_the_oracle_and_nobody_behind_it(
    network: tuple[tuple[HopKind, ...], frozenset[int], tuple[int, ...]], data: st.DataObject
) -> None:
    kinds, broken, entries = network
    card = data.draw(st.integers(0, len(kinds) - 1), label="first hop behind the card")
    evidence = [
        replace(item, stopped_before=card)
        if isinstance(item, Failure) and broken & set(range(item.entry, card))
        else item
        for item in observe(len(kinds), broken, entries)
    ]
    verdict = judge(kinds, evidence)
    plain = judge(kinds, observe(len(kinds), broken, entries))
    for conviction in verdict.convictions:
        assert broken & set(conviction.suspects), "convicted, though none of them is broken"
    assert not verdict.contradicted
    assert verdict.state is plain.state
    for failure in (item for item in evidence if isinstance(item, Failure) and item.stopped_before is not None):
        assert any(set(c.suspects) <= set(range(failure.entry, card)) for c in verdict.convictions)


def test_a_failure_on_a_path_proven_open_is_a_contradiction_and_not_a_blocked_port() -> None:
    failure = Failure(1, Outcome.SILENT)
    verdict: PortVerdict = judge(HOME, [Proof(0, 3), failure])
    assert verdict.state is State.OPEN
    assert verdict.contradicted == {failure}
