"""Saving: whole or not at all, and with everything that a person wrote kept."""

from __future__ import annotations

import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.strategies import chains, projects, texts, vantages
from wizard.model.hop import Hop, HopKind
from wizard.model.load import ProjectError, load, loads
from wizard.model.port import PortRange
from wizard.model.project import Project
from wizard.model.save import save
from wizard.model.text import dumps
from wizard.model.validate import validate
from wizard.model.vantage import Vantage

COMMENTED = """\
# My file, made by hand.
note = "kept"          # an unknown key

format = 1   # the only one
name = "Video chat on the NAS"
announced = [
  "203.0.113.20",  # from outside
  "192.168.77.10", # from the LAN
]
public_address = "203.0.113.20"

# The path.
[[hops]]
kind = "router"   # before its id
id = "router"
address = "203.0.113.20"
bought = 2021-05-01

# Docker runs on the NAS.
[[hops]]
id = "docker"     # the container
kind = "container"
[hops.photo]      # an unknown table
file = "nas.jpg"

[[hops]]
id = "chat"
kind = "service"

[extra]           # an unknown table in the middle
colour = "blue"

# The ports.
[[ports]]
name = "web"
protocol = "tcp"
outside = 8172    # a plain number

# The media ports.
[[ports]]
name = "media"
protocol = "udp"
outside = "10000 - 10100"
inside.chat = "20000-20100"   # dotted
# the end
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "chat.toml"
    file.write_text(COMMENTED, encoding="utf-8")
    return file


def comments(text: str) -> list[str]:
    return [line[line.index("#") :] for line in text.splitlines() if "#" in line]


@given(projects())
@settings(max_examples=150)
def test_what_is_written_reads_back_the_same(project: Project) -> None:
    assert validate(project) == ()
    assert loads(dumps(project), "p.toml") == project


@given(projects(), projects())
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
def test_any_project_can_be_saved_over_any_other(tmp_path_factory: Any, old: Project, new: Project) -> None:
    file = tmp_path_factory.getbasetemp() / "over.toml"
    file.write_text(dumps(old), encoding="utf-8")
    save(new, file)
    assert load(file) == new


@st.composite
def edits(draw: st.DrawFn) -> Project:
    """The commented project with anything of it changed, and no hop or port taken away."""
    project = loads(COMMENTED, "chat.toml")
    hops = list(project.hops)
    for hop in draw(chains(1, 3))[:-1]:
        if hop.id not in {h.id for h in hops} and hop.kind in (HopKind.FIREWALL, HopKind.SECURITY_GROUP):
            hops.insert(draw(st.integers(0, len(hops) - 1)), hop)
    at = draw(st.integers(0, len(hops) - 1))
    hops[at] = replace(hops[at], label=draw(st.none() | st.text("äb#\"'\\", max_size=4)), address=None)
    ports = list(draw(st.permutations(project.ports)))
    media = next(i for i, plan in enumerate(ports) if plan.name == "media")
    ports[media] = replace(ports[media], outside=draw(st.sampled_from([PortRange(10000, 10100), PortRange(1, 101)])))
    return replace(
        project,
        name=draw(st.text("abc #\"'\\é", min_size=1, max_size=5).filter(lambda t: t.strip())),
        hops=tuple(hops),
        ports=tuple(ports),
        vantages=draw(vantages(tuple(hops))),
        probe_key=draw(st.none() | st.just("a key")),
    )


@given(edits())
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_saving_over_a_commented_file_keeps_every_comment_and_unknown_key(
    tmp_path_factory: Any, project: Project
) -> None:
    file = tmp_path_factory.getbasetemp() / "commented.toml"
    file.write_text(COMMENTED, encoding="utf-8")
    save(project, file)
    text = file.read_text(encoding="utf-8")
    # A value that holds a # is no comment; the comments of this file have no quotes.
    kept = [line for line in comments(COMMENTED) if line in text]
    assert kept == comments(COMMENTED)
    for unknown in ('note = "kept"', "bought = 2021-05-01", 'file = "nas.jpg"', 'colour = "blue"'):
        assert unknown in text
    assert load(file) == project


def test_saving_unchanged_changes_no_byte(path: Path) -> None:
    save(load(path), path)
    assert path.read_text(encoding="utf-8") == COMMENTED


def test_one_changed_value_changes_one_line(path: Path) -> None:
    project = load(path)
    save(replace(project, hops=(replace(project.hops[0], address="203.0.113.99"), *project.hops[1:])), path)
    expected = COMMENTED.replace('address = "203.0.113.20"\nbought', 'address = "203.0.113.99"\nbought')
    assert path.read_text(encoding="utf-8") == expected


def test_a_hop_takes_its_comment_along_and_the_heading_stays(path: Path) -> None:
    project = load(path)
    router, docker, chat = project.hops
    save(replace(project, hops=(docker, router, chat)), path)
    text = path.read_text(encoding="utf-8")
    assert text.index("# The path.") < text.index('# Docker runs on the NAS.\n[[hops]]\nid = "docker"')
    assert text.index("[hops.photo]") < text.index('id = "router"')
    assert load(path).hops == (docker, router, chat)


def test_a_new_hop_is_its_own_block_in_its_place(path: Path) -> None:
    project = load(path)
    firewall = Hop("nas-firewall", HopKind.FIREWALL, "NAS firewall", "192.168.77.10")
    save(replace(project, hops=(project.hops[0], firewall, *project.hops[1:])), path)
    assert (
        '\n\n[[hops]]\nid = "nas-firewall"\nkind = "firewall"\nname = "NAS firewall"\naddress = "192.168.77.10"\n\n'
        in path.read_text(encoding="utf-8")
    )


def test_a_renamed_hop_keeps_what_else_was_written_in_it(path: Path) -> None:
    project = load(path)
    save(replace(project, hops=(replace(project.hops[0], id="fritzbox"), *project.hops[1:])), path)
    text = path.read_text(encoding="utf-8")
    assert 'kind = "router"   # before its id\nid = "fritzbox"\n' in text
    assert "bought = 2021-05-01" in text


def test_a_removed_hop_leaves_the_others_as_they_were(path: Path) -> None:
    project = load(path)
    router, _docker, chat = project.hops
    save(replace(project, hops=(router, chat)), path)
    text = path.read_text(encoding="utf-8")
    assert "docker" not in text
    assert COMMENTED.split("# Docker", maxsplit=1)[0] in text


def test_new_tables_come_last_with_a_blank_line(path: Path) -> None:
    save(replace(load(path), vantages=(Vantage("laptop", beyond="router"),)), path)
    assert path.read_text(encoding="utf-8") == COMMENTED + (
        '\n[[vantages]]\nid = "laptop"\nkind = "local"\nbeyond = "router"\n'
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\N{ZERO WIDTH NO-BREAK SPACE}"])
def test_line_ends_and_byte_order_mark_stay(tmp_path: Path, end: str, bom: str) -> None:
    file = tmp_path / "chat.toml"
    file.write_bytes((bom + COMMENTED.replace("\n", end)).encode())
    project = load(file)
    save(replace(project, name="Other", vantages=(Vantage("laptop"),)), file)
    text = file.read_bytes().decode()
    assert text.startswith(bom + "# My file")
    assert text.count("\n") == text.count(end)
    assert load(file).name == "Other"


def test_lists_written_inline_may_change_too(tmp_path: Path) -> None:
    file = tmp_path / "inline.toml"
    file.write_text(
        '# head\nformat = 1\nname = "n"\npublic_address = "192.0.2.1"\n'
        'hops = [{ id = "r", kind = "router", rack = { unit = 3 } }, { id = "s", kind = "service" }]\n'
        'ports = [{ name = "p", protocol = "udp", outside = 5000 }] # ports\n',
        encoding="utf-8",
    )
    project = load(file)
    renamed = replace(project, hops=(replace(project.hops[0], address="192.0.2.1"), project.hops[1]))
    save(renamed, file)
    text = file.read_text(encoding="utf-8")
    assert load(file) == renamed
    assert "# head" in text
    assert "outside = 5000 }] # ports" in text
    assert "rack = {unit = 3}" in text


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_single_fields_change_without_rewriting_the_file(tmp_path_factory: Any, data: st.DataObject) -> None:
    file = tmp_path_factory.getbasetemp() / "fields.toml"
    old = data.draw(projects())
    file.write_text("# by hand\n" + dumps(old).replace("[[ports]]\n", "[[ports]] # port\nrow = 1\n"), encoding="utf-8")
    ports = [replace(plan, name=data.draw(texts), speaks=None, path=None) for plan in old.ports]
    new = replace(old, ports=tuple(data.draw(st.permutations(ports))), announced=("192.0.2.77",))
    save(new, file)
    text = file.read_text(encoding="utf-8")
    assert load(file) == new
    assert text.startswith("# by hand\n")
    assert text.count("# port\nrow = 1\n") == len(ports)


@pytest.mark.parametrize("present", ["[[hops", "\x00", 'password = "hunter2"\n' + COMMENTED, "other = 1\n"])
def test_a_file_that_is_no_project_is_replaced_and_no_secret_is_carried_on(tmp_path: Path, present: str) -> None:
    file = tmp_path / "chat.toml"
    file.write_text(present, encoding="utf-8")
    project = loads(COMMENTED, "chat.toml")
    save(project, file)
    assert load(file) == project
    assert "hunter2" not in file.read_text(encoding="utf-8")


def test_a_half_made_project_can_be_saved_and_read_back_for_mending(tmp_path: Path) -> None:
    draft = replace(loads(COMMENTED, "chat.toml"), hops=(), public_address="")
    file = tmp_path / "draft.toml"
    save(draft, file)
    with pytest.raises(ProjectError) as caught:
        load(file)
    assert caught.value.project == draft


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links are POSIX's")
def test_mode_and_link_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text(COMMENTED, encoding="utf-8")
    real.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(real)
    save(replace(load(link), name="Other"), link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert load(real).name == "Other"


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    project = replace(load(path), name="Other")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(project, path)
    assert path.read_text(encoding="utf-8") == COMMENTED
    assert [file.name for file in path.parent.iterdir()] == ["chat.toml"]


def test_reading_a_project_does_not_import_tomlkit() -> None:
    script = "import sys, wizard.model.load, wizard.model.save, wizard.model.presets; print('tomlkit' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
