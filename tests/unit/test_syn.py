"""SYNs by which a responder knows a prober, without sockets."""

from __future__ import annotations

import struct

import pytest

from wizard.wire.packet import handshake
from wizard.wire.response import ResponderPlan, Route
from wizard.wire.syn import AGAIN_AFTER_S, MARK_FIRST, MARKS, TOGETHER_S, Syns, syn_mark

KEY = b"k"
PLAN = ResponderPlan(
    key=KEY,
    hop="call",
    address="192.168.77.10",
    ports=(("tcp", 20000, 20009),),
    routes=(Route("router", "tcp", 10000, 10009, 20000), Route("call", "tcp", 20000, 20009, 20000)),
    vantages=("outside", "laptop"),
)
HERE = ("192.168.77.10", 20003)
SOURCE = "198.51.100.10"


def mark(turn: int, vantage: str = "outside", port: int = 10003, key: bytes = KEY) -> int:
    return syn_mark(key, vantage, "router", port, turn)


@pytest.mark.parametrize("port", [1, 80, 10003, 65535])
def test_marks_are_segment_sizes_that_every_network_carries_and_two_turns_differ(port: int) -> None:
    marks = [mark(turn, port=port) for turn in range(3)]
    assert all(MARK_FIRST <= size < MARK_FIRST + MARKS for size in marks)
    assert marks[0] == marks[2] != marks[1]


def test_a_sender_is_known_once_both_of_its_marks_came_from_one_source() -> None:
    syns = Syns(PLAN)
    assert syns.came((SOURCE, 5000), HERE, mark(0), 0.0) is None
    assert syns.came((SOURCE, 5000), HERE, mark(0), 1.0) is None
    assert syns.came(("198.51.100.11", 5001), HERE, mark(1), 1.0) is None
    seen = syns.came((SOURCE, 5001), HERE, mark(1), 1.5)
    assert seen is not None
    assert (seen.outcome, seen.protocol, seen.source, seen.came_in_on) == ("arrived", "tcp", (SOURCE, 5001), HERE)
    assert (seen.request.vantage, seen.request.enters, seen.request.port) == ("outside", "router", 10003)


def test_an_arrival_is_told_once_and_again_in_a_later_test() -> None:
    syns = Syns(PLAN)
    syns.came((SOURCE, 5000), HERE, mark(0), 0.0)
    assert syns.came((SOURCE, 5001), HERE, mark(1), 1.0) is not None
    assert syns.came((SOURCE, 5002), HERE, mark(0), 2.0) is None
    assert syns.came((SOURCE, 5003), HERE, mark(1), 1.0 + AGAIN_AFTER_S) is not None


def test_marks_far_apart_in_time_are_not_one_sender() -> None:
    syns = Syns(PLAN)
    syns.came((SOURCE, 5000), HERE, mark(0), 0.0)
    assert syns.came((SOURCE, 5001), HERE, mark(1), TOGETHER_S) is None


@pytest.mark.parametrize("other", [mark(1, "cloud"), mark(1, port=10004), mark(1, key=b"other"), 1460, 0])
def test_the_mark_of_another_place_port_or_project_proves_nothing(other: int) -> None:
    syns = Syns(PLAN)
    syns.came((SOURCE, 5000), HERE, mark(0), 0.0)
    assert syns.came((SOURCE, 5001), HERE, other, 1.0) is None


def test_on_a_number_that_is_not_planned_nobody_is_known() -> None:
    syns = Syns(PLAN)
    for turn in range(2):
        assert syns.came((SOURCE, 5000), ("192.168.77.10", 20004), mark(turn), 0.0) is None


def test_who_was_agreed_to_was_let_in_and_is_not_told() -> None:
    syns = Syns(PLAN)
    syns.came((SOURCE, 5000), HERE, mark(0), 0.0)
    syns.agreed((SOURCE, 5000), HERE)
    assert syns.came((SOURCE, 5001), HERE, mark(1), 1.0) is None


def test_a_host_that_lets_a_sender_in_no_longer_is_told_at_once() -> None:
    syns = Syns(PLAN)
    for turn in range(2):
        syns.came((SOURCE, 5000 + turn), HERE, mark(turn), 0.0)
        syns.agreed((SOURCE, 5000 + turn), HERE)
    assert syns.came((SOURCE, 5002), HERE, mark(0), 20.0) is None
    assert syns.came((SOURCE, 5003), HERE, mark(1), 20.5) is not None


def segment(flags: int, options: bytes = b"", six: bool = False) -> bytes:
    offset = (20 + len(options)) // 4
    tcp = struct.pack("!HHIIBBHHH", 5000, 443, 1, 0, offset << 4, flags, 0, 0, 0) + options
    if six:
        return b"\x60\0\0\0" + struct.pack("!HBB", len(tcp), 6, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + tcp
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, b"\xc6\x33\x64\x0a", b"\xc0\xa8\x4d\x0a"
    )
    return head + tcp


@pytest.mark.parametrize("six", [False, True])
def test_a_syn_and_its_answer_are_read_with_the_size_they_announce(six: bool) -> None:
    asks = handshake(segment(0xC2, b"\2\4\2\x8f", six))
    agrees = handshake(segment(0x12, b"\2\4\5\xb4", six))
    assert asks is not None
    assert (asks.agrees, asks.size, asks.source[1], asks.destination[1]) == (False, 655, 5000, 443)
    assert agrees is not None
    assert (agrees.agrees, agrees.size) == (True, 1460)


@pytest.mark.parametrize(
    "packet", [b"", segment(0x10), segment(0x04), segment(0x06), segment(0x03), segment(0x02)[:30], b"\x45" * 60]
)
def test_other_packets_are_no_handshake(packet: bytes) -> None:
    assert handshake(packet) is None


def test_a_syn_without_options_announces_nothing() -> None:
    bare = handshake(segment(0x02))
    assert bare is not None
    assert bare.size == 0
