"""Router guides: each is whole in both languages, recognises its routers, and says exactly what to enter."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wizard.model.forward import Forward, forwards
from wizard.model.gateway import Gateway
from wizard.model.hop import Hop, HopKind
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.resource import resource
from wizard.model.router_guide import Cell, Guide, GuideError, commands, guide, guide_for, guides, read_folder, rows

ALL = guides()
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLAIN = Forward(
    "media", Protocol.UDP, PortRange(10000, 10100), PortRange(10000, 10100), PortRange(10000, 10100), "192.168.77.20"
)
MOVED = Forward("web", Protocol.TCP, PortRange(80, 81), PortRange(80, 81), PortRange(8080, 8081), "192.168.77.20")


def seen(manufacturer: str, model: str = "", name: str = "") -> Gateway:
    return Gateway(
        "lan",
        "192.168.77.1",
        "192.168.77.20",
        24,
        True,
        (),
        datetime.now(UTC),
        manufacturer=manufacturer,
        model=model,
        name=name,
    )


def test_every_maker_that_is_promised_has_a_guide() -> None:
    assert [known.id for known in ALL] == [
        "generic",
        "tp-link",
        "asus",
        "netgear",
        "fritzbox",
        "unifi",
        "openwrt",
        "mikrotik",
        "opnsense",
        "huawei",
        "xiaomi",
        "zte",
        "tenda",
        "h3c",
    ]


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.id)
def test_each_is_worded_in_both_languages(known: Guide) -> None:
    sentences = (*known.quirks, known.called)
    for wording in (known.title, *known.page, *sentences, *(field.label for field in known.fields)):
        assert not CHINESE.search(wording.en)
    for quirk in known.quirks:
        assert CHINESE.search(quirk.zh)
        assert quirk.en.endswith(".")
    assert known.page
    assert known.addresses
    assert known.source


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.id)
@pytest.mark.parametrize("forward", [PLAIN, MOVED], ids=["range", "moved"])
def test_the_rows_of_each_carry_every_port_to_its_number_inside(known: Guide, forward: Forward) -> None:
    carried: dict[int, int] = {}
    for row in rows(known, [forward]):
        told = dict(zip([field.cell for field in known.fields], [value for _, value in row.cells], strict=True))
        outer = re.split(r"[-:]", told.get(Cell.EXTERNAL) or told[Cell.EXTERNAL_FIRST])
        alone = told.get(Cell.INTERNAL_ALONE, "").replace("(leave empty)", outer[0])
        inner = re.split(r"[-:]", told.get(Cell.INTERNAL) or alone or told[Cell.INTERNAL_FIRST])
        assert told[Cell.HOST] == "192.168.77.20"
        assert told[Cell.PROTOCOL] == forward.protocol.value.upper()
        length = len(row.outside)
        if Cell.EXTERNAL in told and length > 1:
            assert int(outer[1]) - int(outer[0]) == length - 1
        assert known.shifts or outer[0] == inner[0] or length == 1
        carried |= {int(outer[0]) + i: int(inner[0]) + i for i in range(length)}
    assert carried == dict(zip(forward.external, forward.internal, strict=True))


@pytest.mark.parametrize(
    ("gateway", "found"),
    [
        (seen("TP-Link", "Archer AX55"), "tp-link"),
        (seen("ASUSTeK Computer Inc.", "RT-AX88U"), "asus"),
        (seen("NETGEAR, Inc.", "R7000"), "netgear"),
        (seen("AVM Berlin", "FRITZ!Box 7590"), "fritzbox"),
        (seen("Ubiquiti Networks", "UDM Pro"), "unifi"),
        (seen("OpenWrt", "OpenWrt router"), "openwrt"),
        (seen("MikroTik", "RouterOS"), "mikrotik"),
        (seen("FreeBSD", "FreeBSD router"), "opnsense"),
        (seen("Huawei Technologies Co., Ltd.", "HG8245H"), "huawei"),
        (seen("Xiaomi", "MiWiFi R3600"), "xiaomi"),
        (seen("ZTE", "ZXHN H298A"), "zte"),
        (seen("Tenda", "AC10"), "tenda"),
        (seen("H3C", "Magic NX30"), "h3c"),
        (seen("Nobody", "Nothing"), "generic"),
        (None, "generic"),
    ],
)
def test_a_router_is_known_by_what_it_says_of_itself(gateway: Gateway | None, found: str) -> None:
    assert guide_for(gateway).id == found


def test_only_the_missing_ports_are_to_be_entered() -> None:
    project = Project(
        "p",
        "203.0.113.20",
        (Hop("router", HopKind.ROUTER, None, "203.0.113.20"), Hop("nas", HopKind.SERVICE, None, "192.168.77.20")),
        (PortPlan("media", Protocol.UDP, PortRange(10000, 10100), {"nas": PortRange(20000, 20100)}),),
    )
    missing = [OutsidePort(Protocol.UDP, number) for number in (10003, 10004, 10050)]
    lines = [row.text for row in rows(guide("opnsense"), forwards(project, 0, missing))]
    assert len(lines) == 2
    assert "from: 10003, Destination port range, to: 10004, Redirect target IP: 192.168.77.20" in lines[0]
    assert "Redirect target port: 20003" in lines[0]
    assert "Redirect target port: 20050" in lines[1]


def test_commands_are_what_a_shell_of_that_router_takes() -> None:
    openwrt = commands(guide("openwrt"), [PLAIN]).splitlines()
    assert openwrt[0] == "uci add firewall redirect"
    assert "uci set firewall.@redirect[-1].src_dport='10000-10100'" in openwrt
    assert openwrt[-2:] == ["uci commit firewall", "/etc/init.d/firewall reload"]
    mikrotik = commands(guide("mikrotik"), [PLAIN, MOVED]).splitlines()
    assert [line.split(" dst-port=")[1].split(" ")[0] for line in mikrotik] == ["10000-10100", "80", "81"]
    assert "to-addresses=192.168.77.20 to-ports=8081" in mikrotik[2]
    assert commands(guide("asus"), [PLAIN]) == ""


def test_a_name_cannot_break_out_of_a_command() -> None:
    hostile = Forward("x'; reboot #", Protocol.UDP, *(PortRange(5, 5),) * 3, "192.168.77.20")
    assert "reboot #" not in commands(guide("openwrt"), [hostile])
    assert "hopwise-x-reboot'" in commands(guide("openwrt"), [hostile])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("order = 1", "ordr = 1", "mine.toml: ordr: no such key"),
        ('called = { en = "Port', 'called = { de = "Port', "mine.toml: page.called.de: no such key"),
        (', zh = "任意路由器"', "", "mine.toml: title.zh is missing"),
        ('cell = "host"', 'cell = "computer"', "mine.toml: rule.fields[4].cell: 'computer' is none of"),
        ('cell = "host"', 'cell = "fixed"', "a value belongs to a fixed field"),
        ('cell = "external",', 'cell = "name",', "a rule needs a protocol, a host and outer ports"),
        ("shifts = false\n", "", "mine.toml: rule.shifts is missing"),
        ("order = 1", "order = [", "mine.toml: "),
    ],
)
def test_a_guide_that_is_not_whole_is_refused_with_the_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = resource("router-guides", "generic.toml").read_text("utf-8")
    assert old in text
    (tmp_path / "mine.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(GuideError, match=re.escape(says)):
        read_folder(tmp_path)
