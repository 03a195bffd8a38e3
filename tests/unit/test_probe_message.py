"""The signed probe, held against aioice's STUN parser and against hostile bytes."""

from __future__ import annotations

import ipaddress

from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from wizard.wire import probe

KEY = b"a project's key"
OTHER_KEY = b"another project's key"

keys = st.binary(min_size=1, max_size=100)
transactions = st.binary(min_size=12, max_size=12)
ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=80)
ports = st.integers(0, 65535)
addresses = st.tuples(st.ip_addresses().filter(lambda ip: getattr(ip, "ipv4_mapped", None) is None).map(str), ports)


def an_answer(key: bytes = KEY, wrong_host: bool = False) -> bytes:
    return probe.answer(key, bytes(12), ("192.0.2.1", 5000), ("192.168.77.10", 20000), "chat", wrong_host)


@given(keys, transactions, ids, ids, ports)
def test_a_request_reads_back_as_it_was_written(
    key: bytes, transaction: bytes, vantage: str, enters: str, port: int
) -> None:
    data = probe.request(key, transaction, vantage, enters, port)
    assert probe.read_request(key, data) == (transaction, vantage[: probe.MAX_ID], enters[: probe.MAX_ID], port)


@given(keys, transactions, addresses, addresses, ids, st.booleans())
def test_an_answer_reads_back_as_it_was_written(
    key: bytes, transaction: bytes, seen_as: tuple[str, int], came_in_on: tuple[str, int], at: str, wrong: bool
) -> None:
    data = probe.answer(key, transaction, seen_as, came_in_on, at, wrong)
    assert probe.read_answer(key, data) == (transaction, seen_as, came_in_on, at[: probe.MAX_ID], wrong)


@given(keys, transactions, ids, ids, ports)
def test_another_parser_reads_a_request_as_a_signed_binding_request(
    key: bytes, transaction: bytes, vantage: str, enters: str, port: int
) -> None:
    message = stun.parse_message(probe.request(key, transaction, vantage, enters, port))
    assert (message.message_method, message.message_class) == (stun.Method.BINDING, stun.Class.REQUEST)
    assert message.transaction_id == transaction
    assert message.check_message_integrity(key)
    assert not message.check_message_integrity(key + b"x")


@given(transactions, addresses, addresses, ids, st.booleans())
def test_another_parser_reads_an_answer_as_a_signed_binding_response(
    transaction: bytes, seen_as: tuple[str, int], came_in_on: tuple[str, int], at: str, wrong: bool
) -> None:
    message = stun.parse_message(probe.answer(KEY, transaction, seen_as, came_in_on, at, wrong))
    assert (message.message_method, message.message_class) == (stun.Method.BINDING, stun.Class.RESPONSE)
    assert message.transaction_id == transaction
    assert message.attributes["XOR-MAPPED-ADDRESS"] == seen_as
    assert message.attributes["RESPONSE-ORIGIN"] == came_in_on
    assert message.check_message_integrity(KEY)


@given(addresses, addresses, ids, ids, st.booleans())
def test_an_answer_is_never_larger_than_any_request(
    seen_as: tuple[str, int], came_in_on: tuple[str, int], vantage: str, at: str, wrong: bool
) -> None:
    request = probe.request(KEY, bytes(12), vantage[:1], at[:1])
    assert len(probe.answer(KEY, bytes(12), seen_as, came_in_on, at, wrong)) <= len(request)
    assert len(request) <= len(probe.request(KEY, bytes(12), vantage, at, 65535)) <= probe.MAX_MESSAGE


@given(st.integers(0), st.integers(1, 255))
def test_no_altered_byte_goes_unnoticed(where: int, change: int) -> None:
    for read, data in (
        (probe.read_request, probe.request(KEY, bytes(12), "laptop", "router", 10000)),
        (probe.read_answer, an_answer(wrong_host=True)),
    ):
        altered = bytearray(data)
        altered[where % len(data)] ^= change
        assert read(KEY, bytes(altered)) is None


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_without_an_error_and_as_nothing(data: bytes) -> None:
    assert probe.read_request(KEY, data) is None
    assert probe.read_answer(KEY, data) is None
    assert not probe.is_foreign_request(KEY, data)


