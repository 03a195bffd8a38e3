"""The watched time of a real network card, as the responder tells it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.probes.asking import WITHIN_S, udp_socket
from tests.probes.netns import FAR, FAR6, NEAR, Cable, cable
from tests.probes.test_responder_command import KEY, command, started, until_ready
from tests.probes.test_responder_network import PROJECT, entered
from wizard import card as card_module
from wizard.card import Card
from wizard.vigil import reachable
from wizard.wire.probe import request
from wizard.wire.response import ResponderPlan

pytestmark = pytest.mark.requires("namespaces", "nft")


def send(path: Cable, key: str, port: int, count: int = 1, address: str = FAR) -> None:
    """Signed probes to the far end."""

    def work() -> None:
        with udp_socket(address, port) as sock:
            for _ in range(count):
                sock.send(request(key.encode(), os.urandom(12), "laptop", "nas-firewall", port))

    with Path(f"/run/netns/{path.near}").open() as namespace, entered(namespace.fileno()) as near:
        near.submit(work).result()


def ip(side: str, line: str) -> None:
    subprocess.run(["ip", "-n", side, *line.split()], check=True)


def until_carried(path: Cable, *, carried: bool = True) -> None:
    """Returns when the system has noticed whether the far end's cable is plugged in; it looks once a second."""
    while ("LOWER_UP" in told_of_link(path) and "NO-CARRIER" not in told_of_link(path)) is not carried:
        pass


def told_of_link(path: Cable) -> str:
    return subprocess.run(
        ["ip", "-n", path.far, "link", "show", "c0"], capture_output=True, text=True, check=True
    ).stdout


def foreign(path: Cable) -> None:
    send(path, "another project's", 10000)


def stopped(path: Cable) -> None:
    send(path, KEY, 10001)


def unplugged(path: Cable) -> None:
    ip(path.near, "link set c0 down")
    until_carried(path, carried=False)


def without_address(path: Cable) -> None:
    ip(path.far, f"addr del {FAR}/24 dev c0")


def watched(folder: Path, planned: str, happens: Callable[[Cable], None]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is told of the watch before `ready`, and at the very end; empty if that is not of the watch."""
    project = folder / "chat.toml"
    project.write_text(PROJECT.replace("PLANNED", planned))
    with cable() as path:
        path.filter(path.far, "in udp dport 10000-10009 drop")
        until_carried(path)
        with started(["ip", "netns", "exec", path.far, *command(project, "--json")]) as process:
            first = [json.loads(line) for line in until_ready(process)]
            happens(path)
            process.terminate()
            lines, _ = process.communicate(timeout=WITHIN_S)
    last = json.loads(lines.splitlines()[-1]) if lines else {}
    return (first[-1] if first else {}), (last if "watched_since" in last else {})


@pytest.mark.parametrize("planned", [FAR, FAR6])
def test_an_undisturbed_watch_is_one_span_from_ready_to_the_end(tmp_path: Path, planned: str) -> None:
    first, last = watched(tmp_path, planned, stopped)
    assert (first["vantage"], first["outcome"], first["address"], first["over"]) == (
        "responder",
        "not-checked",
        planned,
        False,
    )
    assert last["watched_since"] == first["watched_since"] == first["at"] < last["at"]
    assert last["over"]


@pytest.mark.parametrize("happens", [foreign, unplugged, without_address])
def test_a_watch_in_which_a_probe_could_go_unseen_does_not_count(
    tmp_path: Path, happens: Callable[[Cable], None]
) -> None:
    first, last = watched(tmp_path, FAR, happens)
    assert first["watched_since"]
    assert last.get("watched_since", "later") != first["watched_since"]


def test_on_another_host_than_planned_no_watch_is_told(tmp_path: Path) -> None:
    assert watched(tmp_path, NEAR, stopped) == ({}, {})


async def test_packets_that_did_not_fit_are_no_whole_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_module, "CARD_BUFFER", 1)
    with cable() as path:
        path.filter(path.far, "in udp dport 10000 drop")

        async def glances() -> list[bool]:
            card = Card(ResponderPlan(KEY.encode(), "chat", None, ()), lambda _: True, lambda _: None)
            card.open()
            told = [card.glance()]
            # Nobody looks meanwhile: this loop waits.
            send(path, KEY, 10000, 500, address=FAR)
            told += [card.glance(), card.glance()]
            card.close()
            return told

        turned_round = Cable(path.far, path.near)
        assert await turned_round.in_near(glances) == [True, False, True]


def test_this_computers_loopback_leads_nowhere() -> None:
    assert reachable(["127.0.0.1", "::1", "0.0.0.0"]) is None
    assert reachable([]) is None
