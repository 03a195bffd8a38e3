"""What figures mean for a call, and that every meaning has its words."""

from __future__ import annotations

import json
import string
import tomllib
from dataclasses import replace

import pytest

from wizard.model.resource import resource
from wizard.probes.call import Call, Failure, Pair, Party, Policy
from wizard.probes.relay_capacity import Capacity, Limit, Load, Step
from wizard.probes.relay_ports import Direct, RelayPort, Survey
from wizard.probes.relay_quality import Halt, Halted, Quality, Way
from wizard.probes.relay_verdict import Grade, Measured, grade_of, reasons_of
from wizard.probes.server_verdict import Sentence, Verdict
from wizard.report.text import Terminal
from wizard.report.turn import result_of, to_json, to_text, told
from wizard.report.wording import CHINESE, ENGLISH
from wizard.report.wrap import columns
from wizard.wire.media import Delay, Figures
from wizard.wire.uri import Transport

SERVER = "203.0.113.7"
URL = "turn:turn.example.org"
QUOTA = Sentence(Verdict.QUOTA, 486, "Allocation Quota Reached", "code-486")
FORBIDDEN = Sentence(Verdict.FORBIDDEN, 403, "Forbidden IP", "code-403")


def figures(sent: int = 250, lost: int = 0, rtt_ms: float = 20.0, jitter_ms: float = 1.0) -> Figures:
    delay = Delay(rtt_ms - 1, rtt_ms, rtt_ms + 5) if lost < sent else None
    return Figures(sent, sent - lost, 0, 0, (sent - lost) * 160, delay, jitter_ms, jitter_ms * 2)


def quality(out: Figures | None = None, back: Figures | None = None, **changes: object) -> Quality:
    survey = Survey((RelayPort((SERVER, 50000), Direct.BOTH_WAYS), RelayPort((SERVER, 50002), Direct.BOTH_WAYS)), None)
    ways = (Way("first-to-second", out or figures(), figures()), Way("second-to-first", back or figures(), figures()))
    return replace(Quality(survey, (), ways, (out or figures()).delay, 5.0), **changes)  # type: ignore[arg-type]


def measured(of: Quality | None = None, **changes: object) -> Measured:
    return replace(Measured(SERVER, Transport.UDP, of or quality()), **changes)  # type: ignore[arg-type]


def surveyed(*ports: RelayPort, refused: Sentence | None = None) -> Quality:
    return quality(survey=Survey(ports, refused))


def halted(halt: Halt, sentence: Sentence | None = None) -> Quality:
    return quality(ways=(), delay=None, halted=Halted(halt, sentence))


def capacity(limit: Limit) -> Capacity:
    step = Step(4, 2.0, 4e6, 3.9e6, 2.5, Delay(10, 230, 300), 0.1, 4e6, 1.0)
    return Capacity(Load(10, 0.5), (step,), 2, limit, 4, QUOTA if limit is Limit.REFUSED else None)


