"""The report as a forum post, read by a Markdown parser as a forum would."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.unit import results
from tests.unit.strategies import projects
from wizard.report.markdown import code, code_block, escape, to_markdown
from wizard.report.wrap import printable

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ALL = (results.hole, results.proven, results.undecided, results.unobserved, results.eventful)
NASTY = "<script>|`*_[a](b)![c](d) #1 http://203.0.113.9 &amp; ~~x~~ :smile: @alice www.example.org $x^2$ \\"


def flat(text: str) -> str:
    return " ".join(printable(text).split())


def shown(tokens: list[Token]) -> str:
    """The text of inline tokens, which must be nothing but text and code."""
    found = ""
    for token in tokens:
        for child in token.children or ():
            assert child.type in ("text", "code_inline", "text_special"), child
            found += child.content
    return found


@given(st.text(max_size=40))
@example(NASTY)
@example("1. one")
@example("- a")
@example("+ a")
@example("===")
@example("    indented")
@example("# head")
@example(": a")
@example("999999999) a")
@example("***")
def test_escaped_text_is_read_as_the_text_it_is(text: str) -> None:
    tokens = PARSER.parse(escape(text))
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
    assert shown(tokens) == flat(text)


@given(st.text(max_size=20), st.text(max_size=20))
@example(NASTY, "a|b`c``d")
def test_a_cell_of_a_table_cannot_break_out_of_it(name: str, address: str) -> None:
    tokens = PARSER.parse(f"| a | b |\n| --- | --- |\n| {escape(name)} | {code(address)} |")
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"
    cells = [shown([tokens[i + 1]]) for i, token in enumerate(tokens) if token.type == "td_open"]
    assert cells == [flat(name), flat(address)]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=3))
@example(["```", "````", "~~~"])
def test_no_line_to_copy_can_end_its_block(lines: list[str]) -> None:
    (token,) = PARSER.parse("\n".join(code_block(lines)))
    assert token.type == "fence"
    assert token.content == "".join(f"{printable(line)}\n" for line in lines)


def test_an_empty_address_is_an_empty_cell() -> None:
    assert code("") == ""


def test_mentions_links_and_pictures_of_other_readers_are_defused() -> None:
    assert escape("@alice http://a www.b :c:") == "\\@alice http\\://a www\\.b \\:c:"


def test_the_report_has_the_verdict_the_tables_and_the_remedy_as_a_block() -> None:
    text = to_markdown(results.hole())
    assert text.startswith("# Video chat on the NAS\n\n❌ **51 of 102 ports are blocked, at Home router.**\n")
    assert "| Home router | `udp 10050-10100` | `10050-10100` | ❌ blocked | stops these ports |" in text
    assert "| Video chat | `udp 10000-10100` | `20000-20100` | ✅ open |" in text
    assert "```\nudp 10050-10100 -> 192.168.77.10 : 10050-10100\n```" in text


def test_hundreds_of_observations_are_a_handful_of_rows() -> None:
    run = results.hole()
    assert len(run.observations) == 204
    assert to_markdown(run).partition("## What was observed")[2].count("\n| ") == 2 + 5


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("make", ALL)
def test_every_table_is_read_as_one_and_nothing_as_html_or_link(make: results.Make, language: str) -> None:
    kinds = [token.type for token in PARSER.parse(to_markdown(make(), language))]
    assert kinds.count("table_open") == (3 if make().observations else 2)
    assert "html_block" not in kinds


@given(projects())
def test_whatever_a_project_calls_things_the_report_keeps_its_shape(project: results.Project) -> None:
    tokens = PARSER.parse(to_markdown(results.result(project)))
    kinds = [token.type for token in tokens]
    assert kinds.count("heading_open") >= 5
    assert kinds.count("table_open") == 2
    title = tokens[1]
    assert shown([title]) == flat(project.name)
    rows = [token for token in tokens if token.type == "tr_open"]
    assert len(rows) >= 2 + 2 * len(project.hops)
