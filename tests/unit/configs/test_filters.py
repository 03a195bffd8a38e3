"""Packet filters: what their files say of ports, and that what is written for them means what was asked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.configs.asking import wants
from wizard.configs.decoding import LARGEST, decoded
from wizard.configs.product import Order, Wanted
from wizard.configs.products import product, read, recognise
from wizard.configs.reading import Piece, Question, Reading, Source, UnreadableError
from wizard.configs.words import say, say_of
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortRange, Protocol
from wizard.model.project import Project
from wizard.observation import Coverage

FILTERS = ("firewalld", "iptables", "nftables", "ufw")
FOLDER = Path(__file__).parent / "filters"
FILES: list[dict[str, Any]] = tomllib.loads((FOLDER / "expected.toml").read_text("utf-8"))["file"]
PUBLIC, INNER = "203.0.113.20", "192.168.77.10"
_ASKED = re.compile(r"(udp|tcp) (\d+)(?: (?:\[(.+)\]|([^ \[\]:]+)):(\d+))?( v6)?( published)?")


def question(text: str) -> Question:
    """What the corpus asks, as a value."""
    asked = _ASKED.fullmatch(text)
    assert asked, text
    protocol, number, six, host, leaves, flag, published = asked.groups()
    return Question(
        Protocol(protocol),
        int(number),
        int(leaves or number),
        6 if six or flag else 4,
        translates=leaves is not None,
        host=six or host,
        destination=None if six or flag else PUBLIC if leaves else INNER,
        published=published is not None,
    )


def corpus(file: dict[str, Any]) -> bytes:
    """The file's bytes, in the encoding and with the line ends that the corpus says."""
    text = (FOLDER / file["name"]).read_text("utf-8").replace("\n", file.get("ends", "\n"))
    return text.encode(file.get("encoding", "utf-8"))


def opened(file: dict[str, Any]) -> Reading:
    """Its reading."""
    text = decoded(corpus(file))
    found = recognise(text)
    assert found.id == file["product"]
    assert found.read is not None
    return found.read(Source(text, file["name"], outward=tuple(file.get("outward", ()))))


def piece_text(piece: Piece) -> str:
    """A piece in few words."""
    ports = (f"{f.protocol} {f.outer}={f.inner}{'@' + f.host if f.host else ''}" for f in piece.forwards)
    return " ".join([piece.kind.value, *ports])


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file['name']}-{file.get('encoding', '')}")
def test_a_file_says_of_each_port_what_its_packet_filter_would_do(file: dict[str, Any]) -> None:
    if "refused" in file:
        with pytest.raises(UnreadableError) as refusal:
            opened(file)
        assert f"{refusal.value.phrase.key} {refusal.value.line}" == file["refused"]
        for language in ("en", "zh_CN"):
            assert say_of(file["name"], refusal.value, language)
        return
    reading = opened(file)
    said = {text: reading.answer(question(text)) for text in file["says"]}
    assert {text: " ".join([a.coverage.value, *map(str, a.lines)]) for text, a in said.items()} == file["says"]
    if "notes" in file:
        notes = [note.phrase.key + (f" {note.line}" if note.line else "") for note in reading.notes]
        assert notes == file["notes"]
    for note in reading.notes:
        assert say(note.phrase, "en") != say(note.phrase, "zh_CN")
    if "allowed" in file:
        assert [f"{a.protocol or 'any'} {a.numbers} {a.line}" for a in reading.allowed] == file["allowed"]
    if "pieces" in file:
        assert [piece_text(piece) for piece in reading.pieces] == file["pieces"]


def _order(wanted: list[Wanted], kind: HopKind, existing: Reading | None = None) -> Order:
    hop = Hop("it", kind, address=PUBLIC if kind is HopKind.ROUTER else INNER)
    service = Hop("chat", HopKind.SERVICE, address=INNER if kind is HopKind.ROUTER else None)
    return Order(Project("Chat #1", PUBLIC, (hop, service), ()), hop, tuple(wanted), existing)


def _asked(order: Order, protocol: Protocol, number: int, leaves: int) -> Question:
    led = order.hop.kind.translates
    return Question(protocol, number, leaves, 4, led, INNER if led else None, order.hop.address)


