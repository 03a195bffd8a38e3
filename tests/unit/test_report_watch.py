"""What was watched, in every form in which it is told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit import results
from wizard.diagnosis.history import History, Past
from wizard.model.port import OutsidePort, Protocol
from wizard.progress import Result
from wizard.report.changes import change_text, duration
from wizard.report.json import stream_line, to_json
from wizard.report.markdown import to_markdown
from wizard.report.metrics import to_metrics
from wizard.report.redact import redact
from wizard.report.text import Terminal, change_line

LATER = results.STARTED + timedelta(seconds=90)
_SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*",?)+)\} (-?[0-9.e+]+)')


@pytest.fixture
def watched() -> Result:
    """51 ports that were open at first, and of which the router stops 51 after a minute and a half."""
    history = History()
    history.note(results.proven().diagnosis, results.STARTED)
    history.note(results.hole().diagnosis, LATER)
    return replace(results.hole(), past=history.past)


def past(result: Result) -> Past:
    assert result.past is not None
    return result.past


def test_a_change_is_said_with_its_hop_in_both_languages(watched: Result) -> None:
    (change,) = past(watched).changes
    assert change_text(watched.project, change, "en") == "udp 10050-10100: open → blocked, at Home router"
    assert change_text(watched.project, change, "zh_CN") == "udp 10050-10100：畅通 → 被拦，位于 Home router"
    back = replace(change, was=change.now, now=change.was, was_stopped_by=change.stopped_by, stopped_by=())
    assert change_text(watched.project, back, "en") == "udp 10050-10100: blocked → open, was stopped at Home router"
    moved = replace(back, now=back.was, stopped_by=("nas-firewall", "docker"))
    assert change_text(watched.project, moved, "en") == "udp 10050-10100: still blocked, now at nas-firewall or docker"


def test_a_line_of_the_terminal_has_the_time_of_day_and_a_mark(watched: Result) -> None:
    (change,) = past(watched).changes
    line = change_line(watched.project, change, Terminal(encoding="ascii"))
    assert line == f"{LATER.astimezone():%H:%M:%S} x udp 10050-10100: open -> blocked, at Home router"
    assert change_line(watched.project, change, Terminal(colour=True)).startswith("\x1b[")


def test_a_line_of_the_stream_is_a_whole_result_with_what_is_new(watched: Result) -> None:
    line = stream_line(watched, past(watched).changes)
    assert "\n" not in line
    told = json.loads(line)
    assert told["observations"] == to_json(watched)["observations"]
    assert told["changes"] == [
        {
            "at": "2026-01-02T12:01:30Z",
            "protocol": "udp",
            "outside": "10050-10100",
            "from": "open",
            "to": "blocked",
            "stopped_by": ["router"],
        }
    ]
    assert json.loads(stream_line(watched, ()))["changes"] == []


def test_each_row_of_the_document_says_since_when(watched: Result) -> None:
    told = to_json(watched)
    assert [row["since"][11:19] for row in told["ports"]] == ["12:00:00", "12:01:30", "12:00:00"]
    router, firewall, *_ = told["hops"]
    assert (router["since"][11:19], firewall["since"][11:19]) == ("12:01:30", "12:00:00")
    assert [row["since"][11:19] for row in router["ports"]] == ["12:00:00", "12:01:30", "12:00:00"]


def test_markdown_lists_the_changes_and_the_times_up_and_down(watched: Result) -> None:
    text = to_markdown(watched)
    assert "## What changed while watching" in text
    assert "| 2026-01-02 12:01:30 UTC | udp 10050-10100: open → blocked, at Home router |" in text
    assert "| `udp 10050-10100` | 0 | 1 | 0:01:30 | 0:00:00 |" in text
    assert "What changed" not in to_markdown(results.hole())


def test_a_redacted_history_keeps_its_times_and_loses_its_names(watched: Result) -> None:
    result = redact(replace(watched, project=results.chat(label="Müller's router")))
    text = json.dumps(to_json(result)) + to_markdown(result) + to_metrics(result.project.name, past(result))
    assert "nas-firewall" not in text
    assert "Müller" not in text
    assert past(result).uptimes == past(watched).uptimes


def test_metrics_are_what_prometheus_reads(watched: Result) -> None:
    lines = to_metrics('A "strange"\\\nname', past(watched)).split("\n")
    assert lines.pop() == ""
    typed: dict[str, str] = {}
    values: dict[tuple[str, str], float] = {}
    for number, line in enumerate(lines):
        if line.startswith("# HELP "):
            assert lines[number + 1].split(" ")[:3] == ["#", "TYPE", line.split(" ")[2]]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in typed, "a family is told in one piece"
            typed[name] = kind
        else:
            found = _SAMPLE.fullmatch(line)
            assert found is not None, line
            assert found[1] in typed
            assert found[1].endswith("_total") == (typed[found[1]] == "counter")
            assert (found[1], found[2]) not in values, "a sample is told once"
            values[found[1], found[2]] = float(found[3])
    assert {labels.partition(",")[0] for _, labels in values} == {r'project="A \"strange\"\\\nname"'}


def test_metrics_tell_states_times_and_counts_of_each_port(watched: Result) -> None:
    text = to_metrics("chat", past(watched))
    stopped, passing = (
        '{project="chat",protocol="udp",outside="10050"}',
        '{project="chat",protocol="udp",outside="10049"}',
    )
    at_router = '{project="chat",hop="router",protocol="udp",outside="10050"}'
    for line in (
        f"hopwise_port_state{stopped} 3",
        f"hopwise_port_state{passing} 1",
        f"hopwise_hop_state{at_router} 3",
        f"hopwise_port_last_change_timestamp_seconds{stopped} {LATER.timestamp():.0f}",
        f"hopwise_hop_last_change_timestamp_seconds{at_router} {LATER.timestamp():.0f}",
        f"hopwise_port_downs_total{stopped} 1",
        f"hopwise_port_ups_total{stopped} 0",
        f"hopwise_port_up_seconds_total{stopped} 90",
        f"hopwise_port_down_seconds_total{stopped} 0",
        f'hopwise_watch_timestamp_seconds{{project="chat"}} {LATER.timestamp():.0f}',
    ):
        assert f"\n{line}\n" in text
    assert text.count("\nhopwise_port_state{") == 102
    assert text.count("\nhopwise_hop_state{") == 4 * 102
    assert OutsidePort(Protocol.TCP, 8172) in past(watched).ports


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00:00"), (61.9, "0:01:01"), (86_399, "23:59:59"), (90_061, "1 d 1:01:01")]
)
def test_a_duration_is_read_as_a_clock(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text
