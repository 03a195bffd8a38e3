"""The STUN codec: the RFCs' own vectors, an independent parser, and whatever bytes there are."""

from __future__ import annotations

import hashlib
import os

import pytest
from aioice import stun as aioice_stun
from hypothesis import given
from hypothesis import strategies as st

from wizard.wire import stun
from wizard.wire.attribute import Attribute, ErrorCode, Icmp
from wizard.wire.frame import (
    CHANNEL_FIRST,
    CHANNEL_LAST,
    ChannelData,
    frame_size,
    parse_channel_data,
    write_channel_data,
)
from wizard.wire.stun import Class, Integrity, Message, Method, StunError, parse, verified, write

TRANSACTION = bytes(range(12))
# RFC 5769 section 2.4, with the long-term key of its user, realm and password.
LONG_TERM_REQUEST = bytes.fromhex(
    "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000"
    "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341"
    "0014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666"
)
LONG_TERM_KEY = hashlib.md5("マトリックス:example.org:TheMatrIX".encode()).digest()
# RFC 5769 section 2.3: an IPv6 answer with SOFTWARE padded by spaces, under the password as the key.
IPV6_RESPONSE = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
PASSWORD_KEY = b"VOkJxbRl1RmTxUk/WvJxBt"


def test_the_long_term_request_of_rfc_5769_is_read_and_verified() -> None:
    message = parse(LONG_TERM_REQUEST)
    assert (message.method, message.cls) == (Method.BINDING, Class.REQUEST)
    assert message.text(Attribute.USERNAME) == "マトリックス"
    assert message.data(Attribute.REALM) == b"example.org"
    assert verified(message, LONG_TERM_KEY, Integrity.SHA1)
    assert not verified(message, PASSWORD_KEY, Integrity.SHA1)


def test_the_ipv6_response_of_rfc_5769_is_read_and_verified() -> None:
    message = parse(IPV6_RESPONSE)
    assert message.address(Attribute.XOR_MAPPED_ADDRESS) == ("2001:db8:1234:5678:11:2233:4455:6677", 32853)
    assert message.text(Attribute.SOFTWARE) == "test vector"
    assert verified(message, PASSWORD_KEY, Integrity.SHA1)


def test_the_sha256_request_of_rfc_8489_is_written_byte_for_byte() -> None:
    # RFC 8489 appendix B.1, with the PASSWORD-ALGORITHM of its erratum.
    user_hash = hashlib.sha256("マトリックス:example.org".encode()).digest()
    key = hashlib.sha256("マトリックス:example.org:TheMatrIX".encode()).digest()
    data = write(
        Message(
            Method.BINDING,
            Class.REQUEST,
            bytes.fromhex("78ad3433c6ad72c029da412e"),
            (
                (Attribute.USERHASH, user_hash),
                (Attribute.NONCE, b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"),
                (Attribute.REALM, b"example.org"),
                (Attribute.PASSWORD_ALGORITHM, bytes([0, 2, 0, 0])),
            ),
        ),
        key,
        Integrity.SHA256,
    )
    assert bytes.fromhex("001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65") in data
    assert verified(parse(data), key, Integrity.SHA256)


def test_an_independent_parser_reads_what_is_written() -> None:
    data = write(
        Message(
            Method.ALLOCATE,
            Class.SUCCESS,
            TRANSACTION,
            (
                (Attribute.XOR_RELAYED_ADDRESS, ("192.0.2.7", 50000)),
                (Attribute.XOR_MAPPED_ADDRESS, ("2001:db8::1", 5000)),
                (Attribute.LIFETIME, 600),
            ),
        ),
        b"key",
    )
    other = aioice_stun.parse_message(data)
    assert other.attributes["XOR-RELAYED-ADDRESS"] == ("192.0.2.7", 50000)
    assert other.attributes["XOR-MAPPED-ADDRESS"] == ("2001:db8::1", 5000)
    assert other.check_message_integrity(b"key")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (Attribute.ERROR_CODE, ErrorCode(486, "Allocation Quota Reached")),
        (Attribute.ALTERNATE_SERVER, ("198.51.100.7", 3478)),
        (Attribute.XOR_PEER_ADDRESS, ("2001:db8::7", 1)),
        (Attribute.UNKNOWN_ATTRIBUTES, (0x7F01, 0x0017)),
        (Attribute.CHANNEL_NUMBER, 0x4000),
        (Attribute.REQUESTED_ADDRESS_FAMILY, 2),
        (Attribute.EVEN_PORT, 0x80),
        (Attribute.CONNECTION_ID, b"\1\2\3\4"),
        (Attribute.ICMP, Icmp(3, 13)),
        (Attribute.DATA, b"odd"),
    ],
)
def test_every_attribute_comes_back_as_it_was(attribute: Attribute, value: object) -> None:
    message = Message(Method.CONNECTION_ATTEMPT, Class.INDICATION, TRANSACTION, ((attribute, value),))
    assert parse(write(message)) == message


