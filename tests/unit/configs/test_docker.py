"""What Docker's files, commands and listings say of a port, and what Hopwise writes for Docker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from ruamel.yaml import YAML

from tests.unit.configs.asking import FILES, TCP, UDP, ask, crossings, forwarded, numbers, order, reading, wants
from wizard.configs.product import Wanted
from wizard.configs.products import product, recognise
from wizard.configs.reading import UnreadableError
from wizard.configs.words import say
from wizard.model.hop import HopKind
from wizard.model.port import Protocol
from wizard.observation import Coverage
from wizard.system.config_files import read_file

C, M, W = Coverage.COVERED, Coverage.MISSING, Coverage.WRONG_PROTOCOL
E, R, U = Coverage.TRANSLATED_ELSEWHERE, Coverage.RESTRICTED, Coverage.UNKNOWN
VARIABLES = {"WEB_PORT": "8172"}
Row = tuple[Protocol, int, int, Coverage, tuple[int, ...]]
CORPUS: dict[str, tuple[str, tuple[Row, ...], tuple[str, ...]]] = {
    "compose-typical.yaml": (
        "docker-compose",
        (
            (TCP, 8172, 8172, C, (9,)),
            (TCP, 10100, 10100, C, (10,)),
            (UDP, 10000, 10000, W, (10,)),
            (UDP, 10205, 20205, C, (11,)),
            (UDP, 10205, 10205, E, (11,)),
            (TCP, 9090, 9090, R, (12,)),
            (TCP, 9443, 443, C, (13,)),
            (TCP, 8080, 5000, M, (14,)),
            (TCP, 8080, 3000, M, (16,)),
            (TCP, 5432, 5432, M, ()),
        ),
        ("random-port",),
    ),
    "compose-long.yaml": (
        "docker-compose",
        (
            (TCP, 8172, 9000, C, (6,)),
            (UDP, 10000, 10000, U, (16,)),
            (TCP, 10001, 10001, U, (14, 16)),
            (TCP, 22, 22, C, (18,)),
        ),
        ("bad-port",),
    ),
    "compose-variables.yaml": (
        "docker-compose",
        (
            (TCP, 8172, 8172, U, (5, 7, 8, 9, 10)),
            (UDP, 10100, 10100, C, (6,)),
            (UDP, 3478, 3478, U, (7, 8, 9)),
        ),
        ("variable-unset", "variable-unset", "bad-port"),
    ),
    "compose-host.yaml": (
        "docker-compose",
        ((UDP, 50000, 50000, C, (4,)), (TCP, 443, 7880, E, (4,))),
        ("ports-ignored",),
    ),
    "compose-anchors.yaml": (
        "docker-compose",
        ((TCP, 8172, 8172, C, (2,)), (UDP, 10010, 10010, C, (3,)), (TCP, 18172, 8172, C, (15,))),
        (),
    ),
    "compose-profiles.yaml": (
        "docker-compose",
        ((TCP, 8172, 8172, U, (5, 9)), (TCP, 9000, 9000, U, (9,))),
        ("profile", "extends"),
    ),
    "compose-extends.yaml": (
        "docker-compose",
        ((TCP, 8172, 8172, C, (4,)), (UDP, 10000, 10000, C, (7,))),
        ("extends", "extends", "extends"),
    ),
    "compose-v1.yml": (
        "docker-compose",
        ((TCP, 22, 22, C, (5,)), (TCP, 8172, 8172, C, (4,)), (UDP, 10000, 10000, M, ())),
        (),
    ),
    "compose-vpn.yaml": (
        "docker-compose",
        ((TCP, 8172, 8172, C, (4,)), (TCP, 9000, 9000, U, (7,))),
        (),
    ),
    "docker-run.sh": (
        "docker",
        (
            (TCP, 8172, 8172, C, (5,)),
            (TCP, 10100, 10100, C, (5,)),
            (UDP, 10200, 20200, C, (6,)),
            (TCP, 9999, 9999, U, (7,)),
            (TCP, 7, 7, U, (7,)),
        ),
        ("variable-unset",),
    ),
    "docker-run-host.sh": ("docker", ((UDP, 10000, 10000, C, (1,)),), ("ports-ignored",)),
    "docker-ps.txt": (
        "docker",
        (
            (TCP, 8172, 8172, C, (2,)),
            (UDP, 10050, 10050, C, (2,)),
            (TCP, 10050, 10050, W, (2,)),
            (TCP, 3000, 3000, M, (2,)),
            (TCP, 6379, 6379, M, (3,)),
        ),
        (),
    ),
    "docker-ps.jsonl": (
        "docker",
        ((TCP, 8172, 8172, C, (1,)), (TCP, 9090, 9090, U, (2,)), (UDP, 5, 5, U, (2,))),
        (),
    ),
    "docker-inspect.json": (
        "docker",
        (
            (TCP, 8172, 8172, C, (12,)),
            (UDP, 10000, 9000, C, (16,)),
            (TCP, 3000, 3000, M, (10,)),
        ),
        (),
    ),
    "docker-port.txt": ("docker", ((TCP, 8172, 8172, C, (1,)), (UDP, 10000, 10001, E, (3,))), ()),
}


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize("crlf", [False, True])
def test_a_file_of_the_corpus_is_recognised_and_says_what_docker_would_do(name: str, crlf: bool) -> None:
    data = (FILES / name).read_bytes()
    data = data.replace(b"\n", b"\r\n") if crlf else data
    owner, rows, notes = CORPUS[name]
    assert recognise(data.decode().replace("\r\n", "\n")).id == owner
    found = reading(data, owner, VARIABLES)
    answers = [ask(found, protocol, number, leaves) for protocol, number, leaves, _, _ in rows]
    assert [(answer.coverage, answer.lines) for answer in answers] == [row[3:] for row in rows]
    assert tuple(note.phrase.key for note in found.notes) == notes
    assert all(note.line and say(note.phrase, "zh_CN") for note in found.notes)
    assert "hunter2" not in repr(found)


def test_ports_published_for_one_address_family_or_host_are_not_for_the_other() -> None:
    ports = '["0.0.0.0:1:1", "[::]:2:2", "192.168.77.10:3:3"]'
    found = reading(f"services:\n a:\n  image: b\n  ports: {ports}\n", "docker-compose")
    asked = [ask(found, TCP, n, family=family).coverage for n, family in ((1, 4), (1, 6), (2, 4), (2, 6))]
    assert asked == [C, M, M, C]
    assert ask(found, TCP, 3, destination="192.168.77.11").coverage is M
    assert ask(found, TCP, 3, destination=None).coverage is U


def test_ports_that_docker_chooses_are_unknown_and_those_of_an_earlier_command_are_not() -> None:
    found = reading("docker run -p 1:1 a\npodman run -dP --name=b example/b -p 2:2\n", "docker")
    assert [(ask(found, TCP, n).coverage, ask(found, TCP, n).lines) for n in (1, 2)] == [(C, (1,)), (U, (2,))]


def test_the_env_file_beside_a_compose_file_fills_its_variables(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_bytes((FILES / "compose-variables.yaml").read_bytes())
    assert ask(read_file(file, file.name), TCP, 28172, 8172).coverage is U
    (tmp_path / ".env").write_text("# ports\nexport WEB_PORT='28172'\nMISSING=7000\nTURN=3478\nSIDE=28173\n")
    found = read_file(file, file.name)
    assert [ask(found, TCP, n, i).coverage for n, i in ((28172, 8172), (7000, 7000), (28173, 8173))] == [C, C, C]
    assert ask(found, UDP, 3478).coverage is C


@pytest.mark.parametrize(
    "entry",
    [
        *(":" * 100_000, "1" * 5000, "-", "1-", "70000", "2-1", "80:80/icmp", "80-82:1-2"),
        *("[::1:80:80", "localhost:80:80", "nas.example.org:80:80"),
    ],
)
def test_an_entry_that_is_none_leaves_its_ports_unknown(entry: str) -> None:
    found = reading(f"services:\n a:\n  image: b\n  ports: ['{entry}']\n", "docker-compose")
    assert ask(found, TCP, 80).coverage is U
    assert [note.phrase.key for note in found.notes] == ["bad-port"]
    assert reading(f"docker run -p '{entry}' b", "docker").notes


def test_a_path_is_a_container_and_the_service_in_it() -> None:
    found = reading((FILES / "compose-typical.yaml").read_bytes(), "docker-compose")
    container, service = found.pieces
    assert (container.kind, service.kind, service.label) == (HopKind.CONTAINER, HopKind.SERVICE, "chat")
    assert [(f.protocol, str(f.outer), str(f.inner)) for f in container.forwards][:3] == [
        (TCP, "8172", "8172"),
        (TCP, "10000-10100", "10000-10100"),
        (UDP, "10200-10210", "20200-20210"),
    ]


@pytest.mark.parametrize(
    ("data", "key", "line"),
    [
        (b"services:\n  a:\n   - b\n  c", "syntax", 4),
        (b"services: [1, 2]\n", "no-services", 1),
        (b"services:\n  a:\n    image: b\n    image: c\n", "twice", 4),
        (b"services: {a: &x {image: b, ports: *x}}", "nested-beyond-reason", 1),
        (b"a: &a [x,x]\nb: &b [*a,*a,*a]\nservices:\n  c: *z\n", "syntax", 4),
        (b"services: " + b"[" * 4000, "nested-beyond-reason", 1),
        (b"services: " + b"{a: " * 60 + b"}" * 60, "nested-beyond-reason", 1),
        (b"services:\n" + b"  a: 1\n" * 200_000, "too-large", None),
        (b"services:\n  a:\n    image: \0\n", "nul", 3),
        (b"services:\n  a: \xff\xff\xff\n", "not-text", 2),
        (b"%YAML 9.9\n---\nservices: {}\n", "syntax", 1),
        (b"--- {}\n--- {}\n", "syntax", 2),
        (b"", "empty", None),
        (b"# nothing\n", "empty", None),
        (b"services:\n a:\n  ports: [" + b'"1:1",' * 3000 + b"]\n", "too-many", 3),
    ],
)
def test_a_compose_file_that_cannot_be_read_is_refused_with_the_line(data: bytes, key: str, line: int | None) -> None:
    with pytest.raises(UnreadableError) as refused:
        reading(data, "docker-compose")
    assert (refused.value.phrase.key, refused.value.line) == (key, line)
    assert all(say(refused.value.phrase, language) for language in ("en", "zh_CN"))


def test_a_few_lines_that_stand_for_billions_are_refused_at_once() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    bomb += "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    with pytest.raises(UnreadableError) as refused:
        reading(bomb + "services: {}\n", "docker-compose")
    assert refused.value.phrase.key == "nested-beyond-reason"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_a_file_is_read_in_the_encodings_of_other_editors(encoding: str) -> None:
    data = (FILES / "compose-typical.yaml").read_text("utf-8").encode(encoding)
    assert ask(reading(data, "docker-compose"), TCP, 8172).lines == (9,)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("docker images\n", "no-containers", None),
        ("docker compose run -p 1:1 chat\n", "no-containers", None),
        ('[{"Name": "a", "HostConfig": }]', "syntax", 1),
        ('{"Names":"a","Ports":"","Status":"Up"}\n{"Names"\n', "syntax", 2),
    ],
)
def test_what_shows_no_container_is_refused(text: str, key: str, line: int | None) -> None:
    with pytest.raises(UnreadableError) as refused:
        reading(text, "docker")
    assert (refused.value.phrase.key, refused.value.line) == (key, line)


@settings(max_examples=60, deadline=None)
@given(wants())
def test_what_is_written_for_compose_is_a_valid_override_and_publishes_each_port(wanted: list[Wanted]) -> None:
    text = product("docker-compose").write(order(HopKind.CONTAINER, wanted)).text  # type: ignore[misc]
    assert schema_faults(YAML(typ="safe", pure=True).load(text)) == []
    found = reading(text, "docker-compose")
    assert not found.notes
    assert forwarded(found) == crossings(wanted)
    for each in wanted:
        for arrives, leaves in zip(each.arrives, each.leaves, strict=True):
            assert ask(found, each.protocol, arrives, leaves).coverage is C


@settings(max_examples=60, deadline=None)
@given(wants())
def test_what_is_written_for_docker_run_publishes_each_port(wanted: list[Wanted]) -> None:
    found = reading(product("docker").write(order(HopKind.CONTAINER, wanted)).text, "docker")  # type: ignore[misc]
    assert not found.notes
    assert forwarded(found) == crossings(wanted)
    for each in wanted:
        for arrives, leaves in zip(each.arrives, each.leaves, strict=True):
            assert ask(found, each.protocol, arrives, leaves).coverage is C


def test_what_is_missing_goes_to_the_service_that_the_file_has() -> None:
    existing = reading((FILES / "compose-typical.yaml").read_bytes(), "docker-compose")
    wanted = [Wanted("media", UDP, *[existing.pieces[0].forwards[0].outer] * 2, None)]
    written = product("docker-compose").write(order(HopKind.CONTAINER, wanted, existing))  # type: ignore[misc]
    assert '"chat":' in written.text
    assert "8172:8172/udp" in written.text
    assert [caution.key for caution in written.cautions] == ["bypasses-firewall"]


def test_entries_that_hold_the_same_ports_are_named_as_in_the_way() -> None:
    existing = reading((FILES / "compose-typical.yaml").read_bytes(), "docker-compose")
    wanted = [
        Wanted("admin", TCP, numbers("9090"), numbers("9090"), None),
        Wanted("media", UDP, numbers("10205-10206"), numbers("10205-10206"), None),
    ]
    cautions = product("docker-compose").write(order(HopKind.CONTAINER, wanted, existing)).cautions  # type: ignore[misc]
    assert cautions[-1].values == {"lines": "11, 12", "file": "docker-compose.conf"}
    assert say(cautions[-1], "zh_CN")


def schema_faults(document: object) -> list[str]:
    """What the Compose specification would find wrong with a file that has services and their ports."""
    if not isinstance(document, dict) or set(document) - {"name", "services"}:
        return ["top"]
    faults: list[str] = []
    for name, service in document["services"].items():
        named = re.fullmatch(r"[a-zA-Z0-9._-]+", name) is not None
        if not named or not isinstance(service, dict) or set(service) - {"ports", "image"}:
            faults.append(str(name))
            continue
        port = r"\d{1,5}(-\d{1,5})?"
        entries = service.get("ports", [])
        faults += [str(e) for e in entries if not re.fullmatch(rf"{port}:{port}/(tcp|udp)", str(e))]
        faults += ["not unique"] if len(set(entries)) != len(entries) else []
    return faults
