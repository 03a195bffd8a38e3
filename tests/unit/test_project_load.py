"""Loading: everything wrong is said at once, in a sentence with file, key, line and value."""

from __future__ import annotations

import string
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.strategies import projects
from wizard.model.hop import Hop, HopKind
from wizard.model.lines import Layout
from wizard.model.load import LARGEST, Problem, ProjectError, load, loads
from wizard.model.port import PortPlan, PortRange, Protocol, Speaks
from wizard.model.project import Project
from wizard.model.resource import resource
from wizard.model.text import dumps
from wizard.model.validate import validate
from wizard.model.vantage import IceServer, Vantage, VantageKind

CONTRACT = """\
format = 1
name = "Video chat on the NAS"
public_address = "203.0.113.20"
announced = ["203.0.113.20", "192.168.77.10"]
probe_key = "a long random text"

[[hops]]
id = "router"
kind = "router"
name = "Home router"
address = "203.0.113.20"

[[hops]]
id = "nas-firewall"
kind = "firewall"
address = "192.168.77.10"

[[hops]]
id = "docker"
kind = "container"

[[hops]]
id = "chat"
kind = "service"

[[ports]]
name = "media"
protocol = "udp"
outside = "10000-10100"
inside = { chat = "20000-20100" }
speaks = "stun"

[[ports]]
name = "web"
protocol = "tcp"
outside = 8172
speaks = "ws"
path = "/ws/probe"

[[vantages]]
id = "laptop"
kind = "local"
beyond = "router"

[[vantages]]
id = "relay"
kind = "turn"
server = "turn:198.51.100.7:3478?transport=udp"
username = "alice"

[[ice_servers]]
urls = ["stun:198.51.100.7:3478", "turn:198.51.100.7:3478?transport=tcp"]
username = "alice"
"""


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ProjectError) as caught:
        loads(text, "chat.toml")
    return caught.value.problems


def one(old: str, new: str) -> str:
    """The sentence of the one problem that a change to the contract's example makes."""
    assert old in CONTRACT
    found = problems(CONTRACT.replace(old, new, 1))
    assert len(found) == 1, [str(problem) for problem in found]
    assert found[0].line is not None
    return str(found[0])


def test_the_example_of_the_format_loads_whole() -> None:
    assert loads(CONTRACT, "chat.toml") == Project(
        name="Video chat on the NAS",
        public_address="203.0.113.20",
        hops=(
            Hop("router", HopKind.ROUTER, "Home router", "203.0.113.20"),
            Hop("nas-firewall", HopKind.FIREWALL, None, "192.168.77.10"),
            Hop("docker", HopKind.CONTAINER),
            Hop("chat", HopKind.SERVICE),
        ),
        ports=(
            PortPlan(
                "media", Protocol.UDP, PortRange(10000, 10100), {"chat": PortRange(20000, 20100)}, Speaks.STUN, None
            ),
            PortPlan("web", Protocol.TCP, PortRange(8172, 8172), {}, Speaks.WS, "/ws/probe"),
        ),
        vantages=(
            Vantage("laptop", VantageKind.LOCAL, "router"),
            Vantage("relay", VantageKind.TURN, None, "turn:198.51.100.7:3478?transport=udp", "alice"),
        ),
        ice_servers=(IceServer(("stun:198.51.100.7:3478", "turn:198.51.100.7:3478?transport=tcp"), "alice"),),
        announced=("203.0.113.20", "192.168.77.10"),
        probe_key="a long random text",
    )


