"""Somebody watches while mending: hops turn red and green by themselves."""

import asyncio

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui.driver import click, flip, in_wizard, practice, turn, until
from wizard.diagnosis.verdict import State
from wizard.gui.flow import Step
from wizard.gui.view_models.run import RunState

WORDS = {
    "en": {"blocked": "5 of 25 ports are blocked", "open": "All 25 ports are proven open", "live": "shows at once"},
    "zh_CN": {"blocked": "25 个端口中有 5 个被拦", "open": "全部 25 个端口均已证实畅通", "live": "立即显示"},
}


def states(window):
    return {card.id: card.state for card in window.test_page.diagram.model.cards}


async def seen(window, state, hop="router"):
    """Wait until the diagram shows the hop in that state."""
    run = window.context.run
    await until(run.watched, lambda: {h.id: h.state for h in run.diagnosis.hops}[hop] is state)
    window.test_page.refresh()
    await turn()
    assert states(window)[hop] is state


async def begun(window):
    """Turn the switch on, and wait until what was tested is being watched."""
    page = window.test_page
    click(page.watch)
    await until(window.context.run.watched, lambda: window.context.run.watching)
    page.refresh()
    await turn()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_hop_turns_red_and_green_by_itself_while_it_is_watched(qapp, tmp_path, language):
    words = WORDS[language]

    async def walk(window):
        async with practice(window):
            page = window.test_page
            assert not page.changes.isVisible()
            await begun(window)
            assert page.watch.isVisible()
            assert words["open"] in window.answer.text()
            assert words["live"] in window.answer.text()
            assert not page.again.isVisible()
            assert len(page.changes.since) == 5
            assert page.changes.said == []

            await flip(window, "router-hole")
            await seen(window, State.BLOCKED)
            await until(window.context.run.watched, lambda: words["blocked"] in page.answer())
            page.refresh()
            assert page.finding.finding.suspects == ("router",)
            assert page.changes.said
            assert set(states(window).values()) == {State.BLOCKED, State.OPEN}

            await flip(window, "router-hole")
            await until(window.context.run.watched, lambda: words["open"] in page.answer())
            page.refresh()
            await turn()
            assert set(states(window).values()) == {State.OPEN}
            past = window.context.run.result.past
            assert sum(uptime.ups for uptime in past.uptimes.values()) == 5

            click(page.watch)
            await until(window.context.run.ended, lambda: not window.context.run.goes_on)
            await turn()
            assert window.context.run.state is RunState.DONE
            assert page.again.isVisible()
            assert words["live"] not in window.answer.text()

    in_wizard(qapp, tmp_path, walk, language=language)


def without_peer():
    """How many sockets have no peer: those of the watch. The practice network keeps its own, for our flows, for half a
    minute, and they have one."""
    return sum(not connection.raddr for connection in psutil.Process().net_connections())


def test_the_switch_off_leaves_no_socket_of_the_watch_and_on_again_it_goes_on(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await begun(window)
            click(window.test_page.watch)
            await until(window.context.run.ended, lambda: not window.context.run.goes_on)
            tasks = len(asyncio.all_tasks())
            sockets = without_peer()
            await begun(window)
            assert window.context.run.watching
            window.test_page.watch.setFocus()
            QTest.keyClick(window.test_page.watch, Qt.Key.Key_Space)
            await until(window.context.run.ended, lambda: not window.context.run.goes_on)
            assert len(asyncio.all_tasks()) == tasks
            assert without_peer() == sockets

    in_wizard(qapp, tmp_path, walk)


def test_closing_the_window_ends_the_watch(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await begun(window)

    in_wizard(qapp, tmp_path, walk)


def test_an_edited_project_is_watched_no_longer(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await begun(window)
            window.go(Step.PORTS)
            await turn()
            click(window.ports_page.add)
            await turn()
            await until(window.context.run.ended, lambda: not window.context.run.goes_on)
            assert not window.test_page.watch.isChecked()

    in_wizard(qapp, tmp_path, walk)
