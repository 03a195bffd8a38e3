"""Session descriptions: what is read of them, what is wrong with them, and how they should read."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import aioice
import aioice.candidate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.cli import main
from wizard.diagnosis.sdp import judge
from wizard.diagnosis.sdp_rewrite import rewrite, static_candidates
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.resource import resource
from wizard.report.sdp import dumps, report, to_text
from wizard.wire.sdp import CandidateType, SdpError, candidate_of, parse

PROJECT = Project(
    "GPU",
    "203.0.113.20",
    (
        Hop("frps", HopKind.TUNNEL_SERVER, None, "203.0.113.20"),
        Hop("frpc", HopKind.TUNNEL_CLIENT),
        Hop("app", HopKind.SERVICE),
    ),
    (
        PortPlan("signalling", Protocol.TCP, PortRange(10110, 10110), {"app": PortRange(9000, 9000)}),
        PortPlan("media", Protocol.UDP, PortRange(10111, 10115), {"app": PortRange(20111, 20115)}),
    ),
)
PROJECT_FILE = """
format = 1
name = "GPU"
public_address = "203.0.113.20"
[[hops]]
id = "frps"
kind = "tunnel-server"
address = "203.0.113.20"
[[hops]]
id = "app"
kind = "service"
[[ports]]
name = "media"
protocol = "udp"
outside = "10111-10115"
"""
HEAD = "v=0\no=- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\n"
# As aiortc writes it: one socket, no trickling, the host's own address everywhere.
AIORTC = (
    HEAD
    + "a=group:BUNDLE 0 1\na=msid-semantic:WMS *\n"
    + "".join(
        f"""m={kind} 43210 UDP/TLS/RTP/SAVPF 96
c=IN IP4 192.168.77.10
a=sendrecv
a=mid:{mid}
a=rtcp:9 IN IP4 0.0.0.0
a=rtcp-mux
a=candidate:6815297761 1 udp 2130706431 192.168.77.10 43210 typ host
a=candidate:8ac31b7d 1 udp 1694498815 198.51.100.9 43210 typ srflx raddr 192.168.77.10 rport 43210
a=end-of-candidates
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=setup:actpass
"""
        for mid, kind in enumerate(("audio", "video"))
    )
)
# As Chromium writes it: candidates of every kind, mDNS, TCP that only calls out, generation and network-cost behind.
CHROMIUM = (
    HEAD
    + """a=group:BUNDLE 0