def test_what_is_optional_may_be_left_out() -> None:
    project = loads(
        'format = 1\nname = "n"\npublic_address = "chat.example.org"\n'
        '[[hops]]\nid = "s"\nkind = "service"\n[[ports]]\nname = "p"\nprotocol = "tcp"\noutside = "1-65535"\n',
        "p.toml",
    )
    assert (project.vantages, project.ice_servers, project.announced, project.probe_key) == ((), (), (), None)
    assert project.hops[0].label is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\N{ZERO WIDTH NO-BREAK SPACE}" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace(
            '["203.0.113.20", "192.168.77.10"]', '[\n  "203.0.113.20", # one\n "192.168.77.10",]'
        ),
        lambda text: text.replace('name = "media"', 'name = "media"\nnote = "mine"\nicon = 3'),
        lambda text: text + '\n[my.own]\nthing = [1, { two = "x" }]\n',
        lambda text: text.replace('"10000-10100"', '" 10000 - 10100 "'),
        lambda text: text.replace(
            'urls = ["stun:198.51.100.7:3478", ', 'credentialType = "password"\nurls = ["stun:198.51.100.7:3478", '
        ),
    ],
)
def test_other_ways_to_write_the_same_are_accepted(tmp_path: Path, change: Any) -> None:
    file = tmp_path / "chat.toml"
    file.write_bytes(change(CONTRACT).encode())
    assert load(file) == loads(CONTRACT, "chat.toml")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # types
        (
            "outside = 8172",
            "outside = true",
            "line 36, ports[2].outside = true: this is true or false, but a port such as",
        ),
        ("outside = 8172", "outside = 8172.0", "this is a decimal number, but a port"),
        ("outside = 8172", "outside = [8172]", "this is a list, but a port"),
        ('name = "Home router"', "name = 5", "line 10, hops[1].name = 5: this is a number, but a text belongs here"),
        ('name = "Home router"', "name = 2020-01-01", "this is a date or time"),
        (
            'announced = ["203.0.113.20", "192.168.77.10"]',
            'announced = "203.0.113.20"',
            "this is a text, but a list belongs here",
        ),
        ('"192.168.77.10"]', "7]", "announced[2] = 7"),
        ('inside = { chat = "20000-20100" }', 'inside = "20000-20100"', "but a table such as"),
        # format
        ("format = 1", "format = 2", "line 1, format = 2: this file was made for a newer Hopwise; update Hopwise"),
        ("format = 1", "format = 0", "write format = 1"),
        ("format = 1", "format = true", "write format = 1"),
        ("format = 1", 'format = "1"', "write format = 1"),
        # missing
        ('kind = "router"\n', "", "line 7, hops[1].kind: the key is missing; write one of cgnat"),
        ('id = "docker"\n', "", "hops[3].id: the key is missing"),
        ("outside = 8172\n", "", "line 33, ports[2].outside: the key is missing"),
        ('protocol = "tcp"\n', "", "ports[2].protocol: the key is missing"),
        ('name = "web"\n', "", "ports[2].name: the key is missing"),
        ('kind = "local"\n', "", "vantages[1].kind: the key is missing"),
        ('name = "Video chat on the NAS"', 'name = " "', "there is nothing in it"),
        ('public_address = "203.0.113.20"', 'public_address = ""', "there is nothing in it"),
        ('probe_key = "a long random text"', 'probe_key = ""', "the probe key is empty"),
        # near misses, things in the wrong place, secrets
        (
            'name = "Home router"',
            'adress = "192.0.2.1"',
            'hops[1].adress = "192.0.2.1": there is no such key; write address',
        ),
        ('speaks = "ws"', 'speaks = "ws"\nprotocoll = "tcp"', "write protocol"),
        ('speaks = "ws"', 'speaks = "ws"\nPath = "/x"', "write path"),
        ('name = "Home router"', 'probe_key = "k"', "probe_key is a key of the whole project; move it to the top"),
        (
            'username = "alice"\n\n[[ice',
            'password = "hunter2"\n\n[[ice',
            "line 49, vantages[2].password: a project file holds no",
        ),
        ('username = "alice"\n\n[[ice', 'Pass-word = "hunter2"\n\n[[ice', "a project file holds no passwords"),
        (
            'speaks = "ws"',
            'speaks = "ws"\nmy = { deep = [{ credentials = "hunter2" }] }',
            "ports[2].my.deep[1].credentials: a project file",
        ),
        # ids
        ('id = "docker"', 'id = "router"', 'hops[3].id = "router": the id is taken by hops[1].id'),
        ('id = "relay"', 'id = "laptop"', "the id is taken by vantages[1].id"),
        ('id = "docker"', 'id = "Docker NAS"', 'write "docker-nas"'),
        ('id = "docker"', 'id = ""', "an id has only small letters"),
        ('id = "docker"', 'id = "' + "x" * 64 + '"', "use at most 63 characters"),
        ('id = "relay"', 'id = "responder"', "this id means the responder in results"),
        # the path
        ('kind = "router"', 'kind = "ruter"', 'write "router"'),
        ('kind = "router"', 'kind = "toaster"', "write one of cgnat, security-group, router, firewall"),
        ('kind = "firewall"', 'kind = "service"', "only the last hop is the service"),
        ('kind = "local"', 'kind = "remote"', "write one of local, turn, ssh"),
        ('beyond = "router"', 'beyond = "rooter"', "there is no hop rooter; write router"),
        ('beyond = "router"', 'beyond = "x"', "there is no hop x; write one of router, nas-firewall, docker, chat"),
        ('beyond = "router"', 'beyond = "chat"', "behind the service itself nothing is left to test"),
        # ports
        ('"10000-10100"', '"10100-10000"', 'the range runs backwards; write "10000-10100"'),
        ("outside = 8172", 'outside = "70000"', "ports run from 1 to 65535"),
        ("outside = 8172", "outside = 0", "ports run from 1 to 65535"),
        ("outside = 8172", "outside = -1", "ports run from 1 to 65535"),
        ("outside = 8172", "outside = 0x" + "f" * 9000, "ports run from 1 to 65535"),
        ("outside = 8172", 'outside = "web"', "this is neither a port nor a range"),
        ("outside = 8172", 'outside = "1,2"', "this is neither a port nor a range"),
        ("outside = 8172", 'outside = "٨١٧٢"', "this is neither a port nor a range"),
        ('protocol = "tcp"', 'protocol = "sctp"', "write one of udp, tcp"),
        ('protocol = "tcp"', 'protocol = "TCP"', 'write "tcp"'),
        ('speaks = "stun"', 'speaks = "http"', "this does not exist over UDP"),
        ('speaks = "ws"', 'speaks = "tls"', "a path goes only with speaks"),
        ('path = "/ws/probe"', 'path = "ws/probe"', 'write "/ws/probe"'),
        ('path = "/ws/probe"', 'path = "/ws probe"', "only visible ASCII"),
        ('path = "/ws/probe"', 'path = "/é"', "only visible ASCII"),
        ('"20000-20100"', '"20000-20099"', "differ in length (100 and 101 ports)"),
        ("{ chat =", "{ chatt =", "there is no hop chatt; write chat"),
        ("{ chat =", "{ router =", "no hop before router can change port numbers"),
        ('{ chat = "20000-20100"', '{ docker = "30000-30100", nas-firewall = "1-101"', "router would have to change"),
        # servers
        ('server = "turn:198.51.100.7:3478?transport=udp"\n', "", "vantages[2].server: the key is missing"),
        ('server = "turn:', 'server = "stun:', "only a TURN server can send probes"),
        (
            'server = "turn:198.51.100.7:3478?transport=udp"',
            'server = "198.51.100.7"',
            "this is no address of a STUN or TURN server",
        ),
        ('server = "turn:', 'server = "turn:alice:hunter2@', "put the name under username"),
        ('kind = "local"', 'kind = "local"\nserver = "turn:198.51.100.7"', "a local vantage is this computer"),
        ('kind = "local"', 'kind = "ssh"', 'vantages[1].server: the key is missing; write server = "user@host"'),
        ('kind = "local"', 'kind = "ssh"\nserver = "-oProxyCommand=x"', "this is no SSH destination"),
        ('kind = "local"', 'kind = "ssh"\nserver = "al ice@nas"', "this is no SSH destination"),
        ('"stun:198.51.100.7:3478"', '"http://198.51.100.7"', "ice_servers[1].urls[1]"),
        ("urls = [", "url = [", "ice_servers[1].url"),
    ],
)
def test_a_fault_is_named_with_its_place_and_what_to_write(old: str, new: str, expected: str) -> None:
    if new.startswith("url = "):
        found = problems(CONTRACT.replace(old, new))
        assert [problem.code for problem in found] == ["missing", "misspelt"]
        return
    sentence = one(old, new)
    assert expected in sentence
    assert sentence.startswith("chat.toml, line ")
    assert sentence.endswith(".")
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (" 192.0.2.1", 'write "192.0.2.1"'),
        ("https://chat.example.org:8443/x", 'write only the host: "chat.example.org"'),
        ("https://[2001:db8::1]/", 'write only the host: "2001:db8::1"'),
        ("chat.example.org/x", 'write only the host: "chat.example.org"'),
        ("chat.example.org:8443", 'write only "chat.example.org"'),
        ("192.0.2.1:80", 'write only "192.0.2.1"'),
        ("[2001:db8::1]", 'write "2001:db8::1"'),
        ("[2001:db8::1]:80", 'write "2001:db8::1"'),
        ("fe80::1%eth0", "names a network card"),
        ("192.168.77.0/24", 'write the one address "192.168.77.0"'),
        ("192.0.2.1, 192.0.2.2", "only one address"),
        ("192.0.2.300", "not an IPv4 address"),
        ("192.0.2", "not an IPv4 address"),
        ("192.0.2.01", "not an IPv4 address"),
        ("0x7f.1", "not an IPv4 address"),
        ("2001:db8::1::2", "not an IPv6 address"),
        ("-chat.example.org", "neither an IP address nor a DNS name"),
        ("chat..example.org", "neither an IP address nor a DNS name"),
        ("a" * 64 + ".example.org", "neither an IP address nor a DNS name"),
        ("0.0.0.0", "no packet can be sent"),
        ("::", "no packet can be sent"),
        ("224.0.0.1", "no packet can be sent"),
        ("alice:hunter2@chat.example.org", "an address has no @"),
    ],
)
def test_an_address_that_is_none_is_refused_with_what_to_write(address: str, expected: str) -> None:
    for old in ('public_address = "203.0.113.20"', 'address = "192.168.77.10"'):
        sentence = one(old, old.split('"', maxsplit=1)[0] + f'"{address}"')
        assert expected in sentence
        assert "hunter2" not in sentence


