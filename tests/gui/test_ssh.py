"""A place that is reached over SSH, named and tested from in the wizard, with a real sshd."""

import json

import pytest

from tests.gui.driver import click, fill, in_wizard, turn, until
from tests.probes.asking import free_port
from tests.probes.sshd import sshd
from wizard.diagnosis.verdict import State
from wizard.gui.flow import Step
from wizard.gui.view_models.run import RunState
from wizard.model.load import load

pytestmark = [
    pytest.mark.requires("sshd"),
    # The offscreen platform says so of every dialog.
    pytest.mark.qt_log_ignore("propagateSizeHints", extend=True),
]


def a_project(folder):
    path = folder / "project.toml"
    path.write_text(
        'format = 1\nname = "On one computer"\npublic_address = "127.0.0.1"\n'
        '[[hops]]\nid = "chat"\nkind = "service"\naddress = "127.0.0.1"\n'
        f'[[ports]]\nname = "media"\nprotocol = "udp"\noutside = "{free_port()}"\n'
    )
    return path


def test_a_host_outside_is_named_and_tested_from_while_the_responder_answers_over_ssh_too(qapp, tmp_path, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    project = a_project(tmp_path)

    async def walk(window):
        origin, answerers, run = window.origin_page, window.test_page.answerers, window.context.run
        async with sshd(tmp_path) as there:
            monkeypatch.setenv("HOME", str(there.home))
            window.go(Step.ORIGIN)
            await turn()
            origin.add.menu().actions()[2].trigger()
            await turn()
            fill(origin.server.line, "nobody@")
            await turn()
            assert "write user@host" in origin.server.problem
            fill(origin.server.line, there.destination)
            await turn()
            assert origin.server.problem == ""
            assert not origin.password.isVisible()

            click(window.primary)
            await turn()
            click(answerers.answer_there)
            await turn()
            fill(answerers.there.line, there.destination)
            click(window.primary)
            await until(run.ended, lambda: not run.busy)
            assert run.state is RunState.DONE
            assert run.diagnosis.state is State.OPEN
            assert {o.vantage for o in run.result.observations} == {"host", "responder"}
            await there.until_all_are_gone()

            there.known_hosts.write_text("")
            click(window.test_page.again)
            await until(run.ended, lambda: not run.busy)
            await turn()
            assert run.state is RunState.FAILED
            assert "is not known on this computer" in window.answer.text()
            assert answerers.isVisible()
            window.context.document.save(project)

    in_wizard(qapp, tmp_path, walk, project=project)
    (vantage,) = load(project).vantages
    assert (vantage.id, vantage.kind.value, vantage.beyond) == ("host", "ssh", None)
    assert json.dumps(project.read_text()).count("ssh") == 1
