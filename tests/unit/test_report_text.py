"""What `check` prints."""

from __future__ import annotations

import io
import os
import pty
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit import results
from tests.unit.strategies import projects
from wizard.report.text import Terminal, terminal, to_text
from wizard.report.wrap import columns, printable, wrap

ALL = (results.hole, results.proven, results.undecided, results.unobserved, results.eventful)
_CSI = re.compile(r"\x1b\[[0-9;]*m")


def test_the_chain_shows_each_hop_with_mark_word_address_and_the_ports_valid_there() -> None:
    lines = to_text(results.hole(), Terminal(100)).splitlines()
    start = lines.index("✖ blocked     Home router 203.0.113.20")
    assert lines[start + 1 : start + 4] == [
        "│             udp 10000-10049: open",
        "│             udp 10050-10100: blocked, stops these ports",
        "│             tcp 8172: open",
    ]
    assert "✔ open        docker (container)" in lines
    assert "│             udp 10000-10100 (here 20000-20100): open" in lines


def test_places_that_were_tested_from_stand_where_they_are_on_the_path() -> None:
    lines = to_text(results.hole(), Terminal(100)).splitlines()
    place = [
        next(i for i, line in enumerate(lines) if text in line) for text in ("relay", "✖ blocked", "laptop", "nas-")
    ]
    assert place == sorted(place)


def test_the_last_line_is_the_verdict_in_one_sentence() -> None:
    assert to_text(results.hole()).splitlines()[-1] == "✖ 51 of 102 ports are blocked, at Home router."
    assert to_text(results.proven()).splitlines()[-1] == "✔ All 102 ports are proven open."
    assert to_text(results.unobserved()).splitlines()[-1].startswith("? Nothing is proven")


def test_what_is_to_be_copied_stands_on_one_line_however_narrow_the_terminal() -> None:
    assert "    udp 10050-10100 -> 192.168.77.10 : 10050-10100" in to_text(results.hole(), Terminal(40))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("make", ALL)
def test_no_line_is_wider_than_the_terminal_but_what_is_to_be_copied(
    make: results.Make, language: str, width: int
) -> None:
    for line in to_text(make(), Terminal(width), language).splitlines():
        assert columns(line) <= width or line.startswith("         ")


@pytest.mark.parametrize("make", ALL)
def test_colour_changes_nothing_but_the_colour(make: results.Make) -> None:
    coloured = to_text(make(), Terminal(80, colour=True))
    assert "\x1b[" in coloured
    assert _CSI.sub("", coloured) == to_text(make(), Terminal(80))


def test_a_blocked_hop_is_red_and_an_open_one_green() -> None:
    text = to_text(results.hole(), Terminal(80, colour=True))
    assert "\x1b[1;31m✖ blocked\x1b[0m     Home router" in text
    assert "\x1b[32m✔ open\x1b[0m        nas-firewall" in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "no-such-encoding"])
def test_a_terminal_without_the_marks_gets_ascii_ones_that_differ_in_shape(encoding: str) -> None:
    text = to_text(results.hole(results.chat(label="Büro 路由器")), Terminal(80, encoding=encoding))
    assert text.isascii() or encoding in ("latin-1", "cp1252")
    text.encode("latin-1")
    assert "\nx blocked" in text
    assert "\n+ open" in text


def test_a_label_cannot_steer_the_terminal() -> None:
    text = to_text(results.hole(results.chat("\x1b[2J\x07evil\u202eton\nall open", "r\x9b31mouter")))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert text.splitlines()[0] == "\ufffd[2J\ufffdevil\ufffdton all open"


def test_chinese_is_said_in_chinese() -> None:
    text = to_text(results.hole(results.chat("视频通话", "家用路由器")), Terminal(80), "zh_CN")
    assert "✖ 被拦    家用路由器 203.0.113.20" in text
    assert text.splitlines()[-1] == "✖ 102 个端口中有 51 个被拦，位于家用路由器。"


@given(projects(), st.integers(40, 200), st.sampled_from(["utf-8", "ascii"]))
def test_any_project_can_be_printed(project: results.Project, width: int, encoding: str) -> None:
    text = to_text(results.result(project), Terminal(width, encoding=encoding))
    text.encode(encoding)
    assert all(columns(line) <= width or line.startswith("         ") for line in text.splitlines())


def test_a_pipe_gets_80_columns_and_no_colour() -> None:
    with io.TextIOWrapper(io.BytesIO(), "utf-8") as stream:
        assert terminal(stream, {"TERM": "xterm"}) == Terminal(80, colour=False, encoding="utf-8")


@pytest.mark.parametrize(
    ("environ", "colour"),
    [({"TERM": "xterm"}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_has_colour_unless_it_is_unwanted(environ: dict[str, str], colour: bool) -> None:
    leader, follower = pty.openpty()
    with open(leader, "rb"), open(follower, "w", encoding="utf-8") as stream:  # noqa: PTH123 - descriptors
        assert terminal(stream, environ | {"COLUMNS": "132"}) == Terminal(132, colour, "utf-8")


def test_a_terminal_that_does_not_know_its_width_has_80_columns() -> None:
    leader, follower = pty.openpty()
    os.set_blocking(leader, False)
    with open(leader, "rb"), open(follower, "w", encoding="utf-8") as stream:  # noqa: PTH123 - descriptors
        assert terminal(stream, {}).columns == 80


def test_wide_characters_take_two_columns_and_combining_ones_none() -> None:
    assert [columns(text) for text in ("abc", "路由器", "e\u0301", "ｱ", "a\u200db")] == [3, 6, 1, 1, 2]


def test_chinese_breaks_between_characters_and_punctuation_stays_with_them() -> None:
    assert wrap("没有转发这些端口，请添加规则。", 16) == ["没有转发这些端", "口，请添加规则。"]
    assert wrap("路由（甲）", 8) == ["路由", "（甲）"]


@given(st.text(max_size=60), st.integers(2, 40))
def test_wrapping_loses_nothing_but_white_space_and_keeps_the_width(text: str, width: int) -> None:
    clean = printable(text)
    lines = wrap(clean, width)
    assert "".join("".join(lines).split()) == "".join(clean.split())
    assert all(columns(line) <= width for line in lines)