def test_what_stands_behind_the_integrity_is_not_part_of_the_message() -> None:
    signed = write(Message(Method.BINDING, Class.SUCCESS, TRANSACTION), b"key")[:-8]
    forged = signed + bytes.fromhex("80220004") + b"evil"
    message = parse(forged[:2] + (len(forged) - 20).to_bytes(2, "big") + forged[4:])
    assert not message.has(Attribute.SOFTWARE)


def test_a_wrong_fingerprint_is_no_message() -> None:
    data = bytearray(write(Message(Method.BINDING, Class.SUCCESS, TRANSACTION), b"key"))
    data[-1] ^= 1
    with pytest.raises(StunError, match="fingerprint"):
        parse(bytes(data))


def test_a_server_cannot_steer_the_terminal() -> None:
    reason = ErrorCode(400, "bad\x1b[2J\r\nrequest")
    message = parse(write(Message(Method.BINDING, Class.ERROR, TRANSACTION, ((Attribute.ERROR_CODE, reason),))))
    assert message.error is not None
    assert message.error.reason.isprintable()


def test_text_that_is_not_utf_8_is_still_an_error() -> None:
    data = write(Message(Method.ALLOCATE, Class.ERROR, TRANSACTION, ((Attribute.ERROR_CODE, ErrorCode(401, "xx")),)))
    message = parse(data.replace(b"xx", b"\xff\xfe"))
    assert message.error is not None
    assert message.error.code == 401


def test_types_that_must_be_understood_and_are_not_are_told() -> None:
    body = bytes.fromhex("7f010000ff010000")
    data = bytes.fromhex("01010008") + stun.COOKIE.to_bytes(4, "big") + TRANSACTION + body
    assert parse(data).unknown == (0x7F01,)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_stun_error(data: bytes) -> None:
    for whole in (data, _framed(data)):
        try:
            message = parse(whole)
        except StunError:
            continue
        assert len(message.attributes) <= stun.MAX_ATTRIBUTES
        verified(message, b"key", Integrity.SHA1)
        verified(message, b"key", Integrity.SHA256)


@given(st.integers(0, len(LONG_TERM_REQUEST) - 1), st.integers(1, 255))
def test_no_changed_byte_passes_for_signed(at: int, change: int) -> None:
    data = bytearray(LONG_TERM_REQUEST)
    data[at] ^= change
    try:
        message = parse(bytes(data))
    except StunError:
        return
    # Padding is not covered by what a reader gets, but it is by the code.
    assert not verified(message, LONG_TERM_KEY, Integrity.SHA1)


@given(st.binary(max_size=60))
def test_the_start_of_a_stream_gives_a_bounded_size_or_an_error(data: bytes) -> None:
    try:
        size = frame_size(data)
    except StunError:
        return
    assert size is None or 4 <= size <= 65560


@given(st.integers(CHANNEL_FIRST, CHANNEL_LAST), st.binary(max_size=50), st.booleans())
def test_channel_data_comes_back_as_it_was(channel: int, data: bytes, stream: bool) -> None:
    frame = write_channel_data(channel, data, stream=stream)
    assert parse_channel_data(frame) == ChannelData(channel, data)
    assert frame_size(frame) == len(data) + 4 + (-len(data) % 4)


def test_channel_data_that_is_cut_short_is_an_error() -> None:
    with pytest.raises(StunError, match="cut short"):
        parse_channel_data(write_channel_data(0x4000, b"four", stream=False)[:-1])


def _framed(body: bytes) -> bytes:
    body = body[: len(body) // 4 * 4]
    head = (0x0101).to_bytes(2, "big") + len(body).to_bytes(2, "big") + stun.COOKIE.to_bytes(4, "big")
    return head + os.urandom(12) + body