@pytest.mark.parametrize(
    "address",
    [
        "192.168.1.10",
        "2001:db8::10",
        "::ffff:192.0.2.1",
        "nas",
        "nas.local",
        "chat.example.org.",
        "_x.example.org",
        "聊天.example.org",
        "bücher.example.org",
        "localhost",
        "4chan.example.org",
    ],
)
def test_addresses_and_names_are_accepted(address: str) -> None:
    assert loads(CONTRACT.replace('"192.168.77.10"', f'"{address}"'), "p").hops[1].address == address


def test_an_announced_address_may_be_wrong_in_ways_that_a_test_is_to_find() -> None:
    assert loads(CONTRACT.replace('["203.0.113.20", ', '["0.0.0.0", '), "p").announced[0] == "0.0.0.0"


def test_overlapping_ports_of_one_protocol_are_refused_and_of_two_are_not() -> None:
    assert loads(CONTRACT.replace("outside = 8172", 'outside = "10000-10100"'), "p")
    sentence = one(
        'protocol = "tcp"\noutside = 8172\nspeaks = "ws"\npath = "/ws/probe"',
        'protocol = "udp"\noutside = "10100-10200"',
    )
    assert 'ports[2].outside = "10100-10200": these udp ports overlap with those of media (10000-10100)' in sentence


