"""How often a port is asked, without sockets."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from wizard.probes.persistence import DEFAULT_TIMEOUT_S, Loss


def times(loss: Loss, timeout_s: float = DEFAULT_TIMEOUT_S) -> list[float]:
    """When a port that never answers is asked, in seconds from the first time."""
    asked = [0.0]
    while True:
        now = asked[-1]
        following = loss.next_attempt(0.0, now, len(asked), timeout_s)
        if following is None or following >= loss.deadline(0.0, len(asked), timeout_s):
            return asked
        assert following > now
        asked.append(following)


def seeded(ports: int, tried: int = 0, lost: int = 0, rtt_s: float | None = None) -> Loss:
    """What is known of an entry, with a jitter that is the same in each run."""
    return Loss(ports, tried, lost, rtt_s, random.Random(1))


def test_without_loss_a_silent_port_is_asked_at_the_times_of_rfc_8489() -> None:
    asked = times(seeded(302, tried=100, lost=0))
    assert [round(at, 1) for at in asked[:3]] == pytest.approx([0.0, 0.5, 1.5], abs=0.11)
    assert 4 <= len(asked) <= 5
    assert any(abs(at - 3.5) < 0.11 for at in asked)


def test_302_silent_ports_of_which_none_answers_cost_few_extra_requests() -> None:
    assert len(times(seeded(302))) <= 6


def test_a_single_silent_port_is_asked_until_loss_of_half_the_packets_does_not_explain_it() -> None:
    assert 0.5 ** len(times(seeded(1))) < 1e-4


@pytest.mark.parametrize("ports", [1, 302, 2000])
@pytest.mark.parametrize("rate", [0.3, 0.56, 0.7])
def test_evident_loss_is_outnumbered_before_silence_is_believed(ports: int, rate: float) -> None:
    loss = seeded(ports, tried=1000, lost=int(1000 * rate), rtt_s=0.02)
    asked = times(loss)
    assert rate ** len(asked) * ports < 2e-5
    assert asked[-1] < DEFAULT_TIMEOUT_S


def test_no_request_is_sent_that_could_not_be_answered_in_time() -> None:
    for timeout_s in (0.5, 1.0, 5.0, 20.0):
        assert times(seeded(10), timeout_s)[-1] <= 0.8 * timeout_s
        assert len(times(seeded(10), timeout_s)) >= 2


def test_extra_requests_leave_time_for_an_answer_between_them() -> None:
    asked = times(seeded(302, tried=1000, lost=550, rtt_s=0.2))
    extra = [later - earlier for earlier, later in pairwise(asked[3:])]
    # RFC 8489's own times come in between.
    assert sum(gap >= 0.8 * 0.4 for gap in extra) >= len(extra) - 2


def test_loss_is_evident_once_a_port_answers_a_later_request() -> None:
    loss = Loss(2)
    loss.answered(1, 0.03)
    assert not loss.evident
    loss.answered(3, 0.02)
    assert loss.evident
    assert (loss.tried, loss.lost, loss.rtt_s) == (4, 2, 0.02)
    assert loss.deadline(10.0, 4, 5.0) == 20.0
    assert loss.deadline(10.0, loss.needed, 5.0) == 15.0
