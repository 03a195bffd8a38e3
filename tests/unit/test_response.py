"""What a responder answers, decided without sockets."""

from __future__ import annotations

import dataclasses
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.report.responder import responder_plan
from wizard.wire import packet, probe, response

PUBLIC, LAN, CGN, DOCKER = "203.0.113.5", "192.168.77.10", "100.64.3.4", "172.17.0.2"


def a_project() -> Project:
    return Project(
        "home",
        PUBLIC,
        (
            Hop("router", HopKind.ROUTER, address=PUBLIC),
            Hop("nas-firewall", HopKind.FIREWALL, address=LAN),
            Hop("docker", HopKind.CONTAINER),
            Hop("chat", HopKind.SERVICE, address=DOCKER),
        ),
        (
            PortPlan("media", Protocol.UDP, PortRange(10000, 10100), {"chat": PortRange(20000, 20100)}),
            PortPlan("web", Protocol.TCP, PortRange(443, 443), {"nas-firewall": PortRange(8172, 8172)}),
        ),
        probe_key="k",
    )


@pytest.mark.parametrize(
    ("planned", "own", "came_in_on", "wrong"),
    [
        ([LAN], [LAN], LAN, False),
        ([LAN], [], "192.168.77.11", True),
        ([LAN], [], "10.0.0.4", True),
        ([LAN], [], CGN, True),
        ([CGN], [], "169.254.9.9", True),
        ([PUBLIC], [], "198.51.100.7", True),
        # Behind 1:1 NAT a host never sees its public address.
        ([PUBLIC], [], "10.0.0.4", False),
        ([LAN], [], PUBLIC, False),
        ([PUBLIC, "10.0.0.4"], [], "10.0.0.5", True),
        ([PUBLIC, "10.0.0.4"], ["10.0.0.4"], "10.0.0.5", False),
        # Another address of the planned host.
        ([LAN], [LAN], "10.8.0.1", False),
        # Nothing comparable was planned.
        ([], [], LAN, False),
        ([LAN], [], "fd00::1", False),
        (["fd00::10"], [], "fd00::11", True),
        (["fd00::10"], [], "2001:db8::11", False),
        (["2001:db8::10"], [], "2001:db8::11", True),
        (["fe80::1%eth0"], [], "fe80::2", True),
        # Loopback is everywhere.
        ([LAN], [], "127.0.0.1", False),
        ([LAN], [], "::1", False),
        ([LAN], [], "0.0.0.0", False),
        (["127.0.0.1"], ["127.0.0.1"], LAN, False),
        (["127.0.0.1", LAN], ["127.0.0.1"], "192.168.77.11", True),
        # As a dual-stack socket shows it.
        ([LAN], [], "::ffff:192.168.77.10", False),
        ([LAN], [], "::ffff:192.168.77.11", True),
    ],
)
def test_a_host_is_wrong_only_where_a_comparable_planned_address_is_missing(
    planned: list[str], own: list[str], came_in_on: str, wrong: bool
) -> None:
    assert response.is_wrong_host(planned, own, came_in_on) is wrong


def test_a_plan_has_the_numbers_that_arrive_at_its_hop() -> None:
    assert responder_plan(a_project()).ports == (("udp", 20000, 20100), ("tcp", 8172, 8172))
    assert responder_plan(a_project(), "docker").ports == (("udp", 10000, 10100), ("tcp", 8172, 8172))
    assert responder_plan(a_project(), "router").ports == (("udp", 10000, 10100), ("tcp", 443, 443))


def test_a_plan_has_the_addresses_of_its_own_host_and_of_no_other() -> None:
    assert responder_plan(a_project()).addresses == (DOCKER,)
    assert responder_plan(a_project(), "docker").addresses == (LAN,)
    assert responder_plan(a_project(), "nas-firewall").addresses == (LAN,)
    assert responder_plan(a_project(), "router").addresses == (PUBLIC,)