SILENT = RelayPort((SERVER, 50004), Direct.SILENT)
DEAF = figures(lost=250)
CASES: list[tuple[Measured, Grade, set[str]]] = [
    (measured(), Grade.OK, set()),
    (measured(quality(figures(rtt_ms=99.9))), Grade.OK, set()),
    (measured(quality(figures(rtt_ms=100.0))), Grade.POOR, {"rtt-long"}),
    # 5 of the 500 of one direction; the other loses nothing.
    (measured(quality(figures(lost=5))), Grade.POOR, {"loss"}),
    (measured(quality(figures(lost=99))), Grade.POOR, {"loss"}),
    (measured(quality(figures(lost=100))), Grade.FAILED, {"loss"}),
    (measured(quality(figures(lost=4))), Grade.OK, set()),
    (measured(quality(back=figures(lost=5))), Grade.POOR, {"loss"}),
    (measured(quality(figures(jitter_ms=31))), Grade.OK, {"jitter"}),
    (measured(quality(late_ms=11.0)), Grade.OK, {"late-here"}),
    (
        measured(replace(quality(), ways=(Way("first-to-second", DEAF, DEAF), Way("second-to-first", DEAF, DEAF)))),
        Grade.FAILED,
        {"nothing-came"},
    ),
    (
        measured(replace(quality(), ways=(Way("first-to-second", DEAF, DEAF), quality().ways[1]))),
        Grade.FAILED,
        {"one-way"},
    ),
    (measured(halted(Halt.NO_ALLOCATION, QUOTA)), Grade.FAILED, {"no-allocation"}),
    (measured(halted(Halt.NO_SECOND_ALLOCATION, QUOTA)), Grade.FAILED, {"no-second-allocation"}),
    (measured(halted(Halt.NO_CHANNEL, FORBIDDEN)), Grade.FAILED, {"own-relay-forbidden"}),
    (measured(halted(Halt.NO_CHANNEL, QUOTA)), Grade.FAILED, {"no-channel"}),
    (measured(halted(Halt.FELL_SILENT)), Grade.FAILED, {"nothing-came"}),
    (measured(quality(halted=Halted(Halt.FELL_SILENT))), Grade.FAILED, {"fell-silent"}),
    (measured(quality(halted=Halted(Halt.WENT_AWAY, QUOTA))), Grade.FAILED, {"went-away"}),
    (measured(surveyed(RelayPort(("10.0.0.5", 50000), Direct.NOT_CHECKED))), Grade.POOR, {"relay-private"}),
    (measured(surveyed(RelayPort(("203.0.113.8", 50000), Direct.BOTH_WAYS))), Grade.OK, {"relay-differs"}),
    (measured(surveyed(SILENT)), Grade.POOR, {"ports-closed"}),
    (measured(surveyed(SILENT), address="192.168.1.5"), Grade.OK, {"relay-differs", "ports-unproven-inside"}),
    (
        measured(surveyed(RelayPort(("172.18.0.2", 50000), Direct.SILENT)), address="192.168.1.5"),
        Grade.POOR,
        {"relay-differs", "ports-closed"},
    ),
    (measured(surveyed(SILENT), transport=Transport.TLS), Grade.OK, {"ports-unproven"}),
    (measured(surveyed(RelayPort((SERVER, 50000), Direct.NOT_PERMITTED))), Grade.OK, {"direct-forbidden"}),
    (measured(surveyed(RelayPort((SERVER, 50000), Direct.IN_ONLY))), Grade.POOR, {"ports-in-only"}),
    (measured(ports=range(50000, 50003)), Grade.OK, set()),
    (measured(ports=range(50000, 50002)), Grade.POOR, {"port-outside"}),
    (
        measured(replace(quality(), survey=replace(quality().survey, refused=QUOTA))),
        Grade.OK,
        {"fewer-allocations"},
    ),
    *(
        (measured(calls=(Call(Policy.RELAY_ONLY, 1.0, failure=failure),)), Grade.FAILED, {f"call-{failure}"})
        for failure in Failure
    ),
    (measured(calls=(Call(Policy.ANY, 1.0, failure=Failure.NOT_CONNECTED),)), Grade.OK, set()),
    *(
        (
            measured(capacity=capacity(limit)),
            Grade.OK if limit in (Limit.NONE, Limit.COMPUTER) else Grade.POOR,
            set() if limit is Limit.NONE else {f"capacity-{limit}"},
        )
        for limit in Limit
    ),
]


@pytest.mark.parametrize(("case", "grade", "codes"), CASES)
def test_each_finding_has_its_weight(case: Measured, grade: Grade, codes: set[str]) -> None:
    reasons = reasons_of(case)
    assert {reason.code for reason in reasons} == codes
    assert grade_of(reasons) is grade


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
@pytest.mark.parametrize("case", [case for case, _, codes in CASES if codes])
def test_each_finding_has_words_without_gaps(case: Measured, language: str) -> None:
    for reason in reasons_of(case):
        words = told(reason, language)
        assert words.text.strip()
        assert words.remedy.strip()
        assert not set("{}") & set(words.text + words.remedy)


