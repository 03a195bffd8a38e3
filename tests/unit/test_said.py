"""Sentences of the program that a server's test shows are there in Chinese; those of servers stay as they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import wizard
from wizard.model.said import said

ROOT = Path(wizard.__file__).parent
SPEAKERS = {
    "LinkFault", "StunError", "Invalid", "Sentence", "UriError", "EndpointError", "NoCredentialsError", "unresolved",
    "ConfigError", "LiteralError",
}  # fmt: skip
ROOMS = ("wire/stun.py", "wire/frame.py", "wire/turn.py", "wire/uri.py", "probes/fault.py", "probes/conversation.py",
         "probes/server_verdict.py", "probes/ice.py", "probes/directory.py", "probes/nat_server.py", "probes/dns.py",
         "probes/rest_endpoint.py", "probes/server_credentials.py", "vantage/relay_server.py", "model/server_list.py",
         "gui/bench/running.py", "wire/rtc_config.py", "wire/js_literal.py", "configs/ice_servers.py",
         "probes/audit.py", "probes/audit_tls.py")  # fmt: skip


def spoken(node: ast.expr) -> Iterator[str]:
    """The sentences that an expression may be, with something in each gap."""
    match node:
        case ast.Constant(value=str(text)) if " " in text:
            yield text
        case ast.JoinedStr(values=parts):
            text = "".join(part.value if isinstance(part, ast.Constant) else "x1" for part in parts)
            if " " in text and re.search(r"[a-z]{2}", text):
                yield text
        case ast.IfExp(body=one, orelse=other):
            yield from (*spoken(one), *spoken(other))
        case ast.BoolOp(values=several):
            for one in several:
                yield from spoken(one)


def sentences(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in SPEAKERS:
                for argument in node.args:
                    yield from spoken(argument)
            if name == "append" and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "notes":
                yield from (text for argument in node.args for text in spoken(argument))
            for keyword in node.keywords:
                if keyword.arg == "text" and name in ("miss", "replace"):
                    yield from spoken(keyword.value)
        elif isinstance(node, ast.Assign):
            names = {getattr(target, "attr", getattr(target, "id", "")) for target in node.targets}
            if names & {"_heard", "NO_SUCH_SERVICE", "missing", "why"}:
                yield from spoken(node.value)


@pytest.mark.parametrize("room", ROOMS)
def test_every_sentence_of_a_servers_test_is_there_in_chinese(room: str) -> None:
    missing = [text for text in sentences(ROOT / room) if said(text, "zh_CN") == text]
    assert missing == []


def test_the_rooms_are_looked_through() -> None:
    assert sum(1 for room in ROOMS for _ in sentences(ROOT / room)) > 70


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("connection refused", "连接被拒绝"),
        ("turn.example.org:3478: connection refused", "turn.example.org:3478：连接被拒绝"),
        ("no answer; not tried: 2 more addresses of the name", "没有应答；该名称还有 2 个地址未试"),
        ("there is no name turn.example.org", "没有名称 turn.example.org"),
        (
            "no credentials for turn:192.0.2.1: 192.0.2.9: HTTP 401: the token was not accepted",
            "turn:192.0.2.1 没有凭据：192.0.2.9：HTTP 401：令牌未被接受",
        ),
        (
            "line 3: iceServers[1].urls is turnUrl when the page runs; write the address there",
            "第 3 行：iceServers[1].urls 在网页运行时取自 turnUrl；请在那里写出地址",
        ),
        ("Unauthorized", "Unauthorized"),
        ("Wrong Credentials: try again", "Wrong Credentials: try again"),
    ],
)
def test_sentences_within_sentences_are_told_and_a_servers_words_stay(english: str, chinese: str) -> None:
    assert said(english, "zh_CN") == chinese
    assert said(english, "en") == english
