"""frpc's and frps's files, in every syntax that frp reads, and what Hopwise writes for them."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.unit.configs import frp_schema
from tests.unit.configs.asking import FILES, TCP, UDP, ask, crossings, forwarded, numbers, order, reading, wants
from wizard.configs.product import Wanted
from wizard.configs.products import product, recognise
from wizard.configs.reading import UnreadableError
from wizard.configs.words import say
from wizard.model.hop import HopKind
from wizard.observation import Coverage

TOML, INI, YAML, JSON, SERVER_TOML, SERVER_INI = (
    (FILES / name).read_text("utf-8")
    for name in (
        *("frpc-typical.toml", "frpc-legacy.ini", "frpc.yaml", "frpc.json"),
        *("frps-typical.toml", "frps-legacy.ini"),
    )
)


@pytest.mark.parametrize("text", [TOML, INI, YAML, JSON])
def test_a_forwarded_port_is_covered_with_its_line_in_each_of_frps_syntaxes(text: str) -> None:
    found = reading(text, "frpc")
    answer = ask(found, TCP, 10110, 9000)
    line = next(at for at, row in enumerate(text.split("\n"), 1) if "10110" in row)
    assert (answer.coverage, answer.lines) == (Coverage.COVERED, (line,))
    assert recognise(text).id == "frpc"
    assert "a-secret-of-mine" not in repr(found)


@pytest.mark.parametrize("text", [TOML, INI])
def test_ranges_of_templates_and_of_old_sections_run_beside_each_other(text: str) -> None:
    found = reading(text, "frpc")
    asked = [ask(found, UDP, n, n).coverage for n in (10111, 10115, 10116)] + [ask(found, UDP, 20200, 10200).coverage]
    assert asked == [Coverage.COVERED, Coverage.COVERED, Coverage.MISSING, Coverage.COVERED]
    client = found.pieces[1]
    assert [(str(f.outer), str(f.inner)) for f in client.forwards if f.protocol is UDP] == [
        ("10111-10115", "10111-10115"),
        ("20200", "10200"),
    ]
    assert [f.name for f in client.forwards if f.protocol is UDP] == ["media", "media"]
    assert all(f.outer == f.inner for f in found.pieces[0].forwards)
    assert (found.pieces[0].kind, found.pieces[0].address) == (HopKind.TUNNEL_SERVER, "203.0.113.20")


def test_what_is_wrong_with_a_port_is_told_apart() -> None:
    found = reading(TOML, "frpc")
    assert ask(found, UDP, 10110, 9000).coverage is Coverage.WRONG_PROTOCOL
    assert ask(found, TCP, 10110, 9001).coverage is Coverage.TRANSLATED_ELSEWHERE
    assert ask(found, UDP, 10111, host="192.168.77.11").coverage is Coverage.WRONG_TARGET
    assert ask(found, UDP, 10111, host="nas.example.org").coverage is Coverage.UNKNOWN
    # Through a port of frps's that this file does not name.
    assert ask(found, TCP, 80, 8080).coverage is Coverage.UNKNOWN
    # Only for those who have the key.
    assert ask(found, TCP, 5000, 5000).coverage is Coverage.RESTRICTED


def test_lines_of_a_template_are_those_of_the_file() -> None:
    assert ask(reading(TOML, "frpc"), UDP, 20200, 10200).lines == (19,)


@pytest.mark.parametrize(
    ("text", "coverage", "key"),
    [
        ('includes = ["conf.d/*.toml"]\n', Coverage.UNKNOWN, "includes"),
        ('[[proxies]]\nname = "a"\ntype = "tcp"\nlocalPort = 9000\n', Coverage.MISSING, "random-port"),
        ('[[proxies]]\nname = "a"\ntype = "tcp"\nlocalPort = 9000\nremotePort = 0\n', Coverage.MISSING, "random-port"),
        ('[[proxies]]\nname = "a"\ntype = "tpc"\nlocalPort = 9000\n', Coverage.UNKNOWN, "line-not-understood"),
        ('[[proxies]]\nname = "a"\ntype = "tcp"\nlocalPort = 9000\nremotePort = 70000\n', Coverage.UNKNOWN, "bad-port"),
        (
            'start = ["b"]\n[[proxies]]\nname = "a"\ntype = "tcp"\nlocalPort = 9000\nremotePort = 10110\n',
            Coverage.MISSING,
            "starts-only not-started",
        ),
        (
            '[[proxies]]\nname = "a"\ntype = "tcp"\nlocalPort = 9000\nremotePort = {{ .Envs.REMOTE }}\n',
            Coverage.UNKNOWN,
            "variable-unset",
        ),
        ("[common]\n[range:a]\nlocal_port = 1-3\nremote_port = 1-4\n", Coverage.UNKNOWN, "uneven"),
        ("[range:a]\nlocal_port = 1\nremote_port = " + "1-65535," * 20_000 + "1\n", Coverage.UNKNOWN, "bad-port"),
        ("[common]\na" + " " * 100_000 + "b\nincludes: x\n", Coverage.UNKNOWN, "includes"),
    ],
)
def test_what_leaves_a_port_open_to_doubt_is_noted_with_its_line(text: str, coverage: Coverage, key: str) -> None:
    found = reading(text, "frpc")
    assert ask(found, TCP, 10110, 9000).coverage is coverage
    assert [note.phrase.key for note in found.notes] == key.split()
    assert found.notes[0].line is not None
    assert all(say(found.notes[0].phrase, language) for language in ("en", "zh_CN"))


def test_a_variable_that_is_set_fills_a_template() -> None:
    text = '[[proxies]]\nname = "a"\ntype = "tcp"\nlocalPort = 9000\nremotePort = {{ .Envs.REMOTE }}\n'
    assert ask(reading(text, "frpc", {"REMOTE": "10110"}), TCP, 10110, 9000).coverage is Coverage.COVERED


def test_of_two_proxies_for_one_port_neither_is_certain() -> None:
    block = '[[proxies]]\nname = "{0}"\ntype = "tcp"\nlocalPort = {1}\nremotePort = 10110\n'
    answer = ask(reading(block.format("a", 9000) + block.format("b", 9001), "frpc"), TCP, 10110, 9000)
    assert (answer.coverage, answer.lines) == (Coverage.UNKNOWN, (5, 10))


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("serverAddr = \n", "syntax", 1),
        ("a = 1\na = 2\n", "syntax", 2),
        ("\n\n{{ if .Envs.X }}\n", "template-unknown", 3),
        ("a = 1\n{{ range", "template-unknown", 2),
        ('x = 1\n{{ range parseNumberRange "1-3" }}\n', "template-open", 2),
        ('{{ range parseNumberRangePair "1-3" "1-4" }}{{ end }}', "uneven", 1),
        ('{{ range parseNumberRange "3-70000" }}{{ end }}', "bad-port", 1),
        ("proxies:\n  - name: a\n name: b\n", "syntax", 3),
        ('{"proxies": [}', "syntax", 1),
        ("", "empty", None),
        ("a = " + "[" * 3000, "nested-beyond-reason", None),
        ("#" * 300_000, "too-large", None),
        ('{{ range parseNumberRange "1-65535" }}\n' + "#" * 200 + "{{ end }}", "too-large", 1),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_line(text: str, key: str, line: int | None) -> None:
    with pytest.raises(UnreadableError) as refused:
        reading(text, "frpc")
    assert (refused.value.phrase.key, refused.value.line) == (key, line)
    assert all(say(refused.value.phrase, language) for language in ("en", "zh_CN"))


@pytest.mark.parametrize("text", [SERVER_TOML, SERVER_INI])
def test_frps_lets_clients_take_what_it_allows_and_not_its_own_ports(text: str) -> None:
    found = reading(text, "frps")
    asked = {number: ask(found, TCP, number).coverage for number in (80, 7000, 8172, 9000, 10000, 10100, 10101)}
    covered = {number for number, coverage in asked.items() if coverage is Coverage.COVERED}
    assert covered == {80, 8172, 10000, 10100}
    assert set(asked.values()) == {Coverage.COVERED, Coverage.MISSING}
    assert ask(found, TCP, 7000).lines
    assert recognise(text).id == "frps"
    assert "a-secret-of-mine" not in repr(found)


@pytest.mark.parametrize(
    ("line", "coverage"),
    [
        ("", Coverage.COVERED),
        ('proxyBindAddr = "127.0.0.1"', Coverage.RESTRICTED),
        ('bindAddr = "::"', Coverage.COVERED),
        ('proxyBindAddr = "203.0.113.20"', Coverage.COVERED),
        ('proxyBindAddr = "203.0.113.21"', Coverage.UNKNOWN),
        ('proxyBindAddr = "{{ .Envs.ADDRESS }}"', Coverage.UNKNOWN),
        ('allowPorts = [{ start = 9, end = "x" }]', Coverage.UNKNOWN),
        ("allowPorts = []", Coverage.COVERED),
        ('quicBindPort = "{{ .Envs.QUIC }}"', Coverage.UNKNOWN),
        ("kcpBindPort = 70000", Coverage.UNKNOWN),
        ('[[httpPlugins]]\nname = "ports"\naddr = "127.0.0.1:9000"\npath = "/"\nops = ["NewProxy"]', Coverage.COVERED),
    ],
)
def test_where_frps_listens_decides_whom_a_port_is_for(line: str, coverage: Coverage) -> None:
    answer = ask(reading(f"bindPort = 7000\n{line}\n", "frps"), UDP, 10000, destination="203.0.113.20")
    assert answer.coverage is coverage
    assert bool(answer.lines) == (coverage is not Coverage.COVERED)


@settings(max_examples=60, deadline=None)
@given(wants())
def test_what_is_written_for_frpc_is_valid_and_covers_each_port(wanted: list[Wanted]) -> None:
    text = product("frpc").write(order(HopKind.TUNNEL_CLIENT, wanted)).text  # type: ignore[misc]
    assert frp_schema.client(frp_schema.filled(text)) == []
    found = reading(text, "frpc")
    assert not found.notes
    assert forwarded(found) == crossings(wanted)
    for each in wanted:
        assert ask(found, each.protocol, each.arrives.first, each.leaves.first).coverage is Coverage.COVERED


@settings(max_examples=30, deadline=None)
@given(wants(translated=False))
def test_what_is_written_for_frps_is_valid_and_allows_each_port_and_no_other(wanted: list[Wanted]) -> None:
    text = product("frps").write(order(HopKind.TUNNEL_SERVER, wanted)).text  # type: ignore[misc]
    assert frp_schema.server(text) == []
    found = reading(text, "frps")
    mine = {number for each in wanted for number in each.arrives if number != 7000}
    for number in {*mine, *(n + 1 for n in mine), 9} - {7000}:
        open_ = number in mine or not mine
        assert (ask(found, UDP, number).coverage is Coverage.COVERED) == open_


@pytest.mark.parametrize(
    ("text", "mark"),
    [(TOML, ""), (INI, ""), (YAML, ""), (JSON, "\n  ]\n}\n")],
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_missing_is_added_in_the_syntax_of_the_file(text: str, mark: str, data: st.DataObject) -> None:
    existing = reading(text, "frpc")
    wanted = [w for w in data.draw(wants()) if not {*w.arrives} & {10110, 10111, 10112, 10113, 10114, 10115, 20200}]
    assume(wanted)
    written = product("frpc").write(order(HopKind.TUNNEL_CLIENT, wanted, existing))  # type: ignore[misc]
    assert "serverAddr" not in written.text
    end = text.rindex(mark) if mark else len(text)
    both = reading(text[:end] + written.text + text[end:], "frpc")
    for each in wanted:
        for arrives, leaves in zip(each.arrives, each.leaves, strict=True):
            assert ask(both, each.protocol, arrives, leaves).coverage is Coverage.COVERED
    assert ask(both, TCP, 10110, 9000).coverage is Coverage.COVERED


def test_new_proxies_lead_to_the_host_that_the_others_lead_to() -> None:
    text = "[common]\nstart = a\n[a]\nlocal_ip = 192.168.77.10\nlocal_port = 1\nremote_port = 2\n"
    wanted = [Wanted("media", UDP, numbers("10111-10130"), numbers("10111-10130"), None)]
    written = product("frpc").write(order(HopKind.TUNNEL_CLIENT, wanted, reading(text, "frpc")))  # type: ignore[misc]
    assert "[range:hopwise-media-udp-10111]" in written.text
    assert "local_ip = 192.168.77.10" in written.text
    assert "frpc.conf" in written.undo
    assert [caution.key for caution in written.cautions] == ["starts-only"]


@pytest.mark.parametrize(
    "text", [SERVER_TOML, SERVER_INI, "bindPort: 7000\nallowPorts: [{single: 9}]\n", '{"bindPort": 7000}\n']
)
def test_ports_to_allow_take_the_place_of_those_in_the_file(text: str) -> None:
    existing = reading(text, "frps")
    wanted = [Wanted("media", UDP, numbers("20000-20010"), numbers("20000-20010"), None)]
    written = product("frps").write(order(HopKind.TUNNEL_SERVER, wanted, existing)).text  # type: ignore[misc]
    kept = re.sub(r"(?s)allow_?[pP]orts.*", "", text)
    both = reading("{" + written + kept[1:] if text.startswith("{") else kept + written, "frps")
    assert ask(both, UDP, 20010).coverage is Coverage.COVERED
    for number in (9, 8172, 10100):
        assert ask(both, TCP, number).coverage is ask(existing, TCP, number).coverage or text.startswith("{")