def test_no_words_are_left_over() -> None:
    said = {code for _, _, codes in CASES for code in codes} | {"unfound"}
    for language in (ENGLISH, CHINESE):
        catalogue = tomllib.loads(resource("relay", f"{language}.toml").read_text(encoding="utf-8"))
        assert set(catalogue["reason"]) == said


def test_both_languages_say_the_same() -> None:
    english, chinese = (
        tomllib.loads(resource("relay", f"{language}.toml").read_text(encoding="utf-8"))
        for language in (ENGLISH, CHINESE)
    )
    assert _gaps(english) == _gaps(chinese)


def _gaps(catalogue: object, path: str = "") -> dict[str, frozenset[str]]:
    if isinstance(catalogue, dict):
        return {k: v for key, entry in catalogue.items() for k, v in _gaps(entry, f"{path}.{key}").items()}
    return {path: frozenset(name for _, name, _, _ in string.Formatter().parse(str(catalogue)) if name)}


def test_the_worst_is_said_first() -> None:
    case = measured(
        quality(figures(rtt_ms=150, jitter_ms=40)), calls=(Call(Policy.RELAY_ONLY, 1.0, failure=Failure.NO_DATA),)
    )
    assert [reason.code for reason in reasons_of(case)] == ["call-no-data", "rtt-long", "jitter"]


def test_the_json_has_every_figure() -> None:
    party = Party("relay", SERVER, 50000, 16777215)
    pair = Pair(party, replace(party, port=50002), 7)
    case = measured(
        calls=(Call(Policy.RELAY_ONLY, 0.5, pair, 3.0), Call(Policy.ANY, 0.5, pair, 3.0)),
        capacity=capacity(Limit.REFUSED),
    )
    found = json.loads(json.dumps(to_json(result_of(URL, case))))
    assert found["format"] == 1
    assert found["url"] == URL
    assert found["rtt_ms"] == {"min": 19, "median": 20, "p95": 25}
    assert (found["jitter_ms"], found["loss_percent"], found["reordered"]) == (1, 0, 0)
    assert found["throughput_bits"] == 4 * 250 * 160 * 8 / 5
    assert found["relayed"][0] == {"address": SERVER, "port": 50000, "direct": "both-ways"}
    assert found["verdict"] == "poor"
    assert [reason["code"] for reason in found["reasons"]] == ["capacity-refused"]
    assert found["call"]["turn_needed"] == "turn"
    assert found["call"]["relay_only"]["pair"]["remote"]["port"] == 50002
    assert (found["capacity"]["carried"], found["capacity"]["limit"]) == (2, "refused")


def test_what_was_not_measured_is_null() -> None:
    found = to_json(result_of(URL, measured(halted(Halt.NO_ALLOCATION, QUOTA))))
    for name in ("rtt_ms", "jitter_ms", "loss_percent", "reordered", "throughput_bits", "call", "capacity"):
        assert found[name] is None
    assert found["verdict"] == "failed"
    assert "486" in found["reasons"][0]["text"]


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
@pytest.mark.parametrize("case", [case for case, _, _ in CASES])
def test_the_page_fits_the_terminal(case: Measured, language: str) -> None:
    page = to_text(result_of(URL, case), Terminal(60), language)
    assert all(columns(line) <= 60 for line in page.splitlines())


def test_a_terminal_without_signs_gets_ascii() -> None:
    page = to_text(result_of(URL, measured(surveyed(SILENT))), Terminal(80, encoding="ascii"))
    assert page.isascii()
    assert page.startswith("! turn:turn.example.org")


def test_what_the_server_says_does_not_steer_the_terminal() -> None:
    rude = Sentence(Verdict.QUOTA, 486, "\x1b[2Jgone\nhome", "code-486")
    page = to_text(result_of(URL, measured(halted(Halt.NO_ALLOCATION, rude))))
    assert "\x1b" not in page
    assert "486" in page