def test_two_outside_ports_that_arrive_on_one_number_are_refused_where_they_meet() -> None:
    tail = 'protocol = "tcp"\noutside = 8172\nspeaks = "ws"\npath = "/ws/probe"'
    sentence = one(tail, 'protocol = "udp"\noutside = 20050')
    assert "ports[1].inside" in sentence
    assert "at chat these udp ports arrive on the same numbers as web (20050)" in sentence
    assert loads(CONTRACT.replace(tail, 'protocol = "udp"\noutside = 20050\ninside = { chat = 9 }'), "p")
    assert loads(CONTRACT.replace(tail, 'protocol = "tcp"\noutside = 20050'), "p")


def test_the_same_numbers_said_twice_for_one_translator_are_no_contradiction() -> None:
    text = CONTRACT.replace("{ chat =", '{ nas-firewall = "30000-30100", docker = "30000-30100", chat =')
    assert loads(text, "p").ports[0].inside["docker"] == PortRange(30000, 30100)


def test_the_last_hop_must_be_the_service() -> None:
    text = CONTRACT.replace('[[hops]]\nid = "chat"\nkind = "service"\n', "").replace("{ chat =", "{ docker =")
    assert 'hops[3].kind = "container": the last hop is the service itself' in str(problems(text)[0])


@pytest.mark.parametrize(("kind", "code"), [("hops", "no-hops"), ("ports", "no-ports")])
def test_a_path_needs_hops_and_ports(kind: str, code: str) -> None:
    table = tomllib.loads(CONTRACT)
    kept = {key: value for key, value in table.items() if key in ("format", "name", "public_address")}
    other = "ports" if kind == "hops" else "hops"
    lists = {
        "hops": '[[hops]]\nid = "s"\nkind = "service"\n',
        "ports": '[[ports]]\nname = "p"\nprotocol = "udp"\noutside = 1\n',
    }
    top = "".join(f"{key} = {value!r}\n" for key, value in kept.items())
    assert [problem.code for problem in problems(top + lists[other])] == [code]
    assert [problem.code for problem in problems(f"{top}{kind} = []\n" + lists[other])] == [code]
    assert [problem.code for problem in problems(f"{top}[{kind}]\na = 1\n" + lists[other])] == ["not-tables"]