a=extmap-allow-mixed
m=audio 54321 UDP/TLS/RTP/SAVPF 111
c=IN IP4 203.0.113.20
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 8a4f6c0e-0000-4000-8000-0123456789ab.local 51000 typ host generation 0 network-cost 999
a=candidate:2 1 udp 2122260223 192.168.77.20 51001 typ host generation 0 network-id 1 network-cost 10
a=candidate:3 1 udp 2122197247 2001:db8::20 51002 typ host generation 0 network-id 2
a=candidate:4 1 tcp 1518280447 192.168.77.20 9 typ host tcptype active generation 0
a=candidate:5 1 udp 1686052607 203.0.113.20 20112 typ srflx raddr 0.0.0.0 rport 0 generation 0
a=candidate:6 1 udp 41885439 198.51.100.7 50000 typ relay raddr 203.0.113.20 rport 54321 generation 0
a=candidate:7 1 tcp 1518214911 203.0.113.20 10112 typ host tcptype passive
a=candidate:8 1 udp 1 203.0.113.20 10113 typ host
a=candidate:9 1 udp 1 203.0.113.20 54321 typ host
a=candidate:10 1 udp 1 100.64.3.4 10111 typ host
a=candidate:11 1 udp 1 fe80::1%eth0 10111 typ host
a=candidate:12 1 udp 1 chat.example.org 10111 typ host
a=candidate:13 1 udp 1 0.0.0.0 10111 typ host
a=candidate:14 one udp 1 203.0.113.20 10111 typ host
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=ice-options:trickle
a=mid:0
a=rtcp-mux
"""
)


def test_each_candidate_is_told_apart_against_the_plan() -> None:
    verdict = judge(parse(CHROMIUM), PROJECT)
    assert [(told.phrase.key, told.wrong) for told in verdict.candidates] == [
        ("mdns", True),
        ("private", True),
        ("elsewhere", True),
        ("fine-active", False),
        ("inner-port", True),
        ("fine-relay", False),
        ("wrong-protocol", True),
        ("fine-host", False),
        ("unmapped", True),
        ("carrier", True),
        ("link-local", True),
        ("name", True),
        ("unusable", True),
    ]
    assert [(told.line, told.phrase.key) for told in verdict.lines] == [(7, "media-port"), (23, "unread")]
    assert verdict.candidates[4].phrase.values["outside"] == "10112"


def test_a_text_that_shows_the_public_address_and_mapped_ports_is_right() -> None:
    right = AIORTC.replace("192.168.77.10", "203.0.113.20").replace("43210", "10111")
    right = "\n".join(line for line in right.splitlines() if "srflx" not in line)
    verdict = judge(parse(right), PROJECT)
    assert not verdict.wrong
    # frp's ways are told all the same.
    assert [note.key for note in verdict.notes] == ["note-source", "note-idle"]


def test_an_edit_of_the_text_is_said_to_move_no_socket() -> None:
    told = report(parse(AIORTC), PROJECT)
    assert "note-ephemeral" in [note.key for note in told.verdict.notes]
    assert told.rewritten is not None
    assert [(one.socket, one.outside, one.inner) for one in told.rewritten.moved] == [
        ("192.168.77.10:43210", 10111, 20111)
    ]
    text = to_text(told)
    assert "aiortc and aioice" in text
    assert "must bind 20111" in text


def test_the_rewritten_text_shows_the_public_address_and_one_mapped_port_for_each_socket() -> None:
    made = rewrite(parse(AIORTC), PROJECT)
    assert not judge(parse(made.text), PROJECT).wrong
    assert made.text.count("a=candidate:1 1 UDP 2130706431 203.0.113.20 10111 typ host\r\n") == 2
    assert "192.168" not in made.text
    assert "198.51.100" not in made.text
    assert made.text.count("c=IN IP4 203.0.113.20\r\n") == 2
    assert made.text.startswith("v=0\r\n")
    assert made.text.endswith("a=setup:actpass\r\n")


def test_a_relayed_candidate_stays_as_it_is_and_a_number_of_the_host_becomes_that_of_clients() -> None:
    made = rewrite(parse(CHROMIUM), PROJECT).text
    assert "a=candidate:6 1 udp 41885439 198.51.100.7 50000 typ relay raddr 203.0.113.20 rport 54321" in made
    own = CHROMIUM.replace("8a4f6c0e-0000-4000-8000-0123456789ab.local 51000", "192.168.77.10 20114")
    assert "a=candidate:1 1 UDP 2130706431 203.0.113.20 10114 typ host" in rewrite(parse(own), PROJECT).text


def test_a_candidate_that_takes_tcp_connections_is_given_the_public_address_where_its_port_is_planned() -> None:
    tcp = "".join(
        f"a=candidate:{n} 1 tcp 1518280447 {address} {port} typ host tcptype passive\n"
        for n, (address, port) in enumerate((("192.168.77.10", 9000), ("10.0.0.4", 9000), ("192.168.77.10", 4444)))
    )
    made = rewrite(parse(AIORTC.replace("a=end-of-candidates\n", tcp + "a=end-of-candidates\n")), PROJECT).text
    assert made.count("tcptype passive") == 2
    assert made.count("a=candidate:0 1 TCP 1518280447 203.0.113.20 10110 typ host tcptype passive\r\n") == 2
    assert not judge(parse(made), PROJECT).wrong


def test_more_sockets_than_planned_ports_are_said_to_be_left_out() -> None:
    section = AIORTC[AIORTC.index("m=audio") : AIORTC.index("m=video")]
    text = HEAD + "".join(section.replace("43210", str(50000 + n)).replace("mid:0", f"mid:{n}") for n in range(7))
    made = rewrite(parse(text), PROJECT)
    assert [one.outside for one in made.moved] == [10111, 10112, 10113, 10114, 10115]
    assert made.left_out == ("192.168.77.10:50005", "192.168.77.10:50006")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("a=rtcp-mux\n", ""), "missing-rtcp"),
        (("a=ice-ufrag:abcd\n", ""), "no-credentials"),
        ((" 1 udp", " 2 udp"), "missing-component"),
        (("c=IN IP4 192.168.77.10\n", ""), "no-connection"),
        (("c=IN IP4 192.168.77.10", "c=IN IP4 0.0.0.0"), "connection"),
        (("a=candidate", "a=x-candidate"), "none"),
    ],
)
def test_what_is_missing_around_the_candidates_is_named(change: tuple[str, str], said: str) -> None:
    verdict = judge(parse(AIORTC.replace(*change)), PROJECT)
    assert (7, said) in [(told.line, told.phrase.key) for told in verdict.lines] or said == "connection"
    assert said in [told.phrase.key for told in verdict.lines if told.wrong]


def test_what_trickles_later_is_no_fault_and_neither_is_the_place_held_for_it() -> None:
    text = (
        HEAD + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=mid:0\n"
        "a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\na=ice-options:trickle\n"
    )
    verdict = judge(parse(text), PROJECT)
    assert not verdict.wrong
    assert [told.phrase.key for told in verdict.lines] == ["none-yet", "placeholder"]


def test_without_a_plan_a_section_that_nobody_outside_reaches_is_wrong_and_private_addresses_are_not() -> None:
    verdict = judge(parse(AIORTC), None)
    assert [told.phrase.key for told in verdict.candidates] == ["private-alone", "fine-srflx"] * 2
    assert not verdict.wrong
    only_inside = "\n".join(line for line in AIORTC.splitlines() if "srflx" not in line)
    assert [told.phrase.key for told in judge(parse(only_inside), None).lines] == ["nothing-public"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: json.dumps({"type": "offer", "sdp": text}),
        lambda text: json.dumps({"description": {"type": "answer", "sdp": text}}).replace("description", "candidate"),
        repr,
        lambda text: "\n".join(f"   > {line}" for line in text.splitlines()),
        lambda text: "\ufeff" + text,
    ],
    ids=["CRLF", "JSON", "nested", "escapes", "quoted", "BOM"],
)
def test_a_description_is_read_however_it_was_copied(wrap: object) -> None:
    assert callable(wrap)
    read = parse(wrap(AIORTC))
    assert [(media.kind, media.mid, len(media.candidates)) for media in read.media] == [
        ("audio", "0", 2),
        ("video", "1", 2),
    ]
    assert read.bundle == ("0", "1")


def test_candidates_alone_are_read_as_they_trickle() -> None:
    read = parse('[{"candidate": "candidate:1 1 UDP 1 192.168.77.10 5000 typ host", "sdpMid": "0"}]')
    assert read.is_list
    verdict = judge(read, PROJECT)
    assert [told.phrase.key for told in verdict.candidates] == ["private"]
    assert rewrite(read, PROJECT).text == "candidate:1 1 UDP 2130706431 203.0.113.20 10111 typ host\r\n"


def test_a_candidate_is_read_with_all_its_parts() -> None:
    found = candidate_of(
        "a=candidate:4+/a 2 TCP 1518280447 2001:db8::1 9 typ srflx raddr :: rport 0 tcptype so ufrag x"
    )
    assert found is not None
    assert (found.foundation, found.component, found.protocol, found.address, found.port) == (
        *("4+/a", 2, "tcp", "2001:db8::1", 9),
    )
    assert (found.type, found.related, found.tcp_type) == (CandidateType.SRFLX, ("::", 0), "so")
    assert candidate_of(str(found)) == found


@given(
    component=st.integers(1, 2),
    port=st.integers(0, 65535),
    kind=st.sampled_from(("host", "srflx", "prflx", "relay")),
    host=st.sampled_from(("192.168.77.10", "2001:db8::1", "8a4f6c0e-0000-4000-8000-0123456789ab.local")),
    tcp=st.sampled_from((None, "active", "passive", "so")),
)
def test_what_aioice_writes_is_read_as_it_is_meant(component: int, port: int, kind: str, host: str, tcp: str) -> None:
    theirs = aioice.Candidate(
        foundation=aioice.candidate.candidate_foundation(kind, "udp", host),
        component=component,
        transport="tcp" if tcp else "udp",
        priority=aioice.candidate.candidate_priority(component, kind),
        host=host,
        port=port,
        type=kind,
        related_address="192.168.77.10" if kind != "host" else None,
        related_port=4 if kind != "host" else None,
        tcptype=tcp,
    )
    ours = candidate_of(f"candidate:{theirs.to_sdp()}")
    assert str(ours).lower() == f"candidate:{theirs.to_sdp()}".lower()


def test_every_planned_port_has_a_candidate_that_can_be_given_to_clients() -> None:
    assert list(static_candidates(PROJECT)) == [
        f"candidate:1 1 UDP 2130706431 203.0.113.20 {port} typ host" for port in range(10111, 10116)
    ]


def test_no_password_is_in_what_is_shown_of_a_value() -> None:
    assert "0123456789012345678901" not in repr(parse(AIORTC))


def test_both_catalogues_say_the_same_things_with_the_same_gaps() -> None:
    catalogues = [tomllib.loads(resource("sdp", f"{name}.toml").read_text("utf-8")) for name in ("en", "zh_CN")]
    for table in ("text", "phrase"):
        english, chinese = (catalogue[table] for catalogue in catalogues)
        assert english.keys() == chinese.keys()
        gaps = [{k: sorted(re.findall(r"\$\w+", v)) for k, v in words.items()} for words in (english, chinese)]
        assert gaps[0] == gaps[1]
    for language in ("en", "zh_CN"):
        for text in (AIORTC, CHROMIUM):
            assert to_text(report(parse(text), PROJECT), language)
            assert json.loads(dumps(report(parse(text), PROJECT), language))["format"] == 1


ATOMS = st.sampled_from(
    [
        *AIORTC.splitlines(),
        *CHROMIUM.splitlines(),
        "m=",
        "c=IN IP4 ",
        "a=candidate:",
        "a=group:BUNDLE",
        "m=audio 0 RTP/AVP 0",
    ]
) | st.text(max_size=40)


@settings(max_examples=300)
@given(lines=st.lists(ATOMS, max_size=30), head=st.booleans())
def test_garbage_is_refused_or_judged_and_its_rewritten_form_is_read_again(lines: list[str], head: bool) -> None:
    text = "\n".join(["v=0", *lines] if head else lines)
    try:
        read = parse(text)
    except SdpError:
        return
    for project in (None, PROJECT, replace(PROJECT, ports=())):
        assert to_text(report(read, project), "zh_CN")
        assert dumps(report(read, project))
    made = rewrite(read, PROJECT)
    again = judge(parse(made.text), PROJECT) if made.text.strip() else None
    assert again is None or not {"private", "unmapped", "inner-port"} & {told.phrase.key for told in again.candidates}


def test_the_command_ends_with_0_1_or_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, wrong, right, other = (tmp_path / name for name in ("gpu.toml", "wrong.sdp", "right.sdp", "other.txt"))
    project.write_text(PROJECT_FILE)
    wrong.write_text(AIORTC)
    other.write_text("hello\n")
    assert main(["sdp", str(wrong), "--project", str(project), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["client"], len(told["static_candidates"])) == (False, {"iceServers": []}, 5)
    assert [one["code"] for one in told["problems"]] == ["media-port", "connection"]
    right.write_text(told["rewritten"]["sdp"])
    assert main(["sdp", str(right), "--project", str(project)]) == 0
    assert "Nothing wrong" in capsys.readouterr().out
    for arguments in ([str(other)], [str(tmp_path / "none")], [str(wrong), "--project", str(tmp_path / "none")]):
        assert main(["sdp", *arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1
