"""The TURN client's state machine, without sockets and without a clock."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.model.secret import Secret
from wizard.wire.attribute import Attribute, ErrorCode, Icmp
from wizard.wire.frame import write_channel_data
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.stun import Class, Integrity, Message, Method, parse, verified, write
from wizard.wire.turn import TurnClient
from wizard.wire.turn_event import (
    Attempted,
    Broken,
    Event,
    Invalid,
    PeerIcmp,
    Received,
    Refused,
    Succeeded,
    Tunnelled,
    Unanswered,
)

REALM, NONCE = b"example.org", b"nonce-1"
KEY = hashlib.md5(b"alice:example.org:open-sesame").digest()
PEER = ("192.0.2.9", 5000)
RELAYED = (Attribute.XOR_RELAYED_ADDRESS, ("203.0.113.5", 50000))
LIFETIME = (Attribute.LIFETIME, 600)


def client(*, stream: bool = False, timing: Timing | None = None) -> TurnClient:
    return TurnClient(stream=stream, credentials=Credentials("alice", Secret("open-sesame")), timing=timing)


def sent(one: TurnClient) -> Message:
    """The one message that waits to be sent."""
    (data,) = one.outgoing()
    return parse(data)


def reply(
    to: Message,
    cls: Class,
    attributes: Sequence[tuple[Attribute, Any]] = (),
    key: bytes | None = None,
    integrity: Integrity = Integrity.SHA1,
) -> bytes:
    return write(Message(to.method, cls, to.transaction, tuple(attributes)), key, integrity)


def error(to: Message, code: int, *more: tuple[Attribute, Any], key: bytes | None = None) -> bytes:
    return reply(to, Class.ERROR, ((Attribute.ERROR_CODE, ErrorCode(code, "no")), *more), key)


def challenge(to: Message, code: int = 401, nonce: bytes = NONCE) -> bytes:
    return error(to, code, (Attribute.REALM, REALM), (Attribute.NONCE, nonce))


def allocated(*, stream: bool = False) -> TurnClient:
    one = client(stream=stream)
    one.allocate(0.0)
    one.receive(challenge(sent(one)), 0.1)
    events = one.receive(reply(sent(one), Class.SUCCESS, (RELAYED, LIFETIME), KEY), 0.2)
    assert isinstance(events[0], Succeeded)
    return one


def test_an_allocation_takes_two_round_trips_and_is_signed_in_the_second() -> None:
    one = client()
    ticket = one.allocate(0.0)
    first = sent(one)
    assert first.number(Attribute.REQUESTED_TRANSPORT) == 17
    assert not first.has(Attribute.USERNAME)
    assert one.receive(challenge(first), 0.1) == []
    second = sent(one)
    assert second.transaction != first.transaction
    assert second.text(Attribute.USERNAME) == "alice"
    assert verified(second, KEY, Integrity.SHA1)
    (done,) = one.receive(reply(second, Class.SUCCESS, (RELAYED, LIFETIME), KEY), 0.25)
    assert isinstance(done, Succeeded)
    assert (done.ticket, done.elapsed_s) == (ticket, 0.25)
    assert done.rtt_s == pytest.approx(0.15)
    assert one.allocation is not None
    assert one.allocation.relayed == (("203.0.113.5", 50000),)


def test_a_wrong_password_is_told_after_one_try() -> None:
    one = client()
    one.allocate(0.0)
    one.receive(challenge(sent(one)), 0.1)
    (refused,) = one.receive(challenge(sent(one)), 0.2)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.signed) == (401, True)
    assert one.outgoing() == []


def test_a_stale_nonce_is_renewed_once() -> None:
    one = allocated()
    one.refresh(1.0, 600)
    assert one.receive(challenge(sent(one), 438, b"nonce-2"), 1.1) == []
    again = sent(one)
    assert again.data(Attribute.NONCE) == b"nonce-2"
    (refused,) = one.receive(challenge(again, 438, b"nonce-3"), 1.2)
    assert isinstance(refused, Refused)
    assert refused.code == 438


def test_sha_256_is_used_where_the_nonce_offers_it() -> None:
    one = client()
    one.allocate(0.0)
    offer = (Attribute.PASSWORD_ALGORITHMS, bytes([0, 2, 0, 0, 0, 1, 0, 0]))
    # Bit 0 of the 24, which are AAAB in base64.
    nonce = (Attribute.NONCE, b"obMatJos2AAABrest")
    one.receive(error(sent(one), 401, (Attribute.REALM, REALM), nonce, offer), 0.1)
    signed = sent(one)
    key = hashlib.sha256(b"alice:example.org:open-sesame").digest()
    assert verified(signed, key, Integrity.SHA256)
    assert not signed.has(Attribute.MESSAGE_INTEGRITY)
    assert signed.data(Attribute.PASSWORD_ALGORITHM) == bytes([0, 2, 0, 0])
    (done,) = one.receive(reply(signed, Class.SUCCESS, (RELAYED, LIFETIME), key, Integrity.SHA256), 0.2)
    assert isinstance(done, Succeeded)


def test_an_offer_that_the_nonce_does_not_vouch_for_is_passed_over() -> None:
    one = client()
    one.allocate(0.0)
    offer = (Attribute.PASSWORD_ALGORITHMS, bytes([0, 2, 0, 0]))
    one.receive(error(sent(one), 401, (Attribute.REALM, REALM), (Attribute.NONCE, NONCE), offer), 0.1)
    assert verified(sent(one), KEY, Integrity.SHA1)


def test_a_success_with_a_wrong_signature_is_not_believed() -> None:
    one = client()
    one.allocate(0.0)
    one.receive(challenge(sent(one)), 0.1)
    second = sent(one)
    for key in (None, b"another key"):
        assert one.receive(reply(second, Class.SUCCESS, (RELAYED, LIFETIME), key), 0.2) == []
    assert one.allocation is None
    (end,) = [event for at in range(1, 8) for event in one.tick(float(at))]
    assert isinstance(end, Unanswered)
    assert end.heard is not None
    assert "not signed" in end.heard


def test_an_unsigned_error_is_told_with_its_code() -> None:
    one = allocated()
    one.create_permission(1.0, [PEER])
    (refused,) = one.receive(error(sent(one), 441), 1.1)
    assert isinstance(refused, Refused)
    assert refused.code == 441


def test_a_redirection_names_the_other_server() -> None:
    one = client()
    one.allocate(0.0)
    (refused,) = one.receive(error(sent(one), 300, (Attribute.ALTERNATE_SERVER, ("198.51.100.9", 3478))), 0.1)
    assert isinstance(refused, Refused)
    assert refused.alternate == ("198.51.100.9", 3478)


def test_datagrams_are_repeated_at_doubling_intervals_until_the_time_is_up() -> None:
    one = client(timing=Timing(rto_s=0.5, timeout_s=5.5))
    one.binding(10.0)
    times, end = [10.0], None
    one.outgoing()
    while end is None:
        due = one.next_timer()
        assert due is not None
        events = one.tick(due)
        times += [due] * len(one.outgoing())
        end = next(iter(events), None)
    assert times == [10.0, 10.5, 11.5, 13.5]
    assert due == 15.5
    assert end == Unanswered(1, None)
    assert one.next_timer() is None


def test_a_stream_is_sent_nothing_twice() -> None:
    one = client(stream=True)
    one.binding(0.0)
    one.outgoing()
    assert one.next_timer() == 5.5
    one.tick(5.0)
    assert one.outgoing() == []


def test_the_round_trip_is_unknown_when_it_was_asked_twice() -> None:
    one = client()
    one.binding(0.0)
    request = sent(one)
    one.tick(0.5)
    mapped = (Attribute.XOR_MAPPED_ADDRESS, ("192.0.2.1", 1))
    (done,) = one.receive(reply(request, Class.SUCCESS, [mapped]), 0.6)
    assert isinstance(done, Succeeded)
    assert done.rtt_s is None


def test_a_late_second_answer_is_passed_over() -> None:
    one = client()
    one.binding(0.0)
    answer = reply(sent(one), Class.SUCCESS, [(Attribute.XOR_MAPPED_ADDRESS, ("192.0.2.1", 1))])
    assert len(one.receive(answer, 0.1)) == 1
    assert one.receive(answer, 0.2) == []


@pytest.mark.parametrize("cls", [Class.REQUEST, Class.INDICATION])
def test_an_echo_is_no_answer(cls: Class) -> None:
    one = client()
    one.binding(0.0)
    assert one.receive(reply(sent(one), cls), 0.1) == []


def test_an_answer_without_what_was_asked_for_is_invalid() -> None:
    one = client()
    one.binding(0.0)
    (end,) = one.receive(reply(sent(one), Class.SUCCESS), 0.1)
    assert isinstance(end, Invalid)
    one.allocate(1.0)
    (end,) = one.receive(reply(sent(one), Class.SUCCESS, [LIFETIME]), 1.1)
    assert isinstance(end, Invalid)


def test_data_of_peers_comes_by_indication_and_by_channel() -> None:
    one = allocated()
    indication = Message(
        Method.DATA, Class.INDICATION, bytes(12), ((Attribute.XOR_PEER_ADDRESS, PEER), (Attribute.DATA, b"hello"))
    )
    assert one.receive(write(indication), 1.0) == [Received(PEER, b"hello")]
    one.channel_bind(1.0, PEER)
    request = sent(one)
    number = request.number(Attribute.CHANNEL_NUMBER)
    assert number == 0x4000
    one.receive(reply(request, Class.SUCCESS, key=KEY), 1.1)
    assert one.receive(write_channel_data(number, b"hi", stream=False), 1.2) == [Received(PEER, b"hi")]
    assert one.receive(write_channel_data(number + 1, b"hi", stream=False), 1.2) == []
    one.send(PEER, b"back")
    assert one.outgoing() == [write_channel_data(number, b"back", stream=False)]


def test_an_icmp_error_for_a_peer_is_told() -> None:
    told = Message(
        Method.DATA, Class.INDICATION, bytes(12), ((Attribute.XOR_PEER_ADDRESS, PEER), (Attribute.ICMP, Icmp(3, 3)))
    )
    assert allocated().receive(write(told), 1.0) == [PeerIcmp(PEER, Icmp(3, 3))]


def test_a_peer_that_connects_is_told() -> None:
    told = Message(
        Method.CONNECTION_ATTEMPT,
        Class.INDICATION,
        bytes(12),
        ((Attribute.XOR_PEER_ADDRESS, PEER), (Attribute.CONNECTION_ID, b"\0\0\0\7")),
    )
    assert allocated(stream=True).receive(write(told), 1.0) == [Attempted(PEER, b"\0\0\0\7")]


def test_after_connection_bind_the_stream_is_the_peers_own() -> None:
    one = allocated(stream=True)
    one.connection_bind(1.0, b"\0\0\0\7")
    answer = reply(sent(one), Class.SUCCESS, key=KEY)
    bound, peer = one.receive(answer + b"\0\1 any bytes", 1.1)
    assert isinstance(bound, Succeeded)
    assert peer == Tunnelled(b"\0\1 any bytes")
    assert one.receive(b"\xff\xff", 1.2) == [Tunnelled(b"\xff\xff")]


def test_releasing_ends_the_allocation() -> None:
    one = allocated()
    one.refresh(1.0, 0)
    one.receive(reply(sent(one), Class.SUCCESS, [(Attribute.LIFETIME, 0)], KEY), 1.1)
    assert one.allocation is None


def test_a_broken_stream_ends_every_ticket_once() -> None:
    one = allocated(stream=True)
    one.refresh(1.0, 600)
    one.refresh(1.0, 600)
    events = one.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n", 1.1)
    assert [type(event) for event in events] == [Invalid, Invalid, Broken]
    assert one.receive(b"more", 1.2) == []
    assert one.next_timer() is None


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=20))
def test_a_stream_means_the_same_however_it_is_cut(junk: bytes, cuts: list[int]) -> None:
    def events_of(pieces: list[bytes]) -> list[Event]:
        one = TurnClient(stream=True, random=lambda size: b"\7" * size)
        one.binding(0.0)
        return [event for piece in pieces for event in one.receive(piece, 0.1)]

    request = Message(Method.BINDING, Class.REQUEST, b"\7" * 12)
    stream = reply(request, Class.SUCCESS, [(Attribute.XOR_MAPPED_ADDRESS, ("192.0.2.1", 1))]) + junk
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(stream[at : at + cut])
        at += cut
    assert events_of([*pieces, stream[at:]]) == events_of([stream])


@given(st.lists(st.binary(max_size=120), max_size=8))
def test_no_datagram_raises_or_ends_a_ticket_that_it_does_not_answer(datagrams: list[bytes]) -> None:
    one = allocated()
    one.refresh(1.0, 600)
    assert [event for data in datagrams for event in one.receive(data, 1.1)] == []
    assert one.next_timer() is not None


attributes = st.lists(
    st.tuples(
        st.sampled_from([name.value for name in Attribute]) | st.integers(0, 0xFFFF),
        st.binary(max_size=40) | st.sampled_from((bytes(30_000), b"obMatJos2AAAB", bytes([0, 2, 0, 0]))),
    ),
    max_size=6,
)
lengths = st.sampled_from((0, 1, 20, 800, 32_740))
challenges = st.builds(
    lambda code, realm, nonce, offered: [
        (Attribute.ERROR_CODE.value, bytes([0, 0, 4, code])),
        (Attribute.REALM.value, bytes(realm)),
        (Attribute.NONCE.value, b"obMatJos2AAAB" + bytes(max(0, nonce - 13))),
        *([(Attribute.PASSWORD_ALGORITHMS.value, offered)] if offered else []),
    ],
    st.sampled_from((1, 38, 0)),
    lengths,
    lengths,
    st.sampled_from((b"", b"\0", bytes([0, 2, 0, 0]), bytes([0, 9, 255, 255]))),
)


@given(
    st.lists(st.tuples(st.sampled_from(Class), attributes) | st.tuples(st.just(Class.ERROR), challenges), max_size=4),
    st.booleans(),
)
def test_no_well_formed_answer_raises_or_makes_the_client_say_what_is_no_message(
    answers: list[tuple[Class, list[tuple[int, bytes]]]], stream: bool
) -> None:
    one = client(stream=stream)
    one.allocate(0.0)
    ends = 0
    for cls, found in answers:
        body = b"".join(
            kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)
            for kind, value in found
        )
        requests = [parse(data) for data in one.outgoing()]
        if not requests or len(body) > 0xFFFF:
            break
        head = (requests[-1].method | cls).to_bytes(2, "big") + len(body).to_bytes(2, "big")
        data = head + bytes.fromhex("2112a442") + requests[-1].transaction + body
        ends += sum(isinstance(e, Succeeded | Refused | Invalid | Unanswered) for e in one.receive(data, 0.1))
    for data in one.outgoing():
        parse(data)
    ends += sum(isinstance(e, Unanswered) for e in one.tick(100.0))
    assert ends == 1


def test_any_user_name_and_password_can_be_sent() -> None:
    for text in ("\ud800", "ü" * 70_000, ""):
        one = TurnClient(stream=False, credentials=Credentials(text, Secret(text)))
        one.allocate(0.0)
        one.receive(challenge(sent(one)), 0.1)
        assert sent(one).has(Attribute.USERNAME)


def test_the_password_is_in_no_text_that_the_client_gives() -> None:
    one = allocated()
    one.refresh(1.0, 600)
    (data,) = one.outgoing()
    assert b"open-sesame" not in data
    assert "open-sesame" not in repr(Credentials("alice", Secret("open-sesame")))
