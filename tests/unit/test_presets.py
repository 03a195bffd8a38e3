"""Presets: each is a project that could be tested as it is, and says where its ports are documented."""

from __future__ import annotations

import ipaddress
import re
import time
from pathlib import Path

import pytest

from wizard.model.hop import HopKind
from wizard.model.load import ProjectError, loads
from wizard.model.presets import PUBLIC_ADDRESS, Preset, new_project, preset, presets, read_folder
from wizard.model.resource import resource
from wizard.model.text import dumps
from wizard.model.validate import validate

ALL = presets()


def ports(preset_id: str) -> set[str]:
    return {f"{plan.outside}/{plan.protocol}" for plan in preset(preset_id).ports}


def kinds(preset_id: str) -> list[str]:
    return [hop.kind.value for hop in preset(preset_id).hops]


def test_every_service_of_the_list_is_there_once() -> None:
    assert [known.id for known in ALL] == [
        "matrix-ess-script",
        "matrix-ess-helm",
        "frp-webrtc",
        "coturn",
        "aquarhome",
        "livekit",
        "jitsi",
        "nextcloud-talk",
        "go2rtc",
        "custom",
    ]


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.id)
@pytest.mark.parametrize("address", ["203.0.113.20", "2001:db8::20", "chat.example.org"])
def test_a_new_project_of_each_is_valid_and_is_entered_at_the_public_address(known: Preset, address: str) -> None:
    project = new_project(known, address)
    assert validate(project) == ()
    assert loads(dumps(project), "new.toml") == project
    assert project.public_address == project.hops[0].address == address
    assert PUBLIC_ADDRESS not in dumps(project)


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.id)
def test_each_is_worded_in_both_languages_and_cites_its_source(known: Preset) -> None:
    for wording in (known.title, known.summary, known.notes):
        assert wording.say("en") == wording.en
        assert wording.say("zh_CN") == wording.zh
        assert wording.en.isascii()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in known.summary.zh)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in known.notes.zh)
    assert known.source.startswith("https://")


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.id)
def test_none_names_a_host_of_its_own(known: Preset) -> None:
    for hop in known.hops:
        assert hop.address in (None, PUBLIC_ADDRESS) or ipaddress.ip_address(hop.address or "").is_private


def test_the_matrix_script_preset_has_201_media_ports_behind_router_and_firewall() -> None:
    assert ports("matrix-ess-script") == {"30881/tcp", "30882/udp", "30152-30352/udp"}
    assert kinds("matrix-ess-script") == ["router", "firewall", "service"]


def test_the_helm_preset_has_the_chart_s_present_ports() -> None:
    assert ports("matrix-ess-helm") == {"80/tcp", "443/tcp", "30001/tcp", "30002/udp"}
    assert kinds("matrix-ess-helm") == ["router", "firewall", "service"]


def test_the_aquarhome_preset_has_the_whole_chain_from_cloud_to_container() -> None:
    assert ports("aquarhome") == {"8172/tcp", "10000-10100/tcp"}
    assert kinds("aquarhome") == [
        "security-group",
        "firewall",
        "tunnel-server",
        "tunnel-client",
        "firewall",
        "container",
        "service",
    ]


def test_the_frp_preset_changes_only_the_signalling_port() -> None:
    signalling, media = preset("frp-webrtc").ports
    assert (str(signalling.outside), {hop: str(p) for hop, p in signalling.inside.items()}) == (
        "10110",
        {"app": "9000"},
    )
    assert (str(media.outside), media.protocol.value, media.inside) == ("10111-10115", "udp", {})


def test_turn_servers_of_an_ipv6_address_stand_in_brackets() -> None:
    urls = new_project(preset("coturn"), "2001:db8::20").ice_servers[0].urls
    assert "turn:[2001:db8::20]:3478?transport=udp" in urls


def test_an_unknown_preset_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        preset("nope")


def test_a_new_file_is_all_that_a_new_preset_needs(tmp_path: Path) -> None:
    text = resource("presets", "custom.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text(text.replace("8080", "5000-5009"), encoding="utf-8")
    (mine,) = read_folder(tmp_path)
    assert (mine.id, str(mine.ports[0].outside), mine.hops[-1].kind) == ("mine", "5000-5009", HopKind.SERVICE)


def test_a_preset_that_no_project_may_be_is_refused(tmp_path: Path) -> None:
    text = resource("presets", "custom.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text(text.replace("8080", "80800"), encoding="utf-8")
    with pytest.raises(ProjectError, match="ports run from 1 to 65535"):
        read_folder(tmp_path)


@pytest.mark.alone
def test_all_of_them_load_in_a_moment() -> None:
    times = []
    for _ in range(5):
        before = time.perf_counter()
        read_folder(resource("presets"))
        times.append(time.perf_counter() - before)
    assert min(times) < 0.05


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.id)
def test_the_path_is_named_in_the_language_of_the_wizard(known: Preset) -> None:
    english = new_project(known, "203.0.113.20", "en").hops
    chinese = new_project(known, "203.0.113.20", "zh_CN").hops
    assert [hop.label for hop in english] == [hop.label for hop in known.hops]
    for ours, theirs in zip(english, chinese, strict=True):
        assert (ours.id, ours.kind, ours.address) == (theirs.id, theirs.kind, theirs.address)
        # What is called by its own name is so in every language.
        is_common = ours.kind not in (HopKind.SERVICE, HopKind.CONTAINER)
        assert re.search(r"[\u4e00-\u9fff]", theirs.label or "") is not None or not is_common
        assert re.search(r"[\u4e00-\u9fff]", ours.label or "") is None