def test_an_unlabelled_firewall_before_an_addressed_service_is_on_the_same_host() -> None:
    project = dataclasses.replace(
        a_project(),
        hops=(
            Hop("router", HopKind.ROUTER, address=PUBLIC),
            Hop("docker", HopKind.FIREWALL),
            Hop("chat", HopKind.SERVICE, address=LAN),
        ),
    )
    assert responder_plan(project, "docker").addresses == (LAN,)


def test_an_unknown_hop_is_an_error() -> None:
    with pytest.raises(KeyError):
        responder_plan(a_project(), "nowhere")


@pytest.mark.parametrize(
    ("enters", "port", "protocol", "number", "planned"),
    [
        ("router", 10000, "udp", 20000, True),
        ("router", 10000, "udp", 20001, False),
        ("nas-firewall", 10100, "udp", 20100, True),
        ("chat", 20007, "udp", 20007, True),
        ("chat", 10007, "udp", 20007, False),
        ("router", 443, "tcp", 8172, True),
        ("nas-firewall", 443, "tcp", 8172, False),
        # The protocol that was not planned, on the number that was.
        ("router", 10000, "tcp", 20000, True),
        ("router", 10000, "tcp", 20002, False),
        ("elsewhere", 10000, "udp", 20000, False),
        ("router", 0, "udp", 20000, False),
    ],
)
def test_a_probe_belongs_on_the_number_that_the_plan_says(
    enters: str, port: int, protocol: str, number: int, planned: bool
) -> None:
    request = probe.Request(bytes(12), "laptop", enters, port)
    assert responder_plan(a_project()).arrives_as_planned(request, protocol, number) is planned


def test_a_plan_lists_each_number_once() -> None:
    plan = responder_plan(a_project())._replace(ports=(("udp", 1, 3), ("tcp", 2, 2), ("udp", 2, 4)))
    assert plan.numbers() == [("udp", 1), ("udp", 2), ("udp", 3), ("tcp", 2), ("udp", 4)]


def test_a_signed_request_gets_an_answer_that_names_both_ends_and_the_hop() -> None:
    plan = responder_plan(a_project())
    request = probe.request(plan.key, b"transaction!", "laptop", "router", 10000)
    made = response.reply(plan, request, ("192.0.2.9", 5000), (DOCKER, 20000), False)
    assert made is not None
    assert made[0] == (b"transaction!", "laptop", "router", 10000)
    expected = (b"transaction!", ("192.0.2.9", 5000), (DOCKER, 20000), "chat", False)
    assert probe.read_answer(plan.key, made[1]) == expected


def test_what_is_not_signed_gets_no_answer() -> None:
    plan = responder_plan(a_project())
    for data in (b"", b"GET / HTTP/1.1\r\n\r\n", probe.request(b"another", bytes(12), "laptop", "router")):
        assert response.reply(plan, data, ("192.0.2.9", 5000), (DOCKER, 20000), False) is None


def test_a_request_smaller_than_its_answer_gets_none() -> None:
    plan = responder_plan(a_project())
    small = probe._signed(plan.key, probe.BINDING_REQUEST, bytes(12), b"")
    assert probe.read_request(plan.key, small) is not None
    assert response.reply(plan, small, ("192.0.2.9", 5000), (DOCKER, 20000), False) is None


def test_ten_thousand_ports_asked_twice_at_three_thousand_a_second_are_all_answered() -> None:
    allowance = response.Allowance()
    assert all(allowance.admits("192.0.2.9", 100 + n / 3000) for n in range(20_000))


def test_a_flood_from_one_source_is_bounded_and_starves_no_other() -> None:
    allowance = response.Allowance()
    admitted = sum(allowance.admits("192.0.2.9", 100 + n / 100_000) for n in range(100_000))
    assert admitted <= response.SOURCE_BURST + response.SOURCE_RATE
    assert allowance.admits("192.0.2.10", 101.0)


