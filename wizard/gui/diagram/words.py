"""The few words that stand inside the diagram, in each language.

They are not under Qt's translator, because a PDF is written without a window and in a language of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wizard.diagnosis.verdict import State
from wizard.model.vantage import VantageKind


@dataclass(frozen=True, slots=True)
class DiagramWords:
    """Words of the diagram. Gaps in braces are filled with `str.format`."""

    outside: str
    clients: str
    not_tested: str
    nothing_planned: str
    all_blocked: str
    all_suspect: str
    some_blocked: str
    some_suspect: str
    some_open: str
    more: str
    arrow: str
    states: Mapping[State, str]
    vantages: Mapping[VantageKind, str]
    this_computer: str
    at_card: str


EN = DiagramWords(
    outside="Outside",
    clients="where clients are",
    not_tested="not tested yet",
    nothing_planned="no ports yet",
    all_blocked="all blocked",
    all_suspect="suspect",
    some_blocked="{count} blocked",
    some_suspect="{count} suspect",
    some_open="{count}/{total} open",
    more="+ {count} more",
    arrow="→ {numbers}",
    states={
        State.OPEN: "open",
        State.BLOCKED: "blocked",
        State.SUSPECT: "suspect",
        State.UNKNOWN: "not proven",
    },
    vantages={
        VantageKind.LOCAL: "{name}, this computer",
        VantageKind.TURN: "{name}, relay at {host}",
        VantageKind.SSH: "{name}, over SSH",
    },
    this_computer="this computer",
    at_card="{count} arrived at the network card",
)

ZH_CN = DiagramWords(
    outside="外部",
    clients="客户端所在处",
    not_tested="尚未测试",
    nothing_planned="还没有端口",
    all_blocked="全部被拦",
    all_suspect="可疑",
    some_blocked="{count} 个被拦",
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
    vantages={
        VantageKind.LOCAL: "{name}，本机",
        VantageKind.TURN: "{name}，中继 {host}",
        VantageKind.SSH: "{name}，经 SSH",
    },
    this_computer="本机",
    at_card="{count} 个到达了网卡",
)


def diagram_words(language: str) -> DiagramWords:
    """The words of a language, English for one that is not known."""
    return ZH_CN if language.lower().startswith("zh") else EN
