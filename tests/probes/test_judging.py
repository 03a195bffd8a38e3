"""What answers and ICMP errors mean, without sockets."""

from __future__ import annotations

import pytest

from tests.probes.probing import HOPS, a_probe
from wizard.model.hop import Hop, HopKind
from wizard.model.port import Protocol
from wizard.observation import Outcome
from wizard.plan import Probe
from wizard.probes.answer import judge, shown, spelled
from wizard.probes.icmp import IcmpError, blocked_here, meaning
from wizard.wire.probe import Answer


def an_answer(port: int, stands_at: str = "chat", wrong_host: bool = False) -> Answer:
    """An answer of a responder that got the probe on `port`."""
    return Answer(b"t" * 12, ("192.0.2.1", 5000), ("192.168.77.10", port), stands_at, wrong_host)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (an_answer(20000), Outcome.ANSWERED),
        (an_answer(10000, "router"), Outcome.ANSWERED),
        (an_answer(20000, "router"), Outcome.MISDIRECTED),
        (an_answer(10000), Outcome.MISDIRECTED),
        (an_answer(20000, wrong_host=True), Outcome.MISDIRECTED),
        (an_answer(20000, "cloud"), Outcome.MISDIRECTED),
        (an_answer(20000, ""), Outcome.MISDIRECTED),
    ],
)
def test_an_answer_counts_only_on_the_number_that_is_planned_where_the_responder_stands(
    answer: Answer, outcome: Outcome
) -> None:
    judged = judge(a_probe(10000, arrives=20000), answer, HOPS, 1.5)
    assert judged.outcome is outcome
    assert judged.stands_at == answer.stands_at
    assert (judged.rtt_ms, judged.seen_as) == (1.5, "192.0.2.1:5000")


def test_an_id_that_a_message_cuts_short_is_told_in_full() -> None:
    long = "a" * 80
    probe = Probe("laptop", long, "192.0.2.1", 10000, Protocol.UDP, 10000, ((long, 10000),))
    judged = judge(probe, an_answer(10000, "a" * 63), (Hop(long, HopKind.SERVICE),), None)
    assert (judged.outcome, judged.stands_at) == (Outcome.ANSWERED, long)
    elsewhere = judge(a_probe(10000), an_answer(10000, "a" * 63), (*HOPS, Hop(long, HopKind.SERVICE)), None)
    assert (elsewhere.outcome, elsewhere.stands_at) == (Outcome.MISDIRECTED, long)


@pytest.mark.parametrize(
    ("origin", "icmp_type", "code", "outcome"),
    [
        (2, 3, 3, Outcome.REFUSED),
        (2, 3, 9, Outcome.REJECTED),
        (2, 3, 10, Outcome.REJECTED),
        (2, 3, 13, Outcome.REJECTED),
        (2, 3, 0, Outcome.UNREACHABLE),
        (2, 3, 1, Outcome.UNREACHABLE),
        (2, 3, 4, None),
        (2, 11, 0, Outcome.UNREACHABLE),
        (2, 12, 0, None),
        (3, 1, 4, Outcome.REFUSED),
        (3, 1, 1, Outcome.REJECTED),
        (3, 1, 5, Outcome.REJECTED),
        (3, 1, 6, Outcome.REJECTED),
        (3, 1, 0, Outcome.UNREACHABLE),
        (3, 1, 3, Outcome.UNREACHABLE),
        (3, 2, 0, None),
        (3, 3, 0, Outcome.UNREACHABLE),
        (1, 3, 3, None),
    ],
)
def test_icmp_errors_are_told_apart(origin: int, icmp_type: int, code: int, outcome: Outcome | None) -> None:
    assert meaning(origin, icmp_type, code) is outcome


def test_only_a_rejection_that_this_computer_sent_about_another_is_its_own_firewall() -> None:
    own = "192.168.77.20"
    rejected = IcmpError(10000, Outcome.REJECTED, own)
    assert blocked_here(rejected, "203.0.113.20", own) is not None
    assert blocked_here(rejected, own, own) is None
    assert blocked_here(rejected, "203.0.113.20", None) is None
    assert blocked_here(IcmpError(10000, Outcome.REJECTED, "203.0.113.20"), "203.0.113.20", own) is None
    assert blocked_here(IcmpError(10000, Outcome.UNREACHABLE, own), "192.168.77.99", own) is None


def test_addresses_are_spelled_so_that_the_port_is_clear() -> None:
    assert spelled(("192.0.2.1", 5000)) == "192.0.2.1:5000"
    assert spelled(("2001:db8::1", 5000)) == "[2001:db8::1]:5000"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"220 mail.example\r\nmore", "'220 mail.example'"),
        (b"\x1b[2Jclear", "9 bytes"),
        (b"x" * 100, repr("x" * 60)),
        (b"\n", "1 byte"),
        (b"", "0 bytes"),
    ],
)
def test_foreign_bytes_are_shown_only_where_they_are_harmless(data: bytes, words: str) -> None:
    assert shown(data) == words