def test_a_flood_from_many_sources_is_bounded() -> None:
    allowance = response.Allowance()
    admitted = sum(allowance.admits(f"10.0.{n >> 8 & 255}.{n & 255}", 100 + n / 100_000) for n in range(100_000))
    assert response.BURST <= admitted <= response.BURST + response.RATE
    assert len(allowance._sources) <= response.SOURCES


def test_a_retransmission_is_told_once_and_a_later_run_again() -> None:
    recent = response.Recent()
    assert [recent.is_new("probe", at) for at in (0.0, 0.5, 1.5, 3.5, 10.5, 11.0)] == [
        True,
        False,
        False,
        False,
        True,
        False,
    ]
    assert recent.is_new("another probe", 11.0)


V1 = b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)


@pytest.mark.parametrize("header", [V1, b"PROXY UNKNOWN\r\n", V2, V2[:14] + b"\0\0"])
def test_a_proxy_protocol_header_is_measured_before_what_follows(header: bytes) -> None:
    assert response.proxy_header_size(header + probe.request(b"k", bytes(12), "laptop", "router")) == len(header)


def test_a_proxy_protocol_header_is_waited_for_until_its_size_is_known() -> None:
    assert {response.proxy_header_size(V1[:n]) for n in range(len(V1) - 1)} == {None}
    assert {response.proxy_header_size(V2[:n]) for n in range(16)} == {None}
    assert {response.proxy_header_size(V2[:n]) for n in range(16, len(V2))} == {len(V2)}


@pytest.mark.parametrize("start", [b"G", b"\0\1", b"PROXIES", b"\r\n\r\nhello", b"PROXY " + b"x" * 200])
def test_what_is_no_proxy_protocol_header_is_not_waited_for(start: bytes) -> None:
    assert response.proxy_header_size(start) == 0


@given(st.binary(max_size=40))
def test_the_start_of_a_stream_is_measured_without_an_error(start: bytes) -> None:
    size = response.proxy_header_size(start)
    assert size is None or size >= 0


def ipv4_packet(payload: bytes, protocol: int = 17, options: bytes = b"", fragment: int = 0) -> bytes:
    words = 5 + len(options) // 4
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | words, 0, 20, 1, fragment, 64, protocol, 0, bytes([192, 0, 2, 1]), bytes([10, 0, 0, 4])
    )
    return head + options + struct.pack("!HHHH", 5000, 20000, 8 + len(payload), 0) + payload


def test_a_datagram_is_found_in_its_packet() -> None:
    expected = (("192.0.2.1", 5000), ("10.0.0.4", 20000), b"hello")
    assert packet.datagram(ipv4_packet(b"hello")) == expected
    assert packet.datagram(ipv4_packet(b"hello", options=bytes(8))) == expected
    # A short frame is padded on the wire.
    assert packet.datagram(ipv4_packet(b"hello") + bytes(20)) == expected
    ipv6 = struct.pack("!IHBB", 0x60000000, 13, 17, 64) + bytes(15) + b"\1" + bytes(15) + b"\2"
    ipv6 += struct.pack("!HHHH", 5000, 20000, 13, 0) + b"hello"
    assert packet.datagram(ipv6) == (("::1", 5000), ("::2", 20000), b"hello")


def test_what_is_no_whole_datagram_is_none() -> None:
    assert packet.datagram(ipv4_packet(b"hello", protocol=6)) is None
    assert packet.datagram(ipv4_packet(b"hello", fragment=0x2000)) is None
    assert packet.datagram(ipv4_packet(b"hello", fragment=5)) is None
    assert packet.datagram(ipv4_packet(b"hello")[:-1]) is None


@given(st.binary(max_size=80))
def test_packets_of_any_kind_are_read_without_an_error(data: bytes) -> None:
    found = packet.datagram(data)
    assert found is None or found.payload in data