def test_a_missing_key_at_the_top_is_named() -> None:
    found = problems(CONTRACT.replace('public_address = "203.0.113.20"\n', ""))
    assert [str(problem) for problem in found] == [
        "chat.toml, public_address: the key is missing; write the address or DNS name that clients use."
    ]


def test_everything_wrong_is_said_at_once_in_the_order_of_the_file() -> None:
    text = """\
name = "n"
public_address = "203.0.113.20:80"
[[hops]]
id = "r"
kind = "roter"
address = "192.0.2.1/24"
[[hops]]
id = "r"
kind = "service"
[[ports]]
name = "a"
protocol = "udp"
outside = "1000-900"
inside = { q = 4 }
speaks = "https"
[[ports]]
protocol = 6
outside = true
path = "x"
[[vantages]]
id = "responder"
kind = "turn"
beyond = "z"
password = "hunter2"
"""
    found = problems(text)
    assert [(problem.line, problem.key) for problem in found] == [
        (None, "format"),
        (2, "public_address"),
        (5, "hops[1].kind"),
        (6, "hops[1].address"),
        (8, "hops[2].id"),
        (13, "ports[1].outside"),
        (14, "ports[1].inside.q"),
        (15, "ports[1].speaks"),
        (16, "ports[2].name"),
        (17, "ports[2].protocol"),
        (18, "ports[2].outside"),
        (19, "ports[2].path"),
        (20, "vantages[1].server"),
        (21, "vantages[1].id"),
        (23, "vantages[1].beyond"),
        (24, "vantages[1].password"),
    ]
    assert "hunter2" not in "".join(map(str, found)) + repr(found)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'name = "a\n', "line 1: this is not valid TOML"),
        (b"format = 1\nname = Chat\n", "line 2: this is not valid TOML (Invalid value)"),
        (b"a = 1\na = 2\n", "line 2: this is not valid TOML (Cannot overwrite a value)"),
        (b"[[hops", "this is not valid TOML"),
        (b"a =", "line 1: this is not valid TOML"),
        (b"a = \x00", "line 1: this is not valid TOML"),
        (b"\x00" * 100, "line 1: this is not valid TOML"),
        (b"a = 1\nb = '\xff'\n", "line 2: the text is not UTF-8; save the file again"),
        ("format = 1".encode("utf-16"), "the text is not UTF-8"),
        (b"a = " + b"9" * 5000, "a number is far too large"),
        (b"a = " + b"[" * 50000, "nested too deeply"),
        (b"a = " + b"{a=" * 50000, "nested too deeply"),
        (b".".join([b"a"] * 200000) + b" = 1", "nested too deeply"),
        (b"[" + b" . ".join([b'"a"'] * 100000) + b"]", "nested too deeply"),
        (b'a = """' + b'\\"' * 400000, "this is not valid TOML"),
        (b"a = " + b'"' * 900000, "this is not valid TOML"),
        (b"#" * (LARGEST + 1), "larger than 1 MiB"),
        (b"", "the key format is missing"),
    ],
)
def test_a_hostile_or_broken_file_is_a_sentence_soon(tmp_path: Path, data: bytes, expected: str) -> None:
    file = tmp_path / "p.toml"
    file.write_bytes(data)
    before = time.perf_counter()
    with pytest.raises(ProjectError) as caught:
        load(file)
    assert expected in str(caught.value.problems[0])
    assert str(caught.value.problems[0]).startswith(str(file))
    assert time.perf_counter() - before < 5


