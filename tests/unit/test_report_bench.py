"""The report on STUN and TURN servers as JSON and as Markdown, and what is left of it for strangers."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.unit import benches
from tests.unit.test_report_redact import leaked
from wizard.audit.finding import Audit, NotChecked
from wizard.model.resource import resource
from wizard.probes.candidate import CandidateError, ServerTried
from wizard.probes.server_verdict import NO_ANSWER, Sentence, Verdict
from wizard.report import audit, ice, nat, turn
from wizard.report.bench import BenchResult, bench_of, dumps, to_json
from wizard.report.bench_content import blocks
from wizard.report.bench_markdown import to_markdown
from wizard.report.bench_redact import redact
from wizard.report.ice import Beside, IceResult
from wizard.wire.uri import Transport

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
LANGUAGES = ("en", "zh_CN")


def shown(text: str) -> str:
    """Every word that a reader of that Markdown sees, a line for each paragraph, cell and block."""
    return "\n".join(_shown(PARSER.parse(text)))


def _shown(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield "".join(child.content for child in token.children or () if child.content)
        elif token.type == "fence":
            yield token.content


def test_each_part_of_the_json_is_what_its_command_prints() -> None:
    bench = benches.full()
    assert bench.nat is not None
    document = to_json(bench)
    assert list(document) == ["format", "started", "seconds", "ice", "turn", "nat", "audit"]
    assert (document["format"], document["started"], document["seconds"]) == (1, "2026-01-02T12:00:00Z", 71.4)
    assert document["ice"] == ice.to_json(benches.ice())
    assert document["turn"] == turn.to_json(benches.turn())
    assert document["nat"] == nat.to_json(bench.nat.survey, bench.nat.verdict, bench.nat.interface)
    assert document["audit"] == audit.to_json(benches.audit())
    assert json.loads(dumps(bench)) == document


def test_what_was_not_tested_is_null_and_takes_no_room_in_the_markdown() -> None:
    bench = bench_of(benches.STARTED, 1.0, [benches.nat()])
    document = to_json(bench)
    assert [document[part] for part in ("ice", "turn", "audit")] == [None, None, None]
    assert document["nat"]["needs"] == "turn"
    assert re.findall("^## .*", to_markdown(bench), re.MULTILINE) == ["## Do I need STUN or TURN?"]


def test_the_candidates_stand_in_the_columns_people_know_best_first() -> None:
    text = to_markdown(benches.full())
    head = "| Time (s) | Type | Foundation | Protocol | Address | Port | Priority | URL | Relay protocol |"
    table = text.partition(head)[2].splitlines()[2:5]
    assert [row.split(" | ")[1] for row in table] == ["host", "srflx", "relay"]
    assert (
        f"| relay | `5510fe` | udp | `198.51.100.7` | `50002` | `0 \\| 65534 \\| 255` | `{benches.NAMED}` | udp |"
        in text
    )
    assert "host, then prflx, then srflx, then relay" in text


def test_each_server_and_transport_has_its_verdict_and_each_error_its_code_cause_and_remedy() -> None:
    text = shown(to_markdown(benches.full()))
    for url, transport, family, verdict in (
        (benches.NAMED, "udp", 4, "✅ ok"),
        (benches.NAMED, "udp", 6, "❔ no answer, harmless"),
        (benches.TLS, "tls", 4, "❌ TLS failed"),
        (benches.DEAD, "udp", 4, "❌ no answer"),
        (benches.WRONG, "tcp", 4, "❌ login failed"),
    ):
        assert f"{verdict}\n{url}\n{transport}\nIPv{family}\n" in text
    assert (
        f"error: {benches.WRONG} (198.51.100.8) 401: Unauthorized at turn.example.net\n"
        "The server does not accept this user name and password.\nWhat to do\nCompare both"
    ) in text
    assert f"note: {benches.NAMED} (2001:db8::7) 701: no answer\nNo answer came back. Harmless here" in text


def test_no_server_that_works_is_said_before_anything_else() -> None:
    text = to_markdown(benches.unfound())
    assert "❌ **No server works.**" in text
    assert "✅" not in text.partition("## Security audit")[0]


def test_a_dead_server_is_not_called_harmless_because_another_works() -> None:
    result = IceResult(urls=[benches.NAMED, benches.DEAD])
    result.add(ServerTried(benches.NAMED, Transport.UDP, 6, Verdict.OK, 8.0, 0.1, None))
    silent = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no answer", "timed-out")
    result.add(CandidateError(39.5, benches.DEAD, "198.51.100.9", 4, silent, Transport.UDP))
    result.add(ServerTried(benches.DEAD, Transport.UDP, 4, Verdict.UNREACHABLE, None, 39.5, "no answer"))
    text = to_markdown(bench_of(benches.STARTED, 40.0, [result]))
    assert "1 of 2 tests found a working server" in text
    assert "❌ no answer" in text
    assert "armless" not in text


def test_the_relay_has_its_figures_for_each_stream_and_what_stands_out() -> None:
    text = shown(to_markdown(benches.full()))
    assert f"⚠️ {benches.NAMED}: Carries a call, but not as it should." in text
    assert "first relay to second\nvoice (160 bytes)\n250\n6 (2.40 %)\n3, 1\n20.1 / 24.3 / 35.8\n2.4 / 7.9" in text
    assert "2. warning: The server relays on ports outside of 49152 to 50004: 50010.\nWhat to do\nSet min-port" in text


def test_the_nat_answers_the_question_first_and_says_why() -> None:
    text = shown(to_markdown(benches.full()))
    answer = "Do I need STUN or TURN?\n⚠️ TURN is needed.\nYour router gives each destination its own port"
    assert answer in text
    assert "Mapping\n⚠️ by address\n" in text
    assert "Asked from 192.168.77.20:40000 on wg-bob" in text


def test_the_audit_has_the_worst_first_with_minutes_and_the_exact_change() -> None:
    text = to_markdown(benches.full()).partition("## Security audit")[2]
    severities = re.findall(r"^#### \d+\. (\w+): ", text, re.MULTILINE)
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert set(severities) == {"error", "warning", "note"}
    assert "/home/ztrkwx/turnserver.conf:2; 5 min\n" in text
    assert "```\n- external-ip=10.20.30.40\n```" in text
    assert "line 7: frobnicate" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", benches.ALL)
def test_every_table_is_read_as_one_and_nothing_as_html_or_link(make: benches.Make, language: str) -> None:
    text = to_markdown(make(), language)
    tokens = PARSER.parse(text)
    assert [token.type for token in tokens].count("table_open") == text.count("| --- |\n")
    inside = [child.type for token in tokens for child in token.children or ()]
    assert not {"html_inline", "link_open", "image"} & set(inside)
    assert "html_block" not in [token.type for token in tokens]


@given(st.text(max_size=60))
def test_whatever_a_server_says_the_report_keeps_its_shape(said: str) -> None:
    result = benches.ice()
    shape = [token.type for token in PARSER.parse(to_markdown(bench_of(benches.STARTED, 1.0, [result])))]
    result.errors[-1] = replace(result.errors[-1], sentence=replace(result.errors[-1].sentence, text=said))
    text = to_markdown(bench_of(benches.STARTED, 1.0, [result]))
    assert [token.type for token in PARSER.parse(text)] == shape


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_redacted_report_has_no_address_and_no_name(language: str) -> None:
    bench = redact(benches.full())
    for text in (str(to_json(bench, language)), dumps(bench, language), to_markdown(bench, language), repr(bench)):
        assert leaked(text, list(benches.SECRETS)) == []
    assert to_markdown(benches.full(), language, redact=True) == to_markdown(bench, language)
    # What is looked for would be found.
    unmasked = shown(to_markdown(benches.full(), language))
    assert leaked(unmasked, list(benches.SECRETS)) == [one for one in benches.SECRETS if one != "calls.example.org"]


def test_a_redacted_report_keeps_verdicts_codes_ports_and_figures() -> None:
    before, after = to_json(benches.full()), to_json(redact(benches.full()))
    assert [s["verdict"] for s in after["ice"]["servers"]] == [s["verdict"] for s in before["ice"]["servers"]]
    for part, rows, keys in (
        ("ice", "candidates", ("type", "port", "priority", "relay_protocol", "related_port")),
        ("ice", "errors", ("code", "remedy")),
        ("turn", "reasons", ("code", "severity", "remedy")),
        ("turn", "relayed", ("port", "direct")),
        ("audit", "findings", ("code", "severity", "minutes")),
    ):
        for key in keys:
            assert [row[key] for row in after[part][rows]] == [row[key] for row in before[part][rows]]
    for key in ("rtt_ms", "loss_percent", "streams", "capacity", "verdict"):
        assert after["turn"][key] == before["turn"][key]
    for key in ("mapping", "filtering", "hairpin", "needs", "reason"):
        assert after["nat"][key] == before["nat"][key]


def test_equal_addresses_have_one_word_in_all_parts_and_foundations_give_nothing_away() -> None:
    document = to_json(redact(benches.full()))
    (relay,) = [c for c in document["ice"]["candidates"] if c["type"] == "relay"]
    assert relay["address"] == document["turn"]["address"] == document["turn"]["relayed"][0]["address"]
    assert [c["foundation"] for c in document["ice"]["candidates"]] == ["1", "2", "3"]
    assert document["turn"]["url"] == relay["url"] == "turn:host-1:3478?transport=udp"


def test_the_networks_that_every_server_should_deny_stay_and_the_users_own_addresses_do_not() -> None:
    findings = {f["code"]: f for f in to_json(redact(benches.full()))["audit"]["findings"]}
    assert "+ denied-peer-ip=10.0.0.0-10.255.255.255" in findings["private-peers"]["change"]
    assert "10.0.0.0-10.255.255.255" in findings["private-peers"]["title"]
    assert re.fullmatch(r"- external-ip=address-\d+", *findings["wrong-external-ip"]["change"])
    assert findings["weak-password"]["change"] == ["- user=user-1:…", "+ user=user-1:…"]
    assert findings["weak-password"]["where"] == "turnserver.conf:5"


def test_the_peers_that_were_not_asked_about_stay_and_what_the_server_said_of_whom_does_not() -> None:
    missing = NotChecked("peers", {"list": "10.0.0.1, fd00::1", "text": "10.20.30.40 is gone"})
    bench = bench_of(benches.STARTED, 1.0, [Audit("turn:198.51.100.9", (), (missing,))])
    (row,) = to_json(redact(bench))["audit"]["not_checked"]
    assert "10.0.0.1, fd00::1" in row["title"]
    assert "10.20.30.40" not in row["title"]


def test_a_name_that_only_a_later_part_tells_is_found_in_an_earlier_one() -> None:
    result = IceResult(urls=[benches.WRONG])
    refused = Sentence(Verdict.AUTH_FAILED, 401, "no such user: alice", "code-401")
    result.add(CandidateError(1.0, benches.WRONG, "198.51.100.8", 4, refused, Transport.TCP))
    bench = bench_of(benches.STARTED, 1.0, [result, benches.audit()])
    assert "alice" not in to_markdown(bench, redact=True)
    alone = BenchResult(benches.STARTED, 1.0, result, users=("alice",))
    assert "alice" not in to_markdown(alone, redact=True)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", benches.ALL)
def test_there_are_words_for_everything(make: benches.Make, language: str) -> None:
    assert list(blocks(make(), language))


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_has_a_word(verdict: Verdict, language: str) -> None:
    assert _catalogue(language)["verdict"][verdict]


def test_both_languages_have_the_same_keys_and_gaps() -> None:
    english, chinese = (_flat(_catalogue(language)) for language in LANGUAGES)
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", chinese[key]))


def _catalogue(language: str) -> dict[str, Any]:
    return tomllib.loads(resource("bench", f"{language}.toml").read_text(encoding="utf-8"))


def _flat(catalogue: dict[str, Any]) -> dict[str, str]:
    return {f"{kind}.{key}": text for kind, entries in catalogue.items() for key, text in entries.items()}


def test_an_unanswered_transport_is_told_beside_the_one_that_carries_the_relay() -> None:
    udp, tcp, other = "turn:turn.example.org?transport=udp", "turn:turn.example.org?transport=tcp", "turn:203.0.113.9"
    result = IceResult(urls=[udp, tcp, other])
    silent = Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no answer", "timed-out")
    error = CandidateError(39.5, udp, "198.51.100.7", 4, silent, Transport.UDP)
    for event in (
        ServerTried(other, Transport.TCP, 4, Verdict.OK, 8.0, 0.1, None),
        error,
        ServerTried(udp, Transport.UDP, 4, Verdict.UNREACHABLE, None, 39.5, "no answer"),
    ):
        result.add(event)
    assert result.beside(error) is None
    result.add(ServerTried(tcp, Transport.TCP, 4, Verdict.OK, 8.0, 0.1, None))
    assert result.beside(error) is Beside.TRANSPORT
    # It is red all the same: a call over TCP is a slower one.
    text = to_markdown(bench_of(benches.STARTED, 40.0, [result]))
    assert "❌ no answer" in text
    assert "The same server works over another transport" in text
    result.add(ServerTried(udp, Transport.UDP, 4, Verdict.OK, 8.0, 0.1, None))
    assert result.beside(error) is Beside.ADDRESS
