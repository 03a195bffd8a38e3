"""Routers, security groups and Windows: what their files say of ports, and that what is written means the same."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.strategies import plans
from wizard.configs.coverage import coverage, excesses, wanted
from wizard.configs.decoding import decoded
from wizard.configs.product import Order
from wizard.configs.products import product, read, recognise
from wizard.configs.reading import Question, UnreadableError
from wizard.configs.words import say, say_of
from wizard.model.hop import Hop, HopKind
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.observation import Coverage

ROUTERS = ("mikrotik", "openwrt", "router-table")
CLOUDS = ("alibaba", "azure", "google", "hetzner", "huawei", "oracle", "tencent")
GATEWAYS = (*ROUTERS, "aws", "opnsense", "pfsense", "windows-firewall", *CLOUDS)

FOLDER = Path(__file__).parent / "gateways"
FILES: list[dict[str, Any]] = tomllib.loads((FOLDER / "expected.toml").read_text("utf-8"))["file"]
_ASKED = re.compile(r"(udp|tcp) (\d+)(?: (?:\[(.+)\]|([^ \[\]:]+)):(\d+))?( v6)?")


def gate(kind: HopKind) -> tuple[Hop, Hop]:
    """A path of one such hop before the service."""
    return Hop("gate", kind, None, "203.0.113.20"), Hop("chat", HopKind.SERVICE, None, "192.168.77.10")


def question(text: str) -> Question:
    """What the corpus asks, as a value."""
    asked = _ASKED.fullmatch(text)
    assert asked, text
    protocol, number, v6, host, leaves, flag = asked.groups()
    return Question(
        Protocol(protocol),
        int(number),
        int(leaves or number),
        6 if v6 or flag else 4,
        translates=leaves is not None,
        host=v6 or host,
        destination="203.0.113.20" if leaves and not v6 else None,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file["name"])
def test_a_file_is_read_as_what_it_is_and_says_of_each_port_what_its_product_would_do(file: dict[str, Any]) -> None:
    data = (FOLDER / file["name"]).read_bytes()
    if "encoding" in file:
        text = data.decode()
        data = (text.replace("\n", "\r\n") if file.get("crlf") else text).encode(file["encoding"])
    assert recognise(decoded(data)).id == file["product"]
    if "refused" in file:
        with pytest.raises(UnreadableError) as refusal:
            read(data, file["name"])
        assert f"{refusal.value.phrase.key} {refusal.value.line or ''}".strip() == file["refused"]
        assert all(say_of(file["name"], refusal.value, language) for language in ("en", "zh_CN"))
        return
    reading = read(data, file["name"])
    assert (reading.product, reading.file) == (file["product"], file["name"])
    answers = {text: reading.answer(question(text)) for text in file["says"]}
    said = {text: " ".join([answer.coverage, *map(str, answer.lines)]) for text, answer in answers.items()}
    assert said == file["says"]
    noted = [f"{note.phrase.key} {note.line or ''}".strip() for note in reading.notes]
    assert noted == file.get("notes", [])
    assert all(say_of(file["name"], note, language) for note in reading.notes for language in ("en", "zh_CN"))


def on_a_new_openwrt(commands: str) -> str:
    """What is in force when the commands are run on a router as it comes."""
    return (FOLDER / "openwrt-new.conf").read_text("utf-8") + commands


def on_a_new_mikrotik(commands: str) -> str:
    """The same for RouterOS."""
    return (FOLDER / "mikrotik-new.rsc").read_text("utf-8") + commands


def in_an_empty_group(commands: str) -> str:
    """What AWS shows of a group once the commands are run."""
    words = [shlex.split(line) for line in commands.splitlines() if line.startswith("aws ")]
    permissions = [one for line in words for one in json.loads(line[line.index("--ip-permissions") + 1])]
    return json.dumps({"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": permissions}]})


def on_a_new_windows(commands: str) -> str:
    """What Windows lists once the commands are run."""
    made = [line for line in commands.splitlines() if line.startswith("New-NetFirewallRule ")]
    options = [dict(re.findall(r"-(\w+) ('[^']*'|\S+)", line)) for line in made]
    assert all(each["Direction"] == "Inbound" for each in options)
    rules = [{**each, "LocalPort": [each["LocalPort"]], "RemoteAddress": ["Any"]} for each in options]
    return json.dumps({"Rules": rules})


APPLIED: dict[str, Callable[[str], str]] = {
    "aws": in_an_empty_group,
    "mikrotik": on_a_new_mikrotik,
    "openwrt": on_a_new_openwrt,
    "windows-firewall": on_a_new_windows,
}
WRITTEN_AND_READ = (*ROUTERS, "aws", "windows-firewall")


@st.composite
def projects(draw: st.DrawFn, kind: HopKind) -> Project:
    """A path of one such hop before the service, over either address family."""
    outer, inner = draw(st.sampled_from((("203.0.113.20", "192.168.77.10"), ("2001:db8::1", "2001:db8::10"))))
    hops = (Hop("gate", kind, "Gate", outer), Hop("chat", HopKind.SERVICE, None, inner))
    ports = draw(plans(hops, max_length=20))
    if ":" in outer:
        # Over IPv6 nothing is translated.
        ports = tuple(replace(plan, inside={}) for plan in ports)
    return Project("Chat", outer, hops, ports)


@pytest.mark.parametrize("name", WRITTEN_AND_READ)
@settings(max_examples=60)
@given(data=st.data())
def test_what_is_written_is_read_back_as_letting_through_each_planned_port_and_no_other(
    name: str, data: st.DataObject
) -> None:
    known = product(name)
    project = data.draw(projects(known.kinds[0]))
    language = data.draw(st.sampled_from(("en", "zh_CN")))
    order = Order(project, project.hops[0], wanted(project, "gate"), language=language)
    assert known.write is not None
    made = APPLIED.get(name, str)(known.write(order).text)
    assert recognise(made) is known
    reading = read(made.encode(), "made")
    assert reading.notes == ()
    rows = coverage(project, {"gate": [reading]})
    assert {row.coverage for row in rows} == {Coverage.COVERED}, made
    assert sum(len(row.outside) for row in rows) == sum(len(plan.outside) for plan in project.ports)
    planned = set(project.outside_ports())
    for port in data.draw(st.lists(st.builds(OutsidePort, st.sampled_from(Protocol), st.integers(1, 65535)))):
        if port not in planned:
            translates = known.kinds[0].translates
            host = project.hops[1].address
            six = 6 if ":" in (host or "") else 4
            answer = reading.answer(Question(port.protocol, port.number, port.number, six, translates, host))
            assert answer.coverage in (Coverage.MISSING, Coverage.WRONG_PROTOCOL)


@pytest.mark.parametrize("name", GATEWAYS)
def test_what_is_written_comes_with_its_undo_and_its_dangers_in_both_languages(name: str) -> None:
    known = product(name)
    hops = gate(known.kinds[0])
    port = PortPlan('of "many" $HOME `kinds`;\n rm', Protocol.UDP, PortRange(10000, 10100))
    project = Project("Chat", "203.0.113.20", hops, (port,))
    assert known.write is not None
    for language in ("en", "zh_CN"):
        made = known.write(Order(project, hops[0], wanted(project, "gate"), language=language))
        assert "10000" in made.text
        assert "10000" in made.undo or "media" in made.undo
        assert made.text != made.undo
        assert "opens-to-all" in {caution.key for caution in made.cautions}
        assert all(say(caution, language) for caution in made.cautions)
        assert not re.search(r"\$HOME|`kinds`", made.text + made.undo)


def test_ports_whose_target_is_not_an_address_are_written_as_comments_with_a_caution() -> None:
    hops = (Hop("gate", HopKind.ROUTER, None, "203.0.113.20"), Hop("chat", HopKind.SERVICE))
    project = Project("Chat", "203.0.113.20", hops, (PortPlan("media", Protocol.UDP, PortRange(10000, 10100)),))
    for name in ROUTERS:
        write = product(name).write
        assert write is not None
        made = write(Order(project, hops[0], wanted(project, "gate")))
        assert "no-target" in {caution.key for caution in made.cautions}, name
        assert not re.search(r"^[^#]*(?:dst|src_d)port.*10000", made.text, re.MULTILINE), name


def test_a_rule_that_leads_the_port_elsewhere_is_pointed_out_beside_the_new_one() -> None:
    hops = gate(HopKind.ROUTER)
    project = Project("Chat", "203.0.113.20", hops, (PortPlan("web", Protocol.TCP, PortRange(8172, 8172)),))
    old = read((FOLDER / "openwrt-typical.conf").read_bytes(), "firewall")
    write = product("openwrt").write
    assert write is not None
    made = write(Order(project, hops[0], wanted(project, "gate"), old))
    taken = next(caution for caution in made.cautions if caution.key == "taken-already")
    assert taken.values == {"lines": "46", "file": "firewall"}


@settings(max_examples=150)
@given(text=st.text(max_size=400), name=st.sampled_from([name for name in GATEWAYS if product(name).read]))
def test_garbage_is_read_or_refused_and_never_called_covered(text: str, name: str) -> None:
    try:
        reading = read(text.encode("utf-8", "surrogatepass"), "garbage", product(name))
    except UnreadableError as refusal:
        say_of("garbage", refusal)
        return
    for asked in ("udp 10000 192.168.77.10:10000", "tcp 8172", "udp 10000 [2001:db8::10]:10000"):
        assert reading.answer(question(asked)).coverage is not Coverage.COVERED


@pytest.mark.parametrize("file", [file for file in FILES if "refused" not in file], ids=lambda file: file["name"])
@settings(max_examples=25)
@given(data=st.data())
def test_a_file_with_lines_taken_out_or_damaged_is_read_or_refused(file: dict[str, Any], data: st.DataObject) -> None:
    lines = decoded((FOLDER / file["name"]).read_bytes()).split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(st.sampled_from(("", lines[at][::-1], lines[at] * 2, lines[at][:9], '"', "{" * 40)))
    try:
        reading = read("\n".join(lines).encode(), "damaged", product(file["product"]))
    except UnreadableError as refusal:
        say_of("damaged", refusal, "zh_CN")
        return
    for asked in file["says"]:
        reading.answer(question(asked))
    assert all(say_of("damaged", note) for note in reading.notes)
    assert [piece.kind for piece in reading.pieces]


HOSTILE = {
    "a list in a thousand parts": ("openwrt", "config rule\n" + "\tlist src_ip 192.0.2.1\n" * 20_000),
    "a line without an end": ("openwrt", "config redirect\n\toption x '" + "a" * 1_000_000),
    "chains that double at each step": (
        "mikrotik",
        "/ip firewall filter\nadd chain=forward action=jump jump-target=c0\n"
        + "".join(f"add chain=c{n} action=jump jump-target=c{n + 1}\n" * 2 for n in range(40)),
    ),
    "ports but one, a thousand times": ("mikrotik", "/ip firewall nat\n" + "add chain=dstnat dst-port=!1\n" * 1000),
    "a line that goes on and on": ("mikrotik", "/ip firewall nat\nadd " + "\\\n" * 200_000),
    "elements in elements": ("pfsense", "<pfsense>" + "<a>" * 100_000),
    "an alias of an alias of an alias": (
        "pfsense",
        "<pfsense><aliases>"
        + "".join(
            f"<alias><name>a{n}</name><type>port</type><address>a{n + 1} a{n + 1}</address></alias>" for n in range(40)
        )
        + "</aliases><nat><rule><destination><port>a0</port></destination></rule></nat></pfsense>",
    ),
    "brackets in brackets": ("aws", '{"IpPermissions": ' + "[" * 100_000),
    "a name that could be anything": ("router-table", "tcp 1 -> " + "a" * 1_000_000),
    "cells upon cells": ("router-table", "| " * 500_000),
    "ports of a million digits": ("router-table", "udp " + "1" * 1_000_000 + " -> 192.168.77.10"),
    "a number that no computer holds": ("windows-firewall", '{"Rules": [{"LocalPort": ' + "9" * 10_000 + "}]}"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_read_or_refused_and_covers_nothing(case: str) -> None:
    name, text = HOSTILE[case]
    try:
        reading = read(text.encode(), "hostile", product(name))
    except UnreadableError as refusal:
        say_of("hostile", refusal)
        return
    asked = question("udp 10000 192.168.77.10:10000" if product(name).kinds[0].translates else "udp 10000")
    assert reading.answer(asked).coverage is not Coverage.COVERED


@pytest.mark.parametrize(
    ("name", "text", "line", "more"),
    [
        (
            "aws",
            '{"SecurityGroups": [{"IpPermissions": [\n{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}',
            2,
            65534,
        ),
        ("router-table", "udp 10000-10100 -> 192.168.77.10", 1, 100),
        (
            "openwrt",
            "config redirect\n option src wan\n option src_dport 10000-10009\n option dest_ip 192.168.77.10",
            1,
            9,
        ),
    ],
)
def test_a_rule_that_lets_in_more_than_is_planned_is_found_with_its_line(
    name: str, text: str, line: int, more: int
) -> None:
    hops = gate(product(name).kinds[0])
    project = Project("Chat", "203.0.113.20", hops, (PortPlan("media", Protocol.UDP, PortRange(10000, 10000)),))
    (found,) = excesses(project, {"gate": [read(text.encode(), "rules", product(name))]})
    assert (found.line, sum(map(len, found.numbers))) == (line, more)


def test_linux_moves_a_range_in_no_set_order_so_that_such_a_range_is_written_port_by_port() -> None:
    hops = gate(HopKind.ROUTER)
    port = PortPlan("media", Protocol.UDP, PortRange(10000, 10002), {"chat": PortRange(20000, 20002)})
    project = Project("Chat", "203.0.113.20", hops, (port,))
    for name, asked in (
        ("openwrt", "src_dport=1000"),
        ("mikrotik", "dst-port=1000"),
        ("router-table", "| 10000-10002"),
    ):
        write = product(name).write
        assert write is not None
        assert write(Order(project, hops[0], wanted(project, "gate"))).text.count(asked) == (1 if "|" in asked else 3)


def test_the_filter_behind_a_forward_is_asked_about_the_host_that_the_forward_names_where_the_plan_names_none() -> None:
    reading = read((FOLDER / "pfsense-typical.xml").read_bytes(), "config.xml")
    asked = Question(Protocol.UDP, 10000, 10000, translates=True, destination="203.0.113.20")
    assert reading.answer(asked).coverage is Coverage.COVERED