def _checked(name: str, order: Order) -> None:
    made = product(name)
    assert made.write is not None
    text = made.write(order).text
    assert recognise(text) is made
    reading = read(text.encode(), "written", made)
    planned = {(each.protocol, number) for each in order.wanted for number in each.arrives}
    for each in order.wanted:
        pairs = list(zip(each.arrives, each.leaves, strict=True))
        for number, leaves in (pairs[0], pairs[len(pairs) // 2], pairs[-1]):
            answer = reading.answer(_asked(order, each.protocol, number, leaves))
            assert answer.coverage is Coverage.COVERED, (text, number, answer)
            assert answer.lines
        for number in (each.arrives.first - 1, each.arrives.last + 1):
            if 1 <= number <= 65535 and (each.protocol, number) not in planned:
                answer = reading.answer(_asked(order, each.protocol, number, number))
                assert answer.coverage is not Coverage.COVERED, (text, number, answer)


@pytest.mark.parametrize("name", FILTERS)
@settings(max_examples=25)
@given(wanted=wants(translated=False))
def test_what_is_written_for_a_firewall_lets_in_what_was_asked_and_nothing_beside_it(
    name: str, wanted: list[Wanted]
) -> None:
    _checked(name, _order(wanted, HopKind.FIREWALL)) if wanted else None


@pytest.mark.parametrize("name", ["firewalld", "iptables", "nftables"])
@settings(max_examples=15)
@given(wanted=wants())
def test_what_is_written_for_a_router_leads_each_port_where_it_belongs(name: str, wanted: list[Wanted]) -> None:
    led = [Wanted(each.name, each.protocol, each.arrives, each.leaves, INNER) for each in wanted]
    _checked(name, _order(led, HopKind.ROUTER)) if led else None


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_what_is_written_says_in_both_languages_how_to_run_it_and_that_it_opens_ports(name: str, language: str) -> None:
    wanted = [Wanted("媒体", Protocol.UDP, PortRange(10000, 10100), PortRange(10000, 10100), None)]
    write = product(name).write
    assert write is not None
    order = _order(wanted, HopKind.FIREWALL)
    text = write(Order(order.project, order.hop, order.wanted, language=language))
    assert "root" in text.text
    assert "Hopwise" in text.undo
    assert [caution.key for caution in text.cautions] == ["opens-to-all"]
    assert all(say(caution, language) for caution in text.cautions)


def test_rules_for_a_container_stand_where_docker_asks_them() -> None:
    wanted = (Wanted("web", Protocol.TCP, PortRange(8172, 8172), PortRange(8172, 8172), None),)
    hops = (Hop("it", HopKind.FIREWALL), Hop("docker", HopKind.CONTAINER), Hop("chat", HopKind.SERVICE))
    order = Order(Project("Chat", PUBLIC, hops, ()), hops[0], wanted)
    written = {name: product(name).write for name in FILTERS}
    texts = {name: write(order) for name, write in written.items() if write is not None}
    assert "DOCKER-USER" in texts["iptables"].text
    assert "inet filter forward" in texts["nftables"].text
    for name in ("ufw", "firewalld"):
        assert "bypasses-firewall" in [caution.key for caution in texts[name].cautions]


def test_a_router_without_the_address_of_the_inner_host_gets_its_lines_as_comments() -> None:
    wanted = [Wanted("web", Protocol.TCP, PortRange(8172, 8172), PortRange(80, 80), "nas.example.org")]
    for name in ("firewalld", "iptables", "nftables"):
        write = product(name).write
        assert write is not None
        text = write(_order(wanted, HopKind.ROUTER))
        assert all(line.startswith("#") for line in text.text.splitlines() if "INNER-ADDRESS" in line)
        assert "no-target" in [caution.key for caution in text.cautions]


HOSTILE = {
    "nul": b"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 4\x0043 -j ACCEPT\nCOMMIT\n",
    "bytes": b"*filter\n:INPUT DROP [0:0]\n# \xff\xfe\x00\xfd\nCOMMIT\n",
    "huge": b"*filter\n" + b"-A INPUT -j ACCEPT\n" * (LARGEST // 19 + 1),
    "open quote": b'*filter\n:INPUT DROP [0:0]\n-A INPUT -m comment --comment "x -j ACCEPT\nCOMMIT\n',
    "json": b'{"nftables": [{"rule": {"family": "inet"}}]}',
    "deep json": b'{"nftables": ' + b"[" * 100_000,
    "braces": b"table inet t { chain c {\n" + b"{" * 50_000,
    "no table": b"#!/usr/sbin/nft -f\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(UnreadableError) as refusal:
        read(HOSTILE[name], "file")
    assert say_of("file", refusal.value, "zh_CN")


def test_jumps_that_double_at_every_step_are_given_up_and_not_taken_for_open() -> None:
    chains = [f":C{n} - [0:0]" for n in range(15)]
    jumps = [f"-A C{n} -p udp -j C{n + 1}" for n in range(14) for _ in range(12)]
    lines = ["*filter", ":INPUT DROP [0:0]", *chains, "-A INPUT -p udp -j C0", *jumps, "COMMIT", ""]
    reading = read("\n".join(lines).encode(), "rules")
    assert reading.answer(Question(Protocol.UDP, 443, 443)).coverage is Coverage.UNKNOWN
    assert reading.answer(Question(Protocol.TCP, 443, 443)).coverage is Coverage.MISSING


def test_a_list_of_thousands_of_banned_senders_leaves_the_port_open_to_the_others() -> None:
    bans = [f"-A INPUT -s {20 + n // 65536}.{n // 256 % 256}.{n % 256}.7/32 -j DROP" for n in range(0, 12_000, 2)]
    lines = ["*filter", ":INPUT DROP [0:0]", *bans, "-A INPUT -p udp --dport 443 -j ACCEPT", "COMMIT", ""]
    reading = read("\n".join(lines).encode(), "rules")
    answers = {reading.answer(Question(Protocol.UDP, number, number)).coverage for number in (443, 444, 445)}
    assert answers == {Coverage.COVERED, Coverage.MISSING}


@given(st.text(max_size=200))
def test_no_text_makes_a_reader_fail_in_another_way_than_by_a_refusal(text: str) -> None:
    for name in FILTERS:
        reader = product(name).read
        assert reader is not None
        try:
            reading = reader(Source(text.replace("\0", ""), "file"))
        except UnreadableError:
            continue
        reading.answer(Question(Protocol.UDP, 443, 443))


@given(st.lists(st.sampled_from(Path(FOLDER / "nft-typical.conf").read_text("utf-8").split(" ")), max_size=60))
def test_words_of_a_rule_set_in_any_order_are_read_or_refused(words: list[str]) -> None:
    reader = product("nftables").read
    assert reader is not None
    try:
        reading = reader(Source("table inet t {\nchain c {\n" + " ".join(words) + "\n}\n}\n", "file"))
    except UnreadableError:
        return
    reading.answer(Question(Protocol.UDP, 443, 443))