@pytest.mark.parametrize(
    "piece",
    [
        "[[hops]]\nid = 'a'\nkind = 'router'\n",
        "[[ports]]\nname='p'\nprotocol='udp'\noutside=5\ninside={a=6}\n",
        "[[ports]]\nnam='p'\n",
        "[[ice_servers]]\n",
    ],
)
def test_a_file_full_of_faults_is_judged_in_reasonable_time(piece: str) -> None:
    text = "format = 1\n" + piece * (200_000 // len(piece))
    before = time.perf_counter()
    assert len(problems(text)) > 1
    assert time.perf_counter() - before < 20


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.toml", "No such file"), (tmp_path, "Is a directory"), ("a\0b", "null")):
        with pytest.raises(ProjectError, match=why) as caught:
            load(path)
        assert "the file cannot be read" in str(caught.value)


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    for old, new in (('name = "media"', r'name = "\u001b[31m"'), ("outside = 8172", r'outside = "\u001b]0;x\u0007"')):
        sentence = one(old, new)
        assert sentence.isprintable()
    sentence = one('name = "Home router"', '"adress\\u001b" = 1')
    assert sentence.isprintable()


def test_a_project_with_faults_is_still_handed_over_for_mending() -> None:
    with pytest.raises(ProjectError) as caught:
        loads(CONTRACT.replace('"203.0.113.20"\n', '"203.0.113.20:80"\n', 1), "p")
    assert caught.value.project == replace(loads(CONTRACT, "p"), public_address="203.0.113.20:80")


@given(projects(), st.sampled_from(("name", "public_address")))
@settings(max_examples=30)
def test_a_project_in_memory_is_judged_as_its_file_would_be(project: Project, which: str) -> None:
    broken = replace(project, **{which: " "})
    with pytest.raises(ProjectError) as caught:
        loads(dumps(broken), "")
    assert [(p.code, p.path) for p in caught.value.problems] == [(p.code, p.path) for p in validate(broken)]


@given(st.text(string.printable + "é\0", max_size=80) | st.binary(max_size=80))
@settings(max_examples=200)
def test_any_bytes_are_a_project_or_a_sentence(tmp_path_factory: Any, data: str | bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(ProjectError) as caught:
        load(file)
    assert str(caught.value)


LAYOUT = '''\
# comment with a = 1
"quoted key" . 'x' = """
text with [[hops]]
and a \\""" quote"""  # 2
list = [ # 5
  1,
  { a = "]", b = [ "}" ] }, # 7
  \'\'\'
raw \'\'\', # 8
]
[ t . u ] # 11
v = 2020-01-01 10:00:00
[[t.rows]]
k = ""
[t.rows.sub]
k = 1
[[t.rows]]
k = '#'
'''


def test_each_key_is_found_on_its_line_whatever_surrounds_it() -> None:
    tomllib.loads(LAYOUT)
    layout = Layout(LAYOUT)
    lines = {
        ("quoted key",): 2,
        ("quoted key", "x"): 2,
        ("list",): 5,
        ("list", 0): 6,
        ("list", 1): 7,
        ("list", 1, "b", 0): 7,
        ("list", 2): 8,
        ("t", "u"): 11,
        ("t", "u", "v"): 12,
        ("t", "rows", 0): 13,
        ("t", "rows", 0, "k"): 14,
        ("t", "rows", 0, "sub", "k"): 16,
        ("t", "rows", 1): 17,
        ("t", "rows", 1, "k"): 18,
        ("t", "rows", 1, "missing"): 17,
        ("nowhere",): None,
    }
    assert {path: layout.line(path) for path in lines} == lines


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    catalogues = [
        tomllib.loads(resource("problems", f"{language}.toml").read_text("utf-8")) for language in ("en", "zh_CN")
    ]
    gaps = [
        {code: sorted(name for _, name, _, _ in string.Formatter().parse(text) if name) for code, text in words.items()}
        for words in catalogues
    ]
    # What looks like a gap in an example is a TOML table.
    assert gaps[0] == gaps[1]


def test_a_problem_is_said_in_chinese() -> None:
    found = problems(CONTRACT.replace("outside = 8172", "outside = true"))
    assert found[0].say("zh_CN").startswith("chat.toml，第 36 行，ports[2].outside = true：这里写的是")
