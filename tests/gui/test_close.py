"""The window closes at any time, and nothing stays behind."""

import socket
from contextlib import ExitStack

import psutil
import pytest
from PySide6.QtWidgets import QMessageBox

from tests.gui.driver import answer, click, dialog, fill, in_wizard, practice, turn, until
from wizard.gui.view_models.run import RunState
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.save import save
from wizard.model.vantage import Vantage

# The offscreen platform says so of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def silent(stack, path, count=20):
    """A project whose ports never answer."""
    ports = []
    for _ in range(count):
        sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("127.0.0.1", 0))
        ports.append(sock.getsockname()[1])
    plans = tuple(PortPlan(f"p{n}", Protocol.UDP, PortRange(n, n)) for n in ports)
    hop = Hop("service", HopKind.SERVICE, "Service", "127.0.0.1")
    save(Project("silent", "127.0.0.1", (hop,), plans, (Vantage("here"),)), path)
    return path


def sockets():
    return {(c.fd, c.laddr) for c in psutil.Process().net_connections("inet")}


def test_closing_in_the_middle_of_a_run_ends_at_once_and_closes_every_socket(qapp, tmp_path):
    async def walk(window):
        await until(window.context.document.opened, lambda: window.context.document.chosen)
        click(window.rail.buttons[next(s for s in window.pages if s.value == "test")])
        await turn()
        click(window.primary)
        await until(window.context.run.changed, lambda: window.context.run.planned)
        await turn()
        assert window.context.run.busy

    with ExitStack() as stack:
        project = silent(stack, tmp_path / "silent.toml")
        before = sockets()
        in_wizard(qapp, tmp_path / "state", walk, project=project)
        assert sockets() == before


def test_stop_keeps_what_is_known_and_claims_nothing_more(qapp, tmp_path):
    async def walk(window):
        run = window.context.run
        await until(window.context.document.opened, lambda: window.context.document.chosen)
        click(window.rail.buttons[next(s for s in window.pages if s.value == "test")])
        await turn()
        click(window.primary)
        await until(run.changed, lambda: run.planned)
        await turn()
        assert window.test_page.stop.hasFocus()
        click(window.test_page.stop)
        await until(run.ended, lambda: not run.busy)
        await turn()
        assert run.state is RunState.STOPPED
        assert "stopped early" in window.answer.text()
        assert {card.word for card in window.test_page.diagram.model.cards} == {"not proven"}

    with ExitStack() as stack:
        in_wizard(qapp, tmp_path / "state", walk, project=silent(stack, tmp_path / "silent.toml"))


def test_the_practice_network_goes_with_the_window(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            assert sockets() - before

    before = sockets()
    in_wizard(qapp, tmp_path, walk)
    assert sockets() == before


def test_unsaved_work_is_asked_about_and_cancel_means_stay(qapp, tmp_path):
    async def walk(window):
        page = window.service_page
        fill(page.new_address.line, "203.0.113.20")
        click(page.begin)
        await until(window.context.document.opened, lambda: window.context.document.chosen)
        window.close()
        await dialog(QMessageBox)
        assert window.isVisible()
        await answer("Cancel")
        assert window.isVisible()
        window.close()
        gone = []
        window.destroyed.connect(lambda: gone.append(True))
        await answer("Do not save")
        assert gone or not window.isVisible()

    in_wizard(qapp, tmp_path, walk)
    assert list(tmp_path.glob("unsaved-*")) == []


def test_the_interface_repaints_at_most_twenty_times_in_a_second_of_a_run(qapp, tmp_path):
    painted = []

    async def walk(window):
        run = window.context.run
        async with practice(window):
            page = window.test_page
            refresh = page.refresh
            page._tick.timeout.disconnect()
            page._tick.timeout.connect(lambda: (painted.append(run.done), refresh()))
            click(window.primary)
            await until(run.ended, lambda: not run.busy)
            assert run.result.seconds > 0
            assert len(painted) <= 1 + 20 * run.result.seconds
            assert len(run.heard) > len(painted)

    in_wizard(qapp, tmp_path, walk)
