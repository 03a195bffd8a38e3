"""What frps's dashboard tells of its proxies."""

from __future__ import annotations

import pytest

from wizard.configs.products import product, read
from wizard.configs.reading import Question, UnreadableError
from wizard.model.port import Protocol
from wizard.observation import Coverage

# As frp documents the answer of /api/proxy/{type}: a proxy whose client is away has no conf.
ANSWER = """\
{"proxies": [
  {"name": "web", "conf": {"name": "web", "type": "tcp", "remotePort": 8172}, "todayTrafficIn": 0, "status": "online"},
  {"name": "media-10000", "conf": {"name": "media-10000", "type": "udp", "remotePort": 10000}, "status": "online"},
  {"name": "old", "conf": null, "status": "offline"},
  {"name": "older", "conf": {"type": "tcp", "remotePort": 9000}, "status": "offline"}
]}
"""


def covers(protocol: Protocol, number: int) -> Coverage:
    reading = read(ANSWER.encode(), "dashboard.json")
    assert reading.product == "frps-dashboard"
    return reading.answer(Question(protocol, number, number, translates=True)).coverage


def test_a_proxy_whose_client_is_connected_takes_its_port_and_no_other_does() -> None:
    assert covers(Protocol.TCP, 8172) is Coverage.COVERED
    assert covers(Protocol.UDP, 10000) is Coverage.COVERED
    assert covers(Protocol.TCP, 10000) is Coverage.WRONG_PROTOCOL
    assert covers(Protocol.TCP, 9000) is Coverage.MISSING
    assert covers(Protocol.TCP, 7000) is Coverage.MISSING


def test_proxies_without_their_client_are_told() -> None:
    notes = read(ANSWER.encode(), "dashboard.json").notes
    assert [(note.phrase.values["name"], note.line) for note in notes] == [("old", 4), ("older", 5)]


@pytest.mark.parametrize("text", ['{"proxies": []}', '{"proxies": [', "[]"])
def test_an_answer_without_proxies_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        read(text.encode(), "x.json", product("frps-dashboard"))
