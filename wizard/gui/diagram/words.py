"""The few words that stand inside the diagram, in each language.

They are not under Qt's translator, because a PDF is written without a window and in a language of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wizard.diagnosis.verdict import State
from wizard.model.hop import HopKind
from wizard.model.vantage import VantageKind


@dataclass(frozen=True, slots=True)
class DiagramWords:
    """Words of the diagram. Gaps in braces are filled with `str.format`."""

    outside: str
    clients: str
    tests_from_here: str
    not_tested: str
    nothing_planned: str
    all_stopped: str
    all_suspect: str
    some_stopped: str
    some_suspect: str
    some_open: str
    more: str
    arrow: str
    states: Mapping[State, str]
    kinds: Mapping[HopKind, str]
    vantages: Mapping[VantageKind, str]
    this_computer: str


EN = DiagramWords(
    outside="Outside",
    clients="people who call",
    tests_from_here="tests from here",
    not_tested="not tested yet",
    nothing_planned="no ports yet",
    all_stopped="all stopped",
    all_suspect="suspect",
    some_stopped="{count} stopped",
    some_suspect="{count} suspect",
    some_open="{count}/{total} open",
    more="+ {count} more",
    arrow="→ {numbers}",
    states={
        State.OPEN: "open",
        State.BLOCKED: "stopped",
        State.SUSPECT: "suspect",
        State.UNKNOWN: "not proven",
    },
    kinds={
        HopKind.CGNAT: "Provider's NAT (CGNAT)",
        HopKind.SECURITY_GROUP: "Cloud security group",
        HopKind.ROUTER: "Home router",
        HopKind.FIREWALL: "Firewall",
        HopKind.TUNNEL_SERVER: "Tunnel server",
        HopKind.TUNNEL_CLIENT: "Tunnel client",
        HopKind.CONTAINER: "Container",
        HopKind.SERVICE: "Service",
    },
    vantages={
        VantageKind.LOCAL: "{name}, this computer",
        VantageKind.TURN: "{name}, relay at {host}",
        VantageKind.SSH: "{name}, over SSH",
    },
    this_computer="this computer",
)

ZH_CN = DiagramWords(
    outside="外部",
    clients="呼叫者所在处",
    tests_from_here="从这里测试",
    not_tested="尚未测试",
    nothing_planned="还没有端口",
    all_stopped="全部被拦",
    all_suspect="可疑",
    some_stopped="{count} 个被拦",
    some_suspect="{count} 个可疑",
    some_open="{count}/{total} 通",
    more="另有 {count} 项",
    arrow="→ {numbers}",
    states={
        State.OPEN: "畅通",
        State.BLOCKED: "被拦",
        State.SUSPECT: "可疑",
        State.UNKNOWN: "未证实",
    },
    kinds={
        HopKind.CGNAT: "运营商 NAT（CGNAT）",
        HopKind.SECURITY_GROUP: "云安全组",
        HopKind.ROUTER: "家用路由器",
        HopKind.FIREWALL: "防火墙",
        HopKind.TUNNEL_SERVER: "隧道服务端",
        HopKind.TUNNEL_CLIENT: "隧道客户端",
        HopKind.CONTAINER: "容器",
        HopKind.SERVICE: "服务",
    },
    vantages={
        VantageKind.LOCAL: "{name}，本机",
        VantageKind.TURN: "{name}，中继 {host}",
        VantageKind.SSH: "{name}，经 SSH",
    },
    this_computer="本机",
)


def diagram_words(language: str) -> DiagramWords:
    """The words of a language, English for one that is not known."""
    return ZH_CN if language.lower().startswith("zh") else EN