@given(st.binary(max_size=300))
def test_signed_nonsense_is_read_without_an_error(body: bytes) -> None:
    body += bytes(-len(body) % 4)
    for kind, read in ((probe.BINDING_REQUEST, probe.read_request), (probe.BINDING_SUCCESS, probe.read_answer)):
        read(KEY, probe._signed(KEY, kind, bytes(12), body))


def test_a_request_is_no_answer_and_an_answer_no_request() -> None:
    request = probe.request(KEY, bytes(12), "laptop", "router")
    assert probe.read_answer(KEY, request) is None
    assert probe.read_request(KEY, an_answer()) is None


def test_under_another_key_a_message_is_none() -> None:
    assert probe.read_request(OTHER_KEY, probe.request(KEY, bytes(12), "laptop", "router")) is None
    assert probe.read_answer(OTHER_KEY, an_answer()) is None


def test_a_request_under_another_key_is_known_as_such_and_our_own_is_not() -> None:
    request = probe.request(KEY, bytes(12), "laptop", "router")
    assert probe.is_foreign_request(OTHER_KEY, request)
    assert not probe.is_foreign_request(KEY, request)
    assert not probe.is_foreign_request(OTHER_KEY, an_answer())
    assert not probe.is_foreign_request(OTHER_KEY, bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)))


def test_bytes_after_the_signature_make_a_message_none() -> None:
    request = probe.request(KEY, bytes(12), "laptop", "router")
    assert probe.read_request(KEY, request + b"\0\0\0\0") is None


def test_ipv4_seen_through_a_dual_stack_socket_is_told_as_ipv4() -> None:
    data = probe.answer(KEY, bytes(12), ("::ffff:192.0.2.1", 5000), ("::ffff:192.168.77.10", 20000), "chat", False)
    answer = probe.read_answer(KEY, data)
    assert answer is not None
    assert (answer.seen_as, answer.came_in_on) == (("192.0.2.1", 5000), ("192.168.77.10", 20000))


def test_a_zone_is_left_out_of_an_address() -> None:
    answer = probe.read_answer(KEY, probe.answer(KEY, bytes(12), ("fe80::1%eth0", 1), ("fe80::2", 2), "chat", False))
    assert answer is not None
    assert answer.seen_as == ("fe80::1", 1)


@given(st.binary(max_size=20))
def test_a_stream_is_framed_by_the_header_alone(start: bytes) -> None:
    request = probe.request(KEY, bytes(12), "laptop", "router")
    assert probe.message_size(request[: len(start)]) == (0 if len(start) < 20 else len(request))
    assert probe.message_size(request + start) == len(request)


def test_a_stream_that_is_no_stun_is_told_from_one_that_is_too_short() -> None:
    assert probe.message_size(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") is None
    assert probe.message_size(b"GET /") == 0
    too_large = probe.HEADER.pack(probe.BINDING_REQUEST, probe.MAX_MESSAGE, probe.COOKIE, bytes(12))
    assert probe.message_size(too_large) is None


def test_a_port_that_is_no_number_reads_as_unknown() -> None:
    for port in (b"", b"-1", b"12345678901234567890", b"\xff"):
        body = probe._attribute(probe.SENDER, b"laptop\0router\0" + port)
        request = probe.read_request(KEY, probe._signed(KEY, probe.BINDING_REQUEST, bytes(12), body))
        assert request is not None
        assert (request.vantage, request.enters, request.port) == ("laptop", "router", 0)


def test_the_largest_answer_fits_the_smallest_request() -> None:
    largest = ipaddress.IPv6Address(2**128 - 1)
    answer = probe.answer(KEY, bytes(12), (str(largest), 65535), (str(largest), 65535), "h" * 200, True)
    assert len(answer) == 168
    assert len(answer) <= probe.REQUEST_SIZE
