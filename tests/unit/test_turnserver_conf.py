"""coturn's configuration is read as coturn reads it, and written back untouched but for what is changed."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.configs.turnserver import KNOWN, LONGEST_LINE, Kind, Turnserver, parse


def values(text: str, name: str) -> list[str]:
    return [option.value for option in parse(text.encode()).all(name)]


@pytest.mark.parametrize(
    "line",
    [
        "realm=example.org",
        "realm example.org",
        "realm\texample.org",
        "realm = example.org",
        "  realm==example.org",
        'realm="example.org"',
        'realm="example.org"  ',
        'realm="example.org',
        "realm=example.org\r",
    ],
)
def test_an_option_is_read_in_every_spelling_that_coturn_takes(line: str) -> None:
    assert values(f"{line}\n", "realm") == ["example.org"]


def test_a_comment_behind_a_value_is_part_of_the_value() -> None:
    assert values("realm=example.org # mine\n", "realm") == ["example.org # mine"]


def test_comments_and_blank_lines_are_no_options() -> None:
    assert parse(b"# realm=a\n\n   # realm=b\n \r\n").options == ()


def test_of_a_repeated_option_the_last_counts_and_all_are_kept() -> None:
    conf = parse(b"realm=a\nlistening-ip=192.0.2.1\nrealm=b\nlistening-ip=192.0.2.2\n")
    assert conf.text("realm") == "b"
    assert [option.line for option in conf.all("listening-ip")] == [2, 4]


@pytest.mark.parametrize("value", ["", "=1", "=yes", "=true", "=on", "=ON", "=9"])
def test_a_flag_is_on(value: str) -> None:
    assert parse(f"no-cli{value}\n".encode()).on("no-cli")


@pytest.mark.parametrize("value", ["=0", "=no", "=false", "=off", "=Off"])
def test_a_flag_is_off(value: str) -> None:
    assert not parse(f"no-cli{value}\n".encode()).on("no-cli")


@pytest.mark.parametrize("value", ["# why", "maybe", "oN"])
def test_a_flag_that_is_neither_stops_coturn(value: str) -> None:
    (option,) = parse(f"no-cli={value}\n".encode()).options
    assert option.truth is None


def test_what_only_has_to_be_named_is_on_whatever_follows() -> None:
    assert parse(b"use-auth-secret=no\n").on("use-auth-secret")


def test_a_number_is_read_as_far_as_it_goes_and_text_is_nought() -> None:
    conf = parse(b"user-quota=12 # each\ntotal-quota=many\n")
    assert (conf.number("user-quota", 5), conf.number("total-quota", 5), conf.number("max-bps", 5)) == (12, 0, 5)


def test_an_unknown_option_is_named_with_its_line_and_its_value_is_a_secret() -> None:
    (option,) = parse(b"\nstatic-auth-secrt=hunter2\n").unknown
    assert (option.name, option.line, option.value) == ("static-auth-secrt", 2, "")
    assert "hunter2" not in repr(option)


@pytest.mark.parametrize("line", ["hunter2", "Pa$$w0rd!", "correct horse!", "=x"])
def test_a_line_that_may_itself_be_a_secret_is_not_named(line: str) -> None:
    names = {option.name for option in parse(line.encode()).unknown}
    assert names <= {"", "correct"}


def test_no_secret_shows_in_what_was_read() -> None:
    names = ("user=alice:", "static-auth-secret=", "cli-password=", "redis-userdb=password=", "pkey-pwd ")
    text = "".join(f"{name}hunter2\n" for name in names).encode()
    assert "hunter2" not in repr(parse(text))


@pytest.mark.parametrize(
    "line",
    [b"realm=\xff\xfe", b"realm=a\0b", b"user=" + b"a" * LONGEST_LINE],
    ids=["bytes", "NUL", "long"],
)
def test_a_damaged_line_is_named_and_kept(line: bytes) -> None:
    conf = parse(b"no-cli\n" + line + b"\nverbose\n")
    assert conf.damaged == (2,)
    assert conf.on("no-cli")
    assert conf.on("verbose")
    assert conf.edited({}, []) == b"no-cli\n" + line + b"\nverbose\n"


def test_a_file_of_sixteen_bit_characters_is_damaged_on_each_line() -> None:
    assert parse("no-cli\nverbose\n".encode("utf-16")).damaged[:2] == (1, 2)


def test_a_mark_of_byte_order_is_no_part_of_the_first_option() -> None:
    assert parse(b"\xef\xbb\xbfno-cli\n").on("no-cli")


def test_an_edit_keeps_comments_order_and_line_ends() -> None:
    conf = parse(b"# mine\r\nno-auth\r\nrealm=a")
    assert conf.edited({2: "no-auth"}, ["no-cli"]) == b"# mine\r\n# no-auth\r\nrealm=a\r\nno-cli\r\n"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_and_come_back_as_they_were(data: bytes) -> None:
    conf = parse(data)
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return
    assert conf.edited({}, []) in (data, data + b"\n", data + b"\r\n")


@given(st.lists(st.tuples(st.sampled_from(sorted(KNOWN)), st.text('ab1=#" \t:', max_size=8)), max_size=8))
def test_every_known_option_is_known_whatever_its_value(lines: list[tuple[str, str]]) -> None:
    conf: Turnserver = parse("".join(f"{name}={value}\n" for name, value in lines).encode())
    assert conf.unknown == ()
    assert [option.name for option in conf.options] == [name for name, _ in lines]


@pytest.mark.requires("coturn")
def test_every_option_that_the_installed_coturn_names_is_known() -> None:
    program = shutil.which("turnserver")
    assert program is not None
    shown = subprocess.run([program, "--nosuchoption"], capture_output=True, text=True, check=False)
    named = set(
        re.findall(r"^ +(?:-\w, |-\w |, )*(?:--[\w-]+, )*--([A-Za-z][\w-]+)", shown.stdout + shown.stderr, re.M)
    )
    assert len(named) > 80
    # Of --alt-listening-port<port> and --version the file knows the one and not the other.
    assert {name for name in named if name not in KNOWN} <= {"version"}
    assert KNOWN["user"] is Kind.SECRET
