"""Answering on the spot, waiting for who answers elsewhere, and changing the network."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from tests.gui.driver import click, in_wizard, turn, until, verdict
from tests.probes.asking import free_port
from wizard.gui.flow import Step
from wizard.gui.pages.elsewhere import Elsewhere
from wizard.gui.view_models.network import NetworkModel
from wizard.model.load import load
from wizard.observation import RESPONDER
from wizard.report.responder import responder_plan
from wizard.responder import Responder
from wizard.system.interfaces import Ways

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
HOME, HOTSPOT = Ways("192.168.77.20/24"), Ways("172.20.10.3/28")


def project(folder, address):
    file = folder / "calls.toml"
    port = free_port()
    file.write_text(
        f'format = 1\nname = "Calls"\npublic_address = "{address}"\nprobe_key = "k"\n'
        f'hops = [{{id = "wall", kind = "firewall", address = "{address}"}}, '
        f'{{id = "calls", kind = "service", address = "{address}"}}]\n'
        f'ports = [{{name = "media", protocol = "udp", outside = "{port}"}}]\n'
        f'vantages = [{{id = "here", kind = "local", beyond = "wall"}}]\n'
    )
    return file


async def opened(window):
    """The test page of the project that the wizard was started with."""
    await until(window.context.document.opened, lambda: window.context.document.chosen)
    window.go(Step.TEST)
    await turn()


@pytest.mark.requires("namespaces")
def test_on_the_services_host_a_test_is_answered_by_the_wizard_itself_and_no_longer_than_that(tmp_path):
    steps = "ip link set lo up && ip addr add 192.168.77.10 dev lo"
    run = f"exec {sys.executable} -m tests.gui.test_outside {tmp_path}"
    argv = ["unshare", "--net", "sh", "-c", f"{steps} && {run}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, cwd=Path(__file__).parents[2])
    assert done.stdout.splitlines() == ["open", "here"], done.stderr


def on_the_services_host(folder):
    """A test on this computer, which has the service's address; prints the service's state and who was heard."""

    async def walk(window):
        await opened(window)
        answering = window.test_page.answerers.answering
        click(window.primary)
        await until(window.context.run.ended, lambda: window.context.run.tested)
        await until(answering.changed, lambda: not answering.busy)
        heard = [item for _, item in window.context.run.heard if getattr(item, "vantage", "") == RESPONDER]
        service = window.context.run.diagnosis.hops[-1].state
        sys.stdout.write("\n".join([service, *{item.probe_vantage for item in heard}]))

    in_wizard(QApplication(["test"]), folder, walk, project=project(folder, "192.168.77.10"))


def test_without_anybody_who_answers_the_same_test_finds_the_service_missing(qapp, tmp_path):
    async def walk(window):
        await opened(window)
        await verdict(window)
        assert {row.state for row in window.context.run.diagnosis.ports} == {"blocked"}

    in_wizard(qapp, tmp_path, walk, project=project(tmp_path, "127.0.0.1"))


def test_what_reached_this_computer_before_a_test_counts_in_it(qapp, tmp_path):
    async def walk(window):
        await opened(window)
        answerers = window.test_page.answerers
        click(answerers.answer_here)
        await until(answerers.answering.changed, lambda: answerers.answering.bound is not None)
        await verdict(window)
        await verdict_again(window)
        before = [o for o in window.context.run.result.observations if o.vantage == RESPONDER]
        assert before
        assert before[0] in answerers.seen
        click(answerers.answer_here)
        await until(answerers.answering.changed, lambda: not answerers.answering.busy)

    async def verdict_again(window):
        click(window.test_page.again)
        await until(window.context.run.ended, lambda: not window.context.run.busy)

    in_wizard(qapp, tmp_path, walk, project=project(tmp_path, "127.0.0.1"))


def test_one_line_is_copied_and_the_wizard_says_when_it_answers(qapp, tmp_path):
    file = project(tmp_path, "127.0.0.1")

    async def walk(window):
        await opened(window)
        answerers = window.test_page.answerers
        click(answerers.line)
        line = QGuiApplication.clipboard().text()
        assert line.startswith("python3 -c ")
        assert "\n" not in line
        await until(answerers.waiting.changed, lambda: answerers.waiting.rounds)
        responder = Responder(responder_plan(load(file)))
        await responder.start()
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(responder.stop)
            await until(answerers.waiting.changed, lambda: answerers.waiting.answer)
        await until(answerers.waiting.changed, lambda: not answerers.waiting.busy)

    in_wizard(qapp, tmp_path, walk, project=file)


def test_waiting_is_ended_by_its_button(qapp, tmp_path):
    async def walk(window):
        await opened(window)
        answerers = window.test_page.answerers
        click(answerers.wait)
        await until(answerers.waiting.changed, lambda: answerers.waiting.busy)
        click(answerers.wait)
        await until(answerers.waiting.changed, lambda: not answerers.waiting.busy)
        assert answerers.waiting.answer is None

    in_wizard(qapp, tmp_path, walk, project=project(tmp_path, "127.0.0.1"))


def test_a_change_of_network_is_seen_and_the_test_before_it_counts(qapp, tmp_path):
    async def walk(window):
        await opened(window)
        await verdict(window)
        page = window.test_page
        assert [v.beyond for v in window.context.document.project.vantages] == ["wall"]
        click(page.elsewhere.leave)
        await turn()
        assert [v.beyond for v in window.context.document.project.vantages] == ["wall", None]
        assert page.elsewhere.network.watching
        assert page.answerers.brought
        click(page.elsewhere.leave)
        assert not page.elsewhere.network.watching

        here = [HOME]
        network = NetworkModel(lambda: here[0])
        guide = Elsewhere(window.context, network)
        network.watch()
        assert not network.moved
        here[0] = Ways()
        network.look()
        assert not network.moved
        here[0] = HOTSPOT
        network.look()
        assert network.moved
        network.stop()
        guide.deleteLater()

    in_wizard(qapp, tmp_path, walk, project=project(tmp_path, "127.0.0.1"))


if __name__ == "__main__":
    on_the_services_host(Path(sys.argv[1]))
