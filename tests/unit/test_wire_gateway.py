"""NAT-PMP, PCP and SSDP: what is written is what the RFCs say, and no bytes break the readers."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.wire import natpmp, pcp, ssdp
from wizard.wire.transport import Transport

OWN, WAN = "192.168.77.20", "203.0.113.20"
NONCE = bytes(range(12))
MAPPING = pcp.Mapping(NONCE, Transport.UDP, 5000, 6000, WAN)

ports = st.integers(1, 65535)
transports = st.sampled_from(Transport)


def mapped(address: str) -> bytes:
    return bytes(10) + b"\xff\xff" + bytes(map(int, address.split(".")))


def pcp_reply(operation: int = 1, code: int = 0, lifetime_s: int = 3600, epoch_s: int = 7, body: bytes = b"") -> bytes:
    return struct.pack("!BBBBII12x", 2, 0x80 | operation, 0, code, lifetime_s, epoch_s) + body


def pcp_body(protocol: int = 17) -> bytes:
    return NONCE + struct.pack("!B3xHH", protocol, 5000, 6000) + mapped(WAN)


def test_natpmp_requests_are_those_of_rfc_6886() -> None:
    assert natpmp.address_request() == bytes([0, 0])
    assert natpmp.map_request(Transport.UDP, 5000, 6000, 3600) == bytes.fromhex("000100001388177000000e10")
    assert natpmp.map_request(Transport.TCP, 5000, 6000, 3600)[1] == 2
    # Section 3.4: to take a mapping away the outer port is 0 as well.
    assert natpmp.map_request(Transport.UDP, 5000, 6000, 0) == bytes.fromhex("000100001388000000000000")


def test_natpmp_replies_are_read() -> None:
    reply = natpmp.read(bytes.fromhex("0080000000000005") + bytes([203, 0, 113, 20]))
    assert reply == natpmp.AddressReply(natpmp.Result.SUCCESS, 0, 5, WAN)
    reply = natpmp.read(bytes.fromhex("00810000000000051388177000000e10"))
    assert reply == natpmp.MapReply(natpmp.Result.SUCCESS, 0, 5, Transport.UDP, 5000, 6000, 3600)


def test_a_natpmp_gateway_without_an_address_tells_none() -> None:
    nothing = natpmp.read(bytes.fromhex("008000000000000500000000"))
    assert isinstance(nothing, natpmp.AddressReply)
    assert nothing.address is None
    offline = natpmp.read(bytes.fromhex("008000030000000500000000"))
    assert isinstance(offline, natpmp.AddressReply)
    assert (offline.result, offline.address) == (natpmp.Result.NETWORK_FAILURE, None)


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        ("00800001", natpmp.Result.UNSUPPORTED_VERSION),
        ("00810002000000051388000000000000", natpmp.Result.NOT_AUTHORISED),
        ("00810004000000051388000000000000", natpmp.Result.OUT_OF_RESOURCES),
        ("0081000200000005", natpmp.Result.NOT_AUTHORISED),
        ("00850005", natpmp.Result.UNSUPPORTED_OPCODE),
        ("00810099000000051388000000000000", natpmp.Result.UNKNOWN),
    ],
)
def test_a_natpmp_refusal_says_why(reply: str, result: natpmp.Result) -> None:
    assert natpmp.read(bytes.fromhex(reply)).result is result


@pytest.mark.parametrize(
    "data", ["", "0080", "02800000", "00000000", "0080000000000005", "0081000000000005", "00ff000000000000"]
)
def test_what_is_no_natpmp_reply_is_refused(data: str) -> None:
    with pytest.raises(natpmp.NatPmpError):
        natpmp.read(bytes.fromhex(data))


def test_pcp_requests_are_those_of_rfc_6887() -> None:
    assert pcp.announce_request(OWN) == bytes([2, 0, 0, 0, 0, 0, 0, 0]) + mapped(OWN)
    request = pcp.map_request(OWN, MAPPING, 3600)
    assert request[:8] == bytes.fromhex("0201000000000e10")
    assert request[8:24] == mapped(OWN)
    assert request[24:] == pcp_body()
    assert len(request) == 60


def test_a_pcp_mapping_is_read() -> None:
    reply = pcp.read(pcp_reply(body=pcp_body()))
    assert reply == pcp.Reply(pcp.Result.SUCCESS, 0, 3600, 7, MAPPING)
    assert pcp.read(pcp_reply(0)).mapping is None


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (2, pcp.Result.NOT_AUTHORISED),
        (11, pcp.Result.CANNOT_PROVIDE_EXTERNAL),
        (12, pcp.Result.ADDRESS_MISMATCH),
        (200, pcp.Result.UNKNOWN),
    ],
)
def test_a_pcp_refusal_says_why(code: int, result: pcp.Result) -> None:
    reply = pcp.read(pcp_reply(code=code, lifetime_s=30, body=pcp_body()))
    assert (reply.result, reply.code, reply.lifetime_s) == (result, code, 30)
    assert pcp.read(pcp_reply(code=code)).mapping is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(4),
        bytes([2, 1, 0, 0]) + bytes(20),
        bytes([2, 0x81, 0, 0]),
        pcp_reply(body=pcp_body()[:-1]),
        pcp_reply(body=pcp_body(1)),
        pcp_reply(9),
        pcp_reply(body=bytes(1200)),
    ],
)
def test_what_is_no_pcp_reply_is_refused(data: bytes) -> None:
    with pytest.raises(pcp.PcpError):
        pcp.read(data)


@given(transports, ports, ports, st.integers(0, 0xFFFFFFFF), st.ip_addresses(), st.binary(min_size=12, max_size=12))
def test_a_pcp_mapping_comes_back_as_it_was_sent(
    transport: Transport, internal: int, external: int, lifetime_s: int, address: object, nonce: bytes
) -> None:
    wish = pcp.Mapping(nonce, transport, internal, external, str(address))
    request = pcp.map_request(OWN, wish, lifetime_s)
    got = pcp.read(pcp_reply(lifetime_s=lifetime_s, body=request[24:])).mapping
    assert got is not None
    assert (got.nonce, got.transport, got.internal, got.external) == (nonce, transport, internal, external)


@given(st.binary(max_size=1300))
def test_no_bytes_break_the_readers(data: bytes) -> None:
    with contextlib.suppress(natpmp.NatPmpError):
        natpmp.read(data)
    with contextlib.suppress(pcp.PcpError):
        pcp.read(data)
    ssdp.read(data, OWN)


@given(st.sampled_from([pcp_reply(body=pcp_body()), bytes.fromhex("00810000000000051388177000000e10")]), st.data())
def test_no_cut_or_changed_reply_breaks_the_readers(whole: bytes, data: st.DataObject) -> None:
    changed = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 3)) if changed else 0):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(natpmp.NatPmpError):
        natpmp.read(bytes(changed))
    with contextlib.suppress(pcp.PcpError):
        pcp.read(bytes(changed))


def answer(
    location: str = "http://192.168.77.1:5000/rootDesc.xml", st_: str = ssdp.TARGETS[0], head: str = "HTTP/1.1 200 OK"
) -> bytes:
    return f"{head}\r\nST: {st_}\r\nLocation: {location}\r\n\r\n".encode()


def test_a_gateway_s_answer_to_a_search_is_read() -> None:
    assert ssdp.read(answer(), "192.168.77.1") == ssdp.Found("http://192.168.77.1:5000/rootDesc.xml", 1)
    assert ssdp.read(answer(st_=ssdp.TARGETS[1]), "192.168.77.1") == ssdp.Found(
        "http://192.168.77.1:5000/rootDesc.xml", 2
    )
    assert ssdp.search(ssdp.TARGETS[0]).startswith(b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n")


@pytest.mark.parametrize(
    "data",
    [
        answer("http://203.0.113.9/elsewhere.xml"),
        answer("https://192.168.77.1/rootDesc.xml"),
        answer("http://user@192.168.77.1/rootDesc.xml"),
        answer("http://192.168.77.1:99999/rootDesc.xml"),
        answer("file:///etc/passwd"),
        answer(st_="upnp:rootdevice"),
        answer(head="HTTP/1.1 404 Not Found"),
        answer(head="NOTIFY * HTTP/1.1"),
        answer() + b"x" * 5000,
    ],
)
def test_an_answer_that_leads_elsewhere_or_is_none_is_passed_over(data: bytes) -> None:
    assert ssdp.read(data, "192.168.77.1") is None


@given(st.text(), st.text())
def test_no_url_breaks_the_check_of_where_it_leads(url: str, rest: str) -> None:
    ssdp.is_at(url, "192.168.77.1")
    assert not ssdp.is_at(f"http://192.168.77.1.{rest}", "192.168.77.1") or "192.168.77.1" in rest


def test_a_gateway_that_lost_its_mappings_is_told_by_its_clock() -> None:
    assert not pcp.restarted(100, 160, 60.0)
    assert pcp.restarted(100, 5, 60.0)
    assert pcp.restarted(100, 400, 60.0)
    assert pcp.restarted(100, 110, 60.0)
