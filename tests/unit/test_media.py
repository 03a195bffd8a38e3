"""Numbered, time-stamped packets, and the figures drawn from their arrival."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.wire import media
from wizard.wire.media import Delay, Packet, Stream

SOURCE = 0xC0FFEE


def sent(count: int, every_s: float = 0.02) -> tuple[Stream, list[Packet]]:
    """A stream of which `count` packets have left, evenly spaced from 0 on."""
    stream = Stream(SOURCE, 160)
    packets = [media.read(stream.depart(place * every_s)) for place in range(count)]
    return stream, [packet for packet in packets if packet is not None]


@given(
    st.builds(
        Packet,
        source=st.integers(0, 2**32 - 1),
        sequence=st.integers(0, 2**32 - 1),
        sent_s=st.integers(0, 2**40).map(lambda ms: ms / 1000),
    ),
    st.integers(media.SMALLEST, 1400),
)
def test_a_packet_is_read_as_it_was_written(packet: Packet, size: int) -> None:
    data = media.write(packet, size)
    assert len(data) == size
    read = media.read(data)
    assert read is not None
    assert (read.source, read.sequence) == (packet.source, packet.sequence)
    assert read.sent_s == pytest.approx(packet.sent_s, abs=2e-6)


@given(st.binary(max_size=200))
def test_other_bytes_are_no_packet(data: bytes) -> None:
    assert media.read(data) is None


def test_a_packet_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        media.write(Packet(1, 0, 0.0), media.SMALLEST - 1)


def test_the_start_is_an_rtp_header() -> None:
    data = media.write(Packet(SOURCE, 65537, 0.0), 160)
    assert data[0] >> 6 == 2
    assert int.from_bytes(data[2:4], "big") == 1
    assert int.from_bytes(data[8:12], "big") == SOURCE


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    assert media.delay(place / 1000 for place in range(100, 0, -1)) == Delay(1.0, 50.5, 95.0)
    assert media.delay([0.007]) == Delay(7.0, 7.0, 7.0)
    assert media.delay([]) is None


def test_nothing_sent_has_lost_nothing() -> None:
    figures = Stream(SOURCE, 160).figures()
    assert (figures.sent, figures.loss_percent, figures.delay, figures.jitter_ms) == (0, 0.0, None, None)


def test_a_steady_way_has_no_jitter() -> None:
    stream, packets = sent(50)
    for packet in packets:
        stream.arrive(packet, packet.sent_s + 0.030)
    figures = stream.figures()
    assert figures.delay == Delay(pytest.approx(30), pytest.approx(30), pytest.approx(30))  # type: ignore[arg-type]
    assert figures.jitter_ms == pytest.approx(0, abs=1e-6)
    assert figures.payload_bytes == 50 * 160


def test_jitter_is_the_estimate_of_rfc_3550_appendix_a_8() -> None:
    stream, packets = sent(200)
    random_delay = random.Random(1)
    transit = estimate = 0.0
    for place, packet in enumerate(packets):
        arrival = packet.sent_s + random_delay.uniform(0.010, 0.020)
        # The code of the RFC, with seconds for its units of the timestamp.
        before, transit = transit, arrival - packet.sent_s
        if place:
            d = abs(transit - before)
            estimate += (1.0 / 16.0) * (d - estimate)
        stream.arrive(packet, arrival)
    figures = stream.figures()
    assert figures.jitter_ms == pytest.approx(estimate * 1000, rel=1e-3)
    assert figures.jitter_peak_ms is not None
    assert figures.jitter_peak_ms >= figures.jitter_ms


def test_jitter_of_alternating_delays_tends_to_their_difference() -> None:
    stream, packets = sent(400)
    for packet in packets:
        stream.arrive(packet, packet.sent_s + (0.010 if packet.sequence % 2 else 0.018))
    assert stream.figures().jitter_ms == pytest.approx(8.0, rel=1e-3)


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)), st.lists(st.integers(0, 11)))
def test_loss_reordering_and_duplicates_are_counted_apart(order: list[int], lost: set[int], again: list[int]) -> None:
    stream, packets = sent(12)
    came = [place for place in order if place not in lost]
    twice = [place for place in again if place in came]
    for now, place in enumerate(came + twice):
        stream.arrive(packets[place], 1.0 + now / 1000)
    figures = stream.figures()
    assert figures.lost == len(lost)
    assert figures.loss_percent == pytest.approx(100 * len(lost) / 12)
    assert figures.duplicates == len(twice)
    assert figures.reordered == sum(place < max(came[:at], default=-1) for at, place in enumerate(came))


def test_what_was_never_sent_does_not_count() -> None:
    stream, packets = sent(3)
    stream.arrive(Packet(SOURCE, 3, 0.0), 0.1)
    assert stream.figures().received == 0
    stream.arrive(packets[2], 0.1)
    assert stream.figures().received == 1


def test_the_median_is_that_of_all_that_came() -> None:
    stream, packets = sent(21)
    delays = [(place % 7 + 1) / 1000 for place in range(21)]
    for packet, late in zip(packets, delays, strict=True):
        stream.arrive(packet, packet.sent_s + late)
    figures = stream.figures()
    assert figures.delay is not None
    assert figures.delay.median_ms == pytest.approx(statistics.median(delays) * 1000, abs=0.01)


def test_the_loss_of_two_streams_is_that_of_their_packets() -> None:
    few, its = sent(10)
    many, _ = sent(90)
    for packet in its:
        few.arrive(packet, 1.0)
    assert media.loss_of([few.figures(), many.figures()]) == pytest.approx(90.0)
